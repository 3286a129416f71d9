"""Kernels on bits."""

from __future__ import annotations

from typing import Any

import torch

from kbridge.backends.torch.elementwise import two
from kbridge.backends.torch.unsigned import UNSIGNED, moved, quotient

__all__ = [
    "bitwise_and", "bitwise_count", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor",
]  # fmt: skip

bitwise_and, bitwise_or, bitwise_xor = torch.bitwise_and, torch.bitwise_or, torch.bitwise_xor
bitwise_not = moved(torch.bitwise_not)


def _logical_shift(x1: Any, x2: Any) -> Any:
    """uint64 in int64 shifted to the right: zeros follow."""
    inside = torch.clamp(x2, 0, 63)
    return torch.where(inside == x2, quotient(x1, 1 << inside), 0)


bitwise_left_shift = two(torch.bitwise_left_shift)
bitwise_right_shift = two(torch.bitwise_right_shift, _logical_shift)


def bitwise_count(x: Any) -> Any:
    """Torch has none: sums of ever more bits side by side (H. Warren, "Hacker's Delight", 5-1)."""
    x = x.to(torch.int64) if x.dtype in UNSIGNED else torch.abs(x.to(torch.int64))
    x = x - ((x >> 1) & 0x5555555555555555)
    x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333)
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0F
    return ((x * 0x0101010101010101) >> 56).to(torch.uint8)
