"""Angles, and the functions of them, element by element."""

from __future__ import annotations

import functools
import math
from typing import Any

from kbridge.core.ops import rules
from kbridge.core.ops.conversions import as_inexact, as_real, real_tensors
from kbridge.core.ops.declare import kernel, op

binary = functools.partial(op, arrays=2, weak=True)
real_rule, pair_rule = rules.ordered(rules.floating), rules.ordered(rules.divided)


@op(rules.floating)
def sin(x: Any) -> Any:
    """Sine of an angle in radians.

    >>> sin([0.0, 0.5])
    array([0.        , 0.47942555], dtype=float32)
    """
    return kernel.sin(as_inexact(x))


@op(rules.floating)
def cos(x: Any) -> Any:
    """Cosine of an angle in radians.

    >>> cos([0.0, 0.5])
    array([1.        , 0.87758255], dtype=float32)
    """
    return kernel.cos(as_inexact(x))


@op(rules.floating)
def tan(x: Any) -> Any:
    """Tangent of an angle in radians.

    >>> tan([0.0, 0.5])
    array([0.       , 0.5463025], dtype=float32)
    """
    return kernel.tan(as_inexact(x))


@op(rules.floating)
def arcsin(x: Any) -> Any:
    """Angle in radians, between -pi/2 and pi/2, that has this sine.

    >>> arcsin([0.0, 1.0])
    array([0.       , 1.5707964], dtype=float32)
    """
    return kernel.arcsin(as_inexact(x))


@op(rules.floating)
def arccos(x: Any) -> Any:
    """Angle in radians, between 0 and pi, that has this cosine.

    >>> arccos([1.0, 0.0])
    array([0.       , 1.5707964], dtype=float32)
    """
    return kernel.arccos(as_inexact(x))


@op(rules.floating)
def arctan(x: Any) -> Any:
    """Angle in radians, between -pi/2 and pi/2, that has this tangent.

    >>> arctan([0.0, 1.0])
    array([0.       , 0.7853982], dtype=float32)
    """
    return kernel.arctan(as_inexact(x))


@op(rules.floating)
def sinh(x: Any) -> Any:
    """Hyperbolic sine.

    >>> sinh([0.0, 1.0])
    array([0.       , 1.1752012], dtype=float32)
    """
    return kernel.sinh(as_inexact(x))


@op(rules.floating)
def cosh(x: Any) -> Any:
    """Hyperbolic cosine.

    >>> cosh([0.0, 1.0])
    array([1.       , 1.5430807], dtype=float32)
    """
    return kernel.cosh(as_inexact(x))


@op(rules.floating)
def tanh(x: Any) -> Any:
    """Hyperbolic tangent.

    >>> tanh([0.0, 1.0])
    array([0.       , 0.7615942], dtype=float32)
    """
    return kernel.tanh(as_inexact(x))


@op(rules.floating)
def arcsinh(x: Any) -> Any:
    """Number that has this hyperbolic sine.

    >>> arcsinh([0.0, 1.0])
    array([0.       , 0.8813736], dtype=float32)
    """
    return kernel.arcsinh(as_inexact(x))


@op(rules.floating)
def arccosh(x: Any) -> Any:
    """Number, at least 0, that has this hyperbolic cosine.

    >>> arccosh([1.0, 2.0])
    array([0.      , 1.316958], dtype=float32)
    """
    return kernel.arccosh(as_inexact(x))


@op(rules.floating)
def arctanh(x: Any) -> Any:
    """Number that has this hyperbolic tangent.

    >>> arctanh([0.0, 0.5])
    array([0.        , 0.54930615], dtype=float32)
    """
    return kernel.arctanh(as_inexact(x))


@op(rules.floating)
def sinc(x: Any) -> Any:
    """sin(pi x) / (pi x), and 1 at 0.

    >>> sinc([0.0, 0.5])
    array([1.        , 0.63661975], dtype=float32)
    """
    return kernel.sinc(as_inexact(x))


@binary(pair_rule)
def arctan2(x1: Any, x2: Any) -> Any:
    """Angle in radians, between -pi and pi, of the point with height `x1` and breadth `x2`.

    >>> arctan2([1.0, 0.0], [0.0, -1.0])
    array([1.5707964, 3.1415927], dtype=float32)
    """
    return kernel.arctan2(*real_tensors(x1, x2))


@binary(pair_rule)
def hypot(x1: Any, x2: Any) -> Any:
    """sqrt(x1**2 + x2**2), without overflow.

    >>> hypot([3, 5], [4, 12])
    array([ 5., 13.], dtype=float32)
    """
    return kernel.hypot(*real_tensors(x1, x2))


def _scaled(x: Any, factor: float) -> Any:
    return kernel.multiply(x, kernel.weak_number(factor, kernel.dtype_of(x)))


@op(real_rule)
def deg2rad(x: Any) -> Any:
    """Degrees in radians.

    >>> deg2rad([0, 180])
    array([0.       , 3.1415927], dtype=float32)
    """
    return _scaled(as_real(x), math.pi / 180)


@op(real_rule)
def rad2deg(x: Any) -> Any:
    """Radians in degrees.

    >>> rad2deg([0.0, 1.0])
    array([ 0.     , 57.29578], dtype=float32)
    """
    return _scaled(as_real(x), 180 / math.pi)


# The names of the array API standard.
acos, acosh, asin, asinh, atan, atan2, atanh = arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh
# And NumPy's.
radians, degrees = deg2rad, rad2deg
