"""Kernels that treat each element alone: TensorFlow's own, and formulas of them that LiteRT and ONNX know."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

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

raw = tf.raw_ops
BYTES = {2: tf.int16, 4: tf.int32, 8: tf.int64}
UNSIGNED = frozenset({tf.uint8, tf.uint16, tf.uint32, tf.uint64})
HALVES = frozenset({tf.float16, tf.bfloat16})


def _cast(x: Any, dtype: Any) -> Any:
    return raw.Cast(x=x, DstT=dtype)


def one(function: Any, lacks: Any = (), wide: Any = tf.float32) -> Any:
    """`function`, which lacks some types and computes those in a wider one."""

    def call(x: Any) -> Any:
        return _cast(function(x=_cast(x, wide)), x.dtype) if x.dtype in lacks else function(x=x)

    return call if lacks else lambda x: function(x=x)


def two(function: Any, of_bool: Any = None) -> Any:
    """`function`, or `of_bool` of truth values, which TensorFlow's arithmetic doesn't take."""
    if of_bool is None:
        return lambda x1, x2: function(x=x1, y=x2)
    return lambda x1, x2: of_bool(x=x1, y=x2) if x1.dtype is tf.bool else function(x=x1, y=x2)


def _compared(function: Any) -> Any:
    return two(function, lambda x, y: function(x=_cast(x, tf.uint8), y=_cast(y, tf.uint8)))


def _parts(function: Any, join: Any) -> Any:
    """A question about numbers, asked of both parts of complex ones."""

    def call(x: Any) -> Any:
        return join(x=function(x=real(x)), y=function(x=imag(x))) if x.dtype.is_complex else function(x=x)

    return call


add, multiply = two(raw.AddV2, raw.LogicalOr), two(raw.Mul, raw.LogicalAnd)
subtract, divide, divide_no_nan = two(raw.Sub), two(raw.RealDiv), two(raw.DivNoNan)
floor_divide, mod = two(raw.FloorDiv), two(raw.FloorMod)
maximum, minimum = two(raw.Maximum, raw.LogicalOr), two(raw.Minimum, raw.LogicalAnd)
equal, not_equal = two(raw.Equal), two(raw.NotEqual)
less, less_equal = _compared(raw.Less), _compared(raw.LessEqual)
greater, greater_equal = _compared(raw.Greater), _compared(raw.GreaterEqual)
logical_and, logical_or, logical_not = two(raw.LogicalAnd), two(raw.LogicalOr), one(raw.LogicalNot)
exp, expm1, log, log1p = one(raw.Exp), one(raw.Expm1), one(raw.Log), one(raw.Log1p)
sqrt, rsqrt, erf, sigmoid = one(raw.Sqrt), one(raw.Rsqrt), one(raw.Erf), one(raw.Sigmoid)
erfc, erfinv, i0 = one(raw.Erfc), one(raw.Erfinv, HALVES), one(raw.BesselI0, HALVES)
sin, cos, tan, sinh, cosh, tanh = (one(f) for f in (raw.Sin, raw.Cos, raw.Tan, raw.Sinh, raw.Cosh, raw.Tanh))
arcsin, arccos, arctan = one(raw.Asin), one(raw.Acos), one(raw.Atan)
arcsinh, arccosh, arctanh = one(raw.Asinh), one(raw.Acosh), one(raw.Atanh)
floor, ceil, round = one(raw.Floor), one(raw.Ceil), one(raw.Round)
isnan, isinf = _parts(raw.IsNan, raw.LogicalOr), _parts(raw.IsInf, raw.LogicalOr)
isfinite = _parts(raw.IsFinite, raw.LogicalAnd)


def _features(function: Any) -> Any:
    return lambda x: function(features=x)


relu, elu, softplus = _features(raw.Relu), _features(raw.Elu), _features(raw.Softplus)


def where(condition: Any, x1: Any, x2: Any) -> Any:
    return raw.SelectV2(condition=condition, t=x1, e=x2)


def _like(x: Any, number: float) -> Any:
    return tf.constant(number, x.dtype)


def arctan2(x1: Any, x2: Any) -> Any:
    return raw.Atan2(y=x1, x=x2)


def real(x: Any) -> Any:
    return raw.Real(input=x, Tout=x.dtype.real_dtype)


def imag(x: Any) -> Any:
    return raw.Imag(input=x, Tout=x.dtype.real_dtype)


def conjugate(x: Any) -> Any:
    return raw.Conj(input=x)


def absolute(x: Any) -> Any:
    if x.dtype.is_complex:
        return raw.ComplexAbs(x=x, Tout=x.dtype.real_dtype)
    return x if x.dtype in UNSIGNED or x.dtype is tf.bool else raw.Abs(x=x)


def sign(x: Any) -> Any:
    return _cast(raw.NotEqual(x=x, y=_like(x, 0)), x.dtype) if x.dtype in UNSIGNED else raw.Sign(x=x)


def negative(x: Any) -> Any:
    if x.dtype not in UNSIGNED:
        return raw.Neg(x=x)
    return raw.AddV2(x=raw.Invert(x=x), y=_like(x, 1))  # not 0 - x: Grappler makes Neg of it, which has no such kernel


def power(x1: Any, x2: Any) -> Any:
    if x1.dtype not in UNSIGNED:
        return raw.Pow(x=x1, y=x2)
    base = _cast(x1, tf.int64)
    if x2.dtype != tf.uint64:
        return _cast(raw.Pow(x=base, y=_cast(x2, tf.int64)), x1.dtype)
    # by half the exponent, squared: int64 takes one from 2**63 on for a negative one
    one = _like(x2, 1)
    root = raw.Pow(x=base, y=_cast(raw.RightShift(x=x2, y=one), tf.int64))
    rest = where(raw.Equal(x=raw.BitwiseAnd(x=x2, y=one), y=one), base, _like(base, 1))
    return _cast(raw.Mul(x=raw.Mul(x=root, y=root), y=rest), x1.dtype)


def exp2(x: Any) -> Any:
    return raw.Pow(x=_like(x, 2), y=x)


def log2(x: Any) -> Any:
    return raw.RealDiv(x=raw.Log(x=x), y=_like(x, math.log(2)))


def log10(x: Any) -> Any:
    return raw.RealDiv(x=raw.Log(x=x), y=_like(x, math.log(10)))


def logaddexp(x1: Any, x2: Any) -> Any:
    gap = raw.Sub(x=x1, y=x2)
    gap = where(raw.Equal(x=x1, y=x2), raw.ZerosLike(x=gap), gap)  # two infinities of one sign are equal
    tail = raw.Softplus(features=raw.Neg(x=raw.Abs(x=gap)))
    return raw.AddV2(x=raw.Maximum(x=x1, y=x2), y=tail)


def logaddexp2(x1: Any, x2: Any) -> Any:
    unit = _like(x1, math.log(2))
    return raw.RealDiv(x=logaddexp(raw.Mul(x=x1, y=unit), raw.Mul(x=x2, y=unit)), y=unit)


def cbrt(x: Any) -> Any:
    return raw.Mul(x=raw.Sign(x=x), y=raw.Pow(x=raw.Abs(x=x), y=_like(x, 1 / 3)))


def hypot(x1: Any, x2: Any) -> Any:
    x1, x2 = raw.Abs(x=x1), raw.Abs(x=x2)
    long, short = raw.Maximum(x=x1, y=x2), raw.Minimum(x=x1, y=x2)
    ratio = raw.DivNoNan(x=short, y=long)  # at most 1: its square stays in the type
    result = raw.Mul(x=long, y=raw.Sqrt(x=raw.AddV2(x=raw.Mul(x=ratio, y=ratio), y=_like(x1, 1))))
    endless = raw.LogicalOr(x=raw.IsInf(x=x1), y=raw.IsInf(x=x2))
    return where(endless, _like(x1, math.inf), result)


def sinc(x: Any) -> Any:
    zero = raw.Equal(x=x, y=_like(x, 0))
    angle = raw.Mul(x=where(zero, _like(x, 1), x), y=_like(x, math.pi))  # twice: else the gradient is NaN
    return where(zero, _like(x, 1), raw.RealDiv(x=raw.Sin(x=angle), y=angle))


def trunc(x: Any) -> Any:
    return where(raw.Less(x=x, y=_like(x, 0)), raw.Ceil(x=x), raw.Floor(x=x))


def fmod(x1: Any, x2: Any) -> Any:
    if not x1.dtype.is_floating:
        return raw.Sub(x=x1, y=raw.Mul(x=raw.TruncateDiv(x=x1, y=x2), y=x2))
    # not TruncateMod: it has no gradient
    return raw.Mul(x=raw.Sign(x=x1), y=raw.FloorMod(x=raw.Abs(x=x1), y=raw.Abs(x=x2)))


def _but_nan(function: Any) -> Any:
    """A choice between two numbers that takes NaN only if both are."""

    def call(x1: Any, x2: Any) -> Any:
        if not x1.dtype.is_floating:
            return function(x1, x2)
        return where(raw.IsNan(x=x1), x2, where(raw.IsNan(x=x2), x1, function(x1, x2)))

    return call


fmax, fmin = _but_nan(maximum), _but_nan(minimum)


def heaviside(x1: Any, x2: Any) -> Any:
    zero = _like(x1, 0)
    step = where(raw.Equal(x=x1, y=zero), x2, _cast(raw.Greater(x=x1, y=zero), x1.dtype))
    return where(raw.IsNan(x=x1), x1, step)


def ldexp(x1: Any, x2: Any) -> Any:
    half = raw.FloorDiv(x=x2, y=_like(x2, 2))  # in two steps, neither of which leaves the type
    return raw.Mul(x=raw.Mul(x=x1, y=exp2(_cast(half, x1.dtype))), y=exp2(_cast(raw.Sub(x=x2, y=half), x1.dtype)))


def signbit(x: Any) -> Any:
    bits = raw.Bitcast(input=x, type=BYTES[x.dtype.size])
    return raw.Less(x=bits, y=_like(bits, 0))


def copysign(x1: Any, x2: Any) -> Any:
    return where(raw.Equal(x=signbit(x1), y=signbit(x2)), x1, raw.Neg(x=x1))


def nextafter(x1: Any, x2: Any) -> Any:
    if x1.dtype not in HALVES:
        return raw.NextAfter(x1=x1, x2=x2)
    bits, up, zero = raw.Bitcast(input=x1, type=tf.int16), raw.Less(x=x1, y=x2), _like(x1, 0)
    outwards = raw.Equal(x=up, y=raw.Greater(x=x1, y=zero))  # away from zero the bits count up, whatever the sign
    step = raw.AddV2(x=bits, y=where(outwards, _like(bits, 1), _like(bits, -1)))
    step = where(raw.Equal(x=x1, y=zero), where(up, _like(bits, 1), _like(bits, -32767)), step)
    moved = where(raw.Equal(x=x1, y=x2), x2, raw.Bitcast(input=step, type=x1.dtype))
    total = raw.AddV2(x=x1, y=x2)
    return where(raw.IsNan(x=total), total, moved)


def _euclid(x1: Any, x2: Any) -> Any:
    """Greatest common divisor, by remainders until none is left anywhere."""
    x1, x2 = absolute(x1), absolute(x2)
    shape = tf.broadcast_dynamic_shape(tf.shape(x1), tf.shape(x2))
    x1, x2 = tf.broadcast_to(x1, shape), tf.broadcast_to(x2, shape)
    none, unit = _like(x1, 0), _like(x1, 1)

    def step(a: Any, b: Any) -> Any:
        left = raw.Equal(x=b, y=none)
        return where(left, a, b), where(left, b, raw.FloorMod(x=a, y=where(left, unit, b)))

    free = tf.TensorShape([None] * len(x1.shape))
    done, _ = tf.while_loop(lambda a, b: tf.reduce_any(b != none), step, (x1, x2), shape_invariants=(free, free))
    return done


def gcd(x1: Any, x2: Any) -> Any:
    known = tf.broadcast_static_shape(x1.shape, x2.shape)
    return tf.ensure_shape(_euclid(x1, x2), known)


def lcm(x1: Any, x2: Any) -> Any:
    divisor = gcd(x1, x2)
    divisor = raw.Maximum(x=divisor, y=_like(divisor, 1))  # 0 for two zeros
    return absolute(raw.Mul(x=raw.FloorDiv(x=x1, y=divisor), y=x2))


def nan_to_num(x: Any, nan: float, posinf: float, neginf: float) -> Any:
    if x.dtype.is_complex:
        return raw.Complex(
            real=nan_to_num(real(x), nan, posinf, neginf), imag=nan_to_num(imag(x), nan, posinf, neginf), Tout=x.dtype
        )
    x = where(raw.IsNan(x=x), _like(x, nan), x)
    x = where(raw.Equal(x=x, y=_like(x, math.inf)), _like(x, posinf), x)
    return where(raw.Equal(x=x, y=_like(x, -math.inf)), _like(x, neginf), x)
