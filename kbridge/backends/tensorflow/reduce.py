"""Reductions; `axes` is a sorted tuple."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbridge.backends.tensorflow.arrays import numbers

__all__ = [
    "argmax", "argmin", "cumprod", "cumsum", "logcumsumexp", "logsumexp", "reduce_all", "reduce_any", "reduce_max",
    "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum",
]  # fmt: skip

raw = tf.raw_ops
HALF = (tf.float16, tf.bfloat16)


def _wide(function: Any) -> Any:
    """Half types add up in float32: TensorFlow's own sums stick at 2048, and its mean overflows, on a CPU."""

    def call(x: Any, *settled: Any) -> Any:
        if x.dtype in HALF:
            return raw.Cast(x=function(raw.Cast(x=x, DstT=tf.float32), *settled), DstT=x.dtype)
        return function(x, *settled)

    return call


def _reduction(function: Any, for_bool: Any = None) -> Any:
    def reduce(x: Any, axes: Any, keepdims: bool) -> Any:
        if for_bool is not None and x.dtype is tf.bool:
            return for_bool(input=x, axis=numbers(axes), keep_dims=keepdims)
        return function(input=x, axis=numbers(axes), keep_dims=keepdims) if axes else x

    return reduce


reduce_sum, reduce_prod = _wide(_reduction(raw.Sum)), _wide(_reduction(raw.Prod))
reduce_mean = _wide(_reduction(raw.Mean))
reduce_max, reduce_min = _reduction(raw.Max, for_bool=raw.Any), _reduction(raw.Min, for_bool=raw.All)
reduce_all, reduce_any = _reduction(raw.All), _reduction(raw.Any)


@_wide
def logsumexp(x: Any, axes: Any, keepdims: bool) -> Any:
    if not axes:
        return x
    places = numbers(axes)
    highest = tf.stop_gradient(raw.Max(input=x, axis=places, keep_dims=True))
    finite = tf.clip_by_value(highest, x.dtype.min, x.dtype.max)  # inf - inf is NaN; LiteRT has no IsFinite
    total = raw.Log(x=raw.Sum(input=raw.Exp(x=raw.Sub(x=x, y=finite)), axis=places, keep_dims=True))
    total = raw.AddV2(x=total, y=finite)
    return total if keepdims else raw.Squeeze(input=total, axis=list(axes))


def _place(function: Any) -> Any:
    """The place that `function` finds, or that of the first NaN, which TensorFlow passes over."""

    def find(x: Any, axis: int) -> Any:
        found = function(input=x, dimension=axis, output_type=tf.int32)
        if not x.dtype.is_floating:
            return found
        unknown = raw.NotEqual(x=x, y=x)  # LiteRT has no IsNan
        first = raw.ArgMax(input=raw.Cast(x=unknown, DstT=tf.int32), dimension=axis, output_type=tf.int32)
        return raw.SelectV2(condition=raw.Any(input=unknown, axis=axis), t=first, e=found)

    return find


argmax, argmin = _place(raw.ArgMax), _place(raw.ArgMin)


@_wide
def cumsum(x: Any, axis: int) -> Any:
    return raw.Cumsum(x=x, axis=axis)


@_wide
def cumprod(x: Any, axis: int) -> Any:
    return raw.Cumprod(x=x, axis=axis)


@_wide
def logcumsumexp(x: Any, axis: int) -> Any:
    return raw.CumulativeLogsumexp(x=x, axis=axis)
