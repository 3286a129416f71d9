"""Kernels that sort, search and count."""

from __future__ import annotations

from typing import Any

import torch

from kbridge.backends.torch.unsigned import UNSIGNED, back_in_type, by_order, in_order

__all__ = ["argpartition", "argsort", "argwhere", "partition", "searchsorted", "sort", "top_k"]


@by_order
def sort(x: Any, axis: int) -> Any:
    return torch.sort(x, axis).values


def argsort(x: Any, axis: int) -> Any:
    return torch.sort(in_order(x), dim=axis, stable=True).indices.int()


def partition(x: Any, kth: int, axis: int) -> Any:
    return sort(x, axis)  # torch has no selection that keeps the rest


def argpartition(x: Any, kth: int, axis: int) -> Any:
    return argsort(x, axis)


def top_k(x: Any, k: int, sorted: bool) -> Any:
    values, indices = torch.topk(in_order(x), k, sorted=sorted)
    return back_in_type(values, x.dtype) if x.dtype in UNSIGNED else values, indices.int()


def searchsorted(row: Any, values: Any, side: Any) -> Any:
    return torch.searchsorted(in_order(row), in_order(values).contiguous(), out_int32=True, right=side == "right")


def argwhere(x: Any) -> Any:
    return torch.nonzero(x.to(torch.int64) if x.dtype in UNSIGNED else x).int()
