"""NumPy's indexing by arrays, which TensorFlow's `x[...]` doesn't know."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def pick_by_arrays(x: Any, keys: Any) -> Any:
    """`x[keys]` with index arrays or masks among the keys."""
    keys = [part for k in _with_dots_opened(keys, x.shape.rank) for part in _mask_as_indices(k)]
    basic = tuple(k if k is None or isinstance(k, slice) else slice(None) for k in keys)
    places = [i for i, k in enumerate(keys) if basic[i] is not k]
    x = x[basic]  # every key is one axis now
    sizes = tf.shape(x)
    indices = [_from_front(keys[i], sizes[i]) for i in places]
    if len(indices) == 1:
        return tf.gather(x, indices[0], axis=places[0])
    joined = indices[0].shape
    for index in indices[1:]:
        joined = tf.broadcast_static_shape(joined, index.shape)
    if not joined.is_fully_defined():
        joined = tf.shape(sum(indices))
    rest = [i for i in range(len(keys)) if i not in places]
    found = tf.gather_nd(
        tf.transpose(x, places + rest), tf.stack([tf.broadcast_to(index, joined) for index in indices], -1)
    )
    if places != list(range(places[0], places[0] + len(places))):
        return found  # NumPy puts the new axes in front if something stands between the arrays
    rank = found.shape.rank - len(rest)
    before = list(range(rank, rank + places[0]))
    return tf.transpose(found, before + list(range(rank)) + list(range(rank + places[0], found.shape.rank)))


def _with_dots_opened(keys: Any, rank: int) -> list[Any]:
    taken = sum(k.shape.rank if _is_mask(k) else int(k is not None and k is not Ellipsis) for k in keys)
    at = next((i for i, k in enumerate(keys) if k is Ellipsis), len(keys))
    return [*keys[:at], *[slice(None)] * (rank - taken), *keys[at + 1 :]]


def _is_mask(key: Any) -> bool:
    return isinstance(key, (tf.Tensor, tf.Variable)) and key.dtype == tf.bool


def _mask_as_indices(key: Any) -> list[Any]:
    return tf.unstack(tf.where(key), key.shape.rank, 1) if _is_mask(key) else [key]


def _from_front(index: Any, size: Any) -> Any:
    index = tf.cast(index, tf.int64)
    return tf.where(index < 0, index + tf.cast(size, tf.int64), index)
