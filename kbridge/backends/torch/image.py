"""Kernels on images."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["blur", "resize"]


def resize(x: Any, size: Any, method: str, antialias: bool) -> Any:
    if method != "bilinear" and not (method == "bicubic" and antialias):
        return None  # its other bicubic has a = -3/4, and it has no Lanczos
    y = torch.nn.functional.interpolate(x.permute(0, 3, 1, 2), size, mode=method, antialias=antialias)
    return y.permute(0, 2, 3, 1)


def blur(x: Any, down: Any, across: Any, padding: str) -> Any:
    x = x.permute(0, 3, 1, 2)
    if padding == "same":  # conv2d's own copies and warns for even windows
        rows, columns = down.shape[0] - 1, across.shape[0] - 1
        x = torch.nn.functional.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
    for curve in (down[:, None], across[None]):
        x = torch.nn.functional.conv2d(x, curve.expand(x.shape[1], 1, *curve.shape), groups=x.shape[1])
    return x.permute(0, 2, 3, 1)
