"""Kernels on bits."""

from __future__ import annotations

import numpy as np

__all__ = [
    "bitwise_and", "bitwise_count", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor",
]  # fmt: skip

bitwise_and, bitwise_or, bitwise_xor, bitwise_not = np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.bitwise_not
bitwise_left_shift, bitwise_right_shift, bitwise_count = np.left_shift, np.right_shift, np.bitwise_count
