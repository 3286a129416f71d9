"""Ops that pick elements by their places."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from kbridge.core import settings
from kbridge.core.context import local
from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from kbridge.core.ops import sparse_places
from kbridge.core.ops.declare import kernel, native, op
from kbridge.core.tensor.dtypes import standardize_dtype
from kbridge.core.tensor.shapes import broadcast_shape, one_axis, reshaped
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import spec_of


def _whole(indices: Any) -> Any:
    """The indices, unless they hold fractions. Some frameworks would cut these off."""
    dtype = kernel.dtype_of(indices)
    if "int" not in dtype:
        raise DTypeError(f"indices are whole numbers, got {dtype}. Cast them to int32, or look where a mask holds.")
    return indices


def _take_rule(x: KerasTensor, indices: KerasTensor, axis: int | None = None) -> KerasTensor:
    if axis is None:
        return KerasTensor(indices.shape, x.dtype)
    i = one_axis(axis, x.ndim)
    return KerasTensor((*x.shape[:i], *indices.shape, *x.shape[i + 1 :]), x.dtype)


@op(_take_rule, arrays=2)
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The slices of `x` at `indices` along `axis` (of the flattened input if None); -1 is the last one.

    Raises:
        DTypeError: `indices` aren't whole numbers.

    >>> take([[1, 2, 3], [4, 5, 6]], [0, -1], axis=1)
    array([[1, 3],
           [4, 6]], dtype=int32)
    """
    if axis is None:
        return kernel.take(kernel.reshape(x, (-1,)), _whole(indices), 0)
    return kernel.take(x, _whole(indices), one_axis(axis, len(x.shape)))


@op(lambda table, indices: KerasTensor((*indices.shape, *table.shape[1:]), table.dtype), arrays=2)
def lookup(table: Any, indices: Any) -> Any:
    """Rows of a table, by whole numbers from 0: `take` for an embedding, without the look at signs.

    Args:
        table: `(n, ...)`.
        indices: of any shape.

    Raises:
        DTypeError: `indices` aren't whole numbers.

    >>> lookup([[1.0, 2.0], [3.0, 4.0]], [1, 0, 1])
    array([[3., 4.],
           [1., 2.],
           [3., 4.]], dtype=float32)
    """
    return kernel.lookup(table, _whole(indices))


def _along_rule(x: KerasTensor, indices: KerasTensor, axis: int | None = None) -> KerasTensor:
    if axis is None:
        return KerasTensor(reshaped(indices.shape, (-1,)), x.dtype)
    i = one_axis(axis, x.ndim)
    if indices.ndim != x.ndim:
        raise ShapeError(f"the indices need the rank of the input: got shapes {indices.shape} and {x.shape}.")
    sizes = broadcast_shape((*x.shape[:i], 1, *x.shape[i + 1 :]), (*indices.shape[:i], 1, *indices.shape[i + 1 :]))
    return KerasTensor((*sizes[:i], indices.shape[i], *sizes[i + 1 :]), x.dtype)


@op(_along_rule, arrays=2)
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Elements of `x` picked along `axis` by indices of the same rank; both flattened for None.

    Raises:
        DTypeError: `indices` aren't whole numbers.
        ShapeError: they have another rank than `x`.

    >>> take_along_axis([[3, 1, 2], [6, 5, 4]], [[1], [2]], axis=1)
    array([[1],
           [4]], dtype=int32)
    """
    _whole(indices)
    if axis is None:
        return kernel.take_along_axis(kernel.reshape(x, (-1,)), kernel.reshape(indices, (-1,)), 0)
    return kernel.take_along_axis(x, indices, one_axis(axis, len(x.shape)))


# --- x[key] ---------------------------------------------------------------------------------------

PLAIN = frozenset((int, slice, type(None), type(Ellipsis)))


def _is_array(k: Any) -> bool:
    return isinstance(k, (list, KerasTensor)) or bool(getattr(k, "shape", ())) or str(getattr(k, "dtype", "")) == "bool"


def _full_key(key: Any, rank: int) -> list[Any]:
    """One entry for each axis (but one mask for all of its axes) and one for each new axis."""
    given = list(key) if isinstance(key, tuple) else [key]
    arrays = {i: spec_of(k) for i, k in enumerate(given) if type(k) not in PLAIN and _is_array(k)}
    taken = sum(1 for k in given if k is not None and k is not Ellipsis)
    taken += sum(spec.ndim - 1 for spec in arrays.values() if spec.dtype == "bool")
    if taken > rank:
        raise ShapeError(f"{taken} indices for a tensor of rank {rank}.")
    dots = [i for i, k in enumerate(given) if k is Ellipsis]
    if len(dots) > 1:
        raise ArgumentError("a key has room for one `...` only.")
    at = dots[0] if dots else len(given)
    return given[:at] + [slice(None)] * (rank - taken) + given[at + 1 :]


def _length(k: slice, size: int | None) -> int | None:
    if size is None or any(hasattr(edge, "dtype") for edge in (k.start, k.stop, k.step)):
        return size if k == slice(None) else None
    if k.step == 0:
        raise ArgumentError("the step of a slice can't be 0.")
    return len(range(*k.indices(size)))


def _getitem_rule(x: KerasTensor, key: Any) -> KerasTensor:
    full = _full_key(key, x.ndim)
    with_arrays = any(type(k) not in PLAIN and _is_array(k) for k in full)
    sizes: list[int | None] = []
    chosen: tuple[int | None, ...] = ()  # the shape that the arrays give together
    lengths: list[int] = []  # how many axes there are where each of them stands
    axis = 0
    for k in full:
        if k is None:
            sizes.append(1)
            continue
        size = x.shape[axis]
        if isinstance(k, slice):
            sizes.append(_length(k, size))
        elif _is_array(k):
            spec = spec_of(k)
            if spec.dtype == "bool":
                chosen = broadcast_shape(chosen, (_how_many_true(k),))
                axis += spec.ndim - 1
            else:
                _check_kind(spec.dtype)
                chosen = broadcast_shape(chosen, spec.shape)
            lengths.append(len(sizes))
        else:
            _check_number(k, size, axis)
            if with_arrays:  # a number among arrays is an array too
                lengths.append(len(sizes))
        axis += 1
    if with_arrays:
        at = lengths[0] if lengths[0] == lengths[-1] else 0  # in front if something stands between them
        sizes[at:at] = chosen
    return KerasTensor(sizes, x.dtype)


def _check_number(k: Any, size: int | None, axis: int) -> None:
    if hasattr(k, "dtype") and not isinstance(k, np.generic):
        return  # a tensor without axes; its number may not be known
    try:
        number = operator.index(k)
    except TypeError:
        raise ArgumentError(
            f"can't index with {k!r}. Use numbers, slices, None, `...`, index arrays or masks."
        ) from None
    if size is not None and not -size <= number < size:
        raise ShapeError(f"index {number} is out of range for axis {axis} of size {size}.")


def _check_kind(dtype: str) -> None:
    if "int" not in dtype and dtype != "bool":
        raise DTypeError(f"indices are whole numbers or a mask of bools, got {dtype}.")


def _how_many_true(mask: Any) -> int | None:
    return int(np.count_nonzero(mask)) if isinstance(mask, (list, np.ndarray)) else None


@op(_getitem_rule)
def get_item(x: Any, key: Any) -> Any:
    """`x[key]` as in NumPy: numbers, slices (with negative steps too), None, `...`, index arrays and masks.

    A mask gives as many elements as it holds True, so it can't be traced by JAX.

    Raises:
        ShapeError: the key has too many entries, or a number outside of its axis.
        ArgumentError: it has two `...`, a step of 0, or something else.
        DTypeError: an array in it holds fractions.

    >>> get_item([[1, 2, 3], [4, 5, 6]], (slice(None), slice(None, None, -1)))
    array([[3, 2, 1],
           [6, 5, 4]], dtype=int32)
    """
    keys = key if isinstance(key, tuple) else (key,)
    for axis, k in enumerate(keys):
        if type(k) is int:  # JAX takes the nearest element for one that isn't there
            if not any(e is None or e is Ellipsis for e in keys[:axis]):
                _check_number(k, x.shape[axis] if axis < len(x.shape) else None, axis)
        elif type(k) not in PLAIN:
            return kernel.get_item(x, tuple(_ready(k) for k in keys))
    return kernel.get_item(x, keys)


def _ready(k: Any) -> Any:
    if type(k) in PLAIN:
        return k
    if isinstance(k, list) or (getattr(k, "shape", None) is not None and not isinstance(k, np.generic)):
        k = native(local.running, k)
        _check_kind(kernel.dtype_of(k))
        return k
    return operator.index(k)


# --- classes as vectors ---------------------------------------------------------------------------


def _one_hot_rule(x: KerasTensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    sizes = list(x.shape)
    sizes.insert(one_axis(axis, x.ndim + 1), num_classes)
    return KerasTensor(sizes, dtype or settings.floatx(), sparse)


@op(_one_hot_rule)
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """Class numbers as vectors with a single 1; a number outside the range gives all zeros.

    Args:
        x: whole numbers.
        num_classes: how many classes there are.
        axis: where the new axis of that size goes.
        dtype: element type of the result, the default float type if None.
        sparse: whether the result is a sparse tensor; NumPy has none.

    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    dtype = standardize_dtype(dtype)
    if kernel.dtype_of(x) not in ("int32", "int64"):  # LiteRT compares no bytes
        x = kernel.cast(x, "int32")
    if sparse:
        return sparse_places.one_hot(x, num_classes, one_axis(axis, len(x.shape) + 1), dtype)
    classes = kernel.arange(0, num_classes, 1, kernel.dtype_of(x), like=x)
    hot = kernel.cast(kernel.equal(kernel.expand_dims(x, (len(x.shape),)), classes), dtype)
    axis = one_axis(axis, len(x.shape) + 1)
    if axis == len(x.shape):
        return hot
    order = list(range(len(x.shape)))
    order.insert(axis, len(x.shape))
    return kernel.transpose(hot, tuple(order))
