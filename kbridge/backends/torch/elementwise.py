"""Kernels that treat each element alone: torch's own, but for the names below."""

from __future__ import annotations

from typing import Any

import torch

__all__ = [
    "absolute", "add", "ceil", "cos", "divide", "elu", "equal", "erf", "exp", "expm1", "floor",
    "floor_divide", "greater", "greater_equal", "isfinite", "isinf", "isnan", "less", "less_equal", "log",
    "log1p", "logical_and", "logical_not", "logical_or", "maximum", "minimum", "mod", "multiply",
    "negative", "not_equal", "power", "relu", "round", "rsqrt", "sigmoid", "sign", "sin", "softplus",
    "sqrt", "subtract", "tanh", "where",
]  # fmt: skip


def _number_first(function: Any) -> Any:
    """torch's comparisons want the tensor first."""

    def call(x1: Any, x2: Any) -> Any:
        return function(x1 if isinstance(x1, torch.Tensor) else torch.as_tensor(x1, dtype=x2.dtype), x2)

    return call


add, multiply, divide, where = torch.add, torch.multiply, torch.divide, torch.where
subtract = _number_first(torch.subtract)
floor_divide, mod, power = _number_first(torch.floor_divide), torch.remainder, torch.pow
maximum, minimum = torch.maximum, torch.minimum
equal, not_equal = _number_first(torch.eq), _number_first(torch.ne)
less, less_equal = _number_first(torch.lt), _number_first(torch.le)
greater, greater_equal = _number_first(torch.gt), _number_first(torch.ge)
logical_and, logical_or, logical_not = torch.logical_and, torch.logical_or, torch.logical_not
negative, absolute, sign = torch.negative, torch.abs, torch.sign
exp, expm1, log, log1p = torch.exp, torch.expm1, torch.log, torch.log1p
sqrt, rsqrt, sin, cos, tanh, erf = torch.sqrt, torch.rsqrt, torch.sin, torch.cos, torch.tanh, torch.erf
floor, ceil, round = torch.floor, torch.ceil, torch.round
isnan, isinf, isfinite = torch.isnan, torch.isinf, torch.isfinite
relu, sigmoid, elu = torch.relu, torch.sigmoid, torch.nn.functional.elu


def softplus(x: Any) -> Any:
    return torch.nn.functional.softplus(x, threshold=40.0)  # from there on it is x to the last bit of float64
