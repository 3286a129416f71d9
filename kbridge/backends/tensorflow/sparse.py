"""Sparse tensors (SparseTensor, and IndexedSlices for whole slices along the first axis) and ragged ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kbridge.core.errors import ShapeError

__all__ = [
    "dense", "is_ragged", "is_sparse", "make_sparse", "map_ragged", "ragged_ops", "sparse_form", "sparse_matmul",
    "sparse_parts", "stored_where", "sum_duplicates",
]  # fmt: skip


def is_sparse(x: Any) -> bool:
    return isinstance(x, (tf.SparseTensor, tf.IndexedSlices))


def is_ragged(x: Any) -> bool:
    return isinstance(x, tf.RaggedTensor)


def sparse_form(x: Any) -> Any:
    """`x`, its shape known as TensorFlow's own functions leave it."""
    if isinstance(x, tf.SparseTensor):
        return x
    if x.dense_shape is None:
        raise ShapeError(
            f"IndexedSlices of values {x.values.shape} don't say how many rows there are: give dense_shape."
        )
    return tf.IndexedSlices(x.values, tf.convert_to_tensor(x.indices), tf.cast(x.dense_shape, tf.int64))


def sparse_parts(x: Any) -> tuple[Any, Any, tuple[Any, ...]]:
    """Indices that are each there once, their values, the shape."""
    if isinstance(x, tf.SparseTensor):
        return x.indices, x.values, _sizes(x.shape, x.dense_shape)
    places, at = tf.unique(tf.cast(x.indices, tf.int64))  # the gradient of a gather names a place more than once
    values = _added(x.values, at, tf.size(places))
    return places[:, None], values, _sizes(x.shape, x.dense_shape)


def _sizes(static: Any, dynamic: Any) -> tuple[Any, ...]:
    return tuple(tf.cast(dynamic[i], tf.int32) if size is None else size for i, size in enumerate(static))


def _added(values: Any, at: Any, count: Any) -> Any:
    """The sums of the values that belong together."""
    if values.dtype in (tf.int8, tf.int16, tf.uint8, tf.uint16, tf.bool):  # has no kernel everywhere
        return tf.cast(tf.math.unsorted_segment_sum(tf.cast(values, tf.int32), at, count), values.dtype)
    return tf.math.unsorted_segment_sum(values, at, count)


def make_sparse(indices: Any, values: Any, shape: Any) -> Any:
    indices = tf.cast(indices, tf.int64)
    sizes = tf.cast(tf.stack(shape), tf.int64) if len(shape) else tf.zeros((0,), tf.int64)
    if len(values.shape) > 1 and indices.shape[1] == 1:
        return tf.IndexedSlices(values, indices[:, 0], sizes)
    if not len(shape):
        return tf.SparseTensor(tf.zeros((1, 0), tf.int64), values, sizes)
    made = tf.sparse.reorder(tf.SparseTensor(indices, values, sizes))
    return _with_shape(made, shape)


def _with_shape(made: Any, shape: Any) -> Any:
    """`made`, knowing the sizes that are numbers."""
    made.set_shape([size if isinstance(size, int) else None for size in shape])
    return made


def sum_duplicates(indices: Any, values: Any, shape: Any) -> tuple[Any, tuple[Any, ...]]:
    indices, count = tf.cast(indices, tf.int64), indices.shape[1]
    sizes = tf.cast(tf.stack(shape[:count]), tf.int64)
    steps = tf.math.cumprod(sizes, exclusive=True, reverse=True)
    places, at = tf.unique(tf.reduce_sum(indices * steps, 1))
    indices = tf.math.floormod(tf.math.floordiv(places[:, None], steps), sizes)
    return indices, tuple(_added(each, at, tf.size(places)) for each in values)


def stored_where(mask: Any) -> Any:
    return tf.where(mask)


def dense(x: Any) -> Any:
    """The tensor that a sparse one stands for; a ragged one with 0 behind its rows' ends."""
    if is_ragged(x):
        return x.to_tensor()
    if isinstance(x, tf.IndexedSlices):
        return tf.convert_to_tensor(x)
    if not len(x.shape):
        return tf.reduce_sum(x.values)
    made = tf.sparse.to_dense(x)
    made.set_shape(x.shape)
    return made


def sparse_matmul(x: Any, y: Any) -> Any:
    """None where TensorFlow has no kernel: more than two axes, two sparse ones, or slices."""
    both = isinstance(x, tf.SparseTensor) and isinstance(y, tf.SparseTensor)
    if both and len(x.shape) >= 2 and x.dtype in (tf.float32, tf.float64, tf.complex64, tf.complex128):
        return _sparse_by_sparse(x, y)
    if len(x.shape) != 2 or len(y.shape) != 2 or both or tf.IndexedSlices in (type(x), type(y)):
        return None
    if x.dtype in (tf.float16, tf.bfloat16):
        return tf.cast(sparse_matmul(tf.cast(x, tf.float32), tf.cast(y, tf.float32)), x.dtype)
    if isinstance(x, tf.SparseTensor):
        found = tf.sparse.sparse_dense_matmul(x, y)
    else:
        found = tf.transpose(tf.sparse.sparse_dense_matmul(y, x, True, True))
    found.set_shape((x.shape[0], y.shape[1]))
    return found


def _sparse_by_sparse(x: Any, y: Any) -> Any:
    """By the compressed rows that TensorFlow multiplies; for two axes or a batch of them."""
    from tensorflow.python.ops.linalg.sparse import sparse_csr_matrix_ops as csr

    shape = (*x.shape[:-1], y.shape[-1])
    if x.shape[:-2] != y.shape[:-2] or None in shape:
        return None
    first, second = (csr.CSRSparseMatrix(tf.sparse.reshape(each, (-1, *each.shape[-2:]))) for each in (x, y))
    return _with_shape(tf.sparse.reshape(csr.matmul(first, second).to_sparse_tensor(), shape), shape)


# --- ragged -----------------------------------------------------------------------------------------


def map_ragged(function: Callable[..., Any], args: Any) -> Any:
    """`function` of the elements of ragged tensors with the same rows, and of numbers; None where rows differ."""
    first = next(a for a in args if is_ragged(a))
    for each in args:
        if not is_ragged(each) and getattr(each, "shape", ()) != ():
            return None
    rows = [a.nested_row_splits for a in args if is_ragged(a)]
    if tf.executing_eagerly() and not all(_same_rows(rows[0], other) for other in rows[1:]):
        return None
    return first.with_flat_values(function(*(a.flat_values if is_ragged(a) else a for a in args)))


def _same_rows(one: Any, two: Any) -> bool:
    return len(one) == len(two) and all(
        a.shape == b.shape and bool(tf.reduce_all(a == b)) for a, b in zip(one, two, strict=True)
    )


def _take(x: Any, indices: Any, axis: Any = None) -> Any:
    """Picked along an axis, ragged as the indices or the tensor is."""
    if axis is None:
        x, axis = tf.reshape(x, (-1,)), 0
    if not is_ragged(x):
        size = tf.cast(tf.shape(x)[axis], indices.dtype)
        indices = tf.ragged.map_flat_values(lambda flat: tf.where(flat < 0, flat + size, flat), indices)
    return tf.gather(x, indices, axis=axis)


def _reducing(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis=None, keepdims=False: function(x, axis=axis, keepdims=keepdims)


ragged_ops: dict[str, Callable[..., Any]] = {
    "_filled": dense,
    "all": _reducing(tf.reduce_all),
    "any": _reducing(tf.reduce_any),
    "concatenate": lambda xs, axis=0: tf.concat(xs, axis),
    "expand_dims": tf.expand_dims,
    "max": _reducing(tf.reduce_max),
    "mean": _reducing(tf.reduce_mean),
    "min": _reducing(tf.reduce_min),
    "prod": _reducing(tf.reduce_prod),
    "sum": _reducing(tf.reduce_sum),
    "take": _take,
}
