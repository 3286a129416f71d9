"""Kernels of statistics."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbridge.core.errors import ArgumentError

__all__ = ["bincount"]


def bincount(x: Any, weights: Any, minlength: int) -> Any:
    if x.size and x.min() < 0:
        raise ArgumentError(f"Whole numbers from 0 can be counted, got {x.min()}.")
    length, number = max(minlength, int(x.max(initial=-1)) + 1), math.prod(x.shape[:-1])
    flat = x.reshape(number, x.shape[-1]) + length * np.arange(number)[:, None]  # a range of its own for each row
    weights, dtype = (None, "int32") if weights is None else (weights.reshape(-1), weights.dtype)
    return np.bincount(flat.reshape(-1), weights, length * number).reshape(*x.shape[:-1], length).astype(dtype)
