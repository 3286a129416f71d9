"""Kernels that make tensors, and those about diagonals."""

from __future__ import annotations

from typing import Any

import torch

from kbridge.backends.torch.arrays import DTYPES
from kbridge.backends.torch.unsigned import moved

__all__ = ["diag_matrix", "diagonal", "empty", "tril", "tril_indices", "triu", "triu_indices"]

tril, triu, diag_matrix, diagonal = moved(torch.tril), moved(torch.triu), torch.diag, torch.diagonal


def empty(shape: Any, dtype: str) -> Any:
    return torch.empty(shape, dtype=DTYPES[dtype])


def tril_indices(rows: int, offset: int, columns: int) -> Any:
    return list(torch.tril_indices(rows, columns, offset, dtype=torch.int32).unbind())


def triu_indices(rows: int, offset: int, columns: int) -> Any:
    return list(torch.triu_indices(rows, columns, offset, dtype=torch.int32).unbind())
