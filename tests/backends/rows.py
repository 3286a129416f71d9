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
    """A call of an op and what it gives.

    The name is the op's, with more behind a hyphen: `matmul-batched`.
    """

    name: str
    call: Callable[..., Any]  # takes the arrays
    arrays: tuple[np.ndarray, ...]
    want: Any  # one array, or a list of them
    tolerance: float = 2e-5
    gradient: bool = False  # whether its float inputs have gradients, to be held against finite differences
    fixed: str = ""  # why sizes have to be known before the call
    eager: str = ""  # why it can't be compiled at all
    data: int = 99  # how many of the arrays are data; the others are weights, whose sizes are always known


ONE_INPUT = ("conv", "affine", "batch_normalization", "layer_normalization", "lookup")


def row(name: str, call: Callable[..., Any], *arrays: Any, want: Any, **more: Any) -> Row:
    if name.startswith(ONE_INPUT):
        more.setdefault("data", 1)
    return Row(name, call, arrays, want, **more)


class Bad(NamedTuple):
    """A call that has to be refused alike everywhere: same class, and a message that names the op."""

    name: str
    call: Callable[..., Any]
    arrays: tuple[np.ndarray, ...]
    error: type[Exception]
    numbers: str = ""  # why shapes and dtypes alone pass, and only numbers are refused


def bad(name: str, call: Callable[..., Any], *arrays: Any, error: type[Exception], numbers: str = "") -> Bad:
    return Bad(name, call, arrays, error, numbers)


def narrow(array: Any) -> np.ndarray:
    """An oracle's result in the type kbridge answers in: NumPy computes in 64 bits."""
    array = np.asarray(array)
    return array.astype({"float64": "float32", "int64": "int32"}.get(array.dtype.name, array.dtype))


def pieces(value: Any) -> list[Any]:
    """One result as a list, several as they are."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def assert_near(got: np.ndarray, want: np.ndarray, tolerance: float) -> None:
    """Same dtype and shape, and every element within the tolerance."""
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    wide = "complex128" if want.dtype.kind == "c" else "float64"
    np.testing.assert_allclose(got.astype(wide), want.astype(wide), rtol=tolerance, atol=tolerance)
