"""Ops about diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import DTypeError, ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.create import made
from kbridge.core.ops.cut import unstack
from kbridge.core.ops.declare import kernel, op
from kbridge.core.tensor.dtypes import standardize_dtype, sum_result
from kbridge.core.tensor.shapes import one_axis, reshaped
from kbridge.core.tensor.symbolic import KerasTensor


def _band(N: Any, M: Any, k: int, dtype: Any, relation: str) -> Any:
    """Ones where the row + k stands in this relation to the column."""
    columns = N if M is None else M
    for size in (N, columns):
        if isinstance(size, float) or (hasattr(size, "dtype") and "int" not in str(size.dtype)):
            raise DTypeError(f"the sizes of a matrix are whole numbers, got {size!r}.")
    dtype = standardize_dtype(dtype)

    def make() -> Any:
        rows = kernel.expand_dims(kernel.arange(k, N + k, 1, "int32"), (1,))
        return kernel.cast(getattr(kernel, relation)(rows, kernel.arange(0, columns, 1, "int32")), dtype)

    return made((N, columns), make, lambda: (N, columns), dtype)


def eye(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on the k-th diagonal of an N by M matrix, zeros elsewhere.

    Args:
        N: how many rows.
        M: how many columns; as many as rows if None.
        k: which diagonal: above the main one if positive, below if negative.

    Raises:
        DTypeError: a size isn't a whole number.

    >>> eye(2, 3, k=1)
    array([[0., 1., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    return _band(N, M, k, dtype, "equal")


def identity(n: Any, dtype: Any = None) -> Any:
    """The n by n matrix with ones on its diagonal.

    >>> identity(2)
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return eye(n, dtype=dtype)


def tri(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on and below the k-th diagonal of an N by M matrix, zeros above.

    `N`, `M` and `k` are as in `eye`.

    >>> tri(2, 3)
    array([[1., 0., 0.],
           [1., 1., 0.]], dtype=float32)
    """
    return _band(N, M, k, dtype, "greater_equal")


def _matrices(x: Any) -> None:
    if len(x.shape) < 2:
        raise ShapeError(f"needs matrices, got shape {tuple(x.shape)}.")


def _matrices_rule(x: KerasTensor, k: int = 0) -> KerasTensor:
    _matrices(x)
    return rules.same(x)


@op(_matrices_rule)
def tril(x: Any, k: int = 0) -> Any:
    """The matrices with zeros above their k-th diagonal.

    `k` is as in `eye`; `(..., m, n) -> (..., m, n)`.

    Raises:
        ShapeError: there are fewer than two axes.

    >>> tril([[1, 2], [3, 4]])
    array([[1, 0],
           [3, 4]], dtype=int32)
    """
    _matrices(x)
    return kernel.tril(x, k)


@op(_matrices_rule)
def triu(x: Any, k: int = 0) -> Any:
    """The matrices with zeros below their k-th diagonal.

    `k` is as in `eye`; `(..., m, n) -> (..., m, n)`.

    Raises:
        ShapeError: there are fewer than two axes.

    >>> triu([[1, 2], [3, 4]])
    array([[1, 2],
           [0, 4]], dtype=int32)
    """
    _matrices(x)
    return kernel.triu(x, k)


def tril_indices(n: int, k: int = 0, m: int | None = None) -> Any:
    """Rows and columns of the elements on and below the k-th diagonal of an n by m matrix, as int32.

    Args:
        n: how many rows.
        k: which diagonal, as in `eye`.
        m: how many columns; as many as rows if None.

    >>> tril_indices(2)
    (array([0, 1, 1], dtype=int32), array([0, 0, 1], dtype=int32))
    """
    return _indices("tril_indices", n, k, m)


def triu_indices(n: int, k: int = 0, m: int | None = None) -> Any:
    """Rows and columns of the elements on and above the k-th diagonal of an n by m matrix, as int32.

    The arguments are those of `tril_indices`.

    >>> triu_indices(2)
    (array([0, 0, 1], dtype=int32), array([0, 1, 1], dtype=int32))
    """
    return _indices("triu_indices", n, k, m)


def _indices(which: str, n: int, k: int, m: int | None) -> Any:
    m = n if m is None else m
    below = sum(max(0, min(m, row + (k if which == "tril_indices" else k - 1) + 1)) for row in range(n))
    count = below if which == "tril_indices" else n * m - below
    both = made((), lambda: kernel.stack(getattr(kernel, which)(n, k, m), 0), lambda: (2, count), "int32")
    return tuple(unstack(both, 2))


def _two_axes(axis1: int, axis2: int, rank: int) -> tuple[int, int]:
    first, second = one_axis(axis1, rank), one_axis(axis2, rank)
    if first == second:
        raise ShapeError(f"a diagonal runs along two axes, got {axis1} and {axis2} of a tensor of rank {rank}.")
    return first, second


def _diagonal_rule(x: KerasTensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> KerasTensor:
    first, second = _two_axes(axis1, axis2, x.ndim)
    rows, columns = x.shape[first], x.shape[second]
    known = rows is not None and columns is not None
    count = max(0, min(rows + min(offset, 0), columns - max(offset, 0))) if known else None  # type: ignore[operator]
    return KerasTensor((*(s for i, s in enumerate(x.shape) if i not in (first, second)), count), x.dtype)


@op(_diagonal_rule)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """A diagonal of the matrices that two axes span, as a new last axis.

    Args:
        x: a tensor of at least two axes.
        offset: how far above the main diagonal; below if negative.
        axis1: the axis of the rows.
        axis2: the axis of the columns.

    Raises:
        ShapeError: the two axes are one.

    >>> diagonal([[1, 2], [3, 4]])
    array([1, 4], dtype=int32)
    """
    return kernel.diagonal(x, offset, *_two_axes(axis1, axis2, len(x.shape)))


def _trace_rule(x: KerasTensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> KerasTensor:
    return KerasTensor(_diagonal_rule(x, offset, axis1, axis2).shape[:-1], sum_result(x.dtype))


@op(_trace_rule)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum along a diagonal; small whole numbers widen to 32 bits. The arguments are those of `diagonal`.

    >>> int(trace([[1, 2], [3, 4]]))
    5
    """
    dtype = sum_result(kernel.dtype_of(x))
    x = kernel.diagonal(x, offset, *_two_axes(axis1, axis2, len(x.shape)))
    return kernel.reduce_sum(x if kernel.dtype_of(x) == dtype else kernel.cast(x, dtype), (len(x.shape) - 1,), False)


def _around(size: int | None, k: int) -> int | None:
    return None if size is None else size + abs(k)


def _diag_rule(x: KerasTensor, k: int = 0) -> KerasTensor:
    if x.ndim not in (1, 2):
        raise ShapeError(f"needs a vector or a matrix, got shape {x.shape}. See ops.diagonal for more axes.")
    return _diagonal_rule(x, k) if x.ndim == 2 else KerasTensor((_around(x.shape[0], k),) * 2, x.dtype)


@op(_diag_rule)
def diag(x: Any, k: int = 0) -> Any:
    """A vector as the k-th diagonal of a matrix of zeros; or the k-th diagonal of a matrix.

    `k` is as in `eye`.

    Raises:
        ShapeError: `x` has neither one axis nor two.

    >>> diag([1, 2])
    array([[1, 0],
           [0, 2]], dtype=int32)
    """
    if len(x.shape) not in (1, 2):
        raise ShapeError(f"needs a vector or a matrix, got shape {tuple(x.shape)}. See ops.diagonal for more axes.")
    return kernel.diag_matrix(x, k) if len(x.shape) == 1 else kernel.diagonal(x, k, 0, 1)


@op(lambda x, k=0: KerasTensor((_around(reshaped(x.shape, (-1,))[0], k),) * 2, x.dtype))
def diagflat(x: Any, k: int = 0) -> Any:
    """The elements of `x` as the k-th diagonal of a matrix of zeros.

    `k` is as in `eye`.

    >>> diagflat([[1], [2]])
    array([[1, 0],
           [0, 2]], dtype=int32)
    """
    return kernel.diag_matrix(kernel.reshape(x, (-1,)), k)
