"""Products of stacks of vectors and matrices, and of chains of matrices."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import DTypeError, ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.conversions import as_real
from kbridge.core.ops.declare import kernel, op, promote
from kbridge.core.ops.elementwise import greater, where
from kbridge.core.ops.linalg import agree, conjugated, dot_rule, in_type_of, moved
from kbridge.core.tensor.dtypes import result_type
from kbridge.core.tensor.shapes import broadcast_shape, one_axis
from kbridge.core.tensor.symbolic import KerasTensor


def _vecdot_rule(x1: KerasTensor, x2: KerasTensor, axis: int = -1) -> KerasTensor:
    a, b = list(x1.shape), list(x2.shape)
    sizes = a.pop(one_axis(axis, x1.ndim)), b.pop(one_axis(axis, x2.ndim))
    if not agree(*sizes):
        raise ShapeError(f"vectors of {sizes[0]} and {sizes[1]} elements along axis {axis} of {x1.shape}, {x2.shape}.")
    return KerasTensor(broadcast_shape(a, b), result_type(x1.dtype, x2.dtype))


@op(_vecdot_rule, arrays=2)
def vecdot(x1: Any, x2: Any, axis: int = -1) -> Any:
    """Sum of products along `axis`, the first input conjugated; the other axes broadcast.

    Raises:
        ShapeError: the vectors differ in length.

    >>> vecdot([[1.0, 2.0], [3.0, 4.0]], [10.0, 1.0])
    array([12., 34.], dtype=float32)
    """
    x1, x2 = promote(x1, x2)
    x1, x2 = (moved(x, axis, -1) for x in (conjugated(x1), x2))
    return in_type_of(x1, kernel.einsum("...a,...a->...", x1, x2))


def _stacked_rule(x1: KerasTensor, x2: KerasTensor, at: int) -> KerasTensor:
    matrix, vector = (x1, x2) if at else (x2, x1)
    if matrix.ndim < 2 or not vector.ndim or not agree(matrix.shape[at - 2], vector.shape[-1]):
        raise ShapeError(f"expected matrices and vectors that fit, got shapes {x1.shape} and {x2.shape}.")
    lead = broadcast_shape(matrix.shape[:-2], vector.shape[:-1])
    return KerasTensor((*lead, matrix.shape[-1 - at]), result_type(x1.dtype, x2.dtype))


@op(lambda x1, x2: _stacked_rule(x1, x2, 1), arrays=2)
def matvec(x1: Any, x2: Any) -> Any:
    """Matrices times vectors, `(..., n, k)` and `(..., k)` to `(..., n)`; leading axes broadcast.

    Raises:
        ShapeError: matrices and vectors don't fit.

    >>> matvec([[1.0, 2.0], [3.0, 4.0]], [[1.0, 10.0], [1.0, 0.0]])
    array([[21., 43.],
           [ 1.,  3.]], dtype=float32)
    """
    x1, x2 = promote(x1, x2)
    return in_type_of(x1, kernel.einsum("...ab,...b->...a", x1, x2))


@op(lambda x1, x2: _stacked_rule(x1, x2, 0), arrays=2)
def vecmat(x1: Any, x2: Any) -> Any:
    """Vectors, conjugated, times matrices, `(..., k)` and `(..., k, m)` to `(..., m)`; leading axes broadcast.

    Raises:
        ShapeError: vectors and matrices don't fit.

    >>> vecmat([1.0, 10.0], [[1.0, 2.0], [3.0, 4.0]])
    array([31., 42.], dtype=float32)
    """
    x1, x2 = promote(x1, x2)
    return in_type_of(x1, kernel.einsum("...a,...ab->...b", conjugated(x1), x2))


def _cross_rule(
    x1: KerasTensor, x2: KerasTensor, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> KerasTensor:
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = list(x1.shape), list(x2.shape)
    lengths = a.pop(one_axis(axisa, x1.ndim)), b.pop(one_axis(axisb, x2.ndim))
    _check_vectors(*lengths)
    sizes = list(broadcast_shape(a, b))
    if 3 in lengths:
        sizes.insert(one_axis(axisc, len(sizes) + 1), 3)
    rules.signed(rules.same)(x1, x2)
    return KerasTensor(sizes, result_type(x1.dtype, x2.dtype))


@op(_cross_rule, arrays=2)
def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Cross product of vectors of 3 elements; of 2, whose third is 0. Of 2 and 2, only the third element is left.

    Args:
        x1: vectors along `axisa`.
        x2: vectors along `axisb`; the other axes broadcast.
        axisa, axisb, axisc: where the vectors of the inputs, and of the result, lie.
        axis: all three in one.

    Raises:
        ShapeError: a vector has neither 2 nor 3 elements.
        DTypeError: the inputs are truth values.

    >>> cross([1, 0, 0], [0, 1, 0])
    array([0, 0, 1], dtype=int32)
    """
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    x1, x2 = promote(x1, x2)
    if kernel.dtype_of(x1) == "bool":
        raise DTypeError("truth values have no sign. Cast them to int32 first.")
    a, b = _components(x1, axisa), _components(x2, axisb)

    def element(i: int, j: int) -> Any:
        return kernel.subtract(kernel.multiply(a[i], b[j]), kernel.multiply(a[j], b[i]))

    if len(a) == len(b) == 2:
        return element(0, 1)
    a, b = ([*v, kernel.full_like(v[0], 0, kernel.dtype_of(v[0]))][:3] for v in (a, b))
    parts = [element(1, 2), element(2, 0), element(0, 1)]
    return kernel.stack(parts, one_axis(axisc, len(parts[0].shape) + 1))


def _check_vectors(*lengths: int | None) -> None:
    if set(lengths) - {2, 3}:
        raise ShapeError(f"vectors have 2 or 3 elements, got {', '.join(map(str, lengths))}. Is that the right axis?")


def _components(x: Any, axis: int) -> list[Any]:
    """The slices of `x` along an axis that holds vectors."""
    axis = one_axis(axis, len(x.shape))
    _check_vectors(x.shape[axis])
    return [kernel.get_item(x, (*(slice(None),) * axis, i)) for i in range(x.shape[axis])]


def _multi_dot_rule(arrays: list[KerasTensor]) -> KerasTensor:
    if len(arrays) < 2 or any(x.ndim != 2 for x in arrays[1:-1]) or not {arrays[0].ndim, arrays[-1].ndim} <= {1, 2}:
        raise ShapeError(
            f"expected two or more matrices, vectors only at the ends, got shapes {[x.shape for x in arrays]}."
        )
    y = arrays[0]
    for x in arrays[1:]:
        y = dot_rule(y, x)
    return y


@op(_multi_dot_rule, listed=True)
def multi_dot(arrays: Any) -> Any:
    """Product of several matrices, in the order that takes the fewest multiplications.

    `(a, b)`, `(b, c)`, ... give `(a, z)`.

    Args:
        arrays: two or more matrices; the first and the last may be vectors.

    Raises:
        ShapeError: there are fewer than two, or they don't fit.

    >>> multi_dot([[[1.0, 2.0]], [[3.0], [4.0]], [5.0]])
    array([55.], dtype=float32)
    """
    if len(arrays) < 2:
        raise ShapeError(f"expected two or more matrices, got {len(arrays)}.")
    arrays = promote(*arrays)
    rows = [x.shape[0] for x in arrays]
    first = [1, *rows] if len(arrays[0].shape) == 1 else rows
    last = [arrays[-1].shape[1] if len(arrays[-1].shape) == 2 else 1]
    splits = _cheapest([size or 1 for size in [*first, *last]])

    def product(i: int, j: int) -> Any:
        if i == j:
            return arrays[i]
        return in_type_of(arrays[i], kernel.matmul(product(i, splits[i, j]), product(splits[i, j] + 1, j)))

    return product(0, len(arrays) - 1)


def _cheapest(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to split each run of a chain of matrices `sizes[i]` by `sizes[i + 1]` (Cormen et al., 15.2)."""
    count = len(sizes) - 1
    cost: dict[tuple[int, int], int] = {(i, i): 0 for i in range(count)}
    splits = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            costs = [cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)]
            cost[i, j] = min(costs)
            splits[i, j] = i + costs.index(cost[i, j])
    return splits


def _distance_type(x: KerasTensor, y: KerasTensor) -> str:
    return str(rules.ordered(rules.divided)(KerasTensor((), x.dtype), KerasTensor((), y.dtype)).dtype)


def _cdist_rule(x: KerasTensor, y: KerasTensor) -> KerasTensor:
    if x.ndim < 2 or y.ndim < 2 or not agree(x.shape[-1], y.shape[-1]):
        raise ShapeError(f"expected collections (..., n, d) of vectors of one length, got {x.shape} and {y.shape}.")
    lead = broadcast_shape(x.shape[:-2], y.shape[:-2])
    return KerasTensor((*lead, x.shape[-2], y.shape[-2]), _distance_type(x, y))


@op(_cdist_rule, arrays=2)
def cdist(x: Any, y: Any) -> Any:
    """Euclidean distance of each vector of `x` from each of `y`.

    Args:
        x: `(..., n, d)`.
        y: `(..., m, d)`; leading axes broadcast.

    Returns:
        `(..., n, m)`, a float type. The gradient where two vectors are the same is 0.

    Raises:
        ShapeError: the vectors differ in length.
        DTypeError: the inputs are complex.

    >>> cdist([[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]])
    array([[5., 1.]], dtype=float32)
    """
    x, y = promote(x, y)
    x, y = kernel.expand_dims(as_real(x), (len(x.shape) - 1,)), kernel.expand_dims(as_real(y), (len(y.shape) - 2,))
    away = kernel.subtract(x, y)
    squares = kernel.reduce_sum(kernel.multiply(away, away), (len(away.shape) - 1,), False)
    apart = greater(squares, 0)  # the root has no slope at 0, and a gradient goes through both sides of a `where`
    return where(apart, kernel.sqrt(where(apart, squares, 1)), 0)
