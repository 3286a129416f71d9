"""Ops on samples of a curve: slopes, values between, convolution, angles without jumps."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.arithmetic import add, divide, divide_no_nan, mod, multiply, subtract
from kbridge.core.ops.compare import equal, greater, less, logical_and
from kbridge.core.ops.conversions import as_real
from kbridge.core.ops.convert import ndim, shape
from kbridge.core.ops.declare import NUMBERS, kernel, op
from kbridge.core.ops.elementwise import absolute, cast, clip, where
from kbridge.core.ops.join import concatenate, joined
from kbridge.core.ops.pick import get_item, take
from kbridge.core.ops.reduce import cumsum
from kbridge.core.ops.shape import ravel, reshape
from kbridge.core.ops.sort import searchsorted
from kbridge.core.ops.statistics import correlate, diff
from kbridge.core.ops.turn import flip
from kbridge.core.tensor.dtypes import float_result, result_type
from kbridge.core.tensor.shapes import every_axis, one_axis, reshaped
from kbridge.core.tensor.symbolic import KerasTensor


def convolve(x1: Any, x2: Any, mode: str = "full") -> Any:
    """Sums of products of `x1` with `x2` turned around and moved along it, in a float type.

    Args:
        x1, x2: `(length,)`.
        mode: as in `correlate`, which raises the same.

    >>> convolve([1.0, 2.0, 3.0], [0.0, 1.0, 0.5])
    array([0. , 1. , 2.5, 4. , 1.5], dtype=float32)
    """
    lengths = [math.prod(sizes) if all(isinstance(n, int) for n in sizes) else 0 for sizes in (shape(x1), shape(x2))]
    if lengths[0] < lengths[1]:
        x1, x2 = x2, x1  # it makes a difference only to which middle "same" takes
    return correlate(x1, flip(x2), mode)


def _around_rule(x: KerasTensor, to_end: Any = None, to_begin: Any = None) -> KerasTensor:
    flat = [KerasTensor(reshaped(each.shape, (-1,)), each.dtype) for each in (x, to_end, to_begin) if each is not None]
    size = flat[0].shape[0]
    return joined([KerasTensor((None if size is None else max(size - 1, 0),), x.dtype), *flat[1:]], 0)


@op(_around_rule, arrays=3)
def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours in the flattened input, with what is given put around them: see `diff`.

    Args:
        x: any tensor.
        to_end: what comes after them, of any shape.
        to_begin: what comes before.

    >>> ediff1d([1, 4, 9], to_begin=0)
    array([0, 3, 5], dtype=int32)
    """
    parts = [each for each in (to_begin, diff(ravel(x)), to_end) if each is not None]
    return concatenate([ravel(part) for part in parts])


def gradient(f: Any, *varargs: Any, axis: Any = None) -> Any:
    """Slopes along each axis, from both neighbours of an element; at the ends from the one there is.

    Args:
        f: values of a function, `(..., n, ...)`; at least two along an axis.
        varargs: one distance for all axes (1 if none), or for each axis a distance or the places `(n,)` of the values.
        axis: a number or several; all if None.

    Returns:
        A tensor shaped like `f`, a list of them for several axes.

    Raises:
        ArgumentError: there are neither one distance nor one for each axis.
        ShapeError: an axis is shorter than 2.

    >>> gradient([1.0, 2.0, 4.0, 8.0])
    array([1. , 1.5, 3. , 4. ], dtype=float32)
    """
    rank = ndim(f)
    axes = every_axis(axis, rank)
    steps = varargs * len(axes) if len(varargs) == 1 else varargs or (1.0,) * len(axes)
    if len(steps) != len(axes):
        raise ArgumentError(f"ops.gradient: {len(varargs)} distances for {len(axes)} axes. Give one for each, or one.")
    slopes = [_slopes(f, step, i, rank) for i, step in zip(axes, steps, strict=True)]
    return slopes if len(slopes) != 1 else slopes[0]


def _slopes(f: Any, step: Any, axis: int, rank: int) -> Any:
    size = shape(f)[axis]
    if isinstance(size, int) and size < 2:
        raise ShapeError(f"ops.gradient: a slope needs two values, got shape {tuple(shape(f))} and axis {axis}.")

    def part(x: Any, start: int | None, stop: int | None) -> Any:
        return get_item(x, (*(slice(None),) * axis, slice(start, stop)))

    if isinstance(step, NUMBERS) or not ndim(step):
        slopes = divide(diff(f, axis=axis), step)
        inner = multiply(add(part(slopes, 1, None), part(slopes, None, -1)), 0.5)
    else:
        gaps = reshape(diff(step), (*(1,) * axis, -1, *(1,) * (rank - axis - 1)))
        slopes, before, after = divide(diff(f, axis=axis), gaps), part(gaps, None, -1), part(gaps, 1, None)
        weighed = add(multiply(part(slopes, None, -1), after), multiply(part(slopes, 1, None), before))
        inner = divide(weighed, add(before, after))
    return concatenate([part(slopes, None, 1), inner, part(slopes, -1, None)], axis)


def _interp_rule(x: KerasTensor, xp: KerasTensor, fp: KerasTensor, left: Any = None, right: Any = None) -> KerasTensor:
    if len(xp.shape) != 1 or len(fp.shape) != 1 or (None not in (*xp.shape, *fp.shape) and xp.shape != fp.shape):
        raise ShapeError(f"the known points are two rows of one length, got shapes {xp.shape} and {fp.shape}.")
    return rules.ordered(rules.floating)(KerasTensor(x.shape, result_type(x.dtype, xp.dtype, fp.dtype)))


@op(_interp_rule, arrays=3)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """Values at `x` on straight lines between known points, in a float type.

    Args:
        x: where, of any shape.
        xp: the places of the points, rising, `(n,)`.
        fp: the values there, `(n,)`.
        left, right: the values before the first point and after the last; that of the point if None.

    Raises:
        ShapeError: `xp` and `fp` aren't two rows of one length.

    >>> interp([0.5, 3.0, 9.0], [0.0, 1.0, 5.0], [0.0, 10.0, 30.0])
    array([ 5., 20., 30.], dtype=float32)
    """
    _interp_rule(*(KerasTensor(v.shape, kernel.dtype_of(v)) for v in (x, xp, fp)))
    dtype = float_result(result_type(*(kernel.dtype_of(v) for v in (x, xp, fp))))
    x, xp, fp = (cast(v, dtype) for v in (x, xp, fp))
    last = subtract(kernel.shape_of(xp)[0], 1)
    at = clip(searchsorted(xp, x, "right"), clip(last, 0, 1), last)
    x0, x1, f0, f1 = (take(row, i) for row in (xp, fp) for i in (subtract(at, 1), at))
    found = add(f0, multiply(subtract(x, x0), divide_no_nan(subtract(f1, f0), subtract(x1, x0))))
    found = where(less(x, take(xp, 0)), take(fp, 0) if left is None else cast(left, dtype), found)
    return where(greater(x, take(xp, -1)), take(fp, -1) if right is None else cast(right, dtype), found)


def _unwrap_rule(
    p: KerasTensor, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi
) -> KerasTensor:
    one_axis(axis, p.ndim)
    return rules.ordered(rules.floating)(p)


@op(_unwrap_rule)
def unwrap(p: Any, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> Any:
    """Angles along `axis` without jumps: whole periods are added until no step is larger than half of one.

    Args:
        p: angles, in radians if `period` isn't given.
        discont: steps up to this size stay; half a period if None.
        axis: along which to go.
        period: what angles are the same after.

    >>> unwrap([0.0, 3.0, -3.0])
    array([0.       , 3.       , 3.2831855], dtype=float32)
    """
    p, axis, half = as_real(p), one_axis(axis, len(p.shape)), period / 2
    steps = diff(p, axis=axis)
    short = subtract(mod(add(steps, half), period), half)
    short = where(logical_and(equal(short, -half), greater(steps, 0)), half, short)
    more = where(less(absolute(steps), half if discont is None else discont), 0, subtract(short, steps))
    first = get_item(p, (*(slice(None),) * axis, slice(None, 1)))
    rest = get_item(p, (*(slice(None),) * axis, slice(1, None)))
    return concatenate([first, add(rest, cumsum(more, axis))], axis)
