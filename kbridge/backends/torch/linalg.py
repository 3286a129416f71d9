"""Products of matrices and tensors, decompositions, equations.

What LAPACK computes comes in float32, float64 or their complex kin; the ops see to that.
"""

from __future__ import annotations

from typing import Any

import torch

from kbridge.core.errors import ArgumentError

__all__ = [
    "affine", "cholesky", "det", "eig", "eigh", "eigvals", "eigvalsh", "einsum", "inv", "lu_factor", "matmul",
    "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd", "svdvals", "vector_norm",
]  # fmt: skip

# types without products of matrices on CPU, and the ones that have them; bytes are summed up in 32 bits
WIDER = {
    torch.bool: torch.int32, torch.int8: torch.int32, torch.uint16: torch.int64, torch.uint32: torch.int64,
    torch.uint64: torch.int64,
}  # fmt: skip


def _widened(product: Any, *xs: Any) -> Any:
    dtype = xs[0].dtype
    y = product(*(x.to(WIDER[dtype]) for x in xs))
    return y if dtype == torch.int8 else y != 0 if dtype == torch.bool else y.to(dtype)


def matmul(x1: Any, x2: Any) -> Any:
    return _widened(torch.matmul, x1, x2) if x1.dtype in WIDER else torch.matmul(x1, x2)


def affine(x: Any, weights: Any, bias: Any) -> Any:
    if bias is None:
        return torch.matmul(x, weights)
    if x.dim() == 2:
        return torch.addmm(bias, x, weights)  # one kernel instead of two
    return torch.nn.functional.linear(x, weights.t(), bias)  # the same over several leading axes


def einsum(equation: str, *operands: Any) -> Any:
    if operands[0].dtype in WIDER:
        return _widened(lambda *xs: einsum(equation, *xs), *operands)
    y = torch.einsum(equation, *operands)
    return y if y.dtype == operands[0].dtype else y.to(operands[0].dtype)  # a sum of one operand widens whole numbers


def cholesky(x: Any) -> Any:
    if torch.compiler.is_compiling():
        return torch.linalg.cholesky(x)
    try:
        return torch.linalg.cholesky(x)
    except torch.linalg.LinAlgError as error:
        raise ArgumentError("the matrix isn't positive definite, so it has no Cholesky factor.") from error


det, inv, eigvals, eigvalsh = torch.linalg.det, torch.linalg.inv, torch.linalg.eigvals, torch.linalg.eigvalsh
solve, svdvals = torch.linalg.solve, torch.linalg.svdvals


def eig(x: Any) -> Any:
    return tuple(torch.linalg.eig(x))


def eigh(x: Any) -> Any:
    return tuple(torch.linalg.eigh(x))


def lu_factor(x: Any) -> Any:
    lu, pivots, _ = torch.linalg.lu_factor_ex(x)  # the other one raises for singular matrices
    return lu, pivots - 1  # LAPACK counts from 1


def pinv(x: Any, rcond: Any) -> Any:
    return torch.linalg.pinv(x, rtol=rcond)


def qr(x: Any, mode: str) -> Any:
    return tuple(torch.linalg.qr(x, mode))


def slogdet(x: Any) -> Any:
    return tuple(torch.linalg.slogdet(x))


def solve_triangular(a: Any, b: Any, lower: bool) -> Any:
    return torch.linalg.solve_triangular(a, b, upper=not lower)


def svd(x: Any, full: bool) -> Any:
    return tuple(torch.linalg.svd(x, full))


def vector_norm(x: Any, order: float, axes: Any, keepdims: bool) -> Any:
    return torch.linalg.vector_norm(x, order, axes, keepdims)
