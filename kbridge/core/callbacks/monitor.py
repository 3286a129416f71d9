"""Callbacks that watch one value and know which way is better."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from kbridge.core.callbacks.callback import Callback, Logs


class MonitorCallback(Callback):
    """Watches one value of the logs at the end of each epoch.

    Args:
        monitor: its name, such as "val_loss".
        mode: "min" or "max", which way is better, or "auto": the metric of that name knows.
        baseline: the value to improve on first.
        min_delta: how much better counts as better.
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ValueError(f'mode is "auto", "min" or "max", got {mode!r}.')
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self._sign: int | None = None

    def is_improvement(self, value: float, reference: float | None) -> bool:
        """Whether `value` is better than `reference` by more than `min_delta`; anything is better than None."""
        if reference is None:
            return True
        if self._sign is None:
            self._sign = self._better_sign()
        return bool(self._sign * (value - reference) > self.min_delta)

    def monitored(self, logs: Logs) -> float | None:
        """The watched value, or None, with a warning, where it isn't in the logs."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, which isn't in the logs: they hold "
                f"{', '.join(logs or {}) or 'nothing'}. Correct its name, or pass validation_data.",
                stacklevel=2,
            )
        return value

    def _better_sign(self) -> int:
        """1 if larger is better, -1 if smaller is."""
        if self.mode != "auto":
            return 1 if self.mode == "max" else -1
        name = self.monitor.removeprefix("val_")
        for metric in _every_metric(getattr(self.model, "metrics", ())):
            direction = getattr(metric, "_direction", None)
            if getattr(metric, "name", None) == name and direction is not None:
                return 1 if direction == "up" else -1
        if name == "loss" or name.endswith("_loss"):
            return -1
        raise ValueError(
            f"{type(self).__name__} can't tell whether a larger or a smaller {self.monitor} is better. "
            'Pass mode="max" or mode="min".'
        )


def _every_metric(metrics: Any) -> Iterator[Any]:
    for metric in metrics:
        yield metric
        yield from _every_metric(getattr(metric, "metrics", ()))
