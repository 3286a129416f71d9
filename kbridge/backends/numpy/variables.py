"""The container of a variable: a plain array, replaced on write."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbridge.core.tensor.berth import Box

__all__ = ["add_in_place", "keep_for_traces", "make_variable", "mark_trainable", "refuse_write", "write_variable"]


def make_variable(value: Any, dtype: str, trainable: bool, path: str) -> Any:
    return np.array(value, dtype)


def write_variable(box: Box, key: Any, value: Any) -> None:
    box[key] = np.array(value)


def add_in_place(box: Box, key: Any, value: Any) -> bool:
    return False  # arrays are replaced, not changed


def mark_trainable(value: Any, trainable: bool) -> None:
    """Nothing to mark on an array."""


def keep_for_traces(value: Any) -> None:
    """Nothing is traced."""


def refuse_write(path: str) -> None:
    raise AssertionError(f"NumPy doesn't trace, so {path} can always be written.")
