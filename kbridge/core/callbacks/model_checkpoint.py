"""Saves the model while it trains."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kbridge.core.callbacks.callback import Logs
from kbridge.core.callbacks.monitor import MonitorCallback

WEIGHTS = (".weights.h5", ".safetensors")
MODELS = (".keras", ".h5")


class ModelCheckpoint(MonitorCallback):
    """Writes the model, or its weights, after epochs or every so many batches.

    Args:
        filepath: where to; `{epoch}`, `{batch}` (counted from 1) and names of the logs are filled in.
        monitor, mode: as in `MonitorCallback`; needed for `save_best_only`.
        verbose: 1 prints a line.
        save_best_only: whether to write only when the watched value has improved.
        save_weights_only: whether to write weights (".weights.h5", ".safetensors") instead of a model.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: the value to improve on first.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.save_freq = save_freq
        self._epoch = self._batches = 0
        endings = WEIGHTS if save_weights_only else MODELS
        if not self.filepath.endswith(endings):
            what = "weights" if save_weights_only else "a model"
            raise ValueError(f"A file for {what} ends in {' or '.join(endings)}, got {self.filepath!r}.")
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(f'save_freq is "epoch" or a positive number of batches, got {save_freq!r}.')

    def wants(self, hook: str) -> bool:
        return super().wants(hook) and (hook != "on_train_batch_end" or self.save_freq != "epoch")

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._batches += 1
        if isinstance(self.save_freq, int) and self._batches % self.save_freq == 0:
            self._save(logs, {"batch": batch + 1})

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch
        if self.save_freq == "epoch":
            self._save(logs, {})

    def _save(self, logs: Logs, place: dict[str, Any]) -> None:
        if self.save_best_only and not self._has_improved(logs):
            return
        path = self._path(logs, place)
        path.parent.mkdir(parents=True, exist_ok=True)
        write = self.model.save_weights if self.save_weights_only else self.model.save
        write(str(path), overwrite=True)
        if self.verbose:
            print(f"\nEpoch {self._epoch + 1}: saved to {path}")

    def _has_improved(self, logs: Logs) -> bool:
        current = self.monitored(logs)
        if current is None:
            return True  # `monitored` has warned; a file too many is better than none
        if not self.is_improvement(current, self.best):
            if self.verbose:
                print(f"\nEpoch {self._epoch + 1}: {self.monitor} did not improve from {self.best:.5f}")
            return False
        self.best = current
        return True

    def _path(self, logs: Logs, place: dict[str, Any]) -> Path:
        values = {**(logs or {}), "epoch": self._epoch + 1, **place}
        try:
            path = Path(self.filepath.format(**values))
        except KeyError as error:
            raise KeyError(
                f"filepath {self.filepath!r} asks for {error}, which the logs don't hold: {', '.join(values)}."
            ) from error
        if path.is_dir():
            raise IsADirectoryError(f"filepath {path} is a folder. Name a file in it.")
        return path
