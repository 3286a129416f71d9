"""The express ways of torch: see `Backend.express`."""

from __future__ import annotations

from typing import Any

import torch

from kbridge.backends.torch.conv import depthwise_conv
from kbridge.backends.torch.nn import conv
from kbridge.core.settings import IMAGE_DATA_FORMATS, image_data_format

__all__: list[str] = []

DTYPES = frozenset({torch.float32, torch.float64})  # half types take care of their own
LAYOUT = torch.strided  # a sparse tensor is of the same class
PADDINGS = ("valid", "same")


def _conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Any:
    """torch refuses what the op refuses, but for inputs without a batch."""
    data_format = data_format or image_data_format()
    if padding not in PADDINGS or data_format not in IMAGE_DATA_FORMATS or inputs.dim() != kernel.dim():
        return NotImplemented
    return conv(inputs, kernel, strides, padding, data_format, dilation_rate)


def _depthwise_conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Any:
    """The same, and but for a kernel made for fewer channels, which torch takes for groups."""
    data_format = data_format or image_data_format()
    if padding not in PADDINGS or data_format not in IMAGE_DATA_FORMATS or inputs.dim() != kernel.dim():
        return NotImplemented
    if inputs.shape[-1 if data_format == "channels_last" else 1] != kernel.shape[-2]:
        return NotImplemented
    return depthwise_conv(inputs, kernel, strides, padding, data_format, dilation_rate)


EXPRESS = {
    "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div, "true_divide": torch.div,
    "equal": torch.eq, "not_equal": torch.ne, "less": torch.lt, "less_equal": torch.le, "greater": torch.gt,
    "greater_equal": torch.ge, "matmul": torch.matmul, "sum": torch.sum, "mean": torch.mean,
    "absolute": torch.abs, "abs": torch.abs, "negative": torch.neg, "exp": torch.exp, "expm1": torch.expm1,
    "log": torch.log, "log1p": torch.log1p, "log2": torch.log2, "log10": torch.log10, "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "tanh": torch.tanh,
    "sigmoid": torch.sigmoid, "relu": torch.relu, "erf": torch.erf, "floor": torch.floor, "ceil": torch.ceil,
    "square": torch.square, "isnan": torch.isnan, "isinf": torch.isinf, "isfinite": torch.isfinite, "conv": _conv,
    "depthwise_conv": _depthwise_conv,
}  # fmt: skip
