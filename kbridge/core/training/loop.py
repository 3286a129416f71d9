"""The loop over epochs and batches. It never waits for the device unless somebody reads a number."""

from __future__ import annotations

from typing import Any

from kbridge.core.callbacks.callback_list import CallbackList
from kbridge.core.callbacks.logs import LazyLogs
from kbridge.core.ops.declare import kernel


def numbers(logs: dict[str, Any]) -> dict[str, float]:
    """Tensors as Python floats; this waits for the device."""
    return {name: float(kernel.to_numpy(kernel.convert(value))) for name, value in logs.items()}


def run_epoch(model: Any, step: Any, source: Any, hooks: CallbackList, kind: str) -> dict[str, float]:
    """All batches of one epoch; returns the loss and the metrics at its end."""
    begin = getattr(hooks, f"on_{kind}_batch_begin") if getattr(hooks, f"wants_{kind}_batch_begin") else None
    end = getattr(hooks, f"on_{kind}_batch_end") if getattr(hooks, f"wants_{kind}_batch_end") else None
    logs: Any = None
    count = 0
    for i, batch in enumerate(source.batches()):
        if begin is not None:
            begin(i)
        logs = step(batch)
        count += 1
        if end is not None:
            end(i, _lazy(model, logs))
        if kind == "train" and model.stop_training:
            break
    if not count:
        raise ValueError("The data gave no batch. A generator gives each once: check `steps_per_epoch` and `epochs`.")
    return numbers(logs if logs else model.get_metrics_result())


def _lazy(model: Any, logs: Any) -> LazyLogs:
    return LazyLogs(lambda: numbers(logs if logs else model.get_metrics_result()))


class Epochs:
    """The epochs of one `fit`."""

    def __init__(self, model: Any, step: Any, source: Any, callbacks: Any, verbose: Any, first: int, last: int) -> None:
        self.model = model
        self.step = step
        self.source = source
        self.first, self.last = first, last
        self.callbacks = (
            callbacks
            if isinstance(callbacks, CallbackList)
            else CallbackList(
                callbacks,
                add_history=True,
                add_progbar=verbose not in (0, False),
                verbose=1 if verbose == "auto" else verbose,
                epochs=last,
                steps=source.steps,
                model=model,
            )
        )

    def run(self, validate: Any, validation_freq: Any) -> Any:
        """Train; returns the History."""
        model, hooks = self.model, self.callbacks
        model.stop_training = False
        hooks.on_train_begin()
        logs: dict[str, float] = {}
        for epoch in range(self.first, self.last):
            model.reset_metrics()
            hooks.on_epoch_begin(epoch)
            logs = run_epoch(model, self.step, self.source, hooks, "train")
            if validate is not None and _is_due(epoch, validation_freq):
                logs.update(validate())
            hooks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        optimizer = model.optimizer
        if optimizer is not None and optimizer.use_ema:
            optimizer.finalize_variable_values(model.trainable_variables)
        hooks.on_train_end(logs)
        return model.history


def _is_due(epoch: int, freq: Any) -> bool:
    return (epoch + 1) % freq == 0 if isinstance(freq, int) else epoch + 1 in freq
