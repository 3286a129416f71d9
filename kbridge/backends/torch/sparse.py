"""Sparse tensors: torch's COO, and its compressed ones as COO.

torch has one class for dense and sparse tensors. Inside a call a sparse one is held by a `SparseTensor`, so that the
look at a tensor's class, which is all that an op does before its kernel, tells it.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch.utils._pytree import tree_map

__all__ = [
    "conceal", "dense", "is_ragged", "is_sparse", "make_sparse", "reveal", "sparse_form", "sparse_matmul",
    "sparse_parts", "stored_where", "sum_duplicates",
]  # fmt: skip


class SparseTensor:
    """Holds a sparse tensor inside a call. A user's own layer may treat it as the tensor: torch sees through it."""

    __slots__ = ("value",)
    framework = "torch"

    def __init__(self, value: torch.Tensor) -> None:
        self.value = value

    def __getattr__(self, name: str) -> Any:
        return getattr(self.value, name)

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return function(*tree_map(_shown, args), **tree_map(_shown, kwargs or {}))


def _shown(value: Any) -> Any:
    return value.value if type(value) is SparseTensor else value


def _operator(name: str) -> Any:
    return lambda self, *others: getattr(self.value, name)(*map(_shown, others))


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "matmul", "rmatmul", "neg"):
    setattr(SparseTensor, f"__{_name}__", _operator(f"__{_name}__"))


def is_sparse(x: Any) -> bool:
    return type(x) is SparseTensor or (isinstance(x, torch.Tensor) and x.layout not in (torch.strided, torch._mkldnn))


def is_ragged(x: Any) -> bool:
    return False


def reveal(values: Any) -> Any:
    """What marks the sparse ones among the arguments of an outermost call; None if there are none."""
    return _revealed if any(type(v) is torch.Tensor and v.layout is not torch.strided for v in values) else None


def _revealed(value: Any) -> Any:
    return sparse_form(value) if type(value) is torch.Tensor and is_sparse(value) else value


def sparse_form(x: Any) -> Any:
    """A sparse tensor, of coordinates."""
    if type(x) is SparseTensor:
        return x
    return SparseTensor(x if x.layout is torch.sparse_coo else x.to_sparse_coo())


def conceal(outputs: Any) -> Any:
    """What an outermost call gives back: torch's own tensors."""
    if type(outputs) is torch.Tensor:
        return outputs
    return tree_map(_shown, outputs) if _holds_sparse(outputs) else outputs


def _holds_sparse(outputs: Any) -> bool:
    if isinstance(outputs, (list, tuple)):
        return any(map(_holds_sparse, outputs))
    if isinstance(outputs, dict):
        return any(map(_holds_sparse, outputs.values()))
    return type(outputs) is SparseTensor


def sparse_parts(x: Any) -> tuple[Any, Any, tuple[int, ...]]:
    """Indices that are each there once, their values, the shape."""
    x = _shown(x).coalesce()
    return x.indices().T, x.values(), tuple(x.shape)


def make_sparse(indices: Any, values: Any, shape: Any) -> Any:
    if not len(shape):
        indices = indices.new_zeros((1, 0), dtype=torch.int64)
    made = torch.sparse_coo_tensor(indices.T.long(), values, tuple(shape), check_invariants=False)
    return SparseTensor(made.coalesce())


def sum_duplicates(indices: Any, values: Any, shape: Any) -> tuple[Any, tuple[Any, ...]]:
    indices, at = torch.unique(indices, dim=0, return_inverse=True)
    return indices, tuple(_added(each, at, len(indices)) for each in values)


def _added(values: Any, at: Any, count: int) -> Any:
    """The sums of the values that belong together; of truth values, whether one is true."""
    if values.dtype == torch.bool:
        return _added(values.int(), at, count) > 0
    return values.new_zeros((count, *values.shape[1:])).index_add(0, at, values)


def stored_where(mask: Any) -> Any:
    return torch.argwhere(mask)


def dense(x: Any) -> Any:
    """The tensor that a sparse one stands for."""
    return _shown(x).to_dense()


def sparse_matmul(x: Any, y: Any) -> Any:
    """None where torch has no kernel: more than two axes, dense by sparse in some types."""
    if (
        len(x.shape) != 2
        or len(y.shape) != 2
        or x.dtype in (torch.float16, torch.bfloat16)
        or not x.is_floating_point()
    ):
        return None
    first, second = _shown(x), _shown(y)
    if not is_sparse(x):
        return torch.sparse.mm(second.t(), first.t()).t()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support")  # which torch uses on its own way
        found = torch.sparse.mm(first, second)
    return SparseTensor(found) if is_sparse(found) else found
