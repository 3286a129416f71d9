"""Kernels on bits."""

from __future__ import annotations

import jax.numpy as jnp

__all__ = [
    "bitwise_and", "bitwise_count", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor",
]  # fmt: skip

bitwise_and, bitwise_or, bitwise_xor, bitwise_not = jnp.bitwise_and, jnp.bitwise_or, jnp.bitwise_xor, jnp.bitwise_not
bitwise_left_shift, bitwise_right_shift, bitwise_count = jnp.left_shift, jnp.right_shift, jnp.bitwise_count
