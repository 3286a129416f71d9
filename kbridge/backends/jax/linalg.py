"""Products of matrices and tensors, decompositions, equations.

What LAPACK computes comes in float32, float64 or their complex kin; the ops see to that.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kbridge.backends.jax.arrays import compiled, is_tracing
from kbridge.core.errors import ArgumentError

__all__ = [
    "affine", "cholesky", "det", "eig", "eigh", "eigvals", "eigvalsh", "einsum", "inv", "lu_factor", "matmul",
    "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd", "svdvals", "vector_norm",
]  # fmt: skip


def _preferred(*xs: Any) -> Any:
    """The type to sum products up in: 32 bits for bytes."""
    return jnp.int32 if xs[0].dtype == jnp.int8 else None


BYTE = jnp.dtype("int8")
_matmul_of_bytes = compiled(lambda x1, x2: jnp.matmul(x1, x2, preferred_element_type=jnp.int32))


def matmul(x1: Any, x2: Any) -> Any:
    return jnp.matmul(x1, x2) if x1.dtype != BYTE else _matmul_of_bytes(x1, x2)  # jnp.matmul is jitted already


einsum = compiled(lambda equation, *xs: jnp.einsum(equation, *xs, preferred_element_type=_preferred(*xs)), 0)


def _affine(x: Any, weights: Any, bias: Any) -> Any:
    y = jnp.matmul(x, weights)
    return y if bias is None else y + bias


affine = compiled(_affine)


def cholesky(x: Any) -> Any:
    factor = jnp.linalg.cholesky(x)
    if not is_tracing() and bool(jnp.isnan(factor).any()):  # JAX gives NaN, also where nobody can look
        raise ArgumentError("the matrix isn't positive definite, so it has no Cholesky factor.")
    return factor


det, inv, eigvals, eigvalsh = jnp.linalg.det, jnp.linalg.inv, jnp.linalg.eigvals, jnp.linalg.eigvalsh
solve, svdvals = jnp.linalg.solve, jnp.linalg.svdvals
eig, eigh = compiled(lambda x: tuple(jnp.linalg.eig(x))), compiled(lambda x: tuple(jnp.linalg.eigh(x)))
lu_factor = compiled(lambda x: tuple(lax.linalg.lu(x)[:2]))
slogdet = compiled(lambda x: tuple(jnp.linalg.slogdet(x)))
qr = compiled(lambda x, mode: tuple(jnp.linalg.qr(x, mode)), 1)
svd = compiled(lambda x, full: tuple(jnp.linalg.svd(x, full)), 1)
solve_triangular = compiled(lambda a, b, lower: jax.scipy.linalg.solve_triangular(a, b, lower=lower), 2)
vector_norm = compiled(
    lambda x, order, axes, keepdims: jnp.linalg.vector_norm(x, axis=axes, keepdims=keepdims, ord=order), 1, 2, 3
)


def pinv(x: Any, rcond: Any) -> Any:
    return jnp.linalg.pinv(x, rtol=rcond)  # not compiled: its gradient wants rtol as a number
