"""Kernels that sort, search and count."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from kbridge.backends.jax.arrays import compiled

__all__ = ["argpartition", "argsort", "argwhere", "partition", "searchsorted", "sort", "top_k"]

sort = compiled(jnp.sort, 1)
argsort = compiled(lambda x, axis: jnp.argsort(x, axis).astype("int32"), 1)
searchsorted = compiled(lambda row, values, side: jnp.searchsorted(row, values, side), 2)
_top_k = compiled(lax.top_k, 1)


def partition(x: Any, kth: int, axis: int) -> Any:
    return sort(x, axis)  # XLA has no selection


def argpartition(x: Any, kth: int, axis: int) -> Any:
    return argsort(x, axis)


def top_k(x: Any, k: int, sorted: bool) -> Any:
    return tuple(_top_k(x, k))


def argwhere(x: Any) -> Any:
    return jnp.argwhere(x).astype("int32")
