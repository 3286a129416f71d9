"""Callbacks that change the learning rate between epochs."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

import numpy as np

from kbridge.core.callbacks.callback import Callback, Logs
from kbridge.core.callbacks.monitor import MonitorCallback
from kbridge.core.ops.shape import convert_to_numpy


def learning_rate_of(model: Any) -> float:
    """The learning rate of a model's optimizer, as a number."""
    optimizer: Any = getattr(model, "optimizer", None)
    if not hasattr(optimizer, "learning_rate"):
        raise ValueError("The model's optimizer has no learning_rate. Compile the model with an Optimizer first.")
    return float(convert_to_numpy(optimizer.learning_rate))


def _note(logs: Logs, model: Any) -> None:
    if isinstance(logs, MutableMapping):
        logs["learning_rate"] = learning_rate_of(model)


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch.

    Args:
        schedule: a function `(epoch, learning_rate) -> learning_rate`; epochs count from 0.
        verbose: 1 prints a line.
    """

    def __init__(self, schedule: Callable[[int, float], float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        rate = self.schedule(epoch, learning_rate_of(self.model))
        if not isinstance(rate, (float, np.floating)):
            raise ValueError(f"The schedule must return a float, got {rate!r}.")
        self.model.optimizer.learning_rate = float(rate)
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: learning rate {rate}")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        _note(logs, self.model)


class ReduceLROnPlateau(MonitorCallback):
    """Makes the learning rate smaller when the watched value hasn't improved for `patience` epochs.

    Args:
        monitor, mode, min_delta: as in `MonitorCallback`.
        factor: what the rate is multiplied by; below 1.
        patience: how many epochs without improvement to bear.
        verbose: 1 prints a line.
        cooldown: how many epochs after a change don't count.
        min_lr: the least rate.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 0.0001,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1:
            raise ValueError(f"factor must be below 1 for the rate to become smaller, got {factor}.")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.cooldown_counter = self.wait = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self.best = None
        self.cooldown_counter = self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        _note(logs, self.model)
        current = self.monitored(logs)
        if current is None:
            return
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.cooldown_counter:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        before = learning_rate_of(self.model)
        if before <= np.float32(self.min_lr):  # the rate is kept in float32
            return
        rate = max(before * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = rate
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: learning rate reduced to {rate}")
