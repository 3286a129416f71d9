"""The list that calls callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbridge.core.callbacks.callback import Callback
from kbridge.core.callbacks.history import History
from kbridge.core.callbacks.progress import ProgbarLogger
from kbridge.core.graph.node import leaves

HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class CallbackList(Callback):
    """Calls several callbacks, in order, each hook only for those that want it.

    Args:
        callbacks: callbacks, nested as they like.
        add_history: whether to add a `History` if there is none.
        add_progbar: whether to add a `ProgbarLogger` if there is none.
        model: the model.
        **params: "verbose", "epochs", "steps".

    The loop asks `wants_train_batch_end`, or one of its five siblings, before it makes logs for a
    batch and calls that hook: with nobody listening, a step costs the host nothing.
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
        super().__init__()
        self.callbacks: list[Any] = [] if callbacks is None else leaves(callbacks)
        for wanted, kind in ((add_history, History), (add_progbar, ProgbarLogger)):
            if wanted and not any(isinstance(callback, kind) for callback in self.callbacks):
                self.callbacks.append(kind())
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def append(self, callback: Any) -> None:
        """Add one callback at the end."""
        self.callbacks.append(callback)
        if self._model is not None:
            self.set_model(self._model)
        self.set_params(self.params)

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        if params:
            for callback in self.callbacks:
                callback.set_params(params)
        self._listeners = {hook: [c for c in self.callbacks if _wants(c, hook)] for hook in HOOKS}
        for hook, listeners in self._listeners.items():
            if hook.startswith(("on_train_batch", "on_test_batch", "on_predict_batch")):
                setattr(self, hook.replace("on_", "wants_", 1), bool(listeners))

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        for callback in self.callbacks:
            callback.set_model(model)
            if isinstance(callback, History):
                model.history = callback

    def wants(self, hook: str) -> bool:
        return bool(self._listeners[hook])


def _wants(callback: Any, hook: str) -> bool:
    return callback.wants(hook) if isinstance(callback, Callback) else hasattr(callback, hook)


def _calling(hook: str) -> Callable[..., None]:
    if hook.endswith(("_batch_begin", "_batch_end")) or hook.startswith("on_epoch"):

        def call(self: CallbackList, index: int, logs: Any = None) -> None:
            logs = {} if logs is None else logs
            for callback in self._listeners[hook]:
                getattr(callback, hook)(index, logs)

    else:

        def call(self: CallbackList, logs: Any = None) -> None:  # type: ignore[misc]
            logs = {} if logs is None else logs
            for callback in self._listeners[hook]:
                getattr(callback, hook)(logs)

    call.__name__, call.__doc__ = hook, getattr(Callback, hook).__doc__
    return call


for _hook in HOOKS:
    setattr(CallbackList, _hook, _calling(_hook))
