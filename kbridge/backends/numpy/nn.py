"""Fused activations, convolution, pooling and normalisation, the windows from views."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbridge.backends.numpy.elementwise import erf, sigmoid

__all__ = [
    "average_pool", "batch_normalization", "conv", "gelu", "layer_normalization", "log_softmax", "max_pool",
    "normalize_batch", "rms_normalization", "silu", "softmax", "sparse_crossentropy",
]  # fmt: skip


def silu(x: Any) -> Any:
    return x * sigmoid(x)


def gelu(x: Any, approximate: bool) -> Any:
    half, one = np.asarray(0.5, x.dtype), np.asarray(1, x.dtype)
    if approximate:
        inner = (x + np.asarray(0.044715, x.dtype) * (x * x * x)) * np.asarray(math.sqrt(2 / math.pi), x.dtype)
        return x * half * (np.tanh(inner) + one)
    return x * half * (erf(x * np.asarray(math.sqrt(0.5), x.dtype)) + one)


def softmax(x: Any, axis: int) -> Any:
    raised = np.exp(x - np.max(x, axis, keepdims=True))
    return raised / np.sum(raised, axis, keepdims=True)


def log_softmax(x: Any, axis: int) -> Any:
    away = x - np.max(x, axis, keepdims=True)
    return away - np.log(np.sum(np.exp(away), axis, keepdims=True))


def _last(x: Any, data_format: str) -> Any:
    return x if data_format == "channels_last" else np.moveaxis(x, 1, -1)


def _back(x: Any, data_format: str) -> Any:
    return x if data_format == "channels_last" else np.moveaxis(x, -1, 1)


def same_padding(sizes: Any, window: Any, strides: Any, dilation: Any) -> list[tuple[int, int]]:
    """TensorFlow's "same": the odd element goes to the end."""
    pairs = []
    for size, reach, stride, step in zip(sizes, window, strides, dilation, strict=True):
        total = max((-(-size // stride) - 1) * stride + (reach - 1) * step + 1 - size, 0)
        pairs.append((total // 2, total - total // 2))
    return pairs


def _windows(x: Any, window: Any, strides: Any, padding: str, dilation: Any, fill: Any) -> Any:
    """`(batch, *space, channels)` -> `(batch, *places, channels, *window)`."""
    if padding == "same":
        pairs = [(0, 0), *same_padding(x.shape[1:-1], window, strides, dilation), (0, 0)]
        x = np.pad(x, pairs, constant_values=fill)
    reach = [(w - 1) * d + 1 for w, d in zip(window, dilation, strict=True)]
    space = tuple(range(1, x.ndim - 1))
    view = np.lib.stride_tricks.sliding_window_view(x, reach, space)
    places = [slice(None), *(slice(None, None, s) for s in strides), slice(None)]
    return view[(*places, *(slice(None, None, d) for d in dilation))]


def conv(x: Any, weights: Any, strides: Any, padding: str, data_format: str, dilation: Any, bias: Any = None) -> Any:
    x = _last(x, data_format)
    rank = len(strides)
    groups = x.shape[-1] // weights.shape[-2]
    view = _windows(x, weights.shape[:rank], strides, padding, dilation, 0)
    inner = weights.shape[-2]
    filters = weights.shape[-1] // groups
    parts = []
    for g in range(groups):
        piece = np.take(view, range(g * inner, (g + 1) * inner), axis=rank + 1)
        piece = np.moveaxis(piece, rank + 1, -1)  # (batch, *places, *window, channels)
        parts.append(np.tensordot(piece, weights[..., g * filters : (g + 1) * filters], rank + 1))
    y = np.concatenate(parts, -1).astype(x.dtype)
    return _back(y if bias is None else y + bias, data_format)


def max_pool(x: Any, window: Any, strides: Any, padding: str, data_format: str) -> Any:
    x = _last(x, data_format)
    low = -np.inf if x.dtype.kind not in "iub" else np.iinfo(x.dtype).min
    view = _windows(x, window, strides, padding, (1,) * len(window), low)
    return _back(view.max(tuple(range(-len(window), 0))), data_format)


def average_pool(x: Any, window: Any, strides: Any, padding: str, data_format: str) -> Any:
    x = _last(x, data_format)
    axes, plain = tuple(range(-len(window), 0)), (1,) * len(window)
    total = _windows(x, window, strides, padding, plain, 0).sum(axes, dtype=x.dtype)
    count = _windows(np.ones_like(x[:1]), window, strides, padding, plain, 0).sum(axes, dtype=x.dtype)
    return _back(total / count, data_format)


def batch_normalization(x: Any, mean: Any, variance: Any, offset: Any, scale: Any, axis: int, epsilon: float) -> Any:
    shape = [1] * x.ndim
    shape[axis] = -1
    factor = 1 / np.sqrt(variance + np.asarray(epsilon, variance.dtype))
    if scale is not None:
        factor = factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    return (x * factor.reshape(shape) + shift.reshape(shape)).astype(x.dtype)


def normalize_batch(x: Any, offset: Any, scale: Any, axis: int, epsilon: float) -> Any:
    axes = tuple(i for i in range(x.ndim) if i != axis)
    mean, variance = np.mean(x, axes), np.var(x, axes)
    return batch_normalization(x, mean, variance, offset, scale, axis, epsilon), mean, variance


def layer_normalization(x: Any, scale: Any, offset: Any, axes: Any, epsilon: float) -> Any:
    shape = [size if i in axes else 1 for i, size in enumerate(x.shape)]
    wide = x.astype(np.result_type(x.dtype, "float32"))  # squares leave float16 above 255
    away = wide - np.mean(wide, axes, keepdims=True)
    y = away / np.sqrt(np.mean(away * away, axes, keepdims=True) + np.asarray(epsilon, wide.dtype))
    if scale is not None:
        y = y * scale.reshape(shape)
    return (y if offset is None else y + offset.reshape(shape)).astype(x.dtype)


def rms_normalization(x: Any, scale: Any, axes: Any, epsilon: float) -> Any:
    wide = x.astype(np.result_type(x.dtype, "float32"))
    y = wide / np.sqrt(np.mean(wide * wide, axes, keepdims=True) + np.asarray(epsilon, wide.dtype))
    if scale is not None:
        y = y * scale.reshape([size if i in axes else 1 for i, size in enumerate(x.shape)])
    return y.astype(x.dtype)


def sparse_crossentropy(target: Any, logits: Any, axis: int) -> Any:
    picked = np.take_along_axis(log_softmax(logits, axis), np.expand_dims(target.astype("int32"), axis), axis)
    return -np.squeeze(picked, axis)
