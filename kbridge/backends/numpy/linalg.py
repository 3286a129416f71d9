"""Products of matrices and tensors, decompositions, equations.

What LAPACK computes comes in float32, float64 or their complex kin; the ops see to that.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbridge.core.errors import ArgumentError

__all__ = [
    "affine", "cholesky", "det", "eig", "eigh", "eigvals", "eigvalsh", "einsum", "inv", "lu_factor", "matmul",
    "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd", "svdvals", "vector_norm",
]  # fmt: skip


def matmul(x1: Any, x2: Any) -> Any:
    if x1.dtype == np.int8:  # products of bytes are summed up in 32 bits
        return np.matmul(x1, x2, dtype="int32")
    return np.matmul(x1, x2).astype(x1.dtype, copy=False)  # NumPy gives float32 for bfloat16


def affine(x: Any, weights: Any, bias: Any) -> Any:
    y = matmul(x, weights)
    return y if bias is None else y + bias


def einsum(equation: str, *operands: Any) -> Any:
    dtype = operands[0].dtype
    if dtype.kind == "V":  # bfloat16 and float8, which NumPy's einsum doesn't know
        operands = tuple(x.astype("float32") for x in operands)
    elif dtype == np.int8:
        operands, dtype = tuple(x.astype("int32") for x in operands), np.dtype("int32")
    return np.einsum(equation, *operands, optimize=True).astype(dtype)


def cholesky(x: Any) -> Any:
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError as error:
        if x.ndim < 2 or x.shape[-2] != x.shape[-1]:
            raise
        raise ArgumentError("the matrix isn't positive definite, so it has no Cholesky factor.") from error


det, inv, eigvalsh, svdvals = np.linalg.det, np.linalg.inv, np.linalg.eigvalsh, np.linalg.svdvals


def _complex(x: Any) -> Any:
    return x.astype(np.result_type(x.dtype, "complex64"), copy=False)  # NumPy gives real results where it can


def eig(x: Any) -> Any:
    return tuple(_complex(part) for part in np.linalg.eig(x))


def eigvals(x: Any) -> Any:
    return _complex(np.linalg.eigvals(x))


def eigh(x: Any) -> Any:
    return tuple(np.linalg.eigh(x))


def lu_factor(x: Any) -> Any:
    rows, columns = x.shape[-2:]
    lu = x.reshape((math.prod(x.shape[:-2]), rows, columns)).copy()
    batch, pivots = np.arange(len(lu)), np.empty((len(lu), min(rows, columns)), "int32")
    for i in range(pivots.shape[1]):
        p = pivots[:, i] = i + np.argmax(np.abs(lu[:, i:, i]), 1)
        lu[batch, i], lu[batch, p] = lu[batch, p], lu[batch, i]
        pivot = lu[:, i, i, None]
        lu[:, i + 1 :, i] /= np.where(pivot == 0, 1, pivot)
        lu[:, i + 1 :, i + 1 :] -= lu[:, i + 1 :, i, None] * lu[:, None, i, i + 1 :]
    return lu.reshape(x.shape), pivots.reshape((*x.shape[:-2], pivots.shape[1]))


def pinv(x: Any, rcond: Any) -> Any:
    return np.linalg.pinv(x, rcond)


def qr(x: Any, mode: Any) -> Any:
    return tuple(np.linalg.qr(x, mode))


def slogdet(x: Any) -> Any:
    return tuple(np.linalg.slogdet(x))


def solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b)


def solve_triangular(a: Any, b: Any, lower: bool) -> Any:
    return np.linalg.solve(np.tril(a) if lower else np.triu(a), b)


def svd(x: Any, full: bool) -> Any:
    return tuple(np.linalg.svd(x, full))


def vector_norm(x: Any, order: float, axes: Any, keepdims: bool) -> Any:
    return np.linalg.vector_norm(x, axis=axes, keepdims=keepdims, ord=order)
