"""Ops that ask something of each element: comparisons, logic, and what kind of number it is."""

from __future__ import annotations

import functools
import math
from typing import Any

from kbridge.core.ops import rules
from kbridge.core.ops.conversions import as_bool, as_inexact, as_real, both_tensors, in_order
from kbridge.core.ops.declare import kernel, op, promote
from kbridge.core.tensor.dtypes import COMPLEX
from kbridge.core.tensor.symbolic import KerasTensor

binary = functools.partial(op, arrays=2, weak=True)
order_rule = rules.ordered(rules.compared)


@binary(rules.compared)
def equal(x1: Any, x2: Any) -> Any:
    """Where the inputs are equal.

    >>> equal([1, 2, 3], [1, 0, 3])
    array([ True, False,  True])
    """
    return kernel.equal(*promote(x1, x2))


@binary(rules.compared)
def not_equal(x1: Any, x2: Any) -> Any:
    """Where the inputs differ.

    >>> not_equal([1, 2, 3], [1, 0, 3])
    array([False,  True, False])
    """
    return kernel.not_equal(*promote(x1, x2))


@binary(order_rule)
def less(x1: Any, x2: Any) -> Any:
    """Where `x1 < x2`.

    >>> less([1, 2, 3], 2)
    array([ True, False, False])
    """
    return kernel.less(*in_order(x1, x2))


@binary(order_rule)
def less_equal(x1: Any, x2: Any) -> Any:
    """Where `x1 <= x2`.

    >>> less_equal([1, 2, 3], 2)
    array([ True,  True, False])
    """
    return kernel.less_equal(*in_order(x1, x2))


@binary(order_rule)
def greater(x1: Any, x2: Any) -> Any:
    """Where `x1 > x2`.

    >>> greater([1, 2, 3], 2)
    array([False, False,  True])
    """
    return kernel.greater(*in_order(x1, x2))


@binary(order_rule)
def greater_equal(x1: Any, x2: Any) -> Any:
    """Where `x1 >= x2`.

    >>> greater_equal([1, 2, 3], 2)
    array([False,  True,  True])
    """
    return kernel.greater_equal(*in_order(x1, x2))


@op(rules.compared, arrays=2)
def logical_and(x1: Any, x2: Any) -> Any:
    """Where both inputs are true.

    >>> logical_and([True, True, False], [1, 0, 0])
    array([ True, False, False])
    """
    return kernel.logical_and(as_bool(x1), as_bool(x2))


@op(rules.compared, arrays=2)
def logical_or(x1: Any, x2: Any) -> Any:
    """Where at least one of the inputs is true.

    >>> logical_or([True, True, False], [1, 0, 0])
    array([ True,  True, False])
    """
    return kernel.logical_or(as_bool(x1), as_bool(x2))


@op(rules.compared, arrays=2)
def logical_xor(x1: Any, x2: Any) -> Any:
    """Where exactly one of the inputs is true.

    >>> logical_xor([True, True, False], [1, 0, 0])
    array([False,  True, False])
    """
    return kernel.not_equal(as_bool(x1), as_bool(x2))


@op(rules.boolean)
def logical_not(x: Any) -> Any:
    """Where the input is false.

    >>> logical_not([0, 1, 2])
    array([ True, False, False])
    """
    return kernel.logical_not(as_bool(x))


@op(rules.boolean)
def isnan(x: Any) -> Any:
    """Where the input is not a number.

    >>> isnan([1.0, float("nan")])
    array([False,  True])
    """
    return kernel.isnan(as_inexact(x))


@op(rules.boolean)
def isinf(x: Any) -> Any:
    """Where the input is infinite.

    >>> isinf([1.0, float("inf"), -float("inf")])
    array([False,  True,  True])
    """
    return kernel.isinf(as_inexact(x))


@op(rules.boolean)
def isfinite(x: Any) -> Any:
    """Where the input is neither infinite nor NaN.

    >>> isfinite([1.0, float("inf"), float("nan")])
    array([ True, False, False])
    """
    return kernel.isfinite(as_inexact(x))


@op(rules.ordered(rules.boolean))
def isposinf(x: Any) -> Any:
    """Where the input is infinite and positive.

    >>> isposinf([1.0, float("inf"), -float("inf")])
    array([False,  True, False])
    """
    return equal(as_real(x), math.inf)


@op(rules.ordered(rules.boolean))
def isneginf(x: Any) -> Any:
    """Where the input is infinite and negative.

    >>> isneginf([1.0, float("inf"), -float("inf")])
    array([False, False,  True])
    """
    return equal(as_real(x), -math.inf)


@op(rules.boolean)
def isreal(x: Any) -> Any:
    """Where the input has no imaginary part.

    >>> isreal([1 + 2j, 3 + 0j])
    array([False,  True])
    """
    if kernel.dtype_of(x) in COMPLEX:
        return equal(kernel.imag(x), 0.0)
    return kernel.full_like(x, True, "bool")


@op(rules.boolean)
def iscomplex(x: Any) -> Any:
    """Where the input has an imaginary part.

    >>> iscomplex([1 + 2j, 3 + 0j])
    array([ True, False])
    """
    return kernel.logical_not(isreal(x))


@op(rules.ordered(rules.boolean))
def signbit(x: Any) -> Any:
    """Where the sign is a minus; -0.0 and NaN have one too.

    >>> signbit([-1.0, -0.0, 2.0])
    array([ True,  True, False])
    """
    return kernel.signbit(as_real(x))


def _close_rule(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> KerasTensor:
    return rules.compared(x1, x2)


@binary(_close_rule)
def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Where `|x1 - x2| <= atol + rtol * |x2|`, or both are the same infinity.

    Args:
        x1, x2: numbers, or tensors that broadcast.
        rtol: the room, as a share of `x2`.
        atol: the room there is in any case.
        equal_nan: whether two NaNs are close.

    >>> isclose([1.0, 100.0, float("nan")], [1.000001, 101.0, float("nan")], equal_nan=True)
    array([ True, False,  True])
    """
    x1, x2 = [as_inexact(x) for x in both_tensors(x1, x2)]
    size = kernel.absolute(x2)
    dtype = kernel.dtype_of(size)
    room = kernel.add(kernel.multiply(size, kernel.weak_number(rtol, dtype)), kernel.weak_number(atol, dtype))
    near = kernel.less_equal(kernel.absolute(kernel.subtract(x1, x2)), room)
    near = kernel.logical_and(near, kernel.isfinite(x2))  # everything is within infinity of infinity
    near = kernel.logical_or(near, kernel.equal(x1, x2))
    return kernel.logical_or(near, kernel.logical_and(kernel.isnan(x1), kernel.isnan(x2))) if equal_nan else near


@binary(lambda *args, **kwargs: KerasTensor((), _close_rule(*args, **kwargs).dtype))
def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether all elements are close, as `isclose` says: a single truth value.

    >>> allclose([1.0, 2.0], [1.0, 2.000001])
    np.True_
    """
    near = isclose(x1, x2, rtol, atol, equal_nan)
    return kernel.reduce_all(near, tuple(range(len(near.shape))), False)


def _alike(x1: Any, x2: Any) -> bool:
    sizes = zip(x1.shape, x2.shape, strict=False)
    return len(x1.shape) == len(x2.shape) and all(a == b or None in (a, b) for a, b in sizes)


def _equal_rule(x1: KerasTensor, x2: KerasTensor, equal_nan: bool = False) -> KerasTensor:
    return rules.compared(KerasTensor((), x1.dtype), KerasTensor((), x2.dtype))


@op(_equal_rule, arrays=2)
def array_equal(x1: Any, x2: Any, equal_nan: bool = False) -> Any:
    """Whether two tensors have one shape and the same elements: a single truth value.

    `equal_nan` says whether two NaNs are the same.

    >>> array_equal([1, 2], [1, 2]), array_equal([1, 2], [[1, 2]])
    (np.True_, array(False))
    """
    if not _alike(x1, x2):
        return kernel.full((), False, "bool")
    same = equal(x1, x2)
    if equal_nan:
        same = kernel.logical_or(same, kernel.logical_and(isnan(x1), isnan(x2)))
    return kernel.reduce_all(same, tuple(range(len(same.shape))), False)


@op(lambda x1, x2: KerasTensor((), rules.compared(x1, x2).dtype), arrays=2)
def array_equiv(x1: Any, x2: Any) -> Any:
    """Whether two tensors, which broadcast, have the same elements: a single truth value.

    >>> array_equiv([1, 2], [[1, 2], [1, 2]])
    np.True_
    """
    same = equal(x1, x2)
    return kernel.reduce_all(same, tuple(range(len(same.shape))), False)
