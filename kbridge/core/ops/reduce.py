"""Ops that make one element out of many along some axes."""

from __future__ import annotations

from typing import Any

from kbridge.core.ops import rules
from kbridge.core.ops.declare import as_float, kernel, op
from kbridge.core.ops.elementwise import as_bool, exp, log, stop_gradient
from kbridge.core.ops.shape import squeeze_axes
from kbridge.core.tensor.dtypes import sum_result
from kbridge.core.tensor.shapes import every_axis, one_axis, reduced_shape, reshaped
from kbridge.core.tensor.symbolic import KerasTensor


@op(rules.reduced_sum)
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum along `axis`; small whole numbers widen to 32 bits."""
    dtype = kernel.dtype_of(x)
    if sum_result(dtype) != dtype:
        x = kernel.cast(x, sum_result(dtype))
    return kernel.reduce_sum(x, every_axis(axis, len(x.shape)), keepdims)


@op(rules.reduced_sum)
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Product along `axis`; small whole numbers widen to 32 bits."""
    dtype = dtype or sum_result(kernel.dtype_of(x))
    return kernel.reduce_prod(kernel.cast(x, dtype), every_axis(axis, len(x.shape)), keepdims)


@op(rules.reduced_float)
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean along `axis`, in a float type."""
    return kernel.reduce_mean(as_float(x), every_axis(axis, len(x.shape)), keepdims)


@op(rules.reduced_float)
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean squared distance from the mean along `axis`."""
    x = as_float(x)
    axes = every_axis(axis, len(x.shape))
    away = kernel.subtract(x, kernel.reduce_mean(x, axes, True))
    return kernel.reduce_mean(kernel.multiply(away, away), axes, keepdims)


@op(rules.reduced_float)
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Square root of the variance along `axis`."""
    return kernel.sqrt(var(x, axis, keepdims))


@op(rules.reduced)
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Largest element along `axis`."""
    result = kernel.reduce_max(x, every_axis(axis, len(x.shape)), keepdims)
    return result if initial is None else kernel.maximum(result, kernel.convert(initial, kernel.dtype_of(x)))


@op(rules.reduced)
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Smallest element along `axis`."""
    result = kernel.reduce_min(x, every_axis(axis, len(x.shape)), keepdims)
    return result if initial is None else kernel.minimum(result, kernel.convert(initial, kernel.dtype_of(x)))


@op(rules.reduced)
def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest element along `axis`."""
    return kernel.reduce_max(x, every_axis(axis, len(x.shape)), keepdims)


@op(rules.reduced)
def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Smallest element along `axis`."""
    return kernel.reduce_min(x, every_axis(axis, len(x.shape)), keepdims)


@op(rules.reduced_to("bool"))
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether every element along `axis` is true."""
    return kernel.reduce_all(as_bool(x), every_axis(axis, len(x.shape)), keepdims)


@op(rules.reduced_to("bool"))
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether some element along `axis` is true."""
    return kernel.reduce_any(as_bool(x), every_axis(axis, len(x.shape)), keepdims)


@op(rules.reduced_to("int32"))
def count_nonzero(x: Any, axis: Any = None) -> Any:
    """How many elements along `axis` aren't zero."""
    return kernel.reduce_sum(kernel.cast(as_bool(x), "int32"), every_axis(axis, len(x.shape)), False)


def _index_rule(x: KerasTensor, axis: int | None = None, keepdims: bool = False) -> KerasTensor:
    return KerasTensor(reduced_shape(x.shape, every_axis(axis, x.ndim), keepdims), "int32")


@op(_index_rule)
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the largest element along `axis` (of the flattened input if None), as int32."""
    return _index_of(kernel.argmax, x, axis, keepdims)


@op(_index_rule)
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the smallest element along `axis` (of the flattened input if None), as int32."""
    return _index_of(kernel.argmin, x, axis, keepdims)


def _index_of(find: Any, x: Any, axis: int | None, keepdims: bool) -> Any:
    if axis is not None:
        found = find(x, one_axis(axis, len(x.shape)))
        return kernel.expand_dims(found, (one_axis(axis, len(x.shape)),)) if keepdims else found
    found = find(kernel.reshape(x, (-1,)), 0)
    return kernel.reshape(found, (1,) * len(x.shape)) if keepdims else found


@op(rules.reduced_float)
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) along `axis`, without overflow."""
    x = as_float(x)
    axes = every_axis(axis, len(x.shape))
    highest = stop_gradient(kernel.reduce_max(x, axes, True))  # exp then stays at or below 1
    total = kernel.reduce_sum(exp(kernel.subtract(x, highest)), axes, True)
    result = kernel.add(log(total), highest)
    return result if keepdims else squeeze_axes(result, axes)


@op(
    lambda x, axis=None, dtype=None: KerasTensor(
        x.shape if axis is not None else reshaped(x.shape, (-1,)), dtype or sum_result(x.dtype)
    )
)
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sum along `axis` (of the flattened input if None)."""
    x = kernel.cast(x, dtype or sum_result(kernel.dtype_of(x)))
    if axis is None:
        return kernel.cumsum(kernel.reshape(x, (-1,)), 0)
    return kernel.cumsum(x, one_axis(axis, len(x.shape)))
