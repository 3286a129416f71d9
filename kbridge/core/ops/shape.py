"""Ops that move elements without computing on them. (The names that other files of this family hold are here too.)"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.convert import array as array
from kbridge.core.ops.convert import convert_to_numpy as convert_to_numpy
from kbridge.core.ops.convert import convert_to_tensor as convert_to_tensor
from kbridge.core.ops.convert import copy as copy
from kbridge.core.ops.convert import dtype as dtype
from kbridge.core.ops.convert import is_tensor as is_tensor
from kbridge.core.ops.convert import ndim as ndim
from kbridge.core.ops.convert import shape as shape
from kbridge.core.ops.convert import size as size
from kbridge.core.ops.convert import view as view
from kbridge.core.ops.create import arange as arange
from kbridge.core.ops.create import full as full
from kbridge.core.ops.create import full_like as full_like
from kbridge.core.ops.create import ones as ones
from kbridge.core.ops.create import ones_like as ones_like
from kbridge.core.ops.create import positions as positions
from kbridge.core.ops.create import zeros as zeros
from kbridge.core.ops.create import zeros_like as zeros_like
from kbridge.core.ops.cut import split as split
from kbridge.core.ops.cut import unstack as unstack
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.diagonal import eye as eye
from kbridge.core.ops.join import concatenate as concatenate
from kbridge.core.ops.join import stack as stack
from kbridge.core.ops.pad import pad as pad
from kbridge.core.ops.pick import get_item as get_item
from kbridge.core.ops.pick import lookup as lookup
from kbridge.core.ops.pick import one_hot as one_hot
from kbridge.core.ops.pick import take as take
from kbridge.core.ops.pick import take_along_axis as take_along_axis
from kbridge.core.ops.rearrange import rearrange as rearrange
from kbridge.core.ops.turn import flip as flip
from kbridge.core.ops.turn import fliplr as fliplr
from kbridge.core.ops.turn import flipud as flipud
from kbridge.core.ops.turn import roll as roll
from kbridge.core.ops.turn import rot90 as rot90
from kbridge.core.ops.turn import swapped
from kbridge.core.tensor.shapes import broadcast_shape, every_axis, one_axis, reshaped, several
from kbridge.core.tensor.symbolic import KerasTensor


def _is_vector(sizes: Any) -> bool:
    return len(getattr(sizes, "shape", "")) == 1


def _target(newshape: Any) -> tuple[Any, ...]:
    given = tuple(newshape) if isinstance(newshape, (tuple, list)) or _is_vector(newshape) else (newshape,)
    sizes = tuple(-1 if s is None else s for s in given)
    for each in sizes:
        if type(each) is int and each < 0:
            _check_sizes(given)  # NumPy takes any negative size for -1
            break
    return sizes


def _check_sizes(sizes: tuple[Any, ...]) -> None:
    numbers = [s for s in sizes if type(s) is int]
    if any(s < -1 for s in numbers):
        raise ShapeError(f"sizes are a non-negative integer or -1, got newshape={sizes}.")
    if numbers.count(-1) > 1:
        raise ShapeError(
            f"at most one unknown dimension, written -1, can follow from the others; got newshape={sizes}."
        )


def _reshape_rule(x: KerasTensor, newshape: Any) -> KerasTensor:
    if isinstance(newshape, KerasTensor) and newshape.ndim == 1 and newshape.shape[0] is not None:
        return KerasTensor((None,) * newshape.shape[0], x.dtype)
    given = tuple(newshape) if isinstance(newshape, (tuple, list)) else (newshape,)
    given = tuple(None if isinstance(s, KerasTensor) else s for s in given)
    _check_sizes(given)
    return KerasTensor(reshaped(x.shape, given), x.dtype)


@op(_reshape_rule)
def reshape(x: Any, newshape: Any) -> Any:
    """The same elements, row by row, in another shape; one size may be -1 (or None) and follows from the others.

    `newshape` is a number or a tuple of sizes.

    Raises:
        ShapeError: the sizes don't give as many elements, or more than one follows.

    >>> reshape([1, 2, 3, 4], (2, -1))
    array([[1, 2],
           [3, 4]], dtype=int32)
    """
    return kernel.reshape(x, _target(newshape))


@op(lambda x: KerasTensor(reshaped(x.shape, (-1,)), x.dtype))
def ravel(x: Any) -> Any:
    """The elements in one row.

    >>> ravel([[1, 2], [3, 4]])
    array([1, 2, 3, 4], dtype=int32)
    """
    return kernel.reshape(x, (-1,))


# --- the order of axes ----------------------------------------------------------------------------


def _order(axes: Any, rank: int) -> tuple[int, ...]:
    if axes is None:
        return tuple(reversed(range(rank)))
    order = tuple([one_axis(a, rank) for a in axes])
    if sorted(order) != list(range(rank)):
        raise ShapeError(f"Not a valid permutation of {rank} axes: axes={list(axes)}.")
    return order


@op(lambda x, axes=None: KerasTensor([x.shape[a] for a in _order(axes, x.ndim)], x.dtype))
def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """The axes in another order, reversed if none is given.

    Raises:
        ShapeError: `axes` doesn't name each axis once.

    >>> transpose([[1, 2], [3, 4]])
    array([[1, 3],
           [2, 4]], dtype=int32)
    """
    return kernel.transpose(x, _order(axes, len(x.shape)))


def permute_dims(x: Any, axes: Sequence[int]) -> Any:
    """`transpose` with the order given: the name in the array API standard.

    `axes` names each axis once.

    >>> permute_dims([[1, 2]], (1, 0)).shape
    (2, 1)
    """
    return transpose(x, axes)


@op(lambda x, axis1, axis2: KerasTensor([x.shape[a] for a in swapped(axis1, axis2, x.ndim)], x.dtype))
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes change places.

    Args:
        axis1, axis2: the two, from the front or from the back.

    >>> swapaxes([[1, 2]], 0, 1).shape
    (2, 1)
    """
    return kernel.transpose(x, tuple(swapped(axis1, axis2, len(x.shape))))


def matrix_transpose(x: Any) -> Any:
    """The last two axes change places.

    >>> matrix_transpose([[[1, 2]]]).shape
    (1, 2, 1)
    """
    return swapaxes(x, -1, -2)


def _moved(source: Any, destination: Any, rank: int) -> tuple[int, ...]:
    given = [[axes] if isinstance(axes, int) else list(axes) for axes in (source, destination)]
    sources, places = ([one_axis(a, rank) for a in axes] for axes in given)
    if len(sources) != len(places) or len(set(sources)) != len(sources) or len(set(places)) != len(places):
        raise ArgumentError(f"can't move axes {source} to {destination}: name as many places as axes, each once.")
    order = [a for a in range(rank) if a not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return tuple(order)


@op(lambda x, source, destination: KerasTensor([x.shape[a] for a in _moved(source, destination, x.ndim)], x.dtype))
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """The axes `source` moved to the places `destination`, the others in their old order.

    Args:
        source: an axis or several.
        destination: as many places.

    Raises:
        ArgumentError: they aren't as many, or name one twice.

    >>> moveaxis([[[1, 2]]], 2, 0).shape
    (2, 1, 1)
    """
    return kernel.transpose(x, _moved(source, destination, len(x.shape)))


# --- axes of size 1 -------------------------------------------------------------------------------


def _new_axes(axis: Any, rank: int) -> tuple[int, ...]:
    axes = (axis,) if isinstance(axis, int) else several(axis)
    return every_axis(axes, rank + len(axes))


def _expand_rule(x: KerasTensor, axis: Any) -> KerasTensor:
    sizes = list(x.shape)
    for position in _new_axes(axis, x.ndim):
        sizes.insert(position, 1)
    return KerasTensor(sizes, x.dtype)


@op(_expand_rule)
def expand_dims(x: Any, axis: Any) -> Any:
    """Axes of size 1 put in, where `axis` (a number or several) counts in the result.

    >>> expand_dims([1, 2], (0, -1)).shape
    (1, 2, 1)
    """
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
    """Axes of size 1 taken out: those of `axis`, or all of them; a size that isn't known yet counts as another.

    Raises:
        ShapeError: an axis of `axis` has another size than 1.

    >>> squeeze([[[1, 2]]], axis=0)
    array([[1, 2]], dtype=int32)
    """
    return squeeze_axes(x, _squeezable(x.shape, axis))


def squeeze_axes(x: Any, axes: tuple[int, ...]) -> Any:
    """`squeeze` for settled axes."""
    return kernel.squeeze(x, axes) if axes else x


# --- repeating ------------------------------------------------------------------------------------


def _broadcast_rule(x: KerasTensor, shape: Any) -> KerasTensor:
    sizes = tuple(shape)
    wide = broadcast_shape(x.shape, sizes)
    if len(wide) != len(sizes) or any(w != s for w, s in zip(wide, sizes, strict=True) if s is not None):
        raise ShapeError(
            f"shape {x.shape} doesn't broadcast to {sizes}: only axes of size 1 and new ones in front grow."
        )
    return KerasTensor(wide, x.dtype)


@op(_broadcast_rule)
def broadcast_to(x: Any, shape: Any) -> Any:
    """The input repeated along axes of size 1, and along new ones in front, to fill `shape`.

    Raises:
        ShapeError: the shapes don't broadcast.

    >>> broadcast_to([1, 2], (2, 2))
    array([[1, 2],
           [1, 2]], dtype=int32)
    """
    return kernel.broadcast_to(x, tuple(shape))


def _tiled(repeats: Any, rank: int) -> tuple[Any, ...]:
    given = tuple(repeats) if isinstance(repeats, (tuple, list)) or _is_vector(repeats) else (repeats,)
    given = tuple(operator.index(r) if isinstance(r, np.integer) else r for r in given)
    return (1,) * (rank - len(given)) + given


def _tile_rule(x: KerasTensor, repeats: Any) -> KerasTensor:
    times = _tiled(repeats, x.ndim)
    sizes = (1,) * (len(times) - x.ndim) + x.shape
    return KerasTensor([None if s is None else s * t for s, t in zip(sizes, times, strict=True)], x.dtype)


@op(_tile_rule)
def tile(x: Any, repeats: Any) -> Any:
    """The input repeated whole along each axis, the last ones if `repeats` is shorter.

    >>> tile([1, 2], 2)
    array([1, 2, 1, 2], dtype=int32)
    """
    return kernel.tile(x, _tiled(repeats, len(x.shape)))


def _times(repeats: Any) -> Any:
    """`repeats` as a number or a list of them, where they are known."""
    if isinstance(repeats, np.ndarray):
        repeats = repeats.tolist()
    if isinstance(repeats, (list, tuple)):
        numbers = [operator.index(r) for r in repeats]
        return numbers[0] if len(numbers) == 1 else numbers
    return operator.index(repeats) if isinstance(repeats, (int, np.integer)) else repeats


def _check_times(times: list[int], size: Any) -> None:
    if isinstance(size, int) and len(times) != size:
        raise ShapeError(f"{len(times)} repeats for {size} elements: give one for each, or one for all.")
    if min(times, default=0) < 0:
        raise ArgumentError(f"elements can't be repeated a negative number of times, got {times}.")


def _repeat_rule(x: KerasTensor, repeats: Any, axis: int | None = None) -> KerasTensor:
    sizes = list(reshaped(x.shape, (-1,)) if axis is None else x.shape)
    i = 0 if axis is None else one_axis(axis, x.ndim)
    times, size = _times(repeats), sizes[i]
    if isinstance(times, list):
        _check_times(times, size)
        sizes[i] = None if size is None else sum(times)
    else:
        sizes[i] = size * times if size is not None and isinstance(times, int) else None
    return KerasTensor(sizes, x.dtype)


@op(_repeat_rule)
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element repeated along `axis` (of the flattened input if None).

    Args:
        x: the input.
        repeats: how often; one number for all, or one for each element along the axis.
        axis: the axis that grows.

    Raises:
        ShapeError: there are neither one number nor one for each element.
        ArgumentError: a number is negative.

    >>> repeat([1, 2], [1, 3])
    array([1, 2, 2, 2], dtype=int32)
    """
    i = 0 if axis is None else one_axis(axis, len(x.shape))
    x = kernel.reshape(x, (-1,)) if axis is None else x
    times = _times(repeats)
    if not isinstance(times, list):
        return kernel.repeat(x, times if isinstance(times, int) else kernel.convert(times), i)
    _check_times(times, kernel.shape_of(x)[i])
    places = [place for place, count in enumerate(times) for _ in range(count)]
    return kernel.take(x, kernel.convert(places, "int32"), i)
