"""Progress, written to standard output."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from kbridge.core.callbacks.callback import Callback, Logs

INTERVAL = 0.1  # seconds between two looks at the device
WIDTH = 20  # characters of a full bar


class ProgbarLogger(Callback):
    """Prints how far a run is, and the loss and metrics.

    verbose=1 draws a bar, on a terminal or in a notebook at most ten times a second: only then are the
    values read, so steps don't wait for it. Elsewhere, and with verbose=2, there is one line per epoch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.verbose = 1
        self.epochs = 1
        self.target: int | None = None
        self.seen = 0
        self._fitting = False
        self._started = self._first_step = self._drawn = 0.0
        self._length = 0

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.epochs = params.get("epochs") or 1
        self.target = params.get("steps")

    def wants(self, hook: str) -> bool:
        if not self.verbose:
            return False
        if "_batch_" in hook:
            return hook.endswith("_end") and super().wants(hook) and (self._is_live() or self.target is None)
        return super().wants(hook)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._fitting = True

    def on_train_end(self, logs: Logs = None) -> None:
        self._fitting = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._start()
        if self.epochs > 1:
            sys.stdout.write(f"Epoch {epoch + 1}/{self.epochs}\n")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._finish(logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._advance(batch, logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        if not self._fitting:
            self._start()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self._fitting:
            self._advance(batch, logs)

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._fitting:
            self._finish(logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._start()

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._advance(batch, None)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._finish(None)

    # --- drawing -----------------------------------------------------------------------------------

    def _is_live(self) -> bool:
        return self.verbose == 1 and (sys.stdout.isatty() or "ipykernel" in sys.modules)

    def _start(self) -> None:
        self.seen = self._length = 0
        self._started = self._drawn = time.perf_counter()
        self._first_step = 0.0

    def _advance(self, batch: int, logs: Logs) -> None:
        now = time.perf_counter()
        self.seen = batch + 1
        if not self._first_step:
            self._first_step = now  # the first step may have compiled: it doesn't count for the speed
        if now - self._drawn >= INTERVAL and self._is_live():
            self._drawn = now
            self._draw(now, logs or {}, "\r", "")

    def _finish(self, logs: Logs) -> None:
        self.seen = self.target = self.target or self.seen
        self._draw(time.perf_counter(), logs or {}, "\r" if self._is_live() else "", "\n")

    def _draw(self, now: float, logs: Mapping[str, Any], start: str, end: str) -> None:
        pace = self._pace(now)
        ended = bool(end) or not self.target
        seconds = now - self._started if ended else pace * ((self.target or 0) - self.seen)
        count = f"{self.seen:{len(str(self.target))}}/{self.target}" if self.target else f"{self.seen}/Unknown"
        parts = [f"{_duration(seconds)} {_per_step(pace)}", *(f"{k}: {_number(v)}" for k, v in logs.items())]
        if self.verbose == 1:
            text = f"{count} {self._bar()} {' - '.join(parts)}"
        else:
            text = " - ".join([count, *parts[0].split(" "), *parts[1:]])
        sys.stdout.write(start + text.ljust(self._length) + end)
        sys.stdout.flush()
        self._length = 0 if end else len(text)

    def _pace(self, now: float) -> float:
        """Seconds per step so far."""
        if self._first_step and self.seen > 1:
            return (now - self._first_step) / (self.seen - 1)
        return (now - self._started) / max(self.seen, 1)

    def _bar(self) -> str:
        done, left = "━", "─"
        try:
            (done + left).encode(sys.stdout.encoding or "ascii")
        except UnicodeEncodeError:
            done, left = "=", "."
        full = WIDTH * self.seen // self.target if self.target else 0
        return done * full + left * (WIDTH - full)


def _duration(seconds: float) -> str:
    seconds = round(seconds)
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours:
        return f"{hours}:{minutes:02}:{seconds % 60:02}"
    return f"{minutes}:{seconds % 60:02}" if minutes else f"{seconds}s"


def _per_step(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s/step"
    return f"{seconds * 1e3:.0f}ms/step" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/step"


def _number(value: Any) -> str:
    try:
        value = float(value)
    except (TypeError, ValueError):  # a metric may give a dict or text
        return str(value)
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"
