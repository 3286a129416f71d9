"""Class numbers as vectors, on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbridge.core.settings import floatx


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Class numbers as vectors with a single 1: `(...,) -> (..., num_classes)`.

    Args:
        x: whole numbers from 0 to `num_classes - 1`; a last axis of size 1 is dropped.
        num_classes: one more than the largest number if None.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    numbers = np.asarray(x, "int64")
    if numbers.ndim > 1 and numbers.shape[-1] == 1:
        numbers = numbers[..., 0]
    count = int(numbers.max()) + 1 if num_classes is None else num_classes
    if numbers.size and (numbers.min() < 0 or numbers.max() >= count):
        raise ValueError(f"Class numbers must lie between 0 and {count - 1}, got {numbers.min()} to {numbers.max()}.")
    return np.eye(count, dtype=floatx())[numbers]
