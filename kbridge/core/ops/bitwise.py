"""Ops on the bits of whole numbers."""

from __future__ import annotations

import functools
from typing import Any

from kbridge.core.context import local
from kbridge.core.errors import DTypeError
from kbridge.core.ops import rules
from kbridge.core.ops.conversions import counted, ordered
from kbridge.core.ops.declare import NUMBERS, kernel, op, promote
from kbridge.core.tensor.dtypes import COMPLEX
from kbridge.core.tensor.symbolic import KerasTensor

ADVICE = "Bits are those of whole numbers: cast to an int type first."


def whole(rule: Any) -> Any:
    """`rule`, for anything but complex numbers. Floats pass as shapes, as in Keras, and are refused as numbers."""
    return rules.refusing(rule, COMPLEX, ADVICE)


binary = functools.partial(op, arrays=2, weak=True)
one_rule, two_rule, shift_rule = whole(rules.same), whole(rules.together), whole(rules.counted)


def _bits(x: Any, y: Any = None) -> tuple[Any, Any]:
    """The inputs, unless they hold fractions. Not every framework looks."""
    tensor = y if type(x) in NUMBERS else x
    if tensor.dtype in local.running.float_dtypes:
        raise DTypeError(f"There is no answer for elements of type {kernel.dtype_of(tensor)}. {ADVICE}")
    return x, y


@binary(two_rule)
def bitwise_and(x: Any, y: Any) -> Any:
    """Bits that are set in both inputs.

    Raises:
        DTypeError: the inputs hold fractions.

    >>> bitwise_and([12, 5], 10)
    array([8, 0], dtype=int32)
    """
    return kernel.bitwise_and(*_bits(*promote(x, y)))


@binary(two_rule)
def bitwise_or(x: Any, y: Any) -> Any:
    """Bits that are set in at least one of the inputs.

    Raises:
        DTypeError: the inputs hold fractions.

    >>> bitwise_or([12, 5], 10)
    array([14, 15], dtype=int32)
    """
    return kernel.bitwise_or(*_bits(*promote(x, y)))


@binary(two_rule)
def bitwise_xor(x: Any, y: Any) -> Any:
    """Bits that are set in exactly one of the inputs.

    Raises:
        DTypeError: the inputs hold fractions.

    >>> bitwise_xor([12, 5], 10)
    array([ 6, 15], dtype=int32)
    """
    return kernel.bitwise_xor(*_bits(*promote(x, y)))


@op(one_rule)
def bitwise_not(x: Any) -> Any:
    """All bits turned over.

    Raises:
        DTypeError: the inputs hold fractions.

    >>> bitwise_not([0, 5])
    array([-1, -6], dtype=int32)
    """
    return kernel.bitwise_not(_bits(x)[0])


@op(one_rule)
def bitwise_invert(x: Any) -> Any:
    """The same as `bitwise_not`.

    >>> bitwise_invert([True, False])
    array([False,  True])
    """
    return kernel.bitwise_not(_bits(x)[0])


@binary(shift_rule)
def bitwise_left_shift(x: Any, y: Any) -> Any:
    """The bits of `x`, moved `y` places up; `y` is less than the number of bits.

    Raises:
        DTypeError: the inputs hold fractions.

    >>> bitwise_left_shift([1, 3], 2)
    array([ 4, 12], dtype=int32)
    """
    return kernel.bitwise_left_shift(*_bits(*counted(x, y)))


@binary(shift_rule)
def left_shift(x: Any, y: Any) -> Any:
    """The same as `bitwise_left_shift`.

    >>> left_shift(1, [0, 1, 2])
    array([1, 2, 4], dtype=int32)
    """
    return kernel.bitwise_left_shift(*_bits(*counted(x, y)))


@binary(shift_rule)
def bitwise_right_shift(x: Any, y: Any) -> Any:
    """The bits of `x`, moved `y` places down, the sign kept; `y` is less than the number of bits.

    Raises:
        DTypeError: the inputs hold fractions.

    >>> bitwise_right_shift([12, -8], 2)
    array([ 3, -2], dtype=int32)
    """
    return kernel.bitwise_right_shift(*_bits(*counted(x, y)))


@binary(shift_rule)
def right_shift(x: Any, y: Any) -> Any:
    """The same as `bitwise_right_shift`.

    >>> right_shift(12, [0, 1, 2])
    array([12,  6,  3], dtype=int32)
    """
    return kernel.bitwise_right_shift(*_bits(*counted(x, y)))


@op(whole(lambda x: KerasTensor(x.shape, "uint8")))
def bitwise_count(x: Any) -> Any:
    """How many bits of the absolute value are set, as uint8.

    Raises:
        DTypeError: the inputs hold fractions.

    >>> bitwise_count([0, 7, -7])
    array([0, 3, 3], dtype=uint8)
    """
    return kernel.bitwise_count(_bits(ordered(x))[0])


# NumPy's name.
invert = bitwise_not
