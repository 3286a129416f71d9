"""Reductions; `axes` is a sorted tuple. torch reads an empty one as "all axes" (pytorch/pytorch#29137)."""

from __future__ import annotations

from typing import Any

import torch

from kbridge.backends.torch.unsigned import by_order, in_order, moved

__all__ = [
    "argmax", "argmin", "cumprod", "cumsum", "logcumsumexp", "logsumexp", "reduce_all", "reduce_any", "reduce_max",
    "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum",
]  # fmt: skip


@moved
def reduce_sum(x: Any, axes: Any, keepdims: bool) -> Any:
    return torch.sum(x, axes, keepdim=keepdims, dtype=x.dtype) if axes else x


def reduce_mean(x: Any, axes: Any, keepdims: bool) -> Any:
    return torch.mean(x, axes, keepdim=keepdims) if axes else x


@by_order
def reduce_max(x: Any, axes: Any, keepdims: bool) -> Any:
    return torch.amax(x, axes, keepdim=keepdims) if axes else x


@by_order
def reduce_min(x: Any, axes: Any, keepdims: bool) -> Any:
    return torch.amin(x, axes, keepdim=keepdims) if axes else x


def reduce_all(x: Any, axes: Any, keepdims: bool) -> Any:
    return torch.all(x, axes, keepdim=keepdims) if axes else x


def reduce_any(x: Any, axes: Any, keepdims: bool) -> Any:
    return torch.any(x, axes, keepdim=keepdims) if axes else x


def logsumexp(x: Any, axes: Any, keepdims: bool) -> Any:
    return torch.logsumexp(x, axes, keepdim=keepdims) if axes else x


@moved
def reduce_prod(x: Any, axes: Any, keepdims: bool) -> Any:
    for axis in reversed(axes):  # torch.prod takes one axis at a time
        x = torch.prod(x, axis, keepdim=keepdims, dtype=x.dtype)
    return x


def _ordered(x: Any) -> Any:
    """Bools and unsigned numbers in a type that torch finds the largest of."""
    return x.to(torch.int64) if x.dtype == torch.bool else in_order(x)


def argmax(x: Any, axis: int) -> Any:
    return torch.argmax(_ordered(x), axis).to(torch.int32)


def argmin(x: Any, axis: int) -> Any:
    return torch.argmin(_ordered(x), axis).to(torch.int32)


@moved
def cumsum(x: Any, axis: int) -> Any:
    return torch.cumsum(x, axis, dtype=x.dtype)


@moved
def cumprod(x: Any, axis: int) -> Any:
    return torch.cumprod(x, axis, dtype=x.dtype)


logcumsumexp = torch.logcumsumexp
