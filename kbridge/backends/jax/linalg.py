"""Products of matrices and tensors."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kbridge.backends.jax.arrays import compiled

__all__ = ["affine", "einsum", "matmul"]

matmul, einsum = jnp.matmul, compiled(jnp.einsum, 0)


def _affine(x: Any, weights: Any, bias: Any) -> Any:
    y = jnp.matmul(x, weights)
    return y if bias is None else y + bias


affine = compiled(_affine)
