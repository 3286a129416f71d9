"""Kernels that make tensors, and those about diagonals, by slices and masks that LiteRT knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from kbridge.backends.tensorflow.arrays import full, pad, raw, reshape, shape_of, transpose

__all__ = ["diag_matrix", "diagonal", "empty", "tril", "tril_indices", "triu", "triu_indices"]


def empty(shape: Any, dtype: str) -> Any:
    return full(shape, 0, dtype)


def diagonal(x: Any, offset: int, axis1: int, axis2: int) -> Any:
    """Every (columns + 1)-th element of the matrix laid out flat."""
    x = transpose(x, [i for i in range(len(x.shape)) if i not in (axis1, axis2)] + [axis1, axis2])
    *rest, rows, columns = shape_of(x)
    start = offset if offset >= 0 else -offset * columns
    if isinstance(rows, int) and isinstance(columns, int):
        count = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    else:
        count = tf.maximum(0, tf.minimum(rows + min(offset, 0), columns - max(offset, 0)))
    flat = reshape(x, (*rest, rows * columns))
    return flat[..., start : start + count * (columns + 1) : columns + 1]


def _below(x: Any, offset: int) -> Any:
    """Where an element of the matrices isn't right of the diagonal."""
    *_, rows, columns = shape_of(x)
    return tf.expand_dims(tf.range(rows), 1) + offset >= tf.range(columns)


def tril(x: Any, offset: int) -> Any:
    return raw.SelectV2(condition=_below(x, offset), t=x, e=tf.zeros((), x.dtype))


def triu(x: Any, offset: int) -> Any:
    return raw.SelectV2(condition=_below(x, offset - 1), t=tf.zeros((), x.dtype), e=x)


def diag_matrix(x: Any, offset: int) -> Any:
    row = pad(x, [(max(offset, 0), max(-offset, 0))], 0) if offset else x
    places = tf.range(shape_of(row)[0])
    return tf.where(tf.expand_dims(places, 1) + offset == places, row, tf.zeros((), x.dtype))


def tril_indices(rows: int, offset: int, columns: int) -> Any:
    return [tf.constant(i, "int32") for i in np.tril_indices(rows, offset, columns)]


def triu_indices(rows: int, offset: int, columns: int) -> Any:
    return [tf.constant(i, "int32") for i in np.triu_indices(rows, offset, columns)]
