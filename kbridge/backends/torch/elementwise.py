"""Kernels that treat each element alone: torch's own, but for the names below."""

from __future__ import annotations

from typing import Any

import torch

from kbridge.backends.torch.unsigned import (
    UNSIGNED,
    back_in_type,
    divisor,
    in_order,
    moved,
    multiple,
    quotient,
    raised,
    remainder,
)
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

NUMBERS = frozenset({bool, int, float, complex})


def two(function: Any, of_uint64: Any = None) -> Any:
    """`function`, for the unsigned types too, where int64 gives the same. Numbers may stand for one of the tensors.

    `of_uint64` takes its place where it doesn't.
    """

    def call(x1: Any, x2: Any) -> Any:
        dtype = (x2 if type(x1) in NUMBERS else x1).dtype
        if dtype not in UNSIGNED:
            return function(x1, x2)
        x1, x2 = [_tensor(x, dtype).to(torch.int64) for x in (x1, x2)]
        return (of_uint64 if of_uint64 and dtype == torch.uint64 else function)(x1, x2).to(dtype)

    return call


def _tensor(x: Any, dtype: Any) -> Any:
    return torch.as_tensor(x, dtype=dtype) if type(x) in NUMBERS else x


def _number_first(function: Any) -> Any:
    """`function`, which wants the tensor first: torch's comparisons do."""

    def call(x1: Any, x2: Any) -> Any:
        return function(torch.as_tensor(x1, dtype=x2.dtype) if type(x1) in NUMBERS else x1, x2)

    return call


def _by_order(function: Any) -> Any:
    """`function`, which looks at the order of its arguments."""

    def call(x1: Any, x2: Any) -> Any:
        dtype = (x2 if type(x1) in NUMBERS else x1).dtype
        if dtype not in UNSIGNED:
            return function(x1, x2)
        y = function(*[in_order(_tensor(x, dtype)) for x in (x1, x2)])
        return y if y.dtype == torch.bool else back_in_type(y, dtype)

    return call


add, multiply, divide, where = two(torch.add), torch.multiply, torch.divide, torch.where
subtract, power = two(_number_first(torch.subtract)), two(torch.pow, raised)
floor_divide = two(_number_first(torch.floor_divide), quotient)
mod, fmod = two(torch.remainder, remainder), two(_number_first(torch.fmod), remainder)
maximum, minimum = _by_order(torch.maximum), _by_order(torch.minimum)
fmax, fmin = _by_order(torch.fmax), _by_order(torch.fmin)
gcd, lcm = two(torch.gcd, divisor), two(torch.lcm, multiple)
equal, not_equal = _by_order(_number_first(torch.eq)), _by_order(_number_first(torch.ne))
less, less_equal = _by_order(_number_first(torch.lt)), _by_order(_number_first(torch.le))
greater, greater_equal = _by_order(_number_first(torch.gt)), _by_order(_number_first(torch.ge))
logical_and, logical_or, logical_not = torch.logical_and, torch.logical_or, torch.logical_not
negative = moved(torch.negative)
exp, exp2, expm1, log, log1p, log2, log10 = (
    torch.exp, torch.exp2, torch.expm1, torch.log, torch.log1p, torch.log2, torch.log10,
)  # fmt: skip
logaddexp, logaddexp2, hypot, nextafter = torch.logaddexp, torch.logaddexp2, torch.hypot, torch.nextafter
sqrt, rsqrt, erf, erfc, erfinv = torch.sqrt, torch.rsqrt, torch.erf, torch.erfc, torch.erfinv
sin, cos, tan, sinh, cosh, tanh = torch.sin, torch.cos, torch.tan, torch.sinh, torch.cosh, torch.tanh
arcsin, arccos, arctan, arctan2 = torch.asin, torch.acos, torch.atan, torch.atan2
arcsinh, arccosh, arctanh, i0, sinc = torch.asinh, torch.acosh, torch.atanh, torch.i0, torch.sinc
floor, ceil, round, trunc = torch.floor, torch.ceil, torch.round, torch.trunc
isnan, isinf, isfinite, signbit = torch.isnan, torch.isinf, torch.isfinite, torch.signbit
conjugate, real, imag, copysign = torch.conj_physical, torch.real, torch.imag, torch.copysign
sigmoid, elu, nan_to_num = torch.sigmoid, torch.nn.functional.elu, torch.nan_to_num


def absolute(x: Any) -> Any:
    return x if x.dtype == torch.bool or x.dtype in UNSIGNED else torch.abs(x)


def relu(x: Any) -> Any:
    return x if x.dtype in UNSIGNED else torch.relu(x)


def sign(x: Any) -> Any:
    if not x.dtype.is_signed:
        if x.dtype == torch.bool:
            raise DTypeError("truth values have no sign. Cast them to int32 first.")  # the others raise by themselves
        return not_equal(x, 0).to(x.dtype)
    y = torch.sgn(x)
    return torch.where(torch.isnan(x), x, y) if x.dtype.is_floating_point else y  # torch says 0 of NaN


def heaviside(x1: Any, x2: Any) -> Any:
    return torch.where(torch.isnan(x1), x1, torch.heaviside(x1, x2))  # torch says 0 of NaN


def cbrt(x: Any) -> Any:
    return torch.sign(x) * torch.pow(torch.abs(x), 1 / 3)


def ldexp(x1: Any, x2: Any) -> Any:
    half = torch.bitwise_right_shift(x2, 1)  # in two steps, neither of which leaves the type; torch.ldexp's does
    return x1 * torch.exp2(half.to(x1.dtype)) * torch.exp2((x2 - half).to(x1.dtype))


def divide_no_nan(x1: Any, x2: Any) -> Any:
    zero = x2 == 0
    return torch.where(zero, 0, x1 / torch.where(zero, 1, x2))  # twice: else the gradient is NaN


def softplus(x: Any) -> Any:
    return torch.nn.functional.softplus(x, threshold=40.0)  # from there on it is x to the last bit of float64
