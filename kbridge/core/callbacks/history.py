"""The values of every epoch."""

from __future__ import annotations

from typing import Any

from kbridge.core.callbacks.callback import Callback, Logs


class History(Callback):
    """Keeps the logs of every epoch: `history["loss"]` is a list, `epoch` the numbers of the epochs.

    `fit` adds one and returns it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
