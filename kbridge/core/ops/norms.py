"""Sizes of vectors and matrices."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.decompose import lapack, real_result
from kbridge.core.tensor.shapes import every_axis, one_axis, reduced_shape
from kbridge.core.tensor.symbolic import KerasTensor

MATRIX_ORDERS = (None, "fro", "nuc", math.inf, -math.inf, 1, -1, 2, -2)


def _settled(ord: Any, axis: Any, rank: int) -> tuple[int, ...]:
    """The axes in the order given; an error where `ord` and their number don't fit."""
    if axis is None and ord is None:
        return tuple(range(rank))
    given = tuple(range(rank)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    every_axis(given, rank)  # refuses an axis named twice
    axes = tuple(one_axis(each, rank) for each in given)
    if len(axes) not in (1, 2):
        raise ShapeError(f"a norm takes one axis (vectors) or two (matrices), got {axis} of a tensor of rank {rank}.")
    if len(axes) == 1 and isinstance(ord, str):
        raise ArgumentError(f"ord={ord!r} is a norm of matrices. For vectors take a number, or two axes.")
    if len(axes) == 2 and ord not in MATRIX_ORDERS:
        raise ArgumentError(f"matrices have no norm of ord={ord!r}. Take one of {MATRIX_ORDERS}.")
    return axes


def _norm_rule(x: KerasTensor, ord: Any = None, axis: Any = None, keepdims: bool = False) -> KerasTensor:
    return KerasTensor(reduced_shape(x.shape, _settled(ord, axis, x.ndim), keepdims), real_result(x.dtype))


@op(_norm_rule)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Norm of vectors or matrices, in a float type.

    Args:
        x: tensor.
        ord: for vectors p in `sum(|x| ** p) ** (1 / p)`, where 0 counts what isn't 0 and ±inf give the largest and
            smallest; if None, 2. For matrices "fro" (if None), "nuc" (sum of singular values), 2 and -2 (largest and
            smallest of them), 1 and -1 (of the sums of columns), inf and -inf (of the sums of rows).
        axis: one axis of vectors, or the two of matrices (rows, columns). If None, all: vectors of rank 1 and
            matrices of rank 2, and with `ord=None` the elements of any rank.
        keepdims: leave axes of size 1.

    Raises:
        ShapeError: `axis` names more axes than two.
        ArgumentError: there is no such norm.

    >>> norm([[3.0, 4.0]], axis=1)
    array([5.], dtype=float32)
    """
    axes = _settled(ord, axis, len(x.shape))
    if ord in (None, "fro") or len(axes) == 1:
        order, axes = 2 if ord in (None, "fro") else ord, tuple(sorted(axes))
        return lapack(lambda x: kernel.vector_norm(x, order, axes, keepdims) if axes else kernel.absolute(x), x)
    return lapack(lambda x: _matrix_norm(x, ord, axes, keepdims), x)


def _matrix_norm(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    rows, columns = axes
    if ord in (2, -2, "nuc"):
        order = [i for i in range(len(x.shape)) if i not in axes]
        sizes = kernel.svdvals(kernel.transpose(x, (*order, rows, columns)))
        reduce = {2: kernel.reduce_max, -2: kernel.reduce_min, "nuc": kernel.reduce_sum}[ord]
        result = reduce(sizes, (len(x.shape) - 2,), False)
        return kernel.expand_dims(result, tuple(sorted(axes))) if keepdims else result
    summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = kernel.reduce_sum(kernel.absolute(x), (summed,), True)
    result = (kernel.reduce_max if ord > 0 else kernel.reduce_min)(sums, (other,), True)
    return result if keepdims else kernel.squeeze(result, tuple(sorted(axes)))


def _vector_norm_rule(x: KerasTensor, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> KerasTensor:
    return KerasTensor(reduced_shape(x.shape, every_axis(axis, x.ndim), keepdims), real_result(x.dtype))


@op(_vector_norm_rule)
def vector_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """`sum(|x| ** ord) ** (1 / ord)` over one, several or all axes, in a float type.

    >>> vector_norm([[3.0, 4.0], [0.0, 0.0]])
    np.float32(5.0)
    """
    axes = every_axis(axis, len(x.shape))
    return lapack(lambda x: kernel.vector_norm(x, ord, axes, keepdims) if axes else kernel.absolute(x), x)


def _matrix_norm_rule(x: KerasTensor, keepdims: bool = False, ord: Any = "fro") -> KerasTensor:
    return _norm_rule(x, ord, (-2, -1), keepdims)


@op(_matrix_norm_rule)
def matrix_norm(x: Any, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Norm of each matrix `(..., m, n)`, in a float type; `ord` as `norm` has it.

    >>> matrix_norm([[3.0, 0.0], [0.0, 4.0]])
    np.float32(5.0)
    """
    return norm(x, ord, (-2, -1), keepdims)
