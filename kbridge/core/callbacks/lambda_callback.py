"""A callback from plain functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbridge.core.callbacks.callback import Callback


class LambdaCallback(Callback):
    """Calls functions given by the name of their hook.

    Args:
        on_epoch_begin, on_epoch_end: functions `(epoch, logs)`.
        on_train_begin, on_train_end: functions `(logs)`.
        on_train_batch_begin, on_train_batch_end: functions `(batch, logs)`.
        **hooks: functions for the other hooks of `Callback`.

    >>> seen = []
    >>> LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["loss"])).on_epoch_end(0, {"loss": 1.0})
    >>> seen
    [1.0]
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **hooks: Callable[..., Any],
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin, "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin, "on_train_batch_end": on_train_batch_end, **hooks,
        }  # fmt: skip
        for hook, function in given.items():
            if not hook.startswith("on_") or not hasattr(Callback, hook):
                raise TypeError(f"A Callback has no hook {hook!r}.")
            if function is not None:
                setattr(self, hook, function)
