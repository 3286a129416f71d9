"""Ops that find what is in a tensor once, or several times: sort, and look where neighbours differ."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from kbridge.core.ops import rules
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.sort import as_before, sortable
from kbridge.core.tensor.shapes import one_axis
from kbridge.core.tensor.symbolic import KerasTensor


def _unique_parts(x: KerasTensor, axis: int | None = None, size: int | None = None) -> list[KerasTensor]:
    rules.ordered(rules.same)(x)
    shape: tuple[int | None, ...] = (size,)
    inverse = x.shape
    if axis is not None:
        i = one_axis(axis, x.ndim)
        shape, inverse = (*x.shape[:i], size, *x.shape[i + 1 :]), (x.shape[i],)
    line = KerasTensor((size,), "int32")
    return [KerasTensor(shape, x.dtype), line, KerasTensor(inverse, "int32"), KerasTensor(line.shape, "int32")]


def _unique_rule(
    x: KerasTensor,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    return _asked(_unique_parts(x, axis, size), return_index, return_inverse, return_counts)


def _asked(parts: Any, *wanted: bool) -> Any:
    found = [part for part, want in zip(parts, (True, *wanted), strict=True) if want]
    return tuple(found) if len(found) > 1 else found[0]


@op(_unique_rule)
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements of `x`, or the different slices along an axis, in rising order. NaN differs from NaN.

    Args:
        x: any tensor.
        sorted: False allows any order; it rises all the same.
        return_index: also where each is first in `x`, int32.
        return_inverse: also which of them each element is, int32: in the shape of `x`, or along `axis`.
        return_counts: also how often each is there, int32.
        axis: None for elements, else slices along it are compared whole.
        size: how many to return. Without it the result's size depends on values, which no compiled step on jax and
            torch can know. Too many are cut off; too few are filled up with `fill_value` (by default the first of
            them), index of the first and count 0.
        fill_value: see `size`.

    Returns:
        The values, or a tuple of them and what else was asked for.

    >>> unique([3, 1, 1], return_counts=True)
    (array([1, 3], dtype=int32), array([2, 1], dtype=int32))
    >>> unique([3, 1, 1], size=3, fill_value=-1)
    array([ 1,  3, -1], dtype=int32)
    """
    wanted = return_index, return_inverse, return_counts
    return _asked(_unique(x, axis, size, fill_value, any(wanted)), *wanted)


def _unique(x: Any, axis: int | None = None, size: int | None = None, fill_value: Any = None, full: bool = True) -> Any:
    """Values, first places, inverse and counts. Sort, look where neighbours differ, and the rest is counting."""
    rows = _rows(sortable(x), axis)
    flat, count = len(rows.shape) == 1, kernel.shape_of(rows)[0]
    order = _order_of_rows(rows) if full or not flat else None
    arranged = kernel.sort(rows, 0) if order is None else kernel.take(rows, order, 0)
    differs = kernel.not_equal(_part(arranged, 1, None), _part(arranged, None, -1))
    differs = differs if flat else kernel.reduce_any(differs, (1,), False)
    some = kernel.full_like(arranged if order is None else order, 1, "bool")
    first = kernel.concatenate([_part(some, None, 1), differs], 0)  # the first row differs, if there is one
    edges = _edges(first, count, size)
    starts = _part(edges, None, -1)
    there = None if size is None else kernel.less(starts, count)
    values = _filled(arranged, starts, there, fill_value)
    values = as_before(_from_rows(values, x, axis), x)
    if not full:
        return values, None, None, None
    group = kernel.subtract(kernel.cumsum(kernel.cast(first, "int32"), 0), kernel.full_like(order, 1, "int32"))
    inverse = kernel.scatter_update(group, kernel.expand_dims(order, (1,)), group, None)
    inverse = kernel.reshape(inverse, kernel.shape_of(x)) if axis is None else inverse
    return values, _filled(order, starts, there, None), inverse, kernel.subtract(_part(edges, 1, None), starts)


def _part(x: Any, start: int | None, stop: int | None) -> Any:
    return kernel.get_item(x, slice(start, stop))


def _rows(x: Any, axis: int | None) -> Any:
    """What is compared: the elements in a line, or the slices along an axis as rows of a matrix."""
    if axis is None:
        return kernel.reshape(x, (-1,))
    x = kernel.transpose(x, _front(axis, len(x.shape)))
    count, *rest = kernel.shape_of(x)
    return kernel.reshape(x, (count, math.prod(rest)))


def _from_rows(values: Any, x: Any, axis: int | None) -> Any:
    if axis is None:
        return values
    order = _front(axis, len(x.shape))
    sizes = kernel.shape_of(x)
    values = kernel.reshape(values, (kernel.shape_of(values)[0], *(sizes[i] for i in order[1:])))
    return kernel.transpose(values, tuple(order.index(i) for i in range(len(order))))


def _front(axis: int, rank: int) -> tuple[int, ...]:
    at = one_axis(axis, rank)
    return (at, *(i for i in range(rank) if i != at))


def _order_of_rows(rows: Any) -> Any:
    """The indices that sort rows by their first element, then their second, and so on: by the last one first."""
    if len(rows.shape) == 1:
        return kernel.argsort(rows, 0)
    count, width = kernel.shape_of(rows)

    def refine(carry: Any, columns: Any) -> Any:
        return (kernel.take(carry[0], kernel.argsort(kernel.take(columns[0], carry[0], 0), 0), 0),), ()

    order = kernel.arange(0, count, 1, "int32", like=rows)
    (order,), _ = kernel.scan(refine, (order,), (kernel.transpose(rows, (1, 0)),), width, True, 1)
    return order


def _edges(first: Any, count: Any, size: int | None) -> Any:
    """Where groups of equal rows begin, and after them the number of rows: as often as it takes to reach `size`."""
    zeros = kernel.full_like(kernel.arange(0, (size or 0) + 1, 1, "int32", like=first), 0, "int32")
    ends = kernel.add(zeros, count)
    if size is None:
        return kernel.concatenate([kernel.reshape(kernel.argwhere(first), (-1,)), ends], 0)
    places = kernel.arange(0, count, 1, "int32", like=first)
    starts = kernel.where(first, places, _part(ends, None, 1))
    return _part(kernel.sort(kernel.concatenate([starts, ends], 0), 0), None, size + 1)


def _filled(rows: Any, starts: Any, there: Any, fill: Any) -> Any:
    """The rows at `starts`; where there are none any more, the fill value or the first of them."""
    if there is None:
        return kernel.take(rows, starts, 0)
    found = kernel.take(rows, kernel.where(there, starts, kernel.full_like(starts, 0, "int32")), 0)
    spare = _part(found, None, 1) if fill is None else kernel.convert(fill, kernel.dtype_of(rows))
    return kernel.where(there if len(rows.shape) == 1 else kernel.expand_dims(there, (1,)), found, spare)


class UniqueAll(NamedTuple):
    """What `unique_all` returns."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """What `unique_counts` returns."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """What `unique_inverse` returns."""

    values: Any
    inverse_indices: Any


@op(lambda x: _unique_parts(x)[0])
def unique_values(x: Any) -> Any:
    """The different elements. The four `unique_` functions are the array API standard's; see `unique`.

    >>> unique_values([3, 1, 1])
    array([1, 3], dtype=int32)
    """
    return _unique(x, full=False)[0]


@op(lambda x: UniqueAll(*_unique_parts(x)))
def unique_all(x: Any) -> UniqueAll:
    """The different elements, where each is first, which of them each element is, and how often each is there.

    >>> unique_all([3, 1, 1]).indices
    array([1, 0], dtype=int32)
    """
    return UniqueAll(*_unique(x))


@op(lambda x: UniqueCounts(*_unique_parts(x)[::3]))
def unique_counts(x: Any) -> UniqueCounts:
    """The different elements, and how often each is there.

    >>> unique_counts([3, 1, 1]).counts
    array([2, 1], dtype=int32)
    """
    return UniqueCounts(*_unique(x)[::3])


@op(lambda x: UniqueInverse(*_unique_parts(x)[::2]))
def unique_inverse(x: Any) -> UniqueInverse:
    """The different elements, and which of them each element of `x` is.

    >>> unique_inverse([3, 1, 1]).inverse_indices
    array([1, 0, 0], dtype=int32)
    """
    return UniqueInverse(*_unique(x)[::2])
