"""The base of callbacks, and the list that calls them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kbridge.core.callbacks.logs import LazyLogs
from kbridge.core.graph.node import leaves

Logs = Mapping[str, Any] | None


class Callback:
    """Called at the beginnings and ends of training, testing, predicting, their epochs and batches.

    Subclasses give the `on_...` methods they need. `self.model` is the model, `self.params` a dict
    with "verbose", "epochs" and "steps". Batch hooks get logs that are read from the device when
    somebody looks, which waits for the step; epoch hooks get a dict of floats.
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self._model: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Take what the run is like: "verbose", "epochs", "steps"."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take the model."""
        self._model = model

    @property
    def model(self) -> Any:
        """The model that is being trained, tested or asked."""
        return self._model

    def wants(self, hook: str) -> bool:
        """Whether this callback does anything in that hook; hooks nobody wants are not called."""
        names = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}
        return self._gives(hook) or (hook in names and self._gives(names[hook]))

    def _gives(self, hook: str) -> bool:
        return hook in self.__dict__ or getattr(type(self), hook) is not getattr(Callback, hook)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """The same as `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """The same as `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Before an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """After an epoch and its validation; values added to `logs` reach the callbacks behind."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a training step, counted from 0 in each epoch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a training step."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of `evaluate` or of validation."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of `evaluate` or of validation."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of `predict`; logs hold its "outputs"."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs = None) -> None:
        """After the last epoch."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Before `evaluate` or validation."""

    def on_test_end(self, logs: Logs = None) -> None:
        """After `evaluate` or validation."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Before `predict`."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """After `predict`."""


class CallbackList(Callback):
    """Calls several callbacks, in order, each hook only for those that want it.

    Args:
        callbacks: callbacks, nested as they like.
        add_history: whether to add a `History` if there is none.
        add_progbar: whether to add a `ProgbarLogger` if there is none.
        model: the model.
        **params: "verbose", "epochs", "steps".

    The loop asks `wants_train_batch_end` and its five siblings before it makes logs and calls a batch hook.
    """

    wants_train_batch_begin = wants_train_batch_end = False
    wants_test_batch_begin = wants_test_batch_end = False
    wants_predict_batch_begin = wants_predict_batch_end = False

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        from kbridge.core.callbacks.history import History
        from kbridge.core.callbacks.progress import ProgbarLogger

        super().__init__()
        self.callbacks: list[Any] = [] if callbacks is None else leaves(callbacks)
        if add_history and not any(isinstance(c, History) for c in self.callbacks):
            self.callbacks.append(History())
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def append(self, callback: Any) -> None:
        """Add one callback at the end."""
        self.callbacks.append(callback)
        if self._model is not None:
            callback.set_model(self._model)
        self.set_params(self.params)

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        if params:
            for callback in self.callbacks:
                callback.set_params(params)
        for run in ("train", "test", "predict"):
            for moment in ("begin", "end"):
                hook = f"{run}_batch_{moment}"
                setattr(self, f"wants_{hook}", bool(self._wanting(f"on_{hook}")))

    def set_model(self, model: Any) -> None:
        from kbridge.core.callbacks.history import History

        super().set_model(model)
        for callback in self.callbacks:
            callback.set_model(model)
            if isinstance(callback, History):
                model.history = callback

    def wants(self, hook: str) -> bool:
        return bool(self._wanting(hook))

    def _wanting(self, hook: str) -> list[Any]:
        return [c for c in self.callbacks if not isinstance(c, Callback) or c.wants(hook)]

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.on_train_batch_begin(batch, logs)

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.on_train_batch_end(batch, logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._call("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._call("on_epoch_end", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._call("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._call("on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._call("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._call("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._call("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._call("on_predict_batch_end", batch, logs)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Logs = None) -> None:
        self._call("on_train_end", logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Logs = None) -> None:
        self._call("on_test_end", logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._call("on_predict_end", logs)
