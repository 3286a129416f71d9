"""Ops that turn and shift: elements in another order along their axes."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import ArgumentError
from kbridge.core.ops import rules
from kbridge.core.ops.declare import kernel, op
from kbridge.core.tensor.shapes import every_axis, one_axis
from kbridge.core.tensor.symbolic import KerasTensor


def swapped(axis1: int, axis2: int, rank: int) -> list[int]:
    order = list(range(rank))
    first, second = one_axis(axis1, rank), one_axis(axis2, rank)
    order[first], order[second] = second, first
    return order


@op(lambda x, axis=None: KerasTensor(x.shape if every_axis(axis, x.ndim) is not None else (), x.dtype))
def flip(x: Any, axis: Any = None) -> Any:
    """The order of elements along `axis`, or along all axes, reversed.

    >>> flip([[1, 2], [3, 4]], axis=1)
    array([[2, 1],
           [4, 3]], dtype=int32)
    """
    return kernel.flip(x, every_axis(axis, len(x.shape)))


def _flipped(axis: int) -> Any:
    def rule(x: KerasTensor) -> KerasTensor:
        one_axis(axis, x.ndim)
        return rules.same(x)

    return rule


@op(_flipped(0))
def flipud(x: Any) -> Any:
    """The rows in reverse order: `flip` along the first axis.

    >>> flipud([[1], [2]])
    array([[2],
           [1]], dtype=int32)
    """
    return kernel.flip(x, (one_axis(0, len(x.shape)),))


@op(_flipped(1))
def fliplr(x: Any) -> Any:
    """The columns in reverse order: `flip` along the second axis.

    >>> fliplr([[1, 2]])
    array([[2, 1]], dtype=int32)
    """
    return kernel.flip(x, (one_axis(1, len(x.shape)),))


def _shifts(shift: Any, axis: Any, rank: int) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    axes = tuple(one_axis(a, rank) for a in ((axis,) if isinstance(axis, int) else axis))
    shifts = tuple(shift) if isinstance(shift, (tuple, list)) else (shift,) * len(axes)
    if len(shifts) != len(axes):
        if len(axes) != 1 and len(shifts) != 1:
            raise ArgumentError(f"shift {shift} and axis {axis} have to be of the same length.")
        shifts, axes = shifts * (len(axes) // len(shifts) or 1), axes * (len(shifts) // len(axes) or 1)
    return shifts, axes


def _roll_rule(x: KerasTensor, shift: Any, axis: Any = None) -> KerasTensor:
    if axis is not None:
        _shifts(shift, axis, x.ndim)
    return rules.same(x)


@op(_roll_rule)
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Elements shifted along `axis`; what leaves at one end comes in at the other.

    Args:
        x: the input.
        shift: by how many places, for each axis.
        axis: the axis or axes; for None the flattened input is shifted.

    Raises:
        ArgumentError: `shift` and `axis` differ in length.

    >>> roll([1, 2, 3, 4], 1)
    array([4, 1, 2, 3], dtype=int32)
    """
    if axis is not None:
        shifts, axes = _shifts(shift, axis, len(x.shape))
        return kernel.roll(x, shifts, axes) if axes else x  # torch takes no axes for a mistake
    shifts = (sum(shift) if isinstance(shift, (tuple, list)) else shift,)
    return kernel.reshape(kernel.roll(kernel.reshape(x, (-1,)), shifts, (0,)), kernel.shape_of(x))


def _plane(axes: Any, rank: int) -> tuple[int, int]:
    first, second = (one_axis(a, rank) for a in axes)
    if first == second:
        raise ArgumentError(f"a turn needs two different axes, got {tuple(axes)}.")
    return first, second


def _rot90_rule(array: KerasTensor, k: int = 1, axes: Any = (0, 1)) -> KerasTensor:
    first, second = _plane(axes, array.ndim)
    order = swapped(first, second, array.ndim) if k % 2 else range(array.ndim)
    return KerasTensor([array.shape[a] for a in order], array.dtype)


@op(_rot90_rule)
def rot90(array: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """A quarter turn, `k` times, from the first axis of `axes` towards the second.

    Args:
        array: a tensor of at least two axes.
        k: how often; backwards if negative.
        axes: the plane of the turn.

    Raises:
        ArgumentError: both axes are one.

    >>> rot90([[1, 2], [3, 4]])
    array([[2, 4],
           [1, 3]], dtype=int32)
    """
    first, second = _plane(axes, len(array.shape))
    if k % 4 == 2:
        return kernel.flip(array, tuple(sorted((first, second))))
    if k % 4 == 3:
        array = kernel.flip(array, (first,))
    elif k % 4 == 1:
        array = kernel.flip(array, (second,))
    return kernel.transpose(array, tuple(swapped(first, second, len(array.shape)))) if k % 2 else array
