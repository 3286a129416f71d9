"""Reductions that pass over NaN. Whole numbers and bools hold none: for them these are the plain reductions."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core.ops import reduce, rules
from kbridge.core.ops.conversions import ordered
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.elementwise import cast, where
from kbridge.core.ops.reduce import HALF, as_wide
from kbridge.core.tensor.dtypes import COMPLEX, is_float
from kbridge.core.tensor.shapes import every_axis


def _filled(x: Any, value: float) -> Any:
    """`x` with `value` in place of NaN."""
    dtype = kernel.dtype_of(x)
    return where(kernel.isnan(x), value, x) if is_float(dtype) or dtype in COMPLEX else x


@op(rules.reduced_sum)
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum along `axis`, NaN counting as 0.

    >>> nansum([[1.0, float("nan")], [3.0, 4.0]], axis=1)
    array([1., 7.], dtype=float32)
    """
    return reduce.sum(_filled(x, 0.0), axis, keepdims)


@op(rules.reduced_sum)
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Product along `axis`, NaN counting as 1.

    >>> nanprod([[2.0, float("nan")], [3.0, 4.0]], axis=1)
    array([ 2., 12.], dtype=float32)
    """
    return reduce.prod(_filled(x, 1.0), axis, keepdims)


def _known(x: Any, axes: tuple[int, ...], keepdims: bool) -> tuple[Any, Any]:
    """Where `x` is a number, and how many of those there are along `axes`."""
    known = kernel.logical_not(kernel.isnan(x))
    return known, kernel.reduce_sum(kernel.cast(known, kernel.dtype_of(x)), axes, keepdims)


@op(rules.reduced_float)
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean of the elements along `axis` that aren't NaN; NaN where there is none.

    >>> nanmean([[1.0, float("nan")], [3.0, 4.0]], axis=1)
    array([1. , 3.5], dtype=float32)
    """
    wide = as_wide(x)
    axes = every_axis(axis, len(x.shape))
    _, count = _known(wide, axes, keepdims)
    return _as_given(kernel.divide(kernel.reduce_sum(_filled(wide, 0.0), axes, keepdims), count), x)


def _as_given(found: Any, x: Any) -> Any:
    return cast(found, kernel.dtype_of(x)) if kernel.dtype_of(x) in HALF else found


def _variance(x: Any, axis: Any, keepdims: bool) -> Any:
    x = as_wide(x)
    axes = every_axis(axis, len(x.shape))
    known, count = _known(x, axes, True)
    middle = kernel.divide(kernel.reduce_sum(_filled(x, 0.0), axes, True), count)
    away = where(known, kernel.subtract(x, middle), 0.0)
    if kernel.dtype_of(x) in COMPLEX:
        away, count = kernel.absolute(away), kernel.real(count)
    total = kernel.divide(kernel.reduce_sum(kernel.multiply(away, away), axes, True), count)
    return total if keepdims or not axes else kernel.squeeze(total, axes)


@op(reduce.spread_rule)
def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Variance of the elements along `axis` that aren't NaN; NaN where there is none.

    >>> nanvar([[1.0, float("nan"), 3.0], [3.0, 4.0, 5.0]], axis=1)
    array([1.       , 0.6666667], dtype=float32)
    """
    return _as_given(_variance(x, axis, keepdims), x)


@op(reduce.spread_rule)
def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Square root of `nanvar`.

    >>> nanstd([[1.0, float("nan"), 3.0], [3.0, 4.0, 5.0]], axis=1)
    array([1.       , 0.8164966], dtype=float32)
    """
    return _as_given(kernel.sqrt(_variance(x, axis, keepdims)), x)


def _nan_extreme(find: Any, worst: float, x: Any, axis: Any, keepdims: bool) -> Any:
    axes = reduce.filled_axes(ordered(x), axis)
    if not is_float(kernel.dtype_of(x)):
        return find(x, axes, keepdims)
    unknown = kernel.isnan(x)
    found = find(where(unknown, worst, x), axes, keepdims)
    return where(kernel.reduce_all(unknown, axes, keepdims), math.nan, found)


@op(reduce.extreme_rule)
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest element along `axis` that isn't NaN; NaN where there is none.

    >>> nanmax([[1.0, float("nan")], [3.0, 4.0]], axis=1)
    array([1., 4.], dtype=float32)
    """
    return _nan_extreme(kernel.reduce_max, -math.inf, x, axis, keepdims)


@op(reduce.extreme_rule)
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Smallest element along `axis` that isn't NaN; NaN where there is none.

    >>> nanmin([[1.0, float("nan")], [3.0, 4.0]], axis=1)
    array([1., 3.], dtype=float32)
    """
    return _nan_extreme(kernel.reduce_min, math.inf, x, axis, keepdims)


def _nan_index(index: Any, extreme: Any, x: Any, axis: int | None, keepdims: bool) -> Any:
    if not is_float(kernel.dtype_of(x)):
        return index(x, axis, keepdims)
    best = extreme(x, axis, True)
    found = reduce.argmax(kernel.equal(x, best), axis, keepdims)  # to fill NaN with inf could find the filling
    return where(reduce.all(kernel.isnan(best), axis, keepdims), -1, found)


@op(reduce.index_rule)
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the first largest element that isn't NaN; -1 where there is none.

    >>> nanargmax([[float("nan"), 5.0, 7.0], [3.0, 2.0, float("nan")]], axis=1)
    array([2, 0], dtype=int32)
    """
    return _nan_index(reduce.argmax, nanmax, x, axis, keepdims)


@op(reduce.index_rule)
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the first smallest element that isn't NaN; -1 where there is none.

    >>> nanargmin([[float("nan"), 5.0, 7.0], [3.0, 2.0, float("nan")]], axis=1)
    array([1, 1], dtype=int32)
    """
    return _nan_index(reduce.argmin, nanmin, x, axis, keepdims)


@op(reduce.running_rule)
def nancumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Running sum along `axis` (of the flattened input if None), NaN counting as 0.

    >>> nancumsum([1.0, float("nan"), 3.0])
    array([1., 1., 4.], dtype=float32)
    """
    return reduce.cumsum(_filled(x, 0.0), axis, dtype)


@op(reduce.running_rule)
def nancumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Running product along `axis` (of the flattened input if None), NaN counting as 1.

    >>> nancumprod([2.0, float("nan"), 3.0])
    array([2., 2., 6.], dtype=float32)
    """
    return reduce.cumprod(_filled(x, 1.0), axis, dtype)
