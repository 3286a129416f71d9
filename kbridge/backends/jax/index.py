"""Kernels that read and write at positions. `reduction`: None (write), "add", "mul", "max" or "min"."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kbridge.backends.jax.arrays import compiled

__all__ = ["scatter", "scatter_update", "segment_reduce", "segments_in", "slice", "slice_update"]

WRITE = {None: "set", "add": "add", "mul": "multiply", "max": "max", "min": "min"}
SEGMENTS = {
    "add": jax.ops.segment_sum, "mul": jax.ops.segment_prod, "max": jax.ops.segment_max, "min": jax.ops.segment_min,
}  # fmt: skip


def _scatter_update(x: Any, indices: Any, updates: Any, reduction: Any) -> Any:
    return getattr(x.at[tuple(jnp.moveaxis(indices, -1, 0))], WRITE[reduction])(updates)


scatter_update = compiled(_scatter_update, 3)
scatter = compiled(lambda i, values, shape: _scatter_update(jnp.zeros(shape, values.dtype), i, values, "add"), 2)
_segment_reduce = compiled(lambda data, ids, n, reduction: SEGMENTS[reduction](data, ids, n), 2, 3)


def segments_in(ids: Any) -> int:
    return int(ids.max(initial=-1)) + 1


def segment_reduce(data: Any, ids: Any, segments: int, reduction: str, start: Any) -> Any:
    return _segment_reduce(data, ids, segments, reduction)


# what is negative counts as 0, not from the back: as XLA has it
_slice = compiled(functools.partial(lax.dynamic_slice, allow_negative_indices=False), 2)
_slice_update = compiled(functools.partial(lax.dynamic_update_slice, allow_negative_indices=False))


def slice(x: Any, starts: Any, sizes: Any) -> Any:
    sizes = [x.shape[i] - int(starts[i]) if size == -1 else size for i, size in enumerate(sizes)]
    return _slice(x, tuple(starts), tuple(sizes))


def slice_update(x: Any, starts: Any, updates: Any) -> Any:
    return _slice_update(x, updates, tuple(starts))
