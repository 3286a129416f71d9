"""Reductions; `axes` is a sorted tuple. torch reads an empty one as "all axes" (pytorch/pytorch#29137)."""

from __future__ import annotations

from typing import Any

import torch

__all__ = [
    "argmax", "argmin", "cumsum", "reduce_all", "reduce_any", "reduce_max", "reduce_mean", "reduce_min",
    "reduce_prod", "reduce_sum",
]  # fmt: skip


UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)  # torch can't add these up


def reduce_sum(x: Any, axes: Any, keepdims: bool) -> Any:
    if x.dtype in UNSIGNED:
        return reduce_sum(x.to(torch.int64), axes, keepdims).to(x.dtype)
    return torch.sum(x, axes, keepdim=keepdims, dtype=x.dtype) if axes else x


def reduce_mean(x: Any, axes: Any, keepdims: bool) -> Any:
    return torch.mean(x, axes, keepdim=keepdims) if axes else x


def reduce_max(x: Any, axes: Any, keepdims: bool) -> Any:
    return torch.amax(x, axes, keepdim=keepdims) if axes else x


def reduce_min(x: Any, axes: Any, keepdims: bool) -> Any:
    return torch.amin(x, axes, keepdim=keepdims) if axes else x


def reduce_all(x: Any, axes: Any, keepdims: bool) -> Any:
    return torch.all(x, axes, keepdim=keepdims) if axes else x


def reduce_any(x: Any, axes: Any, keepdims: bool) -> Any:
    return torch.any(x, axes, keepdim=keepdims) if axes else x


def reduce_prod(x: Any, axes: Any, keepdims: bool) -> Any:
    if x.dtype in UNSIGNED:
        return reduce_prod(x.to(torch.int64), axes, keepdims).to(x.dtype)
    for axis in reversed(axes):  # torch.prod takes one axis at a time
        x = torch.prod(x, axis, keepdim=keepdims, dtype=x.dtype)
    return x


def argmax(x: Any, axis: int) -> Any:
    return torch.argmax(x, axis).to(torch.int32)


def argmin(x: Any, axis: int) -> Any:
    return torch.argmin(x, axis).to(torch.int32)


def cumsum(x: Any, axis: int) -> Any:
    return torch.cumsum(x, axis, dtype=x.dtype)
