"""Kernels that treat each element alone: TensorFlow's own."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

__all__ = [
    "absolute", "add", "ceil", "cos", "divide", "elu", "equal", "erf", "exp", "expm1", "floor",
    "floor_divide", "greater", "greater_equal", "isfinite", "isinf", "isnan", "less", "less_equal", "log",
    "log1p", "logical_and", "logical_not", "logical_or", "maximum", "minimum", "mod", "multiply",
    "negative", "not_equal", "power", "relu", "round", "rsqrt", "sigmoid", "sign", "sin", "softplus",
    "sqrt", "subtract", "tanh", "where",
]  # fmt: skip

raw = tf.raw_ops


def _one(function: Any) -> Any:
    return lambda x: function(x=x)


def _two(function: Any) -> Any:
    return lambda x1, x2: function(x=x1, y=x2)


add, subtract, multiply, divide = _two(raw.AddV2), _two(raw.Sub), _two(raw.Mul), _two(raw.RealDiv)
floor_divide, mod, power = _two(raw.FloorDiv), _two(raw.FloorMod), _two(raw.Pow)
maximum, minimum = _two(raw.Maximum), _two(raw.Minimum)
equal, not_equal = _two(raw.Equal), _two(raw.NotEqual)
less, less_equal = _two(raw.Less), _two(raw.LessEqual)
greater, greater_equal = _two(raw.Greater), _two(raw.GreaterEqual)
logical_and, logical_or, logical_not = _two(raw.LogicalAnd), _two(raw.LogicalOr), _one(raw.LogicalNot)
negative, absolute, sign = _one(raw.Neg), _one(raw.Abs), _one(raw.Sign)
exp, expm1, log, log1p = _one(raw.Exp), _one(raw.Expm1), _one(raw.Log), _one(raw.Log1p)
sqrt, rsqrt, erf, sigmoid = _one(raw.Sqrt), _one(raw.Rsqrt), _one(raw.Erf), _one(raw.Sigmoid)
sin, cos, tanh = _one(raw.Sin), _one(raw.Cos), _one(raw.Tanh)
floor, ceil, round = _one(raw.Floor), _one(raw.Ceil), _one(raw.Round)
isnan, isinf, isfinite = _one(raw.IsNan), _one(raw.IsInf), _one(raw.IsFinite)


def _features(function: Any) -> Any:
    return lambda x: function(features=x)


relu, elu, softplus = _features(raw.Relu), _features(raw.Elu), _features(raw.Softplus)


def where(condition: Any, x1: Any, x2: Any) -> Any:
    return raw.SelectV2(condition=condition, t=x1, e=x2)
