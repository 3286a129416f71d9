"""Kernels that treat each element alone."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

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

add, subtract, multiply, divide = np.add, np.subtract, np.multiply, np.divide
floor_divide, mod, fmod, power = np.floor_divide, np.mod, np.fmod, np.power
maximum, minimum, fmax, fmin, gcd, lcm = np.maximum, np.minimum, np.fmax, np.fmin, np.gcd, np.lcm
equal, not_equal, less, less_equal = np.equal, np.not_equal, np.less, np.less_equal
greater, greater_equal = np.greater, np.greater_equal
logical_and, logical_or, logical_not = np.logical_and, np.logical_or, np.logical_not
negative, absolute, sign, sqrt, cbrt = np.negative, np.absolute, np.sign, np.sqrt, np.cbrt
exp, expm1, log, log1p, log2, log10 = np.exp, np.expm1, np.log, np.log1p, np.log2, np.log10
logaddexp, logaddexp2, hypot, heaviside = np.logaddexp, np.logaddexp2, np.hypot, np.heaviside
sin, cos, tan, sinh, cosh, tanh = np.sin, np.cos, np.tan, np.sinh, np.cosh, np.tanh
arcsin, arccos, arctan, arctan2 = np.arcsin, np.arccos, np.arctan, np.arctan2
arcsinh, arccosh, arctanh = np.arcsinh, np.arccosh, np.arctanh
floor, ceil, round, trunc = np.floor, np.ceil, np.round, np.trunc
isnan, isinf, isfinite, signbit, where = np.isnan, np.isinf, np.isfinite, np.signbit, np.where
conjugate, real, imag, ldexp, nextafter, copysign = np.conjugate, np.real, np.imag, np.ldexp, np.nextafter, np.copysign

_erf = np.vectorize(math.erf, otypes=["float64"])
_erfc = np.vectorize(math.erfc, otypes=["float64"])


def erf(x: Any) -> Any:
    return _erf(x).astype(x.dtype)


def erfc(x: Any) -> Any:
    return _erfc(x).astype(x.dtype)


# Polynomials for the middle and for the tails: M. Giles, "Approximating the erfinv function" (2012).
_MIDDLE = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164,
    0.246640727, 1.50140941,
)  # fmt: skip
_TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
    1.00167406, 2.83297682,
)  # fmt: skip


def erfinv(x: Any) -> Any:
    wide = np.abs(x.astype("float64"))
    w = -np.log((1 - wide) * (1 + wide))
    z = wide * np.where(w < 5, np.polyval(_MIDDLE, w - 2.5), np.polyval(_TAIL, np.sqrt(w) - 3))
    for _ in range(2):  # Newton's, from seven digits to all; the complement keeps them where erf is almost 1
        away = np.where(wide < 0.5, _erf(z) - wide, (1 - wide) - _erfc(z))
        z = z - away * np.exp(z * z) * (math.sqrt(math.pi) / 2)
    return np.copysign(np.where(wide == 1, np.inf, z), x).astype(x.dtype)


def i0(x: Any) -> Any:
    return np.reshape(np.i0(x.astype("float64")), np.shape(x)).astype(x.dtype)


def sinc(x: Any) -> Any:
    angle = np.where(x == 0, 1, x) * np.asarray(math.pi, x.dtype)  # np.sinc's own 1e-20 is 0 in float16
    return np.where(x == 0, np.ones((), x.dtype), np.sin(angle) / angle)


def exp2(x: Any) -> Any:
    return np.power(np.asarray(2, x.dtype), x) if x.dtype.kind == "c" else np.exp2(x)


def divide_no_nan(x1: Any, x2: Any) -> Any:
    return np.where(x2 == 0, np.zeros((), x2.dtype), x1 / np.where(x2 == 0, np.ones((), x2.dtype), x2))


def nan_to_num(x: Any, nan: float, posinf: float, neginf: float) -> Any:
    if x.dtype == ml_dtypes.bfloat16:  # np.finfo doesn't know it
        return nan_to_num(x.astype("float32"), nan, posinf, neginf).astype(x.dtype)
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def rsqrt(x: Any) -> Any:
    return (1 / np.sqrt(x)).astype(x.dtype)


def relu(x: Any) -> Any:
    if x.dtype.kind in "bc":  # torch and TensorFlow refuse these by themselves
        raise DTypeError(f"there is no relu of {x.dtype}. Cast it to a type with a sign first.")
    return np.maximum(x, np.zeros((), x.dtype))


def elu(x: Any) -> Any:
    return np.where(x > 0, x, np.expm1(x))


def softplus(x: Any) -> Any:
    return np.logaddexp(x, np.zeros((), x.dtype))


def sigmoid(x: Any) -> Any:
    small = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(x.dtype)
