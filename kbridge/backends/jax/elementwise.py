"""Kernels that treat each element alone: JAX's own."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kbridge.backends.jax.arrays import compiled
from kbridge.core.errors import DTypeError

__all__ = [
    "absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "ceil",
    "conjugate", "copysign", "cos", "cosh", "divide", "divide_no_nan", "elu", "equal", "erf", "erfc", "erfinv", "exp",
    "exp2", "expm1", "floor", "floor_divide", "fmax", "fmin", "fmod", "gcd", "greater", "greater_equal", "heaviside",
    "hypot", "i0", "imag", "isfinite", "isinf", "isnan", "lcm", "ldexp", "less", "less_equal", "log", "log1p", "log2",
    "log10", "logaddexp", "logaddexp2", "logical_and", "logical_not", "logical_or", "maximum", "minimum", "mod",
    "multiply", "nan_to_num", "negative", "nextafter", "not_equal", "power", "real", "relu", "round", "rsqrt",
    "sigmoid", "sign", "signbit", "sin", "sinc", "sinh", "softplus", "sqrt", "subtract", "tan", "tanh", "trunc",
    "where",
]  # fmt: skip

add, subtract, multiply, divide = jnp.add, jnp.subtract, jnp.multiply, jnp.divide
floor_divide, mod, fmod, power = jnp.floor_divide, jnp.mod, jnp.fmod, jnp.power
maximum, minimum, fmax, fmin = jnp.maximum, jnp.minimum, jnp.fmax, jnp.fmin
gcd, lcm, hypot, heaviside = jnp.gcd, jnp.lcm, jnp.hypot, jnp.heaviside
equal, not_equal, less, less_equal = jnp.equal, jnp.not_equal, jnp.less, jnp.less_equal
greater, greater_equal = jnp.greater, jnp.greater_equal
logical_and, logical_or, logical_not = jnp.logical_and, jnp.logical_or, jnp.logical_not
negative, absolute, sign, exp, expm1 = jnp.negative, jnp.absolute, jnp.sign, jnp.exp, jnp.expm1
log2, log10, logaddexp, logaddexp2 = jnp.log2, jnp.log10, jnp.logaddexp, jnp.logaddexp2
log, log1p, sqrt, sin, cos, tanh = jnp.log, jnp.log1p, jnp.sqrt, jnp.sin, jnp.cos, jnp.tanh
tan, sinh, cosh, arcsin, arccos, arctan = jnp.tan, jnp.sinh, jnp.cosh, jnp.arcsin, jnp.arccos, jnp.arctan
arctan2, arcsinh, arccosh, arctanh = jnp.arctan2, jnp.arcsinh, jnp.arccosh, jnp.arctanh
cbrt, ldexp, nextafter, copysign = jnp.cbrt, jnp.ldexp, jnp.nextafter, jnp.copysign
floor, ceil, round, trunc = jnp.floor, jnp.ceil, compiled(jnp.round), jnp.trunc
isnan, isinf, isfinite, where = jnp.isnan, jnp.isinf, jnp.isfinite, compiled(jnp.where)
conjugate, real, imag, signbit = jnp.conjugate, jnp.real, jnp.imag, jnp.signbit
rsqrt, erf, sigmoid = compiled(lax.rsqrt), compiled(lax.erf), compiled(lax.logistic)
erfc, erfinv, i0, sinc = compiled(lax.erfc), compiled(lax.erf_inv), compiled(jnp.i0), compiled(jnp.sinc)
elu, softplus = compiled(jax.nn.elu), compiled(jax.nn.softplus)


@compiled
def relu(x: Any) -> Any:
    if x.dtype == bool or jnp.iscomplexobj(x):  # torch and TensorFlow refuse these by themselves
        raise DTypeError(f"there is no relu of {x.dtype}. Cast it to a type with a sign first.")
    return jax.nn.relu(x)  # its gradient at 0 is 0, as in torch and TensorFlow; maximum's is a half


def _exp2(x: Any) -> Any:
    if x.dtype.itemsize == 2:  # XLA rounds x * log(2) to the type before it takes exp: bfloat16 is 5% off near 20
        return jnp.exp2(x.astype("float32")).astype(x.dtype)
    return jnp.exp2(x)


def _divide_no_nan(x1: Any, x2: Any) -> Any:
    return jnp.where(x2 == 0, 0, x1 / jnp.where(x2 == 0, 1, x2))  # twice: else the gradient is NaN


def _nan_to_num(x: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
    return jnp.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


exp2, divide_no_nan, nan_to_num = compiled(_exp2), compiled(_divide_no_nan), compiled(_nan_to_num)
