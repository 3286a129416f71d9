"""Initializers without chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbridge.core.errors import ShapeError
from kbridge.core.initializers.base import Initializer, finished


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return finished(np.zeros(shape), dtype)


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return finished(np.ones(shape), dtype)


class Constant(Initializer):
    """One value everywhere (or an array that broadcasts to the shape)."""

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return finished(np.broadcast_to(self.value, tuple(shape)), dtype)


class Identity(Initializer):
    """The identity matrix, times `gain`."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if len(shape) != 2:
            raise ShapeError(f"Identity makes matrices, got shape {tuple(shape)}.")
        rows, columns = shape
        return finished(self.gain * np.eye(rows, columns), dtype)
