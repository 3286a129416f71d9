"""Kernels that make tensors, and those about diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["diag_matrix", "diagonal", "empty", "tril", "tril_indices", "triu", "triu_indices"]

empty, tril, triu, diag_matrix = np.empty, np.tril, np.triu, np.diag


def diagonal(x: Any, offset: int, axis1: int, axis2: int) -> Any:
    return np.diagonal(x, offset, axis1, axis2)


def tril_indices(rows: int, offset: int, columns: int) -> Any:
    return [i.astype("int32") for i in np.tril_indices(rows, offset, columns)]


def triu_indices(rows: int, offset: int, columns: int) -> Any:
    return [i.astype("int32") for i in np.triu_indices(rows, offset, columns)]
