"""Ops that make, move, join and pick elements without computing on them."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Sequence
from typing import Any

from kbridge.core import settings
from kbridge.core.context import SYMBOLIC, decide, local, running
from kbridge.core.errors import ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.declare import homes, kernel, native, op, promote
from kbridge.core.tensor.dtypes import result_type, standardize_dtype
from kbridge.core.tensor.shapes import broadcast_shape, every_axis, one_axis, reshaped
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import Variable, spec_of

# --- facts about tensors --------------------------------------------------------------------------


def shape(x: Any) -> tuple[Any, ...]:
    """The sizes of `x`: numbers where known, tensors (TensorFlow) or None (symbolic) where not."""
    if isinstance(x, (KerasTensor, Variable)):
        return tuple(x.shape)
    with running(local.running or decide([x])):
        if local.running is SYMBOLIC:
            return spec_of(x).shape
        return kernel.shape_of(native(local.running, x))


def ndim(x: Any) -> int:
    """How many axes `x` has."""
    return len(shape(x))


def size(x: Any) -> Any:
    """How many elements `x` has."""
    return math.prod(shape(x))


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """`x` as a tensor of the backend in force."""
    dtype = None if dtype is None else standardize_dtype(dtype)
    if isinstance(x, KerasTensor):
        return x if dtype in (None, x.dtype) else KerasTensor(x.shape, dtype)
    if local.running is SYMBOLIC:
        return KerasTensor(spec_of(x).shape, dtype or spec_of(x).dtype)
    with running(local.running or decide(homes([x]))):
        value = x.value if isinstance(x, Variable) else x
        return kernel.convert(value, dtype)


def convert_to_numpy(x: Any) -> Any:
    """`x` as a NumPy array on the host."""
    if isinstance(x, Variable):
        return x.numpy()
    with running(local.running or decide([x])):
        return kernel.to_numpy(kernel.convert(x))


# --- making tensors -------------------------------------------------------------------------------


def _make(shape: Any, dtype: Any, make: Any) -> Any:
    dtype = standardize_dtype(dtype)
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if local.running is SYMBOLIC or any(s is None for s in sizes):
        return KerasTensor(sizes, dtype)
    with running(local.running or decide(sizes)):
        return make(sizes, dtype)


def zeros(shape: Any, dtype: Any = None) -> Any:
    """A tensor of zeros."""
    return _make(shape, dtype, lambda sizes, kind: kernel.full(sizes, 0, kind))


def ones(shape: Any, dtype: Any = None) -> Any:
    """A tensor of ones."""
    return _make(shape, dtype, lambda sizes, kind: kernel.full(sizes, 1, kind))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """A tensor of one repeated number."""
    return _make(shape, dtype, lambda sizes, kind: kernel.full(sizes, fill_value, kind))


def _like_rule(x: KerasTensor, dtype: Any = None) -> KerasTensor:
    return KerasTensor(x.shape, x.dtype if dtype is None else dtype)


@op(_like_rule)
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of `x`."""
    return kernel.full_like(x, 0, standardize_dtype(dtype or kernel.dtype_of(x)))


@op(_like_rule)
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape of `x`."""
    return kernel.full_like(x, 1, standardize_dtype(dtype or kernel.dtype_of(x)))


@op(lambda x, fill_value, dtype=None: _like_rule(x, dtype))
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One repeated number in the shape of `x`."""
    return kernel.full_like(x, fill_value, standardize_dtype(dtype or kernel.dtype_of(x)))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Numbers from `start` (0 if only one is given) up to `stop`, `step` apart."""
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    numbers = [n for n in (start, stop, step) if isinstance(n, (int, float))]
    dtype = standardize_dtype(dtype) if dtype else result_type(*(type(n) for n in numbers), int)
    if local.running is SYMBOLIC:
        count = None if len(numbers) < 3 else max(0, math.ceil((stop - start) / step))
        return KerasTensor((count,), dtype)
    with running(local.running or decide((start, stop, step))):
        return kernel.arange(start, stop, step, dtype)


@op(lambda x, axis: KerasTensor((x.shape[one_axis(axis, x.ndim)],), "int32"))
def positions(x: Any, axis: int) -> Any:
    """0, 1, 2, … along one axis of `x`, where `x` is: `(size,)`, int32."""
    return kernel.arange(0, kernel.shape_of(x)[one_axis(axis, len(x.shape))], 1, "int32", like=x)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on the k-th diagonal of an N by M matrix, zeros elsewhere."""
    import numpy as np

    return convert_to_tensor(np.eye(N, M, k), dtype or settings.floatx())


# --- moving ---------------------------------------------------------------------------------------


def _reshape_rule(x: KerasTensor, newshape: Any) -> KerasTensor:
    sizes = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    return KerasTensor(reshaped(x.shape, sizes), x.dtype)


@op(_reshape_rule)
def reshape(x: Any, newshape: Any) -> Any:
    """The same elements in another shape; one size may be -1."""
    sizes = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    return kernel.reshape(x, tuple(-1 if s is None else s for s in sizes))


@op(lambda x: KerasTensor(reshaped(x.shape, (-1,)), x.dtype))
def ravel(x: Any) -> Any:
    """The elements in one row."""
    return kernel.reshape(x, (-1,))


def _order(axes: Any, rank: int) -> tuple[int, ...]:
    if axes is None:
        return tuple(reversed(range(rank)))
    order = tuple(one_axis(a, rank) for a in axes)
    if sorted(order) != list(range(rank)):
        raise ShapeError(f"axes {tuple(axes)} isn't an order of the {rank} axes.")
    return order


@op(lambda x, axes=None: KerasTensor([x.shape[a] for a in _order(axes, x.ndim)], x.dtype))
def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """The axes in another order, reversed if none is given."""
    return kernel.transpose(x, _order(axes, len(x.shape)))


def _swap(axis1: int, axis2: int, rank: int) -> list[int]:
    order = list(range(rank))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return order


@op(lambda x, axis1, axis2: KerasTensor([x.shape[a] for a in _swap(axis1, axis2, x.ndim)], x.dtype))
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes change places."""
    return kernel.transpose(x, tuple(_swap(axis1, axis2, len(x.shape))))


def _new_axes(axis: Any, rank: int) -> tuple[int, ...]:
    count = 1 if isinstance(axis, int) else len(axis)
    return every_axis(axis, rank + count)


def _expand_rule(x: KerasTensor, axis: Any) -> KerasTensor:
    sizes = list(x.shape)
    for position in _new_axes(axis, x.ndim):
        sizes.insert(position, 1)
    return KerasTensor(sizes, x.dtype)


@op(_expand_rule)
def expand_dims(x: Any, axis: Any) -> Any:
    """Axes of size 1 put in at `axis`."""
    return kernel.expand_dims(x, _new_axes(axis, len(x.shape)))


def _squeezable(sizes: Any, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(i for i, s in enumerate(sizes) if s == 1)
    axes = every_axis(axis, len(sizes))
    for i in axes:
        if isinstance(sizes[i], int) and sizes[i] != 1:
            raise ShapeError(f"axis {i} has size {sizes[i]} in {tuple(sizes)}; only axes of size 1 squeeze.")
    return axes


@op(
    lambda x, axis=None: KerasTensor([s for i, s in enumerate(x.shape) if i not in _squeezable(x.shape, axis)], x.dtype)
)
def squeeze(x: Any, axis: Any = None) -> Any:
    """Axes of size 1 taken out."""
    return squeeze_axes(x, _squeezable(x.shape, axis))


def squeeze_axes(x: Any, axes: tuple[int, ...]) -> Any:
    """`squeeze` for settled axes."""
    return kernel.squeeze(x, axes) if axes else x


@op(lambda x, shape: KerasTensor(broadcast_shape(x.shape, shape), x.dtype))
def broadcast_to(x: Any, shape: Any) -> Any:
    """The input repeated along axes of size 1 to fill `shape`."""
    return kernel.broadcast_to(x, tuple(shape))


@op(lambda x, axis=None: rules.same(x))
def flip(x: Any, axis: Any = None) -> Any:
    """The order of elements along `axis` reversed."""
    return kernel.flip(x, every_axis(axis, len(x.shape)))


def _tiled(repeats: Any, rank: int) -> tuple[int, ...]:
    given = (repeats,) if isinstance(repeats, int) else tuple(repeats)
    return (1,) * (rank - len(given)) + given


def _tile_rule(x: KerasTensor, repeats: Any) -> KerasTensor:
    times = _tiled(repeats, x.ndim)
    sizes = (1,) * (len(times) - x.ndim) + x.shape
    return KerasTensor([None if s is None else s * t for s, t in zip(sizes, times, strict=True)], x.dtype)


@op(_tile_rule)
def tile(x: Any, repeats: Any) -> Any:
    """The input repeated whole along each axis."""
    return kernel.tile(x, _tiled(repeats, len(x.shape)))


def _repeat_rule(x: KerasTensor, repeats: int, axis: int | None = None) -> KerasTensor:
    if axis is None:
        total = reshaped(x.shape, (-1,))[0]
        return KerasTensor((None if total is None else total * repeats,), x.dtype)
    sizes = list(x.shape)
    i = one_axis(axis, x.ndim)
    size = sizes[i]
    sizes[i] = None if size is None else size * repeats
    return KerasTensor(sizes, x.dtype)


@op(_repeat_rule)
def repeat(x: Any, repeats: int, axis: int | None = None) -> Any:
    """Each element repeated along `axis` (of the flattened input if None)."""
    if axis is None:
        return kernel.repeat(kernel.reshape(x, (-1,)), repeats, 0)
    return kernel.repeat(x, repeats, one_axis(axis, len(x.shape)))


def _widths(pad_width: Any, rank: int) -> tuple[tuple[int, int], ...]:
    if isinstance(pad_width, int):
        return ((pad_width, pad_width),) * rank
    pairs = tuple((p, p) if isinstance(p, int) else tuple(p) for p in pad_width)
    return pairs * rank if len(pairs) == 1 else pairs


def _pad_rule(x: KerasTensor, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    pairs = _widths(pad_width, x.ndim)
    return KerasTensor([None if s is None else s + a + b for s, (a, b) in zip(x.shape, pairs, strict=True)], x.dtype)


@op(_pad_rule)
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """Elements added around the input: `mode` is "constant", "reflect" or "symmetric"."""
    return kernel.pad(x, _widths(pad_width, len(x.shape)), mode, constant_values or 0)


# --- joining and picking --------------------------------------------------------------------------


def _concatenate_rule(xs: list[KerasTensor], axis: int = -1) -> KerasTensor:
    i = one_axis(axis, xs[0].ndim)
    sizes = list(xs[0].shape)
    for x in xs[1:]:
        if x.ndim != len(sizes) or any(
            a != b and None not in (a, b) for j, (a, b) in enumerate(zip(x.shape, sizes, strict=True)) if j != i
        ):
            raise ShapeError(
                f"Can't concatenate shapes {[x.shape for x in xs]} along axis {axis}: the other axes must agree."
            )
        sizes = [b if a is None else a for a, b in zip(sizes, x.shape, strict=True)]
    parts = [x.shape[i] for x in xs]
    sizes[i] = None if None in parts else sum(p for p in parts if p is not None)
    return KerasTensor(sizes, result_type(*(x.dtype for x in xs)))


@op(_concatenate_rule, listed=True)
def concatenate(xs: Any, axis: int = -1) -> Any:
    """The inputs joined along an axis they have."""
    return kernel.concatenate(promote(*xs), one_axis(axis, len(xs[0].shape)))


def _stack_rule(x: list[KerasTensor], axis: int = 0) -> KerasTensor:
    sizes = list(x[0].shape)
    sizes.insert(one_axis(axis, len(sizes) + 1), len(x))
    return KerasTensor(sizes, result_type(*(each.dtype for each in x)))


@op(_stack_rule, listed=True)
def stack(x: Any, axis: int = 0) -> Any:
    """The inputs joined along a new axis."""
    return kernel.stack(promote(*x), one_axis(axis, len(x[0].shape) + 1))


def _split_sizes(size: int | None, parts: Any) -> list[int | None]:
    if isinstance(parts, int):
        if isinstance(size, int) and size % parts:
            raise ShapeError(f"An axis of size {size} doesn't split into {parts} equal parts.")
        return [None if size is None else size // parts] * parts
    edges = [0, *parts, size]
    return [None if b is None else b - a for a, b in itertools.pairwise(edges)]


def _split_rule(x: KerasTensor, indices_or_sections: Any, axis: int = 0) -> list[KerasTensor]:
    i = one_axis(axis, x.ndim)
    pieces = _split_sizes(x.shape[i], indices_or_sections)
    return [KerasTensor((*x.shape[:i], p, *x.shape[i + 1 :]), x.dtype) for p in pieces]


@op(_split_rule)
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """The input cut along `axis` into equal parts, or at the given positions."""
    i = one_axis(axis, len(x.shape))
    return kernel.split(x, _split_sizes(kernel.shape_of(x)[i], indices_or_sections), i)


def _take_rule(x: KerasTensor, indices: KerasTensor, axis: int | None = None) -> KerasTensor:
    if axis is None:
        return KerasTensor(indices.shape, x.dtype)
    i = one_axis(axis, x.ndim)
    return KerasTensor((*x.shape[:i], *indices.shape, *x.shape[i + 1 :]), x.dtype)


@op(_take_rule, arrays=2)
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The slices of `x` at `indices` along `axis` (of the flattened input if None)."""
    if axis is None:
        return kernel.take(kernel.reshape(x, (-1,)), indices, 0)
    return kernel.take(x, indices, one_axis(axis, len(x.shape)))


@op(lambda table, indices: KerasTensor((*indices.shape, *table.shape[1:]), table.dtype), arrays=2)
def lookup(table: Any, indices: Any) -> Any:
    """Rows of a table, by whole numbers from 0: `take` for an embedding, without the look at signs."""
    return kernel.lookup(table, indices)


@op(lambda x, indices, axis=None: KerasTensor(indices.shape, x.dtype), arrays=2)
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Elements of `x` picked along `axis` by indices of the same rank."""
    if axis is None:
        return kernel.take_along_axis(kernel.reshape(x, (-1,)), kernel.reshape(indices, (-1,)), 0)
    return kernel.take_along_axis(x, indices, one_axis(axis, len(x.shape)))


def _full_key(key: Any, rank: int) -> list[Any]:
    given = list(key) if isinstance(key, tuple) else [key]
    taken = sum(1 for k in given if k is not None and k is not Ellipsis)
    if taken > rank:
        raise ShapeError(f"{taken} indices for a tensor of rank {rank}.")
    if Ellipsis not in [k for k in given if isinstance(k, type(Ellipsis))]:
        given.append(Ellipsis)
    at = next(i for i, k in enumerate(given) if k is Ellipsis)
    return given[:at] + [slice(None)] * (rank - taken) + given[at + 1 :]


def _getitem_rule(x: KerasTensor, key: Any) -> KerasTensor:
    sizes: list[int | None] = []
    axis = 0
    for k in _full_key(key, x.ndim):
        if k is None:
            sizes.append(1)
            continue
        size = x.shape[axis]
        axis += 1
        if isinstance(k, slice):
            sizes.append(len(range(*k.indices(size))) if size is not None else (size if k == slice(None) else None))
        elif isinstance(k, KerasTensor):
            sizes.extend(k.shape)
        else:
            operator.index(k)
    return KerasTensor(sizes, x.dtype)


@op(_getitem_rule)
def get_item(x: Any, key: Any) -> Any:
    """`x[key]` for numbers, slices, None and `...`."""
    return kernel.get_item(x, key)


def _one_hot_rule(x: KerasTensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    sizes = list(x.shape)
    sizes.insert(one_axis(axis, x.ndim + 1), num_classes)
    return KerasTensor(sizes, dtype or settings.floatx())


@op(_one_hot_rule)
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """Class numbers as vectors with a single 1; a number outside the range gives all zeros."""
    dtype = standardize_dtype(dtype)
    if kernel.dtype_of(x) not in ("int32", "int64"):  # LiteRT compares no bytes
        x = kernel.cast(x, "int32")
    classes = kernel.arange(0, num_classes, 1, kernel.dtype_of(x), like=x)
    hot = kernel.cast(kernel.equal(kernel.expand_dims(x, (len(x.shape),)), classes), dtype)
    axis = one_axis(axis, len(x.shape) + 1)
    if axis == len(x.shape):
        return hot
    order = list(range(len(x.shape)))
    order.insert(axis, len(x.shape))
    return kernel.transpose(hot, tuple(order))
