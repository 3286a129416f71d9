"""Ops on the bits of whole numbers."""

from __future__ import annotations

import functools
from typing import Any

from kbridge.core.ops import rules
from kbridge.core.ops.conversions import counted
from kbridge.core.ops.declare import kernel, op, promote
from kbridge.core.tensor.dtypes import COMPLEX, FLOAT
from kbridge.core.tensor.symbolic import KerasTensor


def whole(rule: Any) -> Any:
    """`rule`, for whole numbers and truth values."""
    return rules.refusing(rule, FLOAT + COMPLEX, "Bits are those of whole numbers: cast to an int type first.")


binary = functools.partial(op, arrays=2, weak=True)
one_rule, two_rule, shift_rule = whole(rules.same), whole(rules.together), whole(rules.counted)


@binary(two_rule)
def bitwise_and(x: Any, y: Any) -> Any:
    """Bits that are set in both inputs.

    >>> bitwise_and([12, 5], 10)
    array([8, 0], dtype=int32)
    """
    return kernel.bitwise_and(*promote(x, y))


@binary(two_rule)
def bitwise_or(x: Any, y: Any) -> Any:
    """Bits that are set in at least one of the inputs.

    >>> bitwise_or([12, 5], 10)
    array([14, 15], dtype=int32)
    """
    return kernel.bitwise_or(*promote(x, y))


@binary(two_rule)
def bitwise_xor(x: Any, y: Any) -> Any:
    """Bits that are set in exactly one of the inputs.

    >>> bitwise_xor([12, 5], 10)
    array([ 6, 15], dtype=int32)
    """
    return kernel.bitwise_xor(*promote(x, y))


@op(one_rule)
def bitwise_not(x: Any) -> Any:
    """All bits turned over.

    >>> bitwise_not([0, 5])
    array([-1, -6], dtype=int32)
    """
    return kernel.bitwise_not(x)


@op(one_rule)
def bitwise_invert(x: Any) -> Any:
    """The same as `bitwise_not`.

    >>> bitwise_invert([True, False])
    array([False,  True])
    """
    return kernel.bitwise_not(x)


@binary(shift_rule)
def bitwise_left_shift(x: Any, y: Any) -> Any:
    """The bits of `x`, moved `y` places up; `y` is less than the number of bits.

    >>> bitwise_left_shift([1, 3], 2)
    array([ 4, 12], dtype=int32)
    """
    return kernel.bitwise_left_shift(*counted(x, y))


@binary(shift_rule)
def left_shift(x: Any, y: Any) -> Any:
    """The same as `bitwise_left_shift`.

    >>> left_shift(1, [0, 1, 2])
    array([1, 2, 4], dtype=int32)
    """
    return kernel.bitwise_left_shift(*counted(x, y))


@binary(shift_rule)
def bitwise_right_shift(x: Any, y: Any) -> Any:
    """The bits of `x`, moved `y` places down, the sign kept; `y` is less than the number of bits.

    >>> bitwise_right_shift([12, -8], 2)
    array([ 3, -2], dtype=int32)
    """
    return kernel.bitwise_right_shift(*counted(x, y))


@binary(shift_rule)
def right_shift(x: Any, y: Any) -> Any:
    """The same as `bitwise_right_shift`.

    >>> right_shift(12, [0, 1, 2])
    array([12,  6,  3], dtype=int32)
    """
    return kernel.bitwise_right_shift(*counted(x, y))


count_rule = whole(lambda x: KerasTensor(x.shape, "uint8"))


@op(count_rule)
def bitwise_count(x: Any) -> Any:
    """How many bits of the absolute value are set, as uint8.

    >>> bitwise_count([0, 7, -7])
    array([0, 3, 3], dtype=uint8)
    """
    if kernel.dtype_of(x) in FLOAT + COMPLEX:
        count_rule(KerasTensor((), kernel.dtype_of(x)))  # torch counts by arithmetic, which floats know too
    return kernel.bitwise_count(x)
