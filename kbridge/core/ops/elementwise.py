"""Ops that treat each element alone, after broadcasting."""

from __future__ import annotations

import functools
from typing import Any

from kbridge.core.ops import rules
from kbridge.core.ops.declare import as_float, kernel, op, promote
from kbridge.core.tensor.dtypes import is_float, result_type, standardize_dtype
from kbridge.core.tensor.symbolic import KerasTensor

binary = functools.partial(op, arrays=2, weak=True)


@binary(rules.together)
def add(x1: Any, x2: Any) -> Any:
    """Sum of the inputs, element by element."""
    return kernel.add(*promote(x1, x2))


@binary(rules.together)
def subtract(x1: Any, x2: Any) -> Any:
    """Difference of the inputs, element by element."""
    return kernel.subtract(*promote(x1, x2))


@binary(rules.together)
def multiply(x1: Any, x2: Any) -> Any:
    """Product of the inputs, element by element."""
    return kernel.multiply(*promote(x1, x2))


@binary(rules.divided)
def divide(x1: Any, x2: Any) -> Any:
    """Quotient of the inputs in a float type, element by element."""
    x1, x2 = promote(x1, x2)
    return kernel.divide(*(x if isinstance(x, (int, float)) else as_float(x) for x in (x1, x2)))


@binary(rules.divided)
def true_divide(x1: Any, x2: Any) -> Any:
    """The same as `divide`."""
    return divide(x1, x2)


@binary(rules.together)
def floor_divide(x1: Any, x2: Any) -> Any:
    """Quotient rounded down, element by element."""
    return kernel.floor_divide(*promote(x1, x2))


@binary(rules.together)
def mod(x1: Any, x2: Any) -> Any:
    """Remainder with the sign of the divisor, element by element."""
    return kernel.mod(*promote(x1, x2))


@binary(rules.together)
def power(x1: Any, x2: Any) -> Any:
    """`x1` to the power `x2`, element by element."""
    return kernel.power(*promote(x1, x2))


@binary(rules.together)
def maximum(x1: Any, x2: Any) -> Any:
    """The larger of the inputs, element by element."""
    return kernel.maximum(*both_tensors(x1, x2))


@binary(rules.together)
def minimum(x1: Any, x2: Any) -> Any:
    """The smaller of the inputs, element by element."""
    return kernel.minimum(*both_tensors(x1, x2))


def both_tensors(*values: Any) -> tuple[Any, ...]:
    """The inputs in their common type, numbers made tensors: some kernels take nothing else."""
    values = promote(*values)
    dtype = next(kernel.dtype_of(v) for v in values if not isinstance(v, (bool, int, float)))
    return tuple(kernel.convert(v, dtype) if isinstance(v, (bool, int, float)) else v for v in values)


@binary(rules.compared)
def equal(x1: Any, x2: Any) -> Any:
    """Where the inputs are equal."""
    return kernel.equal(*promote(x1, x2))


@binary(rules.compared)
def not_equal(x1: Any, x2: Any) -> Any:
    """Where the inputs differ."""
    return kernel.not_equal(*promote(x1, x2))


@binary(rules.compared)
def less(x1: Any, x2: Any) -> Any:
    """Where `x1 < x2`."""
    return kernel.less(*promote(x1, x2))


@binary(rules.compared)
def less_equal(x1: Any, x2: Any) -> Any:
    """Where `x1 <= x2`."""
    return kernel.less_equal(*promote(x1, x2))


@binary(rules.compared)
def greater(x1: Any, x2: Any) -> Any:
    """Where `x1 > x2`."""
    return kernel.greater(*promote(x1, x2))


@binary(rules.compared)
def greater_equal(x1: Any, x2: Any) -> Any:
    """Where `x1 >= x2`."""
    return kernel.greater_equal(*promote(x1, x2))


def as_bool(x: Any) -> Any:
    """The truth of each element."""
    return x if kernel.dtype_of(x) == "bool" else kernel.cast(x, "bool")


@op(rules.compared, arrays=2)
def logical_and(x1: Any, x2: Any) -> Any:
    """Where both inputs are true."""
    return kernel.logical_and(as_bool(x1), as_bool(x2))


@op(rules.compared, arrays=2)
def logical_or(x1: Any, x2: Any) -> Any:
    """Where one of the inputs is true."""
    return kernel.logical_or(as_bool(x1), as_bool(x2))


@op(rules.boolean)
def logical_not(x: Any) -> Any:
    """Where the input is false."""
    return kernel.logical_not(as_bool(x))


def _where_rule(condition: Any, x1: Any, x2: Any) -> KerasTensor:
    shape = rules.together(condition, x1, x2).shape
    return KerasTensor(shape, result_type(rules.kind_of(x1), rules.kind_of(x2)))


@op(_where_rule, arrays=3, weak=True)
def where(condition: Any, x1: Any, x2: Any) -> Any:
    """`x1` where the condition holds, `x2` elsewhere."""
    return kernel.where(as_bool(condition), *both_tensors_or_numbers(x1, x2))


def both_tensors_or_numbers(x1: Any, x2: Any) -> tuple[Any, ...]:
    """`both_tensors`, for inputs that may both be numbers."""
    x1, x2 = promote(x1, x2)
    return both_tensors(x1, x2)


def _cast_rule(x: KerasTensor, dtype: Any) -> KerasTensor:
    return KerasTensor(x.shape, standardize_dtype(dtype))


@op(_cast_rule)
def cast(x: Any, dtype: Any) -> Any:
    """The input in another element type."""
    dtype = standardize_dtype(dtype)
    return x if kernel.dtype_of(x) == dtype else kernel.cast(x, dtype)


@op(lambda x, x_min, x_max: rules.together(x, x_min, x_max))
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """The input, held between `x_min` and `x_max`."""
    return minimum(maximum(x, x_min), x_max)


@op(rules.same)
def negative(x: Any) -> Any:
    """The input with its sign turned."""
    return kernel.negative(x)


@op(rules.same)
def absolute(x: Any) -> Any:
    """The input without its sign."""
    return kernel.absolute(x)


@op(rules.same)
def abs(x: Any) -> Any:
    """The same as `absolute`."""
    return kernel.absolute(x)


@op(rules.same)
def square(x: Any) -> Any:
    """The input times itself."""
    return kernel.multiply(x, x)


@op(rules.same)
def sign(x: Any) -> Any:
    """-1, 0 or 1."""
    return kernel.sign(x)


@op(rules.floating)
def exp(x: Any) -> Any:
    """e to the power of the input."""
    return kernel.exp(as_float(x))


@op(rules.floating)
def expm1(x: Any) -> Any:
    """exp(x) - 1, exact for small x."""
    return kernel.expm1(as_float(x))


@op(rules.floating)
def log(x: Any) -> Any:
    """Natural logarithm."""
    return kernel.log(as_float(x))


@op(rules.floating)
def log1p(x: Any) -> Any:
    """log(1 + x), exact for small x."""
    return kernel.log1p(as_float(x))


@op(rules.floating)
def sqrt(x: Any) -> Any:
    """Square root."""
    return kernel.sqrt(as_float(x))


@op(rules.floating)
def rsqrt(x: Any) -> Any:
    """One over the square root."""
    return kernel.rsqrt(as_float(x))


@op(rules.floating)
def reciprocal(x: Any) -> Any:
    """One over the input."""
    return divide(1.0, as_float(x))


@op(rules.floating)
def sin(x: Any) -> Any:
    """Sine of an angle in radians."""
    return kernel.sin(as_float(x))


@op(rules.floating)
def cos(x: Any) -> Any:
    """Cosine of an angle in radians."""
    return kernel.cos(as_float(x))


@op(rules.floating)
def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return kernel.tanh(as_float(x))


@op(rules.floating)
def erf(x: Any) -> Any:
    """The error function."""
    return kernel.erf(as_float(x))


@op(rules.floating)
def floor(x: Any) -> Any:
    """Largest whole number that isn't above the input, in a float type."""
    return kernel.floor(as_float(x))


@op(rules.floating)
def ceil(x: Any) -> Any:
    """Smallest whole number that isn't below the input, in a float type."""
    return kernel.ceil(as_float(x))


@op(rules.same)
def round(x: Any) -> Any:
    """Nearest whole number, halves to the even one."""
    return kernel.round(x) if is_float(kernel.dtype_of(x)) else x


@op(rules.boolean)
def isnan(x: Any) -> Any:
    """Where the input is not a number."""
    return kernel.isnan(as_float(x))


@op(rules.boolean)
def isinf(x: Any) -> Any:
    """Where the input is infinite."""
    return kernel.isinf(as_float(x))


@op(rules.boolean)
def isfinite(x: Any) -> Any:
    """Where the input is neither infinite nor NaN."""
    return kernel.isfinite(as_float(x))


@op(rules.same)
def stop_gradient(variable: Any) -> Any:
    """The input, as a constant to any gradient."""
    return kernel.stop_gradient(variable)
