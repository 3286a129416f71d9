"""Products of matrices and tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["affine", "einsum", "matmul"]


def matmul(x1: Any, x2: Any) -> Any:
    return np.matmul(x1, x2).astype(x1.dtype, copy=False)  # NumPy gives float32 for bfloat16


def affine(x: Any, weights: Any, bias: Any) -> Any:
    y = matmul(x, weights)
    return y if bias is None else y + bias


def einsum(equation: str, *operands: Any) -> Any:
    dtype = operands[0].dtype
    if dtype.kind == "V":  # bfloat16 and float8, which NumPy's einsum doesn't know
        operands = tuple(x.astype("float32") for x in operands)
    return np.einsum(equation, *operands, optimize=True).astype(dtype, copy=False)
