"""Kernels that make tensors, and those about diagonals."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kbridge.backends.jax.arrays import compiled, native_dtype

__all__ = ["diag_matrix", "diagonal", "empty", "tril", "tril_indices", "triu", "triu_indices"]

tril, triu, diag_matrix = compiled(jnp.tril, 1), compiled(jnp.triu, 1), compiled(jnp.diag, 1)
diagonal = compiled(jnp.diagonal, 1, 2, 3)


def empty(shape: Any, dtype: str) -> Any:
    return jnp.empty(shape, native_dtype(dtype))


def tril_indices(rows: int, offset: int, columns: int) -> Any:
    return [i.astype("int32") for i in jnp.tril_indices(rows, offset, columns)]


def triu_indices(rows: int, offset: int, columns: int) -> Any:
    return [i.astype("int32") for i in jnp.triu_indices(rows, offset, columns)]
