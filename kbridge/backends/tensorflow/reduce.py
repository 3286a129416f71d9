"""Reductions; `axes` is a sorted tuple."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

__all__ = [
    "argmax", "argmin", "cumsum", "reduce_all", "reduce_any", "reduce_max", "reduce_mean", "reduce_min",
    "reduce_prod", "reduce_sum",
]  # fmt: skip

raw = tf.raw_ops


def _reduction(function: Any) -> Any:
    def reduce(x: Any, axes: Any, keepdims: bool) -> Any:
        return function(input=x, axis=axes, keep_dims=keepdims) if axes else x

    return reduce


reduce_sum, reduce_prod, reduce_mean = _reduction(raw.Sum), _reduction(raw.Prod), _reduction(raw.Mean)
reduce_max, reduce_min = _reduction(raw.Max), _reduction(raw.Min)
reduce_all, reduce_any = _reduction(raw.All), _reduction(raw.Any)


def argmax(x: Any, axis: int) -> Any:
    return raw.ArgMax(input=x, dimension=axis, output_type=tf.int32)


def argmin(x: Any, axis: int) -> Any:
    return raw.ArgMin(input=x, dimension=axis, output_type=tf.int32)


def cumsum(x: Any, axis: int) -> Any:
    return raw.Cumsum(x=x, axis=axis)
