"""Kernels that sort, search and count. torch compares no unsigned numbers beyond 8 bits: 64 bits with sign do."""

from __future__ import annotations

from typing import Any

import torch

from kbridge.backends.torch.arrays import UNSIGNED

__all__ = ["argpartition", "argsort", "argwhere", "partition", "searchsorted", "sort", "top_k"]


def _comparable(x: Any) -> Any:
    return x.long() if x.dtype in UNSIGNED else x


def sort(x: Any, axis: int) -> Any:
    return torch.sort(_comparable(x), axis).values.to(x.dtype)


def argsort(x: Any, axis: int) -> Any:
    return torch.sort(_comparable(x), dim=axis, stable=True).indices.int()


def partition(x: Any, kth: int, axis: int) -> Any:
    return sort(x, axis)  # torch has no selection that keeps the rest


def argpartition(x: Any, kth: int, axis: int) -> Any:
    return argsort(x, axis)


def top_k(x: Any, k: int, sorted: bool) -> Any:
    values, indices = torch.topk(_comparable(x), k, sorted=sorted)
    return values.to(x.dtype), indices.int()


def searchsorted(row: Any, values: Any, side: Any) -> Any:
    return torch.searchsorted(_comparable(row), _comparable(values).contiguous(), out_int32=True, right=side == "right")


def argwhere(x: Any) -> Any:
    return torch.nonzero(_comparable(x)).int()
