"""What follows from shapes alone: a common shape, and the indices of elements."""

from __future__ import annotations

import functools
import math
import operator
from typing import Any

import numpy as np

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.arithmetic import add, multiply
from kbridge.core.ops.convert import convert_to_tensor, dtype, shape
from kbridge.core.ops.create import arange, positions
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.index import flatnonzero
from kbridge.core.ops.shape import reshape
from kbridge.core.tensor.shapes import broadcast_shape
from kbridge.core.tensor.symbolic import KerasTensor


def broadcast_shapes(*shapes: Any) -> tuple[int | None, ...]:
    """The shape that tensors of these `shapes` broadcast to, a tuple; None is a free size.

    >>> broadcast_shapes((2, 1), (None, 1, 3))
    (None, 2, 3)
    """
    sizes = [(each,) if isinstance(each, int) else tuple(each) for each in shapes]
    return functools.reduce(broadcast_shape, sizes, ())


def diag_indices(n: int, ndim: int = 2) -> tuple[Any, ...]:
    """The indices of the diagonal of a tensor with `ndim` axes of size `n`: for each axis `(n,)`, int32.

    Args:
        n: the size of the axes.
        ndim: how many axes.

    >>> diag_indices(2)
    (array([0, 1], dtype=int32), array([0, 1], dtype=int32))
    """
    return (arange(n),) * ndim


def _same_sizes(x: Any) -> None:
    sizes = {size for size in x.shape if isinstance(size, int)}
    if len(x.shape) < 2 or len(sizes) > 1:
        raise ShapeError(f"needs two or more axes of one size, got shape {tuple(x.shape)}.")


def _diagonal_rule(x: KerasTensor) -> tuple[KerasTensor, ...]:
    _same_sizes(x)
    sizes = [size for size in x.shape if size is not None]
    return tuple(KerasTensor((sizes[0] if sizes else None,), "int32") for _ in x.shape)


@op(_diagonal_rule)
def diag_indices_from(x: Any) -> tuple[Any, ...]:
    """`diag_indices` of a tensor.

    Raises:
        ShapeError: the axes aren't two or more of one size.

    >>> diag_indices_from([[7, 8], [9, 5]])
    (array([0, 1], dtype=int32), array([0, 1], dtype=int32))
    """
    _same_sizes(x)
    return (positions(x, 0),) * len(x.shape)


def _triangle_rule(which: str) -> Any:
    def rule(x: KerasTensor, k: int = 0) -> tuple[KerasTensor, KerasTensor]:
        rows, columns = _matrix_sizes(x)
        below = int(np.tri(rows, columns, k if which == "lower" else k - 1).sum())
        count = below if which == "lower" else rows * columns - below
        return KerasTensor((count,), "int32"), KerasTensor((count,), "int32")

    return rule


def _matrix_sizes(x: Any) -> tuple[int, int]:
    if len(x.shape) != 2 or not all(isinstance(size, int) for size in x.shape):
        raise ShapeError(f"needs a matrix of known size, got shape {tuple(x.shape)}.")
    return x.shape[0], x.shape[1]


@op(_triangle_rule("lower"))
def tril_indices_from(x: Any, k: int = 0) -> Any:
    """`tril_indices` of a matrix, whose `k` is as in `eye`.

    Raises:
        ShapeError: `x` isn't a matrix, or its size isn't known.

    >>> tril_indices_from([[7, 8], [9, 5]])
    (array([0, 1, 1], dtype=int32), array([0, 0, 1], dtype=int32))
    """
    rows, columns = _matrix_sizes(x)
    return tuple(kernel.tril_indices(rows, k, columns))


@op(_triangle_rule("upper"))
def triu_indices_from(x: Any, k: int = 0) -> Any:
    """`triu_indices` of a matrix, whose `k` is as in `eye`.

    Raises:
        ShapeError: `x` isn't a matrix, or its size isn't known.

    >>> triu_indices_from([[7, 8], [9, 5]])
    (array([0, 0, 1], dtype=int32), array([0, 1, 1], dtype=int32))
    """
    rows, columns = _matrix_sizes(x)
    return tuple(kernel.triu_indices(rows, k, columns))


def ix_(*args: Any) -> tuple[Any, ...]:
    """Rows of indices as arrays that broadcast to a grid, for `x[ix_(rows, columns)]`.

    Args:
        args: for each axis its indices, `(n,)`; truth values pick the places where they are true.

    Raises:
        ShapeError: one of them isn't a row.

    >>> [each.shape for each in ix_([0, 2], [1, 3, 4])]
    [(2, 1), (1, 3)]
    """
    rows = [convert_to_tensor(each) for each in args]
    if any(len(shape(row)) != 1 for row in rows):
        raise ShapeError(f"ops.ix_: indices come in rows, got shapes {[shape(row) for row in rows]}.")
    rows = [flatnonzero(row) if dtype(row) == "bool" else row for row in rows]
    return tuple(reshape(row, [-1 if i == own else 1 for i in range(len(rows))]) for own, row in enumerate(rows))


def ravel_multi_index(multi_index: Any, dims: Any) -> Any:
    """Positions along axes as positions in the flattened tensor: undoes `unravel_index`. Nothing checks the range.

    Args:
        multi_index: for each axis a tensor of whole numbers; they broadcast.
        dims: the sizes of the axes.

    Raises:
        ArgumentError: there are more or fewer of one than of the other.

    >>> ravel_multi_index(([0, 1, 1], [0, 2, 2]), (2, 3))
    array([0, 5, 5], dtype=int32)
    """
    sizes = [operator.index(size) for size in ((dims,) if isinstance(dims, int) else dims)]
    places = list(multi_index)
    if len(places) != len(sizes) or not sizes:
        raise ArgumentError(f"ops.ravel_multi_index: {len(places)} rows of positions for {len(sizes)} axes.")
    steps = [math.prod(sizes[i + 1 :]) for i in range(len(sizes))]
    return functools.reduce(add, [multiply(each, step) for each, step in zip(places, steps, strict=True)])
