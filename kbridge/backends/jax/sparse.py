"""Sparse tensors: JAX's BCOO. Inside a trace they hold as many places as they may need; those too many lie outside."""

from __future__ import annotations

import sys
from typing import Any

import jax.numpy as jnp
from jax._src.core import trace_state_clean  # jax.core no longer names it (seen in 0.10.2)

__all__ = [
    "dense", "is_ragged", "is_sparse", "make_sparse", "sparse_form", "sparse_matmul", "sparse_parts", "stored_where",
    "sum_duplicates",
]  # fmt: skip


def _is_tracing() -> bool:
    return not trace_state_clean()


def is_sparse_type(kind: type) -> bool:
    loaded = sys.modules.get("jax.experimental.sparse")  # who holds a sparse tensor has imported it
    return loaded is not None and issubclass(kind, loaded.JAXSparse)


def is_sparse(x: Any) -> bool:
    return is_sparse_type(type(x))


def is_ragged(x: Any) -> bool:
    return False


def sparse_form(x: Any) -> Any:
    """`x` as BCOO."""
    from jax.experimental import sparse

    if isinstance(x, sparse.BCOO) or not is_sparse(x):
        return x
    return x.to_bcoo() if hasattr(x, "to_bcoo") else sparse.BCOO.fromdense(x.todense())


def _plain(x: Any) -> Any:
    """`x` as BCOO without batch axes, each place there once."""
    from jax.experimental import sparse

    x = sparse_form(x)
    if x.n_batch:
        x = sparse.bcoo_update_layout(x, n_batch=0, on_inefficient=None)
    return x if x.unique_indices else x.sum_duplicates(nse=x.nse if _is_tracing() else None)


def sparse_parts(x: Any) -> tuple[Any, Any, tuple[int, ...]]:
    """Indices that are each there once, their values, the shape."""
    x = _plain(x)
    return x.indices, x.data, tuple(x.shape)


def make_sparse(indices: Any, values: Any, shape: Any) -> Any:
    from jax.experimental import sparse

    if not len(shape):
        indices = jnp.zeros((1, 0), "int32")
    return sparse.BCOO((values, indices), shape=tuple(shape), unique_indices=True)


def sum_duplicates(indices: Any, values: Any, shape: Any) -> tuple[Any, tuple[Any, ...]]:
    most = len(indices) if _is_tracing() else None
    outside = jnp.array(shape[: indices.shape[1]], indices.dtype) if most else None
    indices, at = jnp.unique(indices, axis=0, return_inverse=True, size=most, fill_value=outside)
    at = at.reshape(-1)
    return indices, tuple(_added(each, at, len(indices)) for each in values)


def _added(values: Any, at: Any, count: int) -> Any:
    """The sums of the values that belong together; of truth values, whether one is true."""
    places = jnp.zeros((count, *values.shape[1:]), values.dtype).at[at]
    return places.max(values) if values.dtype == bool else places.add(values)


def stored_where(mask: Any) -> Any:
    if not _is_tracing():
        return jnp.argwhere(mask)
    return jnp.argwhere(mask, size=mask.size, fill_value=jnp.array(mask.shape))


def dense(x: Any) -> Any:
    """The array that a sparse one stands for."""
    if x.dtype == bool:  # which BCOO can't add up
        return sparse_form(x).astype("int32").todense() > 0
    return x.todense()


def sparse_matmul(x: Any, y: Any) -> Any:
    from jax.experimental import sparse

    return sparse.sparsify(jnp.matmul)(sparse_form(x), sparse_form(y))
