"""Kernels that treat each element alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = [
    "absolute", "add", "ceil", "cos", "divide", "elu", "equal", "erf", "exp", "expm1", "floor",
    "floor_divide", "greater", "greater_equal", "isfinite", "isinf", "isnan", "less", "less_equal", "log",
    "log1p", "logical_and", "logical_not", "logical_or", "maximum", "minimum", "mod", "multiply",
    "negative", "not_equal", "power", "relu", "round", "rsqrt", "sigmoid", "sign", "sin", "softplus",
    "sqrt", "subtract", "tanh", "where",
]  # fmt: skip

add, subtract, multiply, divide = np.add, np.subtract, np.multiply, np.divide
floor_divide, mod, power, maximum, minimum = np.floor_divide, np.mod, np.power, np.maximum, np.minimum
equal, not_equal, less, less_equal = np.equal, np.not_equal, np.less, np.less_equal
greater, greater_equal = np.greater, np.greater_equal
logical_and, logical_or, logical_not = np.logical_and, np.logical_or, np.logical_not
negative, absolute, sign, sqrt = np.negative, np.absolute, np.sign, np.sqrt
exp, expm1, log, log1p = np.exp, np.expm1, np.log, np.log1p
sin, cos, tanh, floor, ceil, round = np.sin, np.cos, np.tanh, np.floor, np.ceil, np.round
isnan, isinf, isfinite, where = np.isnan, np.isinf, np.isfinite, np.where

_erf = np.vectorize(math.erf, otypes=["float64"])


def erf(x: Any) -> Any:
    return _erf(x).astype(x.dtype)


def rsqrt(x: Any) -> Any:
    return (1 / np.sqrt(x)).astype(x.dtype)


def relu(x: Any) -> Any:
    return np.maximum(x, np.zeros((), x.dtype))


def elu(x: Any) -> Any:
    return np.where(x > 0, x, np.expm1(x))


def softplus(x: Any) -> Any:
    return np.logaddexp(x, np.zeros((), x.dtype))


def sigmoid(x: Any) -> Any:
    small = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(x.dtype)
