"""Products of matrices and tensors."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["affine", "einsum", "matmul"]

matmul = torch.matmul


def affine(x: Any, weights: Any, bias: Any) -> Any:
    if bias is None:
        return torch.matmul(x, weights)
    if x.dim() == 2:
        return torch.addmm(bias, x, weights)  # one kernel instead of two
    return torch.nn.functional.linear(x, weights.t(), bias)  # the same over several leading axes


def einsum(equation: str, *operands: Any) -> Any:
    return torch.einsum(equation, *operands)
