"""Kernels on images."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["blur", "resize"]


def resize(x: Any, size: Any, method: str, antialias: bool) -> Any:
    return None  # NumPy has none; products of matrices are fast


def blur(x: Any, down: Any, across: Any, padding: str) -> Any:
    for axis, curve in ((1, down), (2, across)):  # a sum of moved copies: several times faster than windows
        size = curve.shape[0]
        if padding == "same":
            widths = [(0, 0)] * 4
            widths[axis] = ((size - 1) // 2, size // 2)
            x = np.pad(x, widths)
        places = x.shape[axis] - size + 1
        moved = (x[(*[slice(None)] * axis, slice(i, i + places))] for i in range(size))
        x = sum(copy * weight for copy, weight in zip(moved, curve, strict=True))
    return x
