"""Kernels that sort, search and count, by TopK: TensorFlow's one sort."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbridge.backends.tensorflow.arrays import cast, reshape, shape_of, transpose

__all__ = ["argpartition", "argsort", "argwhere", "partition", "searchsorted", "sort", "top_k"]

raw = tf.raw_ops
BITS = {2: tf.int16, 4: tf.int32, 8: tf.int64}


def _falling(x: Any) -> Any:
    """Whole numbers that fall where `x` rises; NaN, which TopK leaves anywhere, counts as the largest of all."""
    if x.dtype.is_floating:
        x = raw.SelectV2(condition=raw.Equal(x=x, y=tf.zeros((), x.dtype)), t=tf.zeros((), x.dtype), e=x)  # no -0
        x = raw.SelectV2(condition=raw.IsNan(x=x), t=tf.constant(float("nan"), x.dtype), e=x)  # one sort of NaN
        bits = raw.Bitcast(input=x, type=BITS[x.dtype.size])
        turned = raw.BitwiseXor(x=bits, y=tf.constant(bits.dtype.max, bits.dtype))  # negative floats run backwards
        x = raw.SelectV2(condition=raw.Less(x=bits, y=tf.zeros((), bits.dtype)), t=turned, e=bits)
    return raw.Invert(x=x)


def _last(axis: int, rank: int) -> list[int]:
    """The order of axes in which `axis` and the last have changed places."""
    order = list(range(rank))
    order[axis], order[-1] = order[-1], order[axis]
    return order


def argsort(x: Any, axis: int) -> Any:
    order = _last(axis, len(x.shape))
    key = _falling(transpose(x, order))
    return transpose(raw.TopKV2(input=key, k=shape_of(key)[-1])[1], order)


def sort(x: Any, axis: int) -> Any:
    order = _last(axis, len(x.shape))
    x = transpose(x, order)
    key = _falling(x)
    if not x.dtype.is_floating:
        return transpose(raw.Invert(x=raw.TopKV2(input=key, k=shape_of(key)[-1])[0]), order)
    places = raw.TopKV2(input=key, k=shape_of(key)[-1])[1]
    last = len(order) - 1
    return transpose(raw.GatherV2(params=x, indices=places, axis=last, batch_dims=last), order)


def partition(x: Any, kth: int, axis: int) -> Any:
    return sort(x, axis)


def argpartition(x: Any, kth: int, axis: int) -> Any:
    return argsort(x, axis)


def top_k(x: Any, k: int, sorted: bool) -> Any:
    return tuple(raw.TopKV2(input=x, k=k, sorted=sorted))


def searchsorted(row: Any, values: Any, side: Any) -> Any:
    find = raw.UpperBound if side == "right" else raw.LowerBound
    found = find(sorted_inputs=reshape(row, (1, -1)), values=reshape(values, (1, -1)))
    return reshape(found, shape_of(values))


def argwhere(x: Any) -> Any:
    if x.dtype == tf.float16:  # Where has no kernel for it
        x = raw.NotEqual(x=x, y=tf.zeros((), x.dtype))
    return cast(raw.Where(condition=x), "int32")
