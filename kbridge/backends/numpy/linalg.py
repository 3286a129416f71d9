"""Products of matrices and tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["affine", "einsum", "matmul"]

matmul = np.matmul


def affine(x: Any, weights: Any, bias: Any) -> Any:
    y = np.matmul(x, weights)
    return y if bias is None else y + bias


def einsum(equation: str, *operands: Any) -> Any:
    return np.einsum(equation, *operands, optimize=True)
