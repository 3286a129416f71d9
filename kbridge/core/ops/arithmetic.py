"""Arithmetic on two inputs, element by element, after broadcasting."""

from __future__ import annotations

import functools
from typing import Any

from kbridge.core.errors import DTypeError
from kbridge.core.ops import rules
from kbridge.core.ops.conversions import as_inexact, as_real, both_tensors, counted, ordered
from kbridge.core.ops.declare import NUMBERS, kernel, op, promote
from kbridge.core.tensor.dtypes import COMPLEX

binary = functools.partial(op, arrays=2, weak=True)
ordered_rule, counted_rule = rules.ordered(rules.together), rules.ordered(rules.counted)


@binary(rules.together)
def add(x1: Any, x2: Any) -> Any:
    """Sum of the inputs, element by element; of truth values, whether one is true.

    >>> add([[1], [2]], [10, 20])
    array([[11, 21],
           [12, 22]], dtype=int32)
    """
    return kernel.add(*promote(x1, x2))


@binary(rules.signed(rules.together))
def subtract(x1: Any, x2: Any) -> Any:
    """Difference of the inputs, element by element.

    >>> subtract([3, 4], 0.5)
    array([2.5, 3.5], dtype=float32)
    """
    return kernel.subtract(*promote(x1, x2))


@binary(rules.together)
def multiply(x1: Any, x2: Any) -> Any:
    """Product of the inputs, element by element; of truth values, whether both are true.

    >>> multiply([1, 2], [3, 4])
    array([3, 8], dtype=int32)
    """
    return kernel.multiply(*promote(x1, x2))


@binary(rules.divided)
def divide(x1: Any, x2: Any) -> Any:
    """Quotient of the inputs in a float type, element by element.

    >>> divide([1, 2], 4)
    array([0.25, 0.5 ], dtype=float32)
    """
    x1, x2 = promote(x1, x2)
    return kernel.divide(*[x if type(x) in NUMBERS else as_inexact(x) for x in (x1, x2)])


@binary(rules.divided)
def true_divide(x1: Any, x2: Any) -> Any:
    """The same as `divide`.

    >>> true_divide(1, [2, 4])
    array([0.5 , 0.25], dtype=float32)
    """
    return divide(x1, x2)


@binary(rules.divided)
def divide_no_nan(x1: Any, x2: Any) -> Any:
    """Quotient of the inputs in a float type, 0 where the divisor is 0.

    >>> divide_no_nan([1, 2], [0, 4])
    array([0. , 0.5], dtype=float32)
    """
    return kernel.divide_no_nan(*[as_inexact(x) for x in both_tensors(x1, x2)])


@binary(counted_rule)
def floor_divide(x1: Any, x2: Any) -> Any:
    """Quotient rounded down, element by element.

    >>> floor_divide([7, -7], 2)
    array([ 3, -4], dtype=int32)
    """
    return kernel.floor_divide(*counted(x1, x2))


@binary(counted_rule)
def mod(x1: Any, x2: Any) -> Any:
    """Remainder of `floor_divide`, which has the sign of the divisor.

    >>> mod([7, -7], 3)
    array([1, 2], dtype=int32)
    """
    return kernel.mod(*counted(x1, x2))


@binary(counted_rule)
def fmod(x1: Any, x2: Any) -> Any:
    """Remainder with the sign of the dividend.

    >>> fmod([7, -7], 3)
    array([ 1, -1], dtype=int32)
    """
    return kernel.fmod(*counted(x1, x2))


@binary(rules.counted)
def power(x1: Any, x2: Any) -> Any:
    """`x1` to the power `x2`, element by element.

    >>> power([1, 2, 3], 2)
    array([1, 4, 9], dtype=int32)
    """
    return kernel.power(*counted(x1, x2))


@binary(rules.divided)
def float_power(x1: Any, x2: Any) -> Any:
    """`x1` to the power `x2` in a float type, so that whole numbers may have negative exponents.

    >>> float_power([1, 2], -1)
    array([1. , 0.5], dtype=float32)
    """
    return kernel.power(*[as_inexact(x) for x in both_tensors(x1, x2)])


def _in_order(x1: Any, x2: Any) -> Any:
    x1, x2 = both_tensors(x1, x2)
    return ordered(x1), x2


@binary(ordered_rule)
def maximum(x1: Any, x2: Any) -> Any:
    """The larger of the inputs, element by element; NaN where one is NaN.

    >>> maximum([1, 5], 3)
    array([3, 5], dtype=int32)
    """
    return kernel.maximum(*_in_order(x1, x2))


@binary(ordered_rule)
def minimum(x1: Any, x2: Any) -> Any:
    """The smaller of the inputs, element by element; NaN where one is NaN.

    >>> minimum([1, 5], 3)
    array([1, 3], dtype=int32)
    """
    return kernel.minimum(*_in_order(x1, x2))


@binary(ordered_rule)
def fmax(x1: Any, x2: Any) -> Any:
    """The larger of the inputs, element by element; a number rather than NaN.

    >>> fmax([1.0, float("nan")], 3)
    array([3., 3.], dtype=float32)
    """
    return kernel.fmax(*_in_order(x1, x2))


@binary(ordered_rule)
def fmin(x1: Any, x2: Any) -> Any:
    """The smaller of the inputs, element by element; a number rather than NaN.

    >>> fmin([1.0, float("nan")], 3)
    array([1., 3.], dtype=float32)
    """
    return kernel.fmin(*_in_order(x1, x2))


# Floats pass as shapes, as in Keras, and are refused as numbers.
_divisor_rule = rules.refusing(rules.together, ("bool", *COMPLEX), "Cast to an int type first.")


def _whole(x1: Any, x2: Any) -> Any:
    x1, x2 = both_tensors(x1, x2)
    dtype = kernel.dtype_of(x1)
    if "int" not in dtype:  # not every framework looks
        raise DTypeError(f"Divisors are those of whole numbers, got {dtype}. Cast to an int type first.")
    return x1, x2


@binary(_divisor_rule)
def gcd(x1: Any, x2: Any) -> Any:
    """Greatest common divisor of whole numbers, element by element; not negative.

    Raises:
        DTypeError: the inputs aren't whole numbers.

    >>> gcd([12, 0], 18)
    array([ 6, 18], dtype=int32)
    """
    return kernel.gcd(*_whole(x1, x2))


@binary(_divisor_rule)
def lcm(x1: Any, x2: Any) -> Any:
    """Least common multiple of whole numbers, element by element; not negative.

    Raises:
        DTypeError: the inputs aren't whole numbers.

    >>> lcm([4, 0], 6)
    array([12,  0], dtype=int32)
    """
    return kernel.lcm(*_whole(x1, x2))


@binary(rules.ordered(rules.divided))
def heaviside(x1: Any, x2: Any) -> Any:
    """0 where `x1` is negative, 1 where it is positive, `x2` where it is 0.

    >>> heaviside([-1.0, 0.0, 2.0], 0.5)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return kernel.heaviside(*[as_real(x) for x in both_tensors(x1, x2)])


def divmod(x1: Any, x2: Any) -> tuple[Any, Any]:
    """The quotient rounded down and the remainder: `floor_divide` and `mod`.

    >>> divmod([7, -7], 3)
    (array([ 2, -3], dtype=int32), array([1, 2], dtype=int32))
    """
    return floor_divide(x1, x2), mod(x1, x2)


# Other names of the array API standard.
pow, remainder = power, mod
