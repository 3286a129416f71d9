"""Kernels that sort, search and count. NumPy knows the order of bfloat16 only without NaN, so it sorts as float32."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["argpartition", "argsort", "argwhere", "partition", "searchsorted", "sort", "top_k"]


def _comparable(x: Any) -> Any:
    return x.astype("float32") if x.dtype.kind == "V" else x


def sort(x: Any, axis: int) -> Any:
    return np.sort(_comparable(x), axis).astype(x.dtype, copy=False)


def argsort(x: Any, axis: int) -> Any:
    return np.argsort(_comparable(x), axis, kind="stable").astype("int32")


def partition(x: Any, kth: int, axis: int) -> Any:
    return np.partition(_comparable(x), kth, axis).astype(x.dtype, copy=False)


def argpartition(x: Any, kth: int, axis: int) -> Any:
    return np.argpartition(_comparable(x), kth, axis).astype("int32")


def top_k(x: Any, k: int, sorted: bool) -> Any:
    order = x.shape[-1] - 1 - np.flip(argsort(np.flip(x, -1), -1), -1)[..., :k]  # equal elements: the first one first
    return np.take_along_axis(x, order, -1), order.astype("int32")


def searchsorted(row: Any, values: Any, side: Any) -> Any:
    return np.searchsorted(_comparable(row), _comparable(values), side).astype("int32")


def argwhere(x: Any) -> Any:
    return np.argwhere(x).astype("int32")
