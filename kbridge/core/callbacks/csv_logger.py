"""Logs of every epoch in a table."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from kbridge.core.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Writes a line of comma-separated values after each epoch.

    Args:
        filename: where to.
        separator: what stands between values.
        append: whether to go on with a file that is there.
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = Path(filename)
        self.separator = separator
        self.append = append
        self._file: TextIO | None = None
        self._writer: csv.DictWriter[str] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._close()
        self._headed = self.append and self.filename.exists() and self.filename.stat().st_size > 0
        self._file = self.filename.open("a" if self.append else "w", newline="", encoding="utf-8")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        if self._file is None:
            raise ValueError("CSVLogger writes between on_train_begin and on_train_end: fit calls both.")
        if self._writer is None:
            self._writer = self._make_writer(self._file, sorted(logs))
        row = {name: _cell(logs.get(name, "NA")) for name in self._writer.fieldnames}
        self._writer.writerow({**row, "epoch": epoch})
        self._file.flush()

    def _make_writer(self, file: TextIO, names: list[str]) -> csv.DictWriter[str]:
        if not any(name.startswith("val_") for name in names):
            names += [f"val_{name}" for name in names]  # validation may join at a later epoch
        writer = csv.DictWriter(file, ["epoch", *names], delimiter=self.separator)
        if not self._headed:
            writer.writeheader()
        return writer

    def on_train_end(self, logs: Logs = None) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


def _cell(value: Any) -> Any:
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return f"[{', '.join(map(str, value))}]"
