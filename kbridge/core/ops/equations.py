"""Linear equations, and what inverts where no inverse is."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from kbridge.core.ops.convert import shape
from kbridge.core.ops.declare import as_float, kernel, op
from kbridge.core.ops.decompose import identity_of, inv, lapack, matrices, real_result, square
from kbridge.core.ops.linalg import agree, in_type_of
from kbridge.core.ops.shape import ravel, reshape, transpose
from kbridge.core.tensor.dtypes import float_result, result_type
from kbridge.core.tensor.shapes import broadcast_shape, one_axis
from kbridge.core.tensor.symbolic import KerasTensor

PRECISION = {"float32": 2.0**-23, "float64": 2.0**-52}


def _solve_rule(a: KerasTensor, b: KerasTensor, lower: bool = False) -> KerasTensor:
    lead = square(a)
    vector = b.ndim == a.ndim - 1
    if not b.ndim or (b.ndim < 2 and not vector):
        raise ShapeError(f"expected right sides (..., n) or (..., n, k) for matrices {a.shape}, got shape {b.shape}.")
    rows = b.shape[-1 if vector else -2]
    if not agree(a.shape[-1], rows):
        raise ShapeError(f"matrices {a.shape} meet right sides {b.shape} of {rows} rows instead of {a.shape[-1]}.")
    rest = b.shape[-1:] if vector else b.shape[-2:]
    shape = (*broadcast_shape(lead, b.shape[: -len(rest)]), *rest)
    return KerasTensor(shape, float_result(result_type(a.dtype, b.dtype)))


def _solved(run: Any, a: Any, b: Any) -> Any:
    """`run` on right sides as matrices."""
    if len(b.shape) != len(a.shape) - 1:
        return lapack(run, a, b)
    last = len(b.shape)
    return kernel.squeeze(lapack(run, a, kernel.expand_dims(b, (last,))), (last,))


@op(_solve_rule, arrays=2)
def solve(a: Any, b: Any) -> Any:
    """The `x` with `a @ x == b`.

    Args:
        a: `(..., n, n)`.
        b: `(..., n)`, with as many leading axes as `a` has, or `(..., n, k)`; leading axes broadcast.

    Raises:
        ShapeError: the rows of `b` aren't as many as those of `a`.

    >>> solve([[2.0, 0.0], [1.0, 1.0]], [4.0, 5.0])
    array([2., 3.], dtype=float32)
    """
    return _solved(kernel.solve, a, b)


@op(_solve_rule, arrays=2)
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """The `x` with `a @ x == b`, where only the upper (or lower) triangle of `a` is read.

    Args:
        a: `(..., n, n)`.
        b: `(..., n)`, with as many leading axes as `a` has, or `(..., n, k)`; leading axes broadcast.
        lower: read the lower triangle.

    Raises:
        ShapeError: as in `solve`.

    >>> solve_triangular([[2.0, 9.0], [1.0, 1.0]], [4.0, 5.0], lower=True)
    array([2., 3.], dtype=float32)
    """
    return _solved(lambda a, b: kernel.solve_triangular(a, b, lower), a, b)


def cutoff(x: Any, factor: int = 1) -> Any:
    """The relative size below which a singular value counts as 0: rounding, times the longer side of the matrix."""
    dtype = real_result(kernel.dtype_of(x))
    precision = factor * PRECISION[dtype]
    rows, columns = kernel.shape_of(x)[-2:]
    if isinstance(rows, int) and isinstance(columns, int):
        return precision * max(rows, columns)
    longer = kernel.maximum(*(kernel.convert(size, "int32") for size in (rows, columns)))
    return kernel.multiply(kernel.cast(longer, dtype), kernel.convert(precision, dtype))


def _pinv_rule(x: KerasTensor, rcond: Any = None) -> KerasTensor:
    lead, rows, columns = matrices(x)
    return KerasTensor((*lead, columns, rows), float_result(x.dtype))


@op(_pinv_rule)
def pinv(x: Any, rcond: Any = None) -> Any:
    """Pseudoinverse (Moore and Penrose) of each matrix: `(..., m, n)` to `(..., n, m)`.

    Args:
        x: the matrices.
        rcond: singular values up to this share of the largest count as 0. If None, ten times the longer side of the
            matrix, times the float type's precision.

    >>> pinv([[2.0, 0.0]])
    array([[0.5],
           [0. ]], dtype=float32)
    """
    return lapack(lambda x: kernel.pinv(x, cutoff(x, 10) if rcond is None else rcond), x)


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """The `x` for which the sum of products of the last axes of `a` with all axes of `x` is `b`.

    Args:
        a: `(*b.shape, *x.shape)`, both with as many elements.
        b: of any shape.
        axes: the axes of `a` to move to the end first.

    Raises:
        ShapeError: as in `solve`.

    >>> tensorsolve([[[2.0, 0.0]], [[0.0, 4.0]]], [[2.0], [8.0]])
    array([1., 2.], dtype=float32)
    """
    rank = len(shape(a))
    moved = [] if axes is None else [one_axis(axis, rank) for axis in axes]
    a = transpose(a, [i for i in range(rank) if i not in moved] + moved)
    sizes = shape(a)[len(shape(b)) :]
    count = math.prod(sizes)
    return reshape(solve(reshape(a, (-1, count)), ravel(b)), sizes)


def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of `a` as a map from tensors to tensors, which `tensordot(tensorinv(a), b, ind)` applies.

    Args:
        a: `(*rows, *columns)`, both with as many elements.
        ind: how many axes the rows have.

    Raises:
        ArgumentError: `ind` is below 1.

    >>> tensorinv([[2.0, 0.0], [0.0, 4.0]], ind=1)
    array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)
    """
    if ind < 1:
        raise ArgumentError(f"ops.tensorinv: ind is the number of axes of the rows, got {ind}.")
    sizes = shape(a)
    count = math.prod(sizes[:ind])
    return reshape(inv(reshape(a, (count, -1))), (*sizes[ind:], *sizes[:ind]))


def _lstsq_rule(a: KerasTensor, b: KerasTensor, rcond: Any = None) -> KerasTensor:
    _check_ranks(a, b)
    if not agree(a.shape[0], b.shape[0]):
        raise ShapeError(f"a matrix of {a.shape[0]} rows meets right sides of {b.shape[0]}.")
    return KerasTensor((a.shape[1], *b.shape[1:]), float_result(result_type(a.dtype, b.dtype)))


def _check_ranks(a: Any, b: Any) -> None:
    if len(a.shape) != 2 or len(b.shape) not in (1, 2):
        raise ShapeError(f"expected one matrix (m, n) and right sides (m,) or (m, k), got {a.shape} and {b.shape}.")


@op(_lstsq_rule, arrays=2)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """The `x` for which `a @ x` comes nearest to `b`, and among several the shortest.

    Args:
        a: `(m, n)`.
        b: `(m,)` or `(m, k)`.
        rcond: singular values of `a` up to this share of the largest count as 0. If None, the longer side of the
            matrix, times the float type's precision.

    Returns:
        `(n,)` or `(n, k)`.

    Raises:
        ShapeError: `a` isn't one matrix, or the rows differ in number.

    >>> lstsq([[1.0], [1.0]], [1.0, 3.0]).round(4)
    array([2.], dtype=float32)
    """
    _check_ranks(a, b)
    return lapack(lambda a, b: kernel.matmul(kernel.pinv(a, cutoff(a) if rcond is None else rcond), b), a, b)


def _rank_rule(x: KerasTensor, tol: Any = None) -> KerasTensor:
    return KerasTensor(matrices(x)[0], "int32")


@op(_rank_rule)
def matrix_rank(x: Any, tol: Any = None) -> Any:
    """How many singular values of each matrix aren't 0: `(..., m, n)` to int32 `(...)`.

    Args:
        x: the matrices.
        tol: singular values up to this size count as 0. If None, the largest one times the longer side of the
            matrix, times the float type's precision.

    >>> matrix_rank([[1.0, 2.0], [2.0, 4.0]])
    np.int32(1)
    """

    def run(x: Any) -> Any:
        sizes, at = kernel.svdvals(x), len(x.shape) - 2
        if tol is None:
            limit = kernel.multiply(kernel.reduce_max(sizes, (at,), True), convert_like(cutoff(x), sizes))
        else:
            limit = convert_like(tol, sizes)
            limit = kernel.expand_dims(limit, (len(limit.shape),))
        return kernel.reduce_sum(kernel.cast(kernel.greater(sizes, limit), "int32"), (at,), False)

    return lapack(run, x)


def convert_like(value: Any, x: Any) -> Any:
    """A number as a tensor in the type of `x`."""
    return kernel.convert(value, kernel.dtype_of(x))


def _power_rule(x: KerasTensor, n: int) -> KerasTensor:
    square(x)
    _check_whole(n)
    return KerasTensor(x.shape, float_result(x.dtype) if n < 0 else x.dtype)


def _check_whole(n: Any) -> None:
    if not isinstance(n, int):
        raise DTypeError(f"n is a whole number, got {n!r}.")


@op(_power_rule)
def matrix_power(x: Any, n: int) -> Any:
    """Each matrix times itself, n factors in all; below 0, factors of its inverse.

    Raises:
        DTypeError: `n` isn't a whole number.

    >>> matrix_power([[1, 1], [0, 1]], 5)
    array([[1, 5],
           [0, 1]], dtype=int32)
    """
    _check_whole(n)
    if n < 0:
        return matrix_power(inv(as_float(x)), -n)
    if n == 0:
        return kernel.broadcast_to(identity_of(x), kernel.shape_of(x))
    half = matrix_power(x, n // 2) if n > 1 else None
    if half is None:
        return x
    whole = in_type_of(x, kernel.matmul(half, half))
    return in_type_of(x, kernel.matmul(whole, x)) if n % 2 else whole
