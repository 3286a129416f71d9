"""Kernels on images."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kbridge.backends.jax.arrays import compiled

__all__ = ["blur", "resize"]

METHODS = {"bilinear": "linear", "bicubic": "cubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5"}


def _resize(x: Any, size: Any, method: str, antialias: bool) -> Any:
    return jax.image.resize(x, (x.shape[0], *size, x.shape[3]), method, antialias)


_resize = compiled(_resize, 1, 2, 3)


def resize(x: Any, size: Any, method: str, antialias: bool) -> Any:
    return _resize(x, size, METHODS[method], antialias) if method in METHODS else None


def _blur(x: Any, down: Any, across: Any, padding: str) -> Any:
    for axis, curve in ((1, down), (2, across)):  # a sum of moved copies: XLA's depthwise convolution is slow on CPU
        size = curve.shape[0]
        if padding == "same":
            widths = [(0, 0)] * 4
            widths[axis] = ((size - 1) // 2, size // 2)
            x = jnp.pad(x, widths)
        places = x.shape[axis] - size + 1
        moved = (x[(*[slice(None)] * axis, slice(i, i + places))] for i in range(size))
        x = sum(copy * weight for copy, weight in zip(moved, curve, strict=True))
    return x


blur = compiled(_blur, 3)
