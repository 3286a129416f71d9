"""What a row of the tables of ops is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

rng = np.random.default_rng(7)


def floats(*sizes: int, dtype: str = "float32") -> np.ndarray:
    return rng.normal(size=sizes).astype(dtype)


def ints(low: int, high: int, *sizes: int, dtype: str = "int32") -> np.ndarray:
    return rng.integers(low, high, sizes).astype(dtype)


class Row(NamedTuple):
    name: str
    call: Callable[..., Any]  # takes the arrays
    arrays: tuple[np.ndarray, ...]
    want: Any  # one array, or a list of them
    tolerance: float = 2e-5


def row(name: str, call: Callable[..., Any], *arrays: Any, want: Any, tolerance: float = 2e-5) -> Row:
    return Row(name, call, arrays, want, tolerance)


def narrow(array: Any) -> np.ndarray:
    """An oracle's result in the type kbridge answers in: NumPy computes in 64 bits."""
    array = np.asarray(array)
    return array.astype({"float64": "float32", "int64": "int32"}.get(array.dtype.name, array.dtype))


def pieces(value: Any) -> list[Any]:
    """One result as a list, several as they are."""
    return list(value) if isinstance(value, (list, tuple)) else [value]
