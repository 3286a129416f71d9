"""Kernels of statistics."""

from __future__ import annotations

import math
from typing import Any

import torch

from kbridge.core.errors import ArgumentError

__all__ = ["bincount"]


def bincount(x: Any, weights: Any, minlength: int) -> Any:
    if x.numel() and x.min() < 0:
        raise ArgumentError(f"Whole numbers from 0 can be counted, got {x.min()}.")
    length, number = max(minlength, int(x.max()) + 1 if x.numel() else 0), math.prod(x.shape[:-1])
    rows = length * torch.arange(number, device=x.device)[:, None]  # a range of its own for each row
    flat = (x.reshape(number, x.shape[-1]) + rows).reshape(-1)
    weights, dtype = (None, torch.int32) if weights is None else (weights.reshape(-1), weights.dtype)
    return torch.bincount(flat, weights, length * number).reshape(*x.shape[:-1], length).to(dtype)
