"""Conversions of element types that bodies of elementwise ops share, beyond `promote` and `as_float`."""

from __future__ import annotations

from typing import Any

from kbridge.core.context import local
from kbridge.core.errors import DTypeError
from kbridge.core.ops.declare import NUMBERS, kernel, promote
from kbridge.core.settings import floatx
from kbridge.core.tensor.dtypes import COMPLEX


def as_bool(x: Any) -> Any:
    """The truth of each element."""
    dtype = kernel.dtype_of(x)
    if dtype in COMPLEX:  # some casts look at the real part alone
        return kernel.not_equal(x, kernel.weak_number(0, dtype))
    return x if dtype == "bool" else kernel.cast(x, "bool")


def as_inexact(x: Any) -> Any:
    """`x` if it holds fractions or complex numbers already, else `x` in the default float type."""
    if x.dtype in local.running.float_dtypes or kernel.dtype_of(x) in COMPLEX:
        return x
    return kernel.cast(x, floatx())


def as_real(x: Any) -> Any:
    """`x` if it holds fractions already, else `x` in the default float type; complex numbers are refused."""
    if x.dtype in local.running.float_dtypes:
        return x
    return kernel.cast(ordered(x), floatx())


def ordered(x: Any) -> Any:
    """`x`, unless it holds complex numbers, which have no order. Not every framework refuses those by itself."""
    if x.dtype in local.running.float_dtypes:  # in most calls
        return x
    if kernel.dtype_of(x) in COMPLEX:
        raise DTypeError("Complex numbers have no order. Take `real`, `imag` or `absolute` of them first.")
    return x


def in_order(x1: Any, x2: Any) -> tuple[Any, ...]:
    """The inputs in their common type, unless that is complex. Numbers may stay numbers."""
    x1, x2 = promote(x1, x2)
    ordered(x2 if type(x1) in NUMBERS else x1)
    return x1, x2


def both_tensors(*values: Any) -> tuple[Any, ...]:
    """The inputs in their common type, numbers made tensors: some kernels take nothing else."""
    values = promote(*values)
    tensors = [v for v in values if type(v) not in NUMBERS]  # at least one: numbers alone became tensors in promote
    if len(tensors) == len(values):
        return values
    dtype = kernel.dtype_of(tensors[0])
    return tuple([kernel.convert(v, dtype) if type(v) in NUMBERS else v for v in values])


def real_tensors(*values: Any) -> list[Any]:
    """`both_tensors`, in a float type."""
    return [as_real(x) for x in both_tensors(*values)]


def counted(x1: Any, x2: Any) -> tuple[Any, ...]:
    """The inputs in their common type, truth values as whole numbers."""
    x1, x2 = promote(x1, x2)
    tensor = x2 if type(x1) in NUMBERS else x1
    if tensor.dtype in local.running.float_dtypes or kernel.dtype_of(tensor) != "bool":
        return x1, x2
    return tuple([v if type(v) in NUMBERS else kernel.cast(v, "int32") for v in (x1, x2)])
