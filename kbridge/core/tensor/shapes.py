"""Arithmetic on shapes. `axis` is what the user typed, `axes` always the sorted, non-negative tuple."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from kbridge.core.errors import ShapeError

Shape = tuple[int | None, ...]


def standardize_shape(shape: Any) -> Shape:
    """A tuple of sizes, None where free; an error for anything else."""
    if shape is None or isinstance(shape, (int, str)):
        raise ShapeError(f"A shape is a tuple of sizes such as (None, 3), got {shape!r}.")
    sizes: list[int | None] = []
    for size in shape:
        if size is not None:
            try:
                size = operator.index(size)
            except TypeError:
                raise ShapeError(f"Sizes are integers or None, got {size!r} in {shape}.") from None
            if size < 0:
                raise ShapeError(f"Sizes can't be negative, got {size} in {shape}.")
        sizes.append(size)
    return tuple(sizes)


def one_axis(axis: int, rank: int) -> int:
    """`axis` as a position from the front."""
    if not -rank <= axis < rank:
        raise ShapeError(f"axis {axis} is out of bounds for a tensor of rank {rank}.")
    return axis % rank


def several(axis: Any) -> tuple[Any, ...]:
    """One axis, of any type that counts as a number, or more of them, as a tuple."""
    try:
        return (operator.index(axis),)
    except TypeError:
        return tuple(axis)


def every_axis(axis: Any, rank: int) -> tuple[int, ...]:
    """`axis` (None, a number or several) as a sorted tuple of positions from the front."""
    if axis is None:
        return tuple(range(rank))
    given = (axis,) if isinstance(axis, int) else several(axis)
    axes = tuple(sorted(one_axis(operator.index(each), rank) for each in given))
    if len(set(axes)) != len(axes):
        raise ShapeError(f"axis {axis} names one axis twice.")
    return axes


def broadcast_shape(a: Sequence[int | None], b: Sequence[int | None]) -> Shape:
    """The shape that elementwise ops on `a` and `b` give (NumPy's rule, None for free sizes).

    >>> broadcast_shape((None, 1, 3), (2, 3))
    (None, 2, 3)
    """
    rank = max(len(a), len(b))
    left = (1,) * (rank - len(a)) + tuple(a)
    right = (1,) * (rank - len(b)) + tuple(b)
    sizes: list[int | None] = []
    for x, y in zip(left, right, strict=True):
        if x == y or y == 1:
            sizes.append(x)
        elif x == 1:
            sizes.append(y)
        elif x is None or y is None:
            sizes.append(y if x is None else x)  # a free size has to match the known one
        else:
            raise ShapeError(f"Shapes {tuple(a)} and {tuple(b)} don't broadcast: {x} against {y}.")
    return tuple(sizes)


def reduced_shape(shape: Shape, axes: tuple[int, ...], keepdims: bool) -> Shape:
    """`shape` after a reduction over `axes`."""
    if keepdims:
        return tuple(1 if i in axes else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def reshaped(shape: Shape, newshape: Sequence[int | None]) -> Shape:
    """`newshape` with its -1 filled in from `shape` where the sizes are known."""
    target = [None if size == -1 else size for size in newshape]
    if sum(size is None for size in target) > 1 and -1 not in newshape:
        return tuple(target)
    if newshape.count(-1) > 1 if isinstance(newshape, (tuple, list)) else False:
        raise ShapeError(f"At most one size of {tuple(newshape)} may be -1.")
    if None in shape:
        return tuple(target)
    total = math.prod([size for size in shape if size is not None])  # a list: Dynamo follows no generator here
    known = math.prod([size for size in target if size is not None])
    if None not in target:
        if total != known:
            raise ShapeError(f"Can't reshape {shape} ({total} elements) to {tuple(newshape)}.")
        return tuple(target)
    if known == 0 or total % known:
        raise ShapeError(f"Can't reshape {shape} ({total} elements) to {tuple(newshape)}.")
    return tuple(total // known if size is None else size for size in target)


def window_length(size: int | None, window: int, stride: int, padding: str, dilation: int = 1) -> int | None:
    """Positions of a sliding window along one axis, for padding "valid", "same" or "causal"."""
    if size is None:
        return None
    reach = (window - 1) * dilation + 1
    if padding == "valid":
        length = (size - reach) // stride + 1
        if length <= 0:
            raise ShapeError(
                f"A window of {reach} doesn't fit into an axis of size {size} with padding='valid'. "
                "Use a smaller window, padding='same', or larger inputs."
            )
        return length
    return -(-size // stride)
