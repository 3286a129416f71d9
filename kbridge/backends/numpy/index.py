"""Kernels that read and write at positions. `reduction`: None (write), "add", "mul", "max" or "min"."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["scatter", "scatter_update", "segment_reduce", "segments_in", "slice", "slice_update"]

UNITE = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def scatter_update(x: Any, indices: Any, updates: Any, reduction: Any) -> Any:
    result = x.copy()
    where = tuple(np.moveaxis(indices, -1, 0))
    if reduction is None:
        result[where] = updates
    else:
        UNITE[reduction].at(result, where, updates)
    return result


def scatter(indices: Any, values: Any, shape: Any) -> Any:
    return scatter_update(np.zeros(shape, values.dtype), indices, values, "add")


def segments_in(ids: Any) -> int:
    return int(ids.max(initial=-1)) + 1


def segment_reduce(data: Any, ids: Any, segments: int, reduction: str, start: Any) -> Any:
    result = np.full((segments + 1, *data.shape[1:]), start, data.dtype)  # the last row takes what belongs nowhere
    UNITE[reduction].at(result, np.where((ids < 0) | (ids > segments), segments, ids), data)
    return result[:segments]


def _cut(x: Any, starts: Any, sizes: Any) -> Any:
    found = []
    for start, size, whole in zip(starts, sizes, x.shape, strict=True):
        first = max(0, min(int(start), whole - max(size, 0)))
        found.append(np.s_[first : whole if size == -1 else first + size])
    return tuple(found)


def slice(x: Any, starts: Any, sizes: Any) -> Any:
    return x[_cut(x, starts, sizes)]


def slice_update(x: Any, starts: Any, updates: Any) -> Any:
    result = x.copy()
    result[_cut(x, starts, updates.shape)] = updates
    return result
