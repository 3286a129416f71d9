"""The express ways of TensorFlow, raw ops: see `Backend.express`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kbridge.core.settings import image_data_format

__all__: list[str] = []

raw = tf.raw_ops
DTYPES, LAYOUT = frozenset({tf.float32, tf.float64}), None
PADDINGS = {"valid": "VALID", "same": "SAME"}


def _one(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: function(x=x)


def _two(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x1, x2: function(x=x1, y=x2)


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis, keepdims: function(input=x, axis=axis, keep_dims=keepdims)


def _matmul(x1: Any, x2: Any) -> Any:
    if len(x1.shape) == len(x2.shape) == 2:
        return raw.MatMul(a=x1, b=x2)
    return raw.BatchMatMulV2(x=x1, y=x2)  # refuses vectors


def _conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Any:
    """Images with channels last, in steps of one number."""
    sizes, window = inputs.shape, kernel.shape
    if (
        not len(sizes) == len(window) == 4
        or (data_format or image_data_format()) != "channels_last"
        or not type(strides) is type(dilation_rate) is int
        or padding not in PADDINGS
    ):
        return NotImplemented
    if padding == "valid" and (dilation_rate != 1 or _too_large(window, sizes)):
        return NotImplemented  # a window too large for its images: TensorFlow may give nothing, without a word
    return raw.Conv2D(
        input=inputs, filter=kernel, strides=[1, strides, strides, 1], padding=PADDINGS[padding],
        dilations=[1, dilation_rate, dilation_rate, 1],
    )  # fmt: skip


def _too_large(window: Any, sizes: Any) -> bool:
    tall, wide = sizes[1], sizes[2]
    return (tall is not None and window[0] > tall) or (wide is not None and window[1] > wide)


EXPRESS = {
    "add": _two(raw.AddV2), "subtract": _two(raw.Sub), "multiply": _two(raw.Mul), "divide": _two(raw.RealDiv),
    "true_divide": _two(raw.RealDiv), "equal": _two(raw.Equal), "not_equal": _two(raw.NotEqual),
    "less": _two(raw.Less), "less_equal": _two(raw.LessEqual), "greater": _two(raw.Greater),
    "greater_equal": _two(raw.GreaterEqual), "matmul": _matmul, "sum": _reduction(raw.Sum),
    "mean": _reduction(raw.Mean), "absolute": _one(raw.Abs), "abs": _one(raw.Abs), "negative": _one(raw.Neg),
    "exp": _one(raw.Exp), "expm1": _one(raw.Expm1), "log": _one(raw.Log), "log1p": _one(raw.Log1p),
    "sqrt": _one(raw.Sqrt), "rsqrt": _one(raw.Rsqrt), "sin": _one(raw.Sin), "cos": _one(raw.Cos), "tan": _one(raw.Tan),
    "tanh": _one(raw.Tanh), "sigmoid": _one(raw.Sigmoid), "erf": _one(raw.Erf), "floor": _one(raw.Floor),
    "ceil": _one(raw.Ceil), "square": _one(raw.Square), "isnan": _one(raw.IsNan), "isinf": _one(raw.IsInf),
    "isfinite": _one(raw.IsFinite), "conv": _conv,
}  # fmt: skip
