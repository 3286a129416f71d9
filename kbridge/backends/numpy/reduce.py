"""Reductions; `axes` is a sorted tuple."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

__all__ = [
    "argmax", "argmin", "cumprod", "cumsum", "logcumsumexp", "logsumexp", "reduce_all", "reduce_any", "reduce_max",
    "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum",
]  # fmt: skip

HALF = (np.dtype("float16"), np.dtype(ml_dtypes.bfloat16))


def _wide(function: Any) -> Any:
    """Half types add up in float32: NumPy's own sums stick at 2048 in float16 and at 256 in bfloat16."""

    def call(x: Any, *settled: Any) -> Any:
        if x.dtype in HALF:
            return function(x.astype("float32"), *settled).astype(x.dtype)
        return function(x, *settled)

    return call


@_wide
def reduce_sum(x: Any, axes: Any, keepdims: bool) -> Any:
    return np.sum(x, axes, x.dtype, keepdims=keepdims)


@_wide
def reduce_prod(x: Any, axes: Any, keepdims: bool) -> Any:
    return np.prod(x, axes, x.dtype, keepdims=keepdims)


@_wide
def reduce_mean(x: Any, axes: Any, keepdims: bool) -> Any:
    if not x.size:  # NumPy warns
        return reduce_sum(x, axes, keepdims) * np.asarray(np.nan, x.dtype)
    return np.mean(x, axes, keepdims=keepdims)


@_wide
def logsumexp(x: Any, axes: Any, keepdims: bool) -> Any:
    highest = np.max(x, axes, keepdims=True, initial=-np.inf)
    limits = np.finfo(x.dtype)
    highest = np.clip(highest, limits.min, limits.max)  # inf - inf is NaN
    total = np.log(np.sum(np.exp(x - highest), axes, keepdims=True)) + highest
    return total if keepdims else np.squeeze(total, axes)


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


@_wide
def cumsum(x: Any, axis: int) -> Any:
    return np.cumsum(x, axis, x.dtype)


@_wide
def cumprod(x: Any, axis: int) -> Any:
    return np.cumprod(x, axis, x.dtype)


@_wide
def logcumsumexp(x: Any, axis: int) -> Any:
    return np.logaddexp.accumulate(x, axis)
