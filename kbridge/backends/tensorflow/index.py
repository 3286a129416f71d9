"""Kernels that read and write at positions. `reduction`: None (write), "add", "mul", "max" or "min"."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbridge.backends.tensorflow.arrays import known, reshape, settled, shape_of

__all__ = ["scatter", "scatter_update", "segment_reduce", "segments_in", "slice", "slice_update"]

raw = tf.raw_ops
WRITE = {
    None: raw.TensorScatterUpdate, "add": raw.TensorScatterAdd,
    "max": raw.TensorScatterMax, "min": raw.TensorScatterMin,
}  # fmt: skip
SEGMENTS = {
    "add": raw.UnsortedSegmentSum, "mul": raw.UnsortedSegmentProd,
    "max": raw.UnsortedSegmentMax, "min": raw.UnsortedSegmentMin,
}  # fmt: skip


def _whole(indices: Any) -> Any:
    return indices if indices.dtype in (tf.int32, tf.int64) else raw.Cast(x=indices, DstT=tf.int32)


def _from_front(indices: Any, sizes: Any) -> Any:
    """Rows of positions along axes of these sizes, those from the back counted from the front."""
    indices = _whole(indices)
    sizes = tf.cast(settled(sizes), indices.dtype)
    return raw.SelectV2(condition=raw.Less(x=indices, y=tf.zeros((), indices.dtype)), t=indices + sizes, e=indices)


def scatter_update(x: Any, indices: Any, updates: Any, reduction: Any) -> Any:
    sizes = shape_of(x)[: _depth(x.shape, indices, updates)]
    indices = _from_front(indices, sizes)
    if reduction != "mul":
        return WRITE[reduction](tensor=x, indices=indices, updates=updates)
    count = tf.reduce_prod(settled(sizes))
    rows = raw.GatherNd(params=reshape(tf.range(count), sizes), indices=indices)
    return x * reshape(raw.UnsortedSegmentProd(data=updates, segment_ids=rows, num_segments=count), shape_of(x))


def _depth(shape: Any, indices: Any, updates: Any) -> int:
    """How many axes a row of `indices` speaks of."""
    return len(shape) + len(indices.shape) - 1 - len(updates.shape)


def scatter(indices: Any, values: Any, shape: Any) -> Any:
    indices = _from_front(indices, shape[: _depth(shape, indices, values)])
    return raw.ScatterNd(indices=indices, updates=values, shape=tf.cast(settled(shape), indices.dtype))


def segments_in(ids: Any) -> Any:
    return tf.maximum(tf.reduce_max(ids), -1) + 1


def segment_reduce(data: Any, ids: Any, segments: Any, reduction: str, start: Any) -> Any:
    ids = _whole(ids)
    segments = tf.cast(segments, ids.dtype)
    ids = raw.SelectV2(condition=raw.Less(x=ids, y=segments), t=ids, e=tf.constant(-1, ids.dtype))  # -1: left out
    result = SEGMENTS[reduction](data=data, segment_ids=ids, num_segments=segments)
    if reduction not in ("max", "min") or not data.dtype.is_floating:
        return result
    # an empty segment holds the largest finite number where the others have infinity
    held = raw.UnsortedSegmentSum(data=tf.ones_like(ids), segment_ids=ids, num_segments=segments)
    empty = tf.reshape(raw.Equal(x=held, y=tf.zeros((), ids.dtype)), [-1] + [1] * (len(data.shape) - 1))
    return raw.SelectV2(condition=empty, t=tf.constant(start, data.dtype), e=result)


def _begin(x: Any, starts: Any, sizes: Any) -> Any:
    if all(map(known, starts)):
        return starts
    last = [whole - (max(size, 0) if known(size) else size) for whole, size in zip(shape_of(x), sizes, strict=True)]
    return tf.clip_by_value(tf.stack([tf.cast(start, tf.int32) for start in starts]), 0, settled(last))


def slice(x: Any, starts: Any, sizes: Any) -> Any:
    if not starts:
        return x
    return raw.Slice(input=x, begin=_begin(x, starts, sizes), size=settled(sizes))


def slice_update(x: Any, starts: Any, updates: Any) -> Any:
    """By padding, which costs no list of positions and which XLA and LiteRT know."""
    begin = tf.convert_to_tensor(_begin(x, starts, shape_of(updates)), tf.int32)
    widths = tf.stack([begin, settled(shape_of(x)) - begin - settled(shape_of(updates))], 1)
    written = raw.Pad(input=tf.ones_like(updates, tf.bool), paddings=widths)
    return raw.SelectV2(condition=written, t=raw.Pad(input=updates, paddings=widths), e=x)
