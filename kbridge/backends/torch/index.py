"""Kernels that read and write at positions. `reduction`: None (write), "add", "mul", "max" or "min"."""

from __future__ import annotations

import math
from typing import Any

import torch

from kbridge.backends.torch.unsigned import LEAST, UNSIGNED, back_in_type, in_order

__all__ = ["scatter", "scatter_update", "segment_reduce", "segments_in", "slice", "slice_update"]

UNITE = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


def _signed(dtype: Any, reduction: Any, run: Any) -> Any:
    """`run`, given the way there: torch writes no unsigned numbers at positions."""
    if reduction in ("max", "min"):
        return back_in_type(run(in_order), dtype)
    return run(torch.Tensor.long).to(dtype)


def scatter_update(x: Any, indices: Any, updates: Any, reduction: Any) -> Any:
    if x.dtype in UNSIGNED:
        return _signed(x.dtype, reduction, lambda there: scatter_update(there(x), indices, there(updates), reduction))
    where = tuple(indices.long().unbind(-1))
    if reduction in (None, "add"):
        return x.index_put(where, updates, accumulate=reduction == "add")
    sizes, rest = x.shape[: len(where)], x.shape[len(where) :]
    count = math.prod(sizes)
    rows = torch.arange(count, device=x.device).reshape(sizes)[where].reshape(-1)  # checks the range and the sign
    return _unite(x.reshape(count, *rest), rows, updates.reshape(len(rows), *rest), reduction).reshape(x.shape)


def _unite(x: Any, rows: Any, updates: Any, reduction: str) -> Any:
    """`updates` taken into the `rows` of `x`."""
    if reduction == "add":
        return x.index_add(0, rows, updates)
    return x.scatter_reduce(0, rows.view(-1, *[1] * (x.ndim - 1)).expand_as(updates), updates, UNITE[reduction])


def scatter(indices: Any, values: Any, shape: Any) -> Any:
    return scatter_update(values.new_zeros(shape), indices, values, "add")


def segments_in(ids: Any) -> int:
    return int(ids.max()) + 1 if ids.numel() else 0


def segment_reduce(data: Any, ids: Any, segments: int, reduction: str, start: Any) -> Any:
    if data.dtype in UNSIGNED:
        start += LEAST if data.dtype == torch.uint64 and reduction in ("max", "min") else 0
        return _signed(
            data.dtype, reduction, lambda there: segment_reduce(there(data), ids, segments, reduction, start)
        )
    ids = ids.long()
    ids = torch.where((ids < 0) | (ids > segments), segments, ids)  # one row more takes what belongs nowhere
    return _unite(data.new_full((segments + 1, *data.shape[1:]), start), ids, data, reduction)[:segments]


def _places(start: Any, size: int, x: Any, axis: int) -> Any:
    if isinstance(start, torch.Tensor):
        start = start.long().clamp(0, x.shape[axis] - size)
    return torch.arange(size, device=x.device) + start


def slice(x: Any, starts: Any, sizes: Any) -> Any:
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        if size == -1:
            x = x.narrow(axis, int(start), x.shape[axis] - int(start))
        elif isinstance(start, int):
            x = x.narrow(axis, start, size)
        else:  # whose value must not be looked at while Dynamo traces
            x = x.index_select(axis, _places(start, size, x, axis))
    return x


def slice_update(x: Any, starts: Any, updates: Any) -> Any:
    if x.dtype in UNSIGNED:
        return slice_update(x.long(), starts, updates.long()).to(x.dtype)
    where = [_places(start, size, x, i) for i, (start, size) in enumerate(zip(starts, updates.shape, strict=True))]
    return x.index_put(torch.meshgrid(where, indexing="ij") if where else (), updates)
