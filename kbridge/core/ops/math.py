"""Exponentials, logarithms, roots, special functions, and the parts of numbers, element by element."""

from __future__ import annotations

import functools
import math
from typing import Any

from kbridge.core.errors import DTypeError
from kbridge.core.ops import rules
from kbridge.core.ops.conversions import as_inexact, as_real, real_tensors
from kbridge.core.ops.declare import kernel, op
from kbridge.core.tensor.dtypes import COMPLEX, FLOAT, float_result, parts_result
from kbridge.core.tensor.shapes import broadcast_shape
from kbridge.core.tensor.symbolic import KerasTensor

binary = functools.partial(op, arrays=2, weak=True)
real_rule, pair_rule = rules.ordered(rules.floating), rules.ordered(rules.divided)


@op(rules.floating)
def exp(x: Any) -> Any:
    """e to the power of the input.

    >>> exp([0.0, 1.0])
    array([1.      , 2.718282], dtype=float32)
    """
    return kernel.exp(as_inexact(x))


@op(rules.floating)
def exp2(x: Any) -> Any:
    """2 to the power of the input.

    >>> exp2([0.0, 3.0])
    array([1., 8.], dtype=float32)
    """
    return kernel.exp2(as_inexact(x))


@op(rules.floating)
def expm1(x: Any) -> Any:
    """exp(x) - 1, exact for small x.

    >>> expm1([0.0, 1e-7])
    array([0.0000000e+00, 1.0000001e-07], dtype=float32)
    """
    return kernel.expm1(as_inexact(x))


@op(rules.floating)
def log(x: Any) -> Any:
    """Natural logarithm.

    >>> log([1.0, 2.718281828])
    array([0., 1.], dtype=float32)
    """
    return kernel.log(as_inexact(x))


@op(rules.floating)
def log2(x: Any) -> Any:
    """Logarithm to base 2.

    >>> log2([1, 8])
    array([0., 3.], dtype=float32)
    """
    return kernel.log2(as_inexact(x))


@op(rules.floating)
def log10(x: Any) -> Any:
    """Logarithm to base 10.

    >>> log10([1, 1000])
    array([0.       , 3.0000002], dtype=float32)
    """
    return kernel.log10(as_inexact(x))


@op(rules.floating)
def log1p(x: Any) -> Any:
    """log(1 + x), exact for small x.

    >>> log1p([0.0, 1e-7])
    array([0.0000000e+00, 9.9999994e-08], dtype=float32)
    """
    return kernel.log1p(as_inexact(x))


@op(rules.floating)
def sqrt(x: Any) -> Any:
    """Square root.

    >>> sqrt([4, 9])
    array([2., 3.], dtype=float32)
    """
    return kernel.sqrt(as_inexact(x))


@op(rules.floating)
def rsqrt(x: Any) -> Any:
    """One over the square root.

    >>> rsqrt([4, 16])
    array([0.5 , 0.25], dtype=float32)
    """
    return kernel.rsqrt(as_inexact(x))


@op(real_rule)
def cbrt(x: Any) -> Any:
    """Cube root, negative for negative numbers.

    >>> cbrt([8.0, -27.0])
    array([ 2.       , -2.9999998], dtype=float32)
    """
    return kernel.cbrt(as_real(x))


@op(real_rule)
def erf(x: Any) -> Any:
    """The error function: P(|X| <= x) for a normal X of variance 1/2.

    >>> erf([0.0, 1.0])
    array([0.       , 0.8427008], dtype=float32)
    """
    return kernel.erf(as_real(x))


@op(real_rule)
def erfc(x: Any) -> Any:
    """1 - erf(x), exact where erf is almost 1.

    >>> erfc([0.0, 3.0])
    array([1.0000000e+00, 2.2090497e-05], dtype=float32)
    """
    return kernel.erfc(as_real(x))


@op(real_rule)
def erfinv(x: Any) -> Any:
    """The number whose erf is the input, which lies between -1 and 1.

    >>> erfinv([0.0, 0.5])
    array([0.        , 0.47693628], dtype=float32)
    """
    return kernel.erfinv(as_real(x))


@op(real_rule)
def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind, of order 0.

    >>> i0([0.0, 1.0])
    array([1.       , 1.2660658], dtype=float32)
    """
    return kernel.i0(as_real(x))


@binary(pair_rule)
def logaddexp(x1: Any, x2: Any) -> Any:
    """log(exp(x1) + exp(x2)), without overflow.

    >>> logaddexp([0.0, 1000.0], [0.0, 0.0])
    array([6.931472e-01, 1.000000e+03], dtype=float32)
    """
    return kernel.logaddexp(*real_tensors(x1, x2))


@binary(pair_rule)
def logaddexp2(x1: Any, x2: Any) -> Any:
    """log2(2**x1 + 2**x2), without overflow.

    >>> logaddexp2([0.0, 1000.0], [0.0, 1000.0])
    array([1.000e+00, 1.001e+03], dtype=float32)
    """
    return kernel.logaddexp2(*real_tensors(x1, x2))


# --- complex numbers ------------------------------------------------------------------------------


def _part_rule(x: KerasTensor) -> KerasTensor:
    return KerasTensor(x.shape, parts_result(x.dtype))


@op(_part_rule)
def real(x: Any) -> Any:
    """The real part; a real input as it is.

    >>> real([1 + 2j, 3 - 4j])
    array([1., 3.], dtype=float32)
    """
    return kernel.real(x) if kernel.dtype_of(x) in COMPLEX else x


@op(_part_rule)
def imag(x: Any) -> Any:
    """The imaginary part; zeros for a real input.

    >>> imag([1 + 2j, 3 - 4j])
    array([ 2., -4.], dtype=float32)
    """
    dtype = kernel.dtype_of(x)
    return kernel.imag(x) if dtype in COMPLEX else kernel.full_like(x, 0, dtype)


@op(rules.same)
def conjugate(x: Any) -> Any:
    """The complex conjugate: the imaginary part with its sign turned.

    >>> conjugate([1 + 2j, 3 - 4j])
    array([1.-2.j, 3.+4.j], dtype=complex64)
    """
    return kernel.conjugate(x) if kernel.dtype_of(x) in COMPLEX else x


@op(rules.same)
def conj(x: Any) -> Any:
    """The same as `conjugate`.

    >>> conj([1, 2])
    array([1, 2], dtype=int32)
    """
    return kernel.conjugate(x) if kernel.dtype_of(x) in COMPLEX else x


@op(lambda x: KerasTensor(x.shape, parts_result(float_result(x.dtype))))
def angle(x: Any) -> Any:
    """Angle of a complex number in radians, between -pi and pi: 0 or pi for a real one.

    >>> angle([1.0, -1.0])
    array([0.       , 3.1415927], dtype=float32)
    """
    x = as_inexact(x)
    return kernel.arctan2(imag(x), real(x))


# --- numbers and their representation -------------------------------------------------------------


def _ldexp_rule(x1: KerasTensor, x2: KerasTensor) -> KerasTensor:  # floats pass as shapes, as in Keras
    return KerasTensor(broadcast_shape(x1.shape, x2.shape), real_rule(x1).dtype)


@op(_ldexp_rule, arrays=2)
def ldexp(x1: Any, x2: Any) -> Any:
    """x1 * 2**x2, for whole numbers `x2`, in the float type of `x1`.

    Raises:
        DTypeError: `x2` isn't made of whole numbers.

    >>> ldexp([1.0, 3.0], [4, -1])
    array([16. ,  1.5], dtype=float32)
    """
    dtype = kernel.dtype_of(x2)
    if dtype in FLOAT + COMPLEX:
        raise DTypeError(f"Exponents are whole numbers, got {dtype}. Cast `x2`, or use power.")
    return kernel.ldexp(as_real(x1), kernel.cast(x2, "int32"))


@binary(pair_rule)
def nextafter(x1: Any, x2: Any) -> Any:
    """The number next to `x1` towards `x2` that the type can hold.

    >>> nextafter([1.0, 0.0], [2.0, 1.0])
    array([1.0000001e+00, 1.4012985e-45], dtype=float32)
    """
    return kernel.nextafter(*real_tensors(x1, x2))


@op(real_rule)
def spacing(x: Any) -> Any:
    """How far it is from `x` to the next number that the type can hold, away from 0; with the sign of `x`.

    >>> spacing([1.0, -1.0])
    array([ 1.1920929e-07, -1.1920929e-07], dtype=float32)
    """
    x = as_real(x)
    far = kernel.full_like(x, math.inf, kernel.dtype_of(x))
    return kernel.subtract(kernel.nextafter(x, kernel.copysign(far, x)), x)


@op(lambda x: (real_rule(x), real_rule(x)))
def modf(x: Any) -> tuple[Any, Any]:
    """The fraction and the whole part of each number, both with its sign, in a float type.

    >>> modf([1.5, -2.0])
    (array([ 0.5, -0. ], dtype=float32), array([ 1., -2.], dtype=float32))
    """
    x = as_real(x)
    whole, none = kernel.trunc(x), kernel.full_like(x, 0, kernel.dtype_of(x))
    rest = kernel.where(kernel.isinf(x), none, kernel.subtract(x, whole))
    return kernel.copysign(rest, x), whole


@binary(pair_rule)
def copysign(x1: Any, x2: Any) -> Any:
    """The size of `x1` with the sign of `x2`, in a float type.

    >>> copysign([1.0, -2.0], [-0.0, 3.0])
    array([-1.,  2.], dtype=float32)
    """
    return kernel.copysign(*real_tensors(x1, x2))
