"""Conversions and choices of single elements, and rounding.

The other ops that treat each element alone are in `arithmetic`, `compare`, `math` and `trigonometry`; they can be
had here too.
"""

from __future__ import annotations

import builtins
from typing import Any

from kbridge.core.errors import ArgumentError
from kbridge.core.ops import rules
from kbridge.core.ops.arithmetic import *  # noqa: F403
from kbridge.core.ops.arithmetic import add, divide, floor_divide, maximum, minimum, mod, multiply
from kbridge.core.ops.compare import *  # noqa: F403
from kbridge.core.ops.compare import equal, greater, isnan, less, logical_and, logical_or
from kbridge.core.ops.conversions import as_bool as as_bool
from kbridge.core.ops.conversions import as_real, counted, ordered
from kbridge.core.ops.conversions import both_tensors as both_tensors
from kbridge.core.ops.declare import NUMBERS, kernel, op
from kbridge.core.ops.math import *  # noqa: F403
from kbridge.core.ops.trigonometry import *  # noqa: F403
from kbridge.core.tensor.dtypes import counted_result, is_float, limits, parts_result, result_type, standardize_dtype
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import spec_of

# --- one number -----------------------------------------------------------------------------------


@op(rules.signed(rules.same))
def negative(x: Any) -> Any:
    """The input with its sign turned.

    >>> negative([1, -2])
    array([-1,  2], dtype=int32)
    """
    return kernel.negative(x)


@op(rules.same)
def positive(x: Any) -> Any:
    """The input as it is.

    >>> positive([1, -2])
    array([ 1, -2], dtype=int32)
    """
    return x


def _size_rule(x: KerasTensor) -> KerasTensor:
    return KerasTensor(x.shape, parts_result(x.dtype))


@op(_size_rule)
def absolute(x: Any) -> Any:
    """The input without its sign; the distance from 0 of a complex number.

    >>> absolute([-1.5, 2.0])
    array([1.5, 2. ], dtype=float32)
    """
    return kernel.absolute(x)


@op(_size_rule)
def abs(x: Any) -> Any:
    """The same as `absolute`.

    >>> abs([3 + 4j])
    array([5.], dtype=float32)
    """
    return kernel.absolute(x)


@op(rules.ordered(rules.floating))
def fabs(x: Any) -> Any:
    """The input without its sign, in a float type.

    >>> fabs([-1, 2])
    array([1., 2.], dtype=float32)
    """
    return kernel.absolute(as_real(x))


@op(lambda x: KerasTensor(x.shape, counted_result(x.dtype)))
def square(x: Any) -> Any:
    """The input times itself.

    >>> square([2, -3])
    array([4, 9], dtype=int32)
    """
    x, _ = counted(x, x)
    return kernel.multiply(x, x)


@op(rules.floating)
def reciprocal(x: Any) -> Any:
    """One over the input, in a float type.

    >>> reciprocal([2, 4])
    array([0.5 , 0.25], dtype=float32)
    """
    return divide(1.0, x)


@op(rules.signed(rules.same))
def sign(x: Any) -> Any:
    """-1, 0 or 1; a complex number divided by its distance from 0.

    >>> sign([-2.0, 0.0, 5.0])
    array([-1.,  0.,  1.], dtype=float32)
    """
    return kernel.sign(x)


@op(rules.ordered(rules.floating))
def floor(x: Any) -> Any:
    """Largest whole number that isn't above the input, in a float type.

    >>> floor([1.7, -1.2])
    array([ 1., -2.], dtype=float32)
    """
    return kernel.floor(as_real(x))


@op(rules.ordered(rules.floating))
def ceil(x: Any) -> Any:
    """Smallest whole number that isn't below the input, in a float type.

    >>> ceil([1.7, -1.2])
    array([ 2., -1.], dtype=float32)
    """
    return kernel.ceil(as_real(x))


@op(rules.ordered(rules.same))
def trunc(x: Any) -> Any:
    """The input without its fraction.

    >>> trunc([1.7, -1.2])
    array([ 1., -1.], dtype=float32)
    """
    return kernel.trunc(x) if is_float(kernel.dtype_of(ordered(x))) else x


@op(rules.ordered(rules.same))
def round(x: Any, decimals: int = 0) -> Any:
    """Nearest number with so many decimals, halves to the even one.

    Negative `decimals` give the nearest ten, hundred and so on.

    >>> round([0.5, 1.25, 1234.5]), round([15, 25, 1249], -1)
    (array([0.000e+00, 1.000e+00, 1.234e+03], dtype=float32), array([  20,   20, 1250], dtype=int32))
    """
    dtype = kernel.dtype_of(ordered(x))
    if not is_float(dtype):
        return x if decimals >= 0 or dtype == "bool" else _whole_round(x, 10**-decimals, dtype)
    if not decimals:
        return kernel.round(x)
    factor = kernel.weak_number(10.0 ** builtins.abs(decimals), dtype)
    there, back = (kernel.multiply, kernel.divide) if decimals > 0 else (kernel.divide, kernel.multiply)
    return back(kernel.round(there(x, factor)), factor)


@op(rules.ordered(rules.floating))
def rint(x: Any) -> Any:
    """Nearest whole number, in a float type; halves to the even one.

    >>> rint([0.5, 1.5, -2.7])
    array([ 0.,  2., -3.], dtype=float32)
    """
    return kernel.round(as_real(x))


around = round


def _whole_round(x: Any, unit: int, dtype: str) -> Any:
    """The nearest multiple of `unit`, by whole numbers alone: floats don't hold all of 32 bits."""
    x = cast(x, dtype if dtype.endswith("64") else result_type(dtype, "int32"))
    down = floor_divide(x, unit)
    twice = multiply(mod(x, unit), 2)
    up = logical_or(greater(twice, unit), logical_and(equal(twice, unit), mod(down, 2)))
    return cast(multiply(add(down, up), unit), dtype)


def _nan_rule(x: KerasTensor, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> KerasTensor:
    return KerasTensor(x.shape, x.dtype)


@op(_nan_rule)
def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """The input with numbers in place of NaN and of the infinities: those of the type's ends if None.

    Args:
        x: any tensor.
        nan: what stands for NaN.
        posinf, neginf: what stands for the infinities; the ends of the type if None.

    >>> nan_to_num([float("nan"), float("inf"), 2.0], nan=-1.0, posinf=9.0)
    array([-1.,  9.,  2.], dtype=float32)
    """
    part = parts_result(kernel.dtype_of(x))
    if not is_float(part):
        return x
    low, high = limits(part)
    return kernel.nan_to_num(x, nan, high if posinf is None else posinf, low if neginf is None else neginf)


@op(rules.same)
def stop_gradient(variable: Any) -> Any:
    """The input, as a constant to any gradient.

    `variable` is any tensor, or a variable.

    >>> stop_gradient([1.0, 2.0])
    array([1., 2.], dtype=float32)
    """
    return kernel.stop_gradient(variable)


# --- choices and conversions ----------------------------------------------------------------------


def _where_rule(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    if x1 is None and x2 is None:
        return tuple(KerasTensor((None,), "int32") for _ in rules.shape_of(condition))
    _check_both(x1, x2)
    return KerasTensor(rules.together(condition, x1, x2).shape, rules.together(x1, x2).dtype)


def _check_both(x1: Any, x2: Any) -> None:
    if x1 is None or x2 is None:
        raise ArgumentError("where takes both x1 and x2, or neither of them.")


@op(_where_rule, arrays=3, weak=True)
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """`x1` where the condition holds, `x2` elsewhere; with neither, where it holds (see `nonzero`).

    Raises:
        ArgumentError: only one of `x1` and `x2` is given.

    >>> where([True, False, True], [1, 2, 3], 0)
    array([1, 0, 3], dtype=int32)
    >>> where([True, False, True])
    (array([0, 2], dtype=int32),)
    """
    if x1 is None and x2 is None:
        places = kernel.argwhere(as_bool(condition))
        return tuple([kernel.get_item(places, (..., i)) for i in range(len(condition.shape))])
    _check_both(x1, x2)
    if type(condition) in NUMBERS:
        condition = kernel.convert(bool(condition), "bool")
    return kernel.where(as_bool(condition), *both_tensors(x1, x2))


def _cast_rule(x: KerasTensor, dtype: Any) -> KerasTensor:
    return KerasTensor(x.shape, standardize_dtype(dtype))


@op(_cast_rule)
def cast(x: Any, dtype: Any) -> Any:
    """The input in another element type.

    >>> cast([0.0, 1.7], "int32")
    array([0, 1], dtype=int32)
    """
    dtype = standardize_dtype(dtype)
    return x if kernel.dtype_of(x) == dtype else kernel.cast(x, dtype)


# The name in the array API standard.
astype = cast

# How many binary digits of a number each type keeps, the leading one counted.
DIGITS = {"bfloat16": 8, "float16": 11, "float32": 24, "float64": 53}


@op(rules.ordered(_cast_rule))
def saturate_cast(x: Any, dtype: Any) -> Any:
    """The input in another element type, numbers beyond its ends put to these; NaN becomes 0 in a whole type.

    >>> saturate_cast([-1, 256, 7], "uint8")
    array([  0, 255,   7], dtype=uint8)
    """
    dtype, given = standardize_dtype(dtype), kernel.dtype_of(ordered(x))
    if dtype in ("bool", given) or given == "bool":
        return cast(x, dtype)
    (low, high), (least, most) = limits(dtype), limits(given)
    if is_float(dtype) or not is_float(given):
        low, high = max(low, least), min(high, most)
        return cast(x if (low, high) == (least, most) else clip(x, low, high), dtype)
    x = where(isnan(x), 0.0, x)
    spare = high.bit_length() - DIGITS[given]
    last = min(float(high >> spare << spare) if spare > 0 else float(high), most)  # float(high) may lie above `high`
    inside = cast(clip(x, float(max(low, least)), last), dtype)
    low, high = limits(kernel.dtype_of(inside))  # which JAX narrows to 32 bits
    return where(greater(x, last), high, where(less(x, float(low)), low, inside))


def _clip_rule(x: KerasTensor, x_min: Any, x_max: Any) -> KerasTensor:
    limits = [each if type(each) in NUMBERS else spec_of(each) for each in (x_min, x_max)]
    return rules.ordered(rules.together)(KerasTensor(x.shape, counted_result(x.dtype)), *limits)


@op(_clip_rule)
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """The input, held between `x_min` and `x_max`.

    Args:
        x: any tensor.
        x_min: the least value, a number or a tensor.
        x_max: the largest, likewise.

    >>> clip([-3, 1, 9], 0, 5)
    array([0, 1, 5], dtype=int32)
    """
    if kernel.dtype_of(x) == "bool":
        x = kernel.cast(x, "int32")
    return minimum(maximum(x, x_min), x_max)
