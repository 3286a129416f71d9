"""Ops that make one element out of many along some axes, or one out of all before it.

`axis` is None for all axes (a running op then runs over the flattened input), a number, or several; `keepdims` keeps
the axes reduced over as axes of size 1.
"""

from __future__ import annotations

from typing import Any

from kbridge.core.context import local
from kbridge.core.errors import DTypeError, ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.conversions import as_real, ordered
from kbridge.core.ops.declare import as_float, kernel, op
from kbridge.core.ops.elementwise import as_bool, cast
from kbridge.core.tensor.dtypes import COMPLEX, float_result, standardize_dtype, sum_result
from kbridge.core.tensor.shapes import every_axis, one_axis, reduced_shape, reshaped
from kbridge.core.tensor.symbolic import KerasTensor

HALF = ("float16", "bfloat16")


def as_inexact(x: Any) -> Any:
    """`x` if it holds fractions, complex ones too, else `x` in the default float type."""
    if x.dtype in local.running.float_dtypes:  # in most calls; NumPy's names of dtypes are slow to come by
        return x
    return x if kernel.dtype_of(x) in COMPLEX else as_float(x)


def as_wide(x: Any) -> Any:
    """`as_inexact`, half types in float32: squares and products of theirs overflow."""
    return kernel.cast(x, "float32") if kernel.dtype_of(x) in HALF else as_inexact(x)


# --- sums and means -------------------------------------------------------------------------------


@op(rules.reduced_sum)
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum along `axis`; small whole numbers widen to 32 bits.

    >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
    array([4., 6.], dtype=float32)
    """
    dtype = kernel.dtype_of(x)
    if sum_result(dtype) != dtype:
        x = kernel.cast(x, sum_result(dtype))
    return kernel.reduce_sum(x, every_axis(axis, len(x.shape)), keepdims)


def _prod_rule(x: KerasTensor, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> KerasTensor:
    return KerasTensor(rules.reduced(x, axis, keepdims).shape, dtype or sum_result(x.dtype))


@op(_prod_rule)
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Product along `axis`, computed in `dtype`; without one, small whole numbers widen to 32 bits.

    >>> prod([[1.0, 2.0], [3.0, 4.0]], axis=1)
    array([ 2., 12.], dtype=float32)
    """
    x = cast(x, dtype or sum_result(kernel.dtype_of(x)))
    return kernel.reduce_prod(x, every_axis(axis, len(x.shape)), keepdims)


@op(rules.reduced_float)
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean along `axis`, in a float type; NaN where there is nothing.

    >>> mean([[1, 2], [3, 4]], axis=1, keepdims=True)
    array([[1.5],
           [3.5]], dtype=float32)
    """
    return kernel.reduce_mean(as_inexact(x), every_axis(axis, len(x.shape)), keepdims)


def spread_rule(x: KerasTensor, axis: Any = None, keepdims: bool = False) -> KerasTensor:
    """`reduced`, a float type; for a complex one that of its parts."""
    dtype = {"complex64": "float32", "complex128": "float64"}.get(x.dtype) or float_result(x.dtype)
    return KerasTensor(rules.reduced(x, axis, keepdims).shape, dtype)


def _variance(x: Any, axis: Any, keepdims: bool) -> Any:
    axes = every_axis(axis, len(x.shape))
    x = as_wide(x)
    away = kernel.subtract(x, kernel.reduce_mean(x, axes, True))
    if kernel.dtype_of(x) in COMPLEX:
        away = kernel.absolute(away)
    return kernel.reduce_mean(kernel.multiply(away, away), axes, keepdims)


@op(spread_rule)
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean squared distance from the mean along `axis`.

    >>> var([[1.0, 2.0], [3.0, 6.0]], axis=1)
    array([0.25, 2.25], dtype=float32)
    """
    found = _variance(x, axis, keepdims)
    return cast(found, kernel.dtype_of(x)) if kernel.dtype_of(x) in HALF else found


@op(spread_rule)
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Square root of the variance along `axis`.

    >>> std([[1.0, 2.0], [3.0, 6.0]], axis=1)
    array([0.5, 1.5], dtype=float32)
    """
    found = kernel.sqrt(_variance(x, axis, keepdims))
    return cast(found, kernel.dtype_of(x)) if kernel.dtype_of(x) in HALF else found


@op(rules.ordered(rules.reduced_float))
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) along `axis`, without overflow; -inf where there is nothing.

    >>> logsumexp([1000.0, 1000.0])
    array(1000.6932, dtype=float32)
    """
    return kernel.logsumexp(as_real(x), every_axis(axis, len(x.shape)), keepdims)


# --- extremes -------------------------------------------------------------------------------------


def filled_axes(x: Any, axis: Any) -> tuple[int, ...]:
    """The axes to reduce over, none of them empty: nothing has no extremes. (TensorFlow would give infinity.)"""
    axes = every_axis(axis, len(x.shape))
    if 0 in x.shape and 0 in [x.shape[i] for i in axes]:
        raise ShapeError(f"There is nothing along axis {axis} of shape {tuple(x.shape)} to choose from.")
    return axes


ordered_reduction = rules.ordered(rules.reduced)


def extreme_rule(x: KerasTensor, axis: Any = None, keepdims: bool = False, initial: Any = None) -> KerasTensor:
    """`reduced`, of something that has an order."""
    if initial is None:
        filled_axes(x, axis)
    return ordered_reduction(x, axis, keepdims)


def _from_initial(find: Any, choose: Any, x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    initial = kernel.convert(initial, kernel.dtype_of(ordered(x)))
    axes = every_axis(axis, len(x.shape))
    if 0 in [x.shape[i] for i in axes]:
        return kernel.broadcast_to(initial, reduced_shape(kernel.shape_of(x), axes, keepdims))
    return choose(find(x, axes, keepdims), initial)


@op(extreme_rule)
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Largest element along `axis`, and at least `initial`.

    >>> max([[1.0, 5.0], [3.0, 4.0]], axis=1)
    array([5., 4.], dtype=float32)
    """
    if initial is not None:
        return _from_initial(kernel.reduce_max, kernel.maximum, x, axis, keepdims, initial)
    return kernel.reduce_max(ordered(x), filled_axes(x, axis), keepdims)


@op(extreme_rule)
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Smallest element along `axis`, and at most `initial`.

    >>> min([[1.0, 5.0], [3.0, 4.0]], axis=1)
    array([1., 3.], dtype=float32)
    """
    if initial is not None:
        return _from_initial(kernel.reduce_min, kernel.minimum, x, axis, keepdims, initial)
    return kernel.reduce_min(ordered(x), filled_axes(x, axis), keepdims)


@op(extreme_rule)
def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The same as `max`.

    `(m, n) -> (n,)` along axis 0, for example.

    >>> amax([[1.0, 5.0], [3.0, 4.0]], axis=0)
    array([3., 5.], dtype=float32)
    """
    return kernel.reduce_max(ordered(x), filled_axes(x, axis), keepdims)


@op(extreme_rule)
def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The same as `min`.

    >>> amin([[1.0, 5.0], [3.0, 4.0]], axis=0)
    array([1., 4.], dtype=float32)
    """
    return kernel.reduce_min(ordered(x), filled_axes(x, axis), keepdims)


def _ptp_rule(x: KerasTensor, axis: Any = None, keepdims: bool = False) -> KerasTensor:
    if x.dtype == "bool":
        raise DTypeError("bools have no difference. Cast them to int32 first.")
    return extreme_rule(x, axis, keepdims)


@op(_ptp_rule)
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest element less the smallest ("peak to peak") along `axis`.

    Raises:
        DTypeError: the input is bool.

    >>> ptp([[1.0, 5.0], [3.0, 4.0]], axis=1)
    array([4., 1.], dtype=float32)
    """
    axes = filled_axes(ordered(x), axis)
    return kernel.subtract(kernel.reduce_max(x, axes, keepdims), kernel.reduce_min(x, axes, keepdims))


def index_rule(x: KerasTensor, axis: int | None = None, keepdims: bool = False) -> KerasTensor:
    """Positions along an axis."""
    return KerasTensor(extreme_rule(x, axis, keepdims).shape, "int32")


@op(index_rule)
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the first largest element along `axis` (of the flattened input if None), as int32.

    >>> argmax([[1.0, 5.0], [3.0, 2.0]], axis=1)
    array([1, 0], dtype=int32)
    """
    return _index_of(kernel.argmax, x, axis, keepdims)


@op(index_rule)
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the first smallest element along `axis` (of the flattened input if None), as int32.

    >>> argmin([[1.0, 5.0], [3.0, 2.0]], axis=1)
    array([0, 1], dtype=int32)
    """
    return _index_of(kernel.argmin, x, axis, keepdims)


def _index_of(find: Any, x: Any, axis: int | None, keepdims: bool) -> Any:
    axes = filled_axes(ordered(x), axis)
    if axis is not None:
        found = find(x, axes[0])
        return kernel.expand_dims(found, axes) if keepdims else found
    found = find(kernel.reshape(x, (-1,)), 0)
    return kernel.reshape(found, (1,) * len(x.shape)) if keepdims else found


# --- truths ---------------------------------------------------------------------------------------


@op(rules.reduced_to("bool"))
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether every element along `axis` is true, which any number but 0 is.

    >>> all([[True, False], [True, True]], axis=1)
    array([False,  True])
    """
    return kernel.reduce_all(as_bool(x), every_axis(axis, len(x.shape)), keepdims)


@op(rules.reduced_to("bool"))
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether some element along `axis` is true, which any number but 0 is.

    >>> any([[0, 2], [0, 0]], axis=1)
    array([ True, False])
    """
    return kernel.reduce_any(as_bool(x), every_axis(axis, len(x.shape)), keepdims)


@op(rules.reduced_to("int32"))
def count_nonzero(x: Any, axis: Any = None) -> Any:
    """How many elements along `axis` aren't zero.

    >>> count_nonzero([[0, 7], [1, 2]], axis=1)
    array([1, 2], dtype=int32)
    """
    return kernel.reduce_sum(kernel.cast(as_bool(x), "int32"), every_axis(axis, len(x.shape)), False)


# --- running ops ----------------------------------------------------------------------------------


def _running_dtype(dtype: str, wanted: Any) -> str:
    """Running ops stay in the type of their input; bools count."""
    return standardize_dtype(wanted) if wanted is not None else "int32" if dtype == "bool" else dtype


def running_rule(x: KerasTensor, axis: Any = None, dtype: Any = None) -> KerasTensor:
    """The input's shape, or flat; its type, or the one asked for."""
    shape = reshaped(x.shape, (-1,)) if axis is None else x.shape
    every_axis(axis, x.ndim)
    return KerasTensor(shape, _running_dtype(x.dtype, dtype))


def _run(find: Any, x: Any, axis: Any, dtype: Any) -> Any:
    x = cast(x, _running_dtype(kernel.dtype_of(x), dtype))
    if axis is None:
        return find(kernel.reshape(x, (-1,)), 0)
    for each in every_axis(axis, len(x.shape)):
        x = find(x, each)
    return x


@op(running_rule)
def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Running sum along `axis` (of the flattened input if None), in `dtype` or the type of `x`.

    Along several axes it runs one after the other.

    >>> cumsum([[1.0, 2.0], [3.0, 4.0]], axis=1)
    array([[1., 3.],
           [3., 7.]], dtype=float32)
    """
    return _run(kernel.cumsum, x, axis, dtype)


@op(running_rule)
def cumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Running product along `axis` (of the flattened input if None), in `dtype` or the type of `x`.

    >>> cumprod([1, 2, 3, 4])
    array([ 1,  2,  6, 24], dtype=int32)
    """
    return _run(kernel.cumprod, x, axis, dtype)


def _cumulative_rule(
    x: KerasTensor, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> KerasTensor:
    if axis is None and x.ndim != 1:
        raise ShapeError(f"x has {x.ndim} axes. Say along which one to run: axis=-1, for example.")
    position = one_axis(axis or 0, x.ndim)
    sizes = list(x.shape)
    size = sizes[position]
    sizes[position] = None if size is None else size + include_initial
    return KerasTensor(sizes, dtype or sum_result(x.dtype))


def _cumulate(find: Any, start: int, x: Any, axis: int | None, dtype: Any, include_initial: bool) -> Any:
    _cumulative_rule(KerasTensor(x.shape), axis=axis)
    x = cast(x, dtype or sum_result(kernel.dtype_of(x)))
    axis = one_axis(axis or 0, len(x.shape))
    found = find(x, axis)
    if not include_initial:
        return found
    first = kernel.full_like(kernel.reduce_sum(x, (axis,), True), start, kernel.dtype_of(x))
    return kernel.concatenate([first, found], axis)


@op(_cumulative_rule)
def cumulative_sum(x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """Running sum along `axis`, as the array API standard has it; small whole numbers widen to 32 bits.

    Args:
        x: the elements; with more than one axis, `axis` has to be given.
        axis: along which to run.
        dtype: the type to compute in.
        include_initial: whether to start with the sum of nothing, 0, which makes `axis` one longer.

    Raises:
        ShapeError: there is more than one axis and `axis` is None.

    >>> cumulative_sum([1, 2, 3], include_initial=True)
    array([0, 1, 3, 6], dtype=int32)
    """
    return _cumulate(kernel.cumsum, 0, x, axis, dtype, include_initial)


@op(_cumulative_rule)
def cumulative_prod(x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """Running product along `axis`, as the array API standard has it; otherwise like `cumulative_sum`.

    >>> cumulative_prod([2, 3, 4], include_initial=True)
    array([ 1,  2,  6, 24], dtype=int32)
    """
    return _cumulate(kernel.cumprod, 1, x, axis, dtype, include_initial)


@op(rules.ordered(lambda x, axis=None: KerasTensor(running_rule(x, axis).shape, float_result(x.dtype))))
def logcumsumexp(x: Any, axis: Any = None) -> Any:
    """log of the running sum of exp(x) along `axis` (of the flattened input if None), without overflow.

    >>> logcumsumexp([1000.0, 1000.0])
    array([1000.    , 1000.6932], dtype=float32)
    """
    return _run(kernel.logcumsumexp, as_real(x), axis, None)
