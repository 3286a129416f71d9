"""Ops that put tensors together."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.declare import kernel, op, promote
from kbridge.core.tensor.dtypes import result_type
from kbridge.core.tensor.shapes import broadcast_shape, one_axis, reshaped
from kbridge.core.tensor.symbolic import KerasTensor

Sizes = tuple[int | None, ...]


def _some(xs: Any) -> None:
    if not len(xs):
        raise ArgumentError("got no tensors; give at least one.")


def joined(xs: list[KerasTensor], axis: int) -> KerasTensor:
    """The rule of joining along an axis."""
    _some(xs)
    if axis is None:
        raise ArgumentError("tensors are joined along one axis, got axis=None. Flatten them with ops.ravel first.")
    i = one_axis(axis, xs[0].ndim)
    sizes = list(xs[0].shape)
    for x in xs[1:]:
        if x.ndim != len(sizes) or any(
            a != b and None not in (a, b) for j, (a, b) in enumerate(zip(x.shape, sizes, strict=True)) if j != i
        ):
            raise ShapeError(f"can't join shapes {[x.shape for x in xs]} along axis {axis}: the other axes must agree.")
        sizes = [b if a is None else a for a, b in zip(sizes, x.shape, strict=True)]
    parts = [x.shape[i] for x in xs]
    sizes[i] = None if None in parts else sum(p for p in parts if p is not None)
    return KerasTensor(sizes, result_type(*(x.dtype for x in xs)))


@op(lambda xs, axis=0: joined(xs, axis), listed=True)
def concatenate(xs: Any, axis: int = 0) -> Any:
    """The inputs joined along an axis that they have, in their common type.

    Raises:
        ArgumentError: there are no inputs, or `axis` is None.
        ShapeError: other axes than `axis` differ in size.

    >>> concatenate([[[1, 2]], [[3, 4]]], axis=1)
    array([[1, 2, 3, 4]], dtype=int32)
    """
    _some(xs)
    return kernel.concatenate(promote(*xs), one_axis(axis, len(xs[0].shape)))


concat = concatenate  # the name in the array API standard


def _stack_rule(x: list[KerasTensor], axis: int = 0) -> KerasTensor:
    _some(x)
    sizes: Sizes = x[0].shape
    for each in x[1:]:
        if each.ndim != len(sizes) or any(
            a != b and None not in (a, b) for a, b in zip(each.shape, sizes, strict=True)
        ):
            raise ShapeError(f"can't stack shapes {[each.shape for each in x]}: they must be the same.")
        sizes = tuple(b if a is None else a for a, b in zip(sizes, each.shape, strict=True))
    at = one_axis(axis, len(sizes) + 1)
    return KerasTensor((*sizes[:at], len(x), *sizes[at:]), result_type(*(each.dtype for each in x)))


@op(_stack_rule, listed=True)
def stack(x: Any, axis: int = 0) -> Any:
    """The inputs, which have the same shape, joined along a new axis.

    Raises:
        ArgumentError: there are no inputs.
        ShapeError: the shapes differ.

    >>> stack([[1, 2], [3, 4]], axis=-1)
    array([[1, 3],
           [2, 4]], dtype=int32)
    """
    _some(x)
    return kernel.stack(promote(*x), one_axis(axis, len(x[0].shape) + 1))


def _at_least(sizes: Any, rank: int) -> tuple[Any, ...]:
    """These sizes with as many 1 as `rank` asks for, where NumPy puts them."""
    sizes = tuple(sizes)
    if rank == 3 and len(sizes) == 2:
        return (*sizes, 1)
    before = (1,) * min(max(rank - len(sizes), 0), 2 if len(sizes) == 0 else 1)
    return before + sizes + (1,) * (rank - len(before) - len(sizes))


def _deep(x: Any, rank: int) -> Any:
    return x if len(x.shape) >= rank else kernel.reshape(x, _at_least(kernel.shape_of(x), rank))


@op(lambda x, rank: KerasTensor(_at_least(x.shape, rank), x.dtype))
def _deepened(x: Any, rank: int) -> Any:
    return _deep(x, rank)


def _each_deepened(arrays: Any, rank: int) -> Any:
    results = [_deepened(x, rank) for x in arrays]
    return results[0] if len(results) == 1 else results


def atleast_1d(*arrays: Any) -> Any:
    """Each input with at least one axis; a list for several inputs.

    `arrays` are the inputs, of any shape.

    >>> atleast_1d(3.0)
    array([3.], dtype=float32)
    """
    return _each_deepened(arrays, 1)


def atleast_2d(*arrays: Any) -> Any:
    """Each input with at least two axes, the new ones in front.

    `arrays` are the inputs; a list comes back for several.

    >>> atleast_2d([1, 2])
    array([[1, 2]], dtype=int32)
    """
    return _each_deepened(arrays, 2)


def atleast_3d(*arrays: Any) -> Any:
    """Each input with at least three axes: `(n,) -> (1, n, 1)`, `(m, n) -> (m, n, 1)`.

    `arrays` are the inputs; a list comes back for several.

    >>> atleast_3d([1, 2]).shape
    (1, 2, 1)
    """
    return _each_deepened(arrays, 3)


def _stacked(rank: int, axis: Any) -> Any:
    """The rule of the ops that deepen their inputs and join them."""

    def rule(xs: list[KerasTensor]) -> KerasTensor:
        _some(xs)
        deep = [KerasTensor(_at_least(x.shape, rank), x.dtype) for x in xs]
        return joined(deep, axis(deep[0].shape))

    return rule


def _join_deep(xs: Any, rank: int, axis: Any) -> Any:
    _some(xs)
    deep = [_deep(x, rank) for x in promote(*xs)]
    return kernel.concatenate(deep, axis(deep[0].shape))


def _across(sizes: Any) -> int:
    return 0 if len(sizes) == 1 else 1


@op(_stacked(2, lambda _: 0), listed=True)
def vstack(xs: Any) -> Any:
    """The inputs below each other, vectors as rows.

    Raises:
        ArgumentError, ShapeError: as in `concatenate`.

    >>> vstack([[1, 2], [3, 4]])
    array([[1, 2],
           [3, 4]], dtype=int32)
    """
    return _join_deep(xs, 2, lambda _: 0)


@op(_stacked(1, _across), listed=True)
def hstack(xs: Any) -> Any:
    """The inputs beside each other: along the second axis, vectors along their only one.

    Raises:
        ArgumentError, ShapeError: as in `concatenate`.

    >>> hstack([[1, 2], [3]])
    array([1, 2, 3], dtype=int32)
    """
    return _join_deep(xs, 1, _across)


@op(_stacked(3, lambda _: 2), listed=True)
def dstack(xs: Any) -> Any:
    """The inputs behind each other, along the third axis.

    Raises:
        ArgumentError, ShapeError: as in `concatenate`.

    >>> dstack([[1, 2], [3, 4]])
    array([[[1, 3],
            [2, 4]]], dtype=int32)
    """
    return _join_deep(xs, 3, lambda _: 2)


def _as_columns(x: Any) -> Any:
    return kernel.reshape(x, (-1, 1)) if len(x.shape) < 2 else x


def _column_rule(xs: list[KerasTensor]) -> KerasTensor:
    _some(xs)
    return joined([KerasTensor((*reshaped(x.shape, (-1,)), 1) if x.ndim < 2 else x.shape, x.dtype) for x in xs], 1)


@op(_column_rule, listed=True)
def column_stack(xs: Any) -> Any:
    """Vectors as the columns of a matrix; matrices beside each other.

    `(n,)` becomes `(n, 1)`; then as `concatenate` along axis 1.

    Raises:
        ArgumentError, ShapeError: as in `concatenate`.

    >>> column_stack([[1, 2], [3, 4]])
    array([[1, 3],
           [2, 4]], dtype=int32)
    """
    _some(xs)
    return kernel.concatenate([_as_columns(x) for x in promote(*xs)], 1)


def _append_rule(x1: KerasTensor, x2: KerasTensor, axis: int | None = None) -> KerasTensor:
    if axis is not None:
        return joined([x1, x2], axis)
    return joined([KerasTensor(reshaped(x.shape, (-1,)), x.dtype) for x in (x1, x2)], 0)


@op(_append_rule, arrays=2)
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """`x2` put at the end of `x1`, along `axis` or, for None, both flattened.

    Raises:
        ArgumentError, ShapeError: as in `concatenate`.

    >>> append([1, 2], [[3], [4]])
    array([1, 2, 3, 4], dtype=int32)
    """
    if axis is not None:
        return kernel.concatenate(promote(x1, x2), one_axis(axis, len(x1.shape)))
    return kernel.concatenate([kernel.reshape(x, (-1,)) for x in promote(x1, x2)], 0)


# --- many at once ---------------------------------------------------------------------------------


def _grid_sizes(counts: list[Any], indexing: str) -> list[Any]:
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"indexing is 'xy' or 'ij', got {indexing!r}.")
    return [counts[1], counts[0], *counts[2:]] if indexing == "xy" and len(counts) > 1 else counts


def _meshgrid_rule(x: list[KerasTensor], indexing: str = "xy") -> list[KerasTensor]:
    sizes = _grid_sizes([reshaped(each.shape, (-1,))[0] for each in x], indexing)
    return [KerasTensor(sizes, each.dtype) for each in x]


@op(_meshgrid_rule, listed=True)
def meshgrid_of(x: Any, indexing: str = "xy") -> Any:
    """`meshgrid` with the arrays in a list, as ops have them."""
    rows = [kernel.reshape(each, (-1,)) for each in x]
    sizes = tuple(_grid_sizes([kernel.shape_of(row)[0] for row in rows], indexing))
    order = _grid_sizes(list(range(len(rows))), indexing)  # which axis of the grid belongs to whom
    lying = [kernel.reshape(row, tuple(-1 if i == own else 1 for own in order)) for i, row in enumerate(rows)]
    return [kernel.broadcast_to(row, sizes) for row in lying]


def meshgrid(*x: Any, indexing: str = "xy") -> Any:
    """Coordinates of the points of a grid, one tensor for each vector of positions.

    Args:
        *x: vectors; anything deeper is flattened.
        indexing: "ij" gives tensors of shape `(n1, n2, ...)`, "xy" swaps the first two axes.

    >>> meshgrid([1, 2, 3], [7, 8])[1]
    array([[7, 7, 7],
           [8, 8, 8]], dtype=int32)
    """
    return meshgrid_of(list(x), indexing)


def _broadcast_rule(x: list[KerasTensor]) -> list[KerasTensor]:
    sizes: Sizes = ()
    for each in x:
        sizes = broadcast_shape(sizes, each.shape)
    return [KerasTensor(sizes, each.dtype) for each in x]


@op(_broadcast_rule, listed=True)
def broadcast_arrays_of(x: Any) -> Any:
    """`broadcast_arrays` with the arrays in a list, as ops have them."""
    sizes: tuple[Any, ...] = ()
    for each in x:
        sizes = _wider(sizes, kernel.shape_of(each))
    return [kernel.broadcast_to(each, sizes) for each in x]


def _wider(a: tuple[Any, ...], b: tuple[Any, ...]) -> tuple[Any, ...]:
    """`broadcast_shape` for sizes that may be tensors: a known size other than 1 wins."""
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True)
    return tuple(y if isinstance(x, int) and x == 1 else (y if isinstance(y, int) and y != 1 else x) for x, y in pairs)


def broadcast_arrays(*arrays: Any) -> Any:
    """The inputs, each repeated along axes of size 1 to their common shape.

    `arrays` are the inputs, whose shapes broadcast.

    >>> broadcast_arrays([[1], [2]], [3, 4])[0]
    array([[1, 1],
           [2, 2]], dtype=int32)
    """
    return broadcast_arrays_of(list(arrays))
