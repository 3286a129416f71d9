"""Order statistics: medians and quantiles, by a sort."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core.errors import ArgumentError
from kbridge.core.ops import rules
from kbridge.core.ops.conversions import ordered
from kbridge.core.ops.declare import REAL, kernel, op
from kbridge.core.ops.elementwise import add, cast, clip, divide, multiply, subtract, where
from kbridge.core.ops.reduce import HALF, as_wide, filled_axes
from kbridge.core.tensor.dtypes import is_float
from kbridge.core.tensor.shapes import reduced_shape
from kbridge.core.tensor.symbolic import KerasTensor

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _check_quantile(x: Any, q: Any, axis: Any, method: str, most: int) -> tuple[int, ...]:
    if method not in METHODS:
        raise ArgumentError(f"method={method!r}. Choose one of {', '.join(METHODS)}.")
    if isinstance(q, REAL) and not 0 <= q <= most:
        raise ArgumentError(f"q={q} lies outside of 0 to {most}.")
    return filled_axes(x, axis)


_real_type = rules.ordered(rules.floating)


def _quantile_rule(most: int) -> Any:
    def rule(x: KerasTensor, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> KerasTensor:
        shape = reduced_shape(x.shape, _check_quantile(x, q, axis, method, most), keepdims)
        fractions = _real_type(q).shape if isinstance(q, KerasTensor) else ()
        return KerasTensor((*fractions, *shape), _real_type(x).dtype)

    return rule


def _quantiles(x: Any, q: Any, axis: Any, method: str, keepdims: bool, most: int = 1, past_nan: bool = False) -> Any:
    """The elements `q / most` of the way up the sorted ones; a sort leaves NaN last."""
    axes = _check_quantile(x, q, axis, method, most)
    sizes, given = kernel.shape_of(x), kernel.dtype_of(x)
    kept = [i for i in range(len(sizes)) if i not in axes]
    last, count = len(kept), math.prod([sizes[i] for i in axes])
    rows = kernel.transpose(as_wide(ordered(x)), (*kept, *axes))
    rows = kernel.sort(kernel.reshape(rows, (*(sizes[i] for i in kept), count)), last)
    places, shape = _fractions(q, x)
    if given == "float64" or (isinstance(count, int) and count >= 2**24):  # float32 can't count so far
        places = kernel.cast(places, "float64")
    if past_nan:
        there = kernel.cast(kernel.logical_not(kernel.isnan(rows)), kernel.dtype_of(places))
        places = multiply(places, subtract(kernel.reduce_sum(there, (last,), True), 1.0))
    else:
        places = multiply(places, count - 1)
    places = divide(places, most)

    def pick(place: Any) -> Any:
        place = clip(cast(place, "int32"), 0, count - 1)
        return kernel.take_along_axis(rows, place, last) if past_nan else kernel.take(rows, place, last)

    if method in ("linear", "midpoint"):
        low, high = pick(kernel.floor(places)), pick(kernel.ceil(places))
        share = cast(subtract(places, kernel.floor(places)), kernel.dtype_of(rows)) if method == "linear" else 0.5
        between = add(low, multiply(subtract(high, low), share))
        found = where(kernel.equal(low, high), low, between)  # inf - inf is NaN
    else:
        found = pick({"lower": kernel.floor, "higher": kernel.ceil, "nearest": kernel.round}[method](places))
    if not past_nan and is_float(given):
        found = where(kernel.isnan(kernel.get_item(rows, (..., slice(-1, None)))), math.nan, found)
    if shape:
        found = kernel.transpose(found, (last, *range(last)))
    found = kernel.reshape(found, (*shape, *reduced_shape(sizes, axes, keepdims)))
    return cast(found, given) if given in HALF else found


def _fractions(q: Any, x: Any) -> tuple[Any, Any]:
    """`q` in a row, on the device of `x`, and the shape it had."""
    if isinstance(q, REAL):
        return multiply(kernel.arange(1, 2, 1, "float32", like=x), float(q)), ()
    return kernel.reshape(as_wide(ordered(q)), (-1,)), kernel.shape_of(q)


@op(_quantile_rule(1), arrays=2, weak=True)
def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """The number that a fraction `q` of the elements along `axis` doesn't exceed; NaN if one of them is.

    Args:
        x: the elements.
        q: fractions from 0 to 1, in any shape; its axes come first in the result.
        axis: the axes to look along, all if None.
        method: what to give between two elements: "linear" (in proportion), "lower", "higher", "midpoint" or "nearest"
            (at the same distance, the one at an even place).
        keepdims: whether to keep `axis` as axes of size 1.

    Raises:
        ArgumentError: `method` is another, or `q` lies outside.
        ShapeError: there is nothing along `axis`.

    >>> quantile([1.0, 2.0, 4.0, 8.0], [0.5, 0.75])
    array([3., 5.], dtype=float32)
    """
    return _quantiles(x, q, axis, method, keepdims)


@op(_quantile_rule(100), arrays=2, weak=True)
def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """`quantile` with `q` from 0 to 100.

    >>> percentile([1.0, 2.0, 4.0, 8.0], 50)
    array(3., dtype=float32)
    """
    return _quantiles(x, q, axis, method, keepdims, 100)


@op(_quantile_rule(1), arrays=2, weak=True)
def nanquantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """`quantile` of the elements that aren't NaN; NaN where there is none.

    >>> nanquantile([1.0, float("nan"), 4.0, 8.0], 0.5)
    array(4., dtype=float32)
    """
    return _quantiles(x, q, axis, method, keepdims, past_nan=True)


@op(_quantile_rule(100), arrays=2, weak=True)
def nanpercentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """`percentile` of the elements that aren't NaN; NaN where there is none.

    >>> nanpercentile([1.0, float("nan"), 4.0, 8.0], 75)
    array(6., dtype=float32)
    """
    return _quantiles(x, q, axis, method, keepdims, 100, past_nan=True)


def _median_rule(x: KerasTensor, axis: Any = None, keepdims: bool = False) -> KerasTensor:
    return KerasTensor(reduced_shape(x.shape, filled_axes(x, axis), keepdims), _real_type(x).dtype)


@op(_median_rule)
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The element in the middle along `axis`, the mean of two if their number is even; NaN if one of them is.

    It is `quantile` at 1/2.

    >>> median([[1.0, 2.0, 9.0], [4.0, 6.0, 5.0]], axis=1)
    array([2., 5.], dtype=float32)
    """
    return _quantiles(x, 0.5, axis, "midpoint", keepdims)


@op(_median_rule)
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`median` of the elements that aren't NaN; NaN where there is none.

    >>> nanmedian([[1.0, float("nan"), 9.0], [4.0, 6.0, 5.0]], axis=1)
    array([5., 5.], dtype=float32)
    """
    return _quantiles(x, 0.5, axis, "midpoint", keepdims, past_nan=True)
