"""Sparse arguments of ops that move elements, add them up or make them from class numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kbridge.core.context import local
from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.sparse_values import dense, densely, known, mapped, picked
from kbridge.core.tensor.dtypes import float_result, result_type, sum_result
from kbridge.core.tensor.shapes import every_axis, one_axis, reshaped


def _columns(x: Any) -> tuple[list[Any], Any, tuple[Any, ...]]:
    """A column of places for each axis, the values `(n,)`, the shape."""
    backend = local.running
    indices, values, shape = backend.sparse_parts(x)
    columns = list(backend.unstack(indices, 1, indices.shape[1]))
    for size in shape[len(columns) :]:  # whole slices: their elements one by one
        count, places = values.shape[1], backend.arange(0, size, 1, backend.dtype_of(indices), like=indices)
        n = backend.shape_of(values)[0]
        columns = [_stretched(column, n, count) for column in columns]
        columns.append(backend.reshape(backend.broadcast_to(places, (n, count)), (-1,)))
        values = backend.reshape(values, (-1, *backend.shape_of(values)[2:]))
    return columns, values, shape


def _stretched(column: Any, n: Any, count: int) -> Any:
    backend = local.running
    return backend.reshape(backend.broadcast_to(backend.expand_dims(column, (1,)), (n, count)), (-1,))


def _made(columns: list[Any], values: Any, shape: Sequence[Any], summed: bool = True) -> Any:
    """The sparse tensor of these columns; where they may name a place twice, `summed` is False."""
    backend = local.running
    if not columns:
        total = backend.reduce_sum(values, (0,), True)
        return backend.make_sparse(backend.convert([[]], "int32"), total, ())
    indices = backend.stack(columns, 1)
    if not summed:
        indices, (values,) = backend.sum_duplicates(indices, (values,), shape)
    return backend.make_sparse(indices, values, shape)


def _nought(like: Any) -> Any:
    return local.running.full_like(like, 0, local.running.dtype_of(like))


def sum_along(this: Any, x: Any, axis: Any = None, keepdims: bool = False, *, mean: bool = False) -> Any:
    backend = local.running
    given = backend.dtype_of(x)
    dtype = float_result(given) if mean else sum_result(given)
    columns, values, shape = _columns(x)
    axes = every_axis(axis, len(shape))
    if dtype != given:
        values = backend.cast(values, dtype)
    if mean and axes:
        count = backend.cast(backend.convert(math.prod(shape[a] for a in axes)), dtype)
        values = backend.divide(values, count)
    if keepdims:
        columns = [_nought(c) if a in axes else c for a, c in enumerate(columns)]
        return _made(columns, values, [1 if a in axes else s for a, s in enumerate(shape)], summed=not axes)
    kept = [a for a in range(len(shape)) if a not in axes]
    return _made([columns[a] for a in kept], values, [shape[a] for a in kept], summed=not axes)


def mean_along(this: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return sum_along(this, x, axis, keepdims, mean=True)


def reshape(this: Any, x: Any, newshape: Any) -> Any:
    backend = local.running
    columns, values, shape = _columns(x)
    target = reshaped(known(shape), newshape if isinstance(newshape, (list, tuple)) else (newshape,))
    if None in target:  # what is left over for the free size
        free = math.prod(shape) // math.prod(s for s in target if s is not None)
        target = tuple(free if s is None else s for s in target)
    places = _nought(columns[0]) if columns else backend.convert([0], "int32")
    if backend.dtype_of(places) == "int32" and math.prod(known(shape)) > 2**31 - 1:
        raise ShapeError(
            f"A sparse tensor of shape {tuple(shape)} has more places than its 32-bit indices can count. "
            "Switch on jax_enable_x64, or reshape it in parts."
        )
    for column, size in zip(columns, shape, strict=True):
        places = backend.add(backend.multiply(places, _as_index(size, places)), column)
    found = []
    for size in target[::-1]:
        step = _as_index(size, places)
        found.append(backend.mod(places, step))
        places = backend.floor_divide(places, step)
    return _made(found[::-1], values, target)


def _as_index(size: Any, like: Any) -> Any:
    backend = local.running
    return backend.cast(backend.convert(size), backend.dtype_of(like))


def ravel(this: Any, x: Any) -> Any:
    return reshape(this, x, (-1,))


def transpose(this: Any, x: Any, axes: Any = None) -> Any:
    columns, values, shape = _columns(x)
    order = range(len(shape))[::-1] if axes is None else [one_axis(a, len(shape)) for a in axes]
    return _made([columns[a] for a in order], values, [shape[a] for a in order])


def expand_dims(this: Any, x: Any, axis: Any) -> Any:
    columns, values, shape = _columns(x)
    axes = every_axis(axis, len(shape) + (len(axis) if isinstance(axis, (list, tuple)) else 1))
    sizes = list(shape)
    for a in axes:
        like = columns[0] if columns else local.running.full_like(values, 0, "int32")
        columns.insert(a, _nought(like))
        sizes.insert(a, 1)
    return _made(columns, values, sizes)


def squeeze(this: Any, x: Any, axis: Any = None) -> Any:
    columns, values, shape = _columns(x)
    axes = [a for a, s in enumerate(shape) if s == 1] if axis is None else every_axis(axis, len(shape))
    if any(shape[a] != 1 for a in axes):
        raise ArgumentError(f"Only axes of size 1 can be left out, got axis {axis} of shape {known(shape)}.")
    kept = [a for a in range(len(shape)) if a not in axes]
    return _made([columns[a] for a in kept], values, [shape[a] for a in kept])


def concatenate(this: Any, xs: Any, axis: int = 0) -> Any:
    backend = local.running
    if not all(map(backend.is_sparse, xs)):
        return densely(this, xs, axis)
    axis = one_axis(axis, len(xs[0].shape))
    dtype = result_type(*map(backend.dtype_of, xs))
    parts = [_columns(x) for x in xs]
    start: Any = 0
    for columns, _, shape in parts:
        columns[axis] = backend.add(columns[axis], _as_index(start, columns[axis]))
        start = start + shape[axis]
    columns = [backend.concatenate(list(each), 0) for each in zip(*(columns for columns, _, _ in parts), strict=True)]
    values = backend.concatenate([backend.cast(v, dtype) for _, v, _ in parts], 0)
    sizes = list(parts[0][2])
    sizes[axis] = start
    return _made(columns, values, sizes)


# --- from classes and counts --------------------------------------------------------------------------


def one_hot(x: Any, classes: int, axis: int, dtype: str) -> Any:
    """A sparse tensor with a 1 for each whole number of `x` that is a class, along a new axis."""
    backend = local.running
    low, high = (backend.full_like(x, limit, backend.dtype_of(x)) for limit in (0, classes - 1))
    inside = backend.logical_and(backend.greater_equal(x, low), backend.less_equal(x, high))
    places = backend.stored_where(inside)
    columns = list(backend.unstack(places, 1, len(x.shape)))
    chosen = backend.cast(backend.get_item(x, tuple(columns)) if columns else x, backend.dtype_of(places))
    columns.insert(axis, backend.reshape(chosen, (-1,)))
    shape = list(backend.shape_of(x))
    shape.insert(axis, classes)
    ones = backend.full_like(columns[0], 1, dtype)
    return backend.make_sparse(backend.stack(columns, 1), ones, shape)


def united(x: Any, axis: int) -> Any:
    """A sparse tensor with a 1 wherever `x` stores something along `axis`."""
    columns, values, shape = _columns(x)
    del columns[axis]
    sizes = [size for a, size in enumerate(shape) if a != axis]
    return mapped(
        lambda v: local.running.full_like(v, 1, local.running.dtype_of(v)), _made(columns, values, sizes, False)
    )


def bincount(this: Any, x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """Counts of the stored numbers."""
    backend = local.running
    if not backend.is_sparse(x):
        return densely(this, x, weights, minlength, sparse)
    columns, numbers, shape = _columns(x)
    dtype = "int32" if weights is None else result_type(backend.dtype_of(x), backend.dtype_of(weights))
    one = backend.full_like(numbers, 1, dtype)
    counted = one if weights is None else backend.cast(_picked_sparsely(weights, x), dtype)
    most = backend.add(backend.reduce_max(numbers, (0,), False), backend.full_like(numbers[0], 1, backend.dtype_of(x)))
    places = [*columns[:-1], backend.cast(numbers, backend.dtype_of(columns[-1]))]
    length = max(minlength, int(backend.to_numpy(most)))
    return _made(places, counted, (*shape[:-1], length), summed=False)


def _picked_sparsely(x: Any, places_of: Any) -> Any:
    """The values of `x`, sparse or dense, where another sparse tensor stores something."""
    indices, _, shape = local.running.sparse_parts(places_of)
    return picked(dense(x), indices, shape)


def from_dense(x: Any) -> Any:
    """A sparse tensor of the elements of `x` that aren't 0."""
    backend = local.running
    indices = backend.stored_where(backend.cast(x, "bool"))
    return backend.make_sparse(indices, picked(x, indices, x.shape), backend.shape_of(x))
