"""Reductions; `axes` is a sorted tuple."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "argmax", "argmin", "cumsum", "reduce_all", "reduce_any", "reduce_max", "reduce_mean", "reduce_min",
    "reduce_prod", "reduce_sum",
]  # fmt: skip


def reduce_sum(x: Any, axes: Any, keepdims: bool) -> Any:
    return np.sum(x, axes, x.dtype, keepdims=keepdims)


def reduce_prod(x: Any, axes: Any, keepdims: bool) -> Any:
    return np.prod(x, axes, x.dtype, keepdims=keepdims)


def reduce_mean(x: Any, axes: Any, keepdims: bool) -> Any:
    return np.mean(x, axes, keepdims=keepdims)


def reduce_max(x: Any, axes: Any, keepdims: bool) -> Any:
    return np.max(x, axes, keepdims=keepdims)


def reduce_min(x: Any, axes: Any, keepdims: bool) -> Any:
    return np.min(x, axes, keepdims=keepdims)


def reduce_all(x: Any, axes: Any, keepdims: bool) -> Any:
    return np.all(x, axes, keepdims=keepdims)


def reduce_any(x: Any, axes: Any, keepdims: bool) -> Any:
    return np.any(x, axes, keepdims=keepdims)


def argmax(x: Any, axis: int) -> Any:
    return np.argmax(x, axis).astype("int32")


def argmin(x: Any, axis: int) -> Any:
    return np.argmin(x, axis).astype("int32")


def cumsum(x: Any, axis: int) -> Any:
    return np.cumsum(x, axis, x.dtype)
