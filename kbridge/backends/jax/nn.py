"""Fused activations, convolution, pooling and normalisation, each one compiled call."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kbridge.backends.jax.arrays import compiled

__all__ = [
    "average_pool", "batch_normalization", "conv", "fused_lstm", "gelu", "layer_normalization", "log_softmax",
    "max_pool", "normalize_batch", "rms_normalization", "silu", "softmax", "sparse_crossentropy",
]  # fmt: skip

silu, gelu = compiled(jax.nn.silu), compiled(jax.nn.gelu, 1)
softmax, log_softmax = compiled(jax.nn.softmax, 1), compiled(jax.nn.log_softmax, 1)


def _conv(x: Any, weights: Any, strides: Any, padding: str, data_format: str, dilation: Any, bias: Any = None) -> Any:
    space = "DHW"[-len(strides) :]
    layout = f"N{space}C" if data_format == "channels_last" else f"NC{space}"
    y = lax.conv_general_dilated(
        x,
        weights,
        strides,
        padding.upper(),
        rhs_dilation=dilation,
        dimension_numbers=(layout, f"{space}IO", layout),
        feature_group_count=x.shape[layout.index("C")] // weights.shape[-2],
    )
    if bias is None:
        return y
    return y + (bias if data_format == "channels_last" else bias.reshape(-1, *(1,) * len(strides)))


conv = compiled(_conv, 2, 3, 4, 5)


def _over_space(sizes: Any, data_format: str) -> tuple[int, ...]:
    return (1, *sizes, 1) if data_format == "channels_last" else (1, 1, *sizes)


def _windows(x: Any, start: Any, fold: Any, window: Any, strides: Any, padding: str, data_format: str) -> Any:
    # a concrete start lets JAX see max and sum in `fold`, for which it has gradients
    return lax.reduce_window(
        x,
        np.asarray(start, x.dtype),
        fold,
        _over_space(window, data_format),
        _over_space(strides, data_format),
        padding.upper(),
    )


def _max_pool(x: Any, window: Any, strides: Any, padding: str, data_format: str) -> Any:
    low = -np.inf if jnp.issubdtype(x.dtype, jnp.floating) else jnp.iinfo(x.dtype).min
    return _windows(x, low, lax.max, window, strides, padding, data_format)


def _average_pool(x: Any, window: Any, strides: Any, padding: str, data_format: str) -> Any:
    total = _windows(x, 0, lax.add, window, strides, padding, data_format)
    if padding == "valid":
        return total / math.prod(window)
    spatial = x.shape[1:-1] if data_format == "channels_last" else x.shape[2:]
    ones = jnp.ones(_over_space(spatial, data_format), x.dtype)
    return total / _windows(ones, 0, lax.add, window, strides, padding, data_format)


max_pool, average_pool = compiled(_max_pool, 1, 2, 3, 4), compiled(_average_pool, 1, 2, 3, 4)


def _batch_normalization(x: Any, mean: Any, variance: Any, offset: Any, scale: Any, axis: int, epsilon: float) -> Any:
    shape = [1] * x.ndim
    shape[axis] = -1
    factor = lax.rsqrt(variance + jnp.asarray(epsilon, variance.dtype))
    if scale is not None:
        factor = factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    return (x * factor.reshape(shape) + shift.reshape(shape)).astype(x.dtype)


batch_normalization = compiled(_batch_normalization, 5, 6)


def _normalize_batch(x: Any, offset: Any, scale: Any, axis: int, epsilon: float) -> Any:
    axes = tuple(i for i in range(x.ndim) if i != axis)
    mean = x.mean(axes, keepdims=True)
    away = x - mean
    mean, variance = mean.reshape(-1), (away * away).mean(axes)
    return _batch_normalization(x, mean, variance, offset, scale, axis, epsilon), mean, variance


normalize_batch = compiled(_normalize_batch, 3, 4)


def _layer_normalization(x: Any, scale: Any, offset: Any, axes: Any, epsilon: float) -> Any:
    shape = [size if i in axes else 1 for i, size in enumerate(x.shape)]
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))  # squares leave float16 above 255
    away = wide - wide.mean(axes, keepdims=True)
    y = away * lax.rsqrt((away * away).mean(axes, keepdims=True) + epsilon)
    if scale is not None:
        y = y * scale.reshape(shape)
    return (y if offset is None else y + offset.reshape(shape)).astype(x.dtype)


layer_normalization = compiled(_layer_normalization, 3, 4)


def _rms_normalization(x: Any, scale: Any, axes: Any, epsilon: float) -> Any:
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    y = wide * lax.rsqrt((wide * wide).mean(axes, keepdims=True) + epsilon)
    if scale is not None:
        y = y * scale.reshape([size if i in axes else 1 for i, size in enumerate(x.shape)])
    return y.astype(x.dtype)


rms_normalization = compiled(_rms_normalization, 2, 3)


def _lstm(xs: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    weights = jnp.concatenate([kernel, recurrent])

    def step(state: Any, x: Any) -> Any:
        h, c = state
        z = jnp.matmul(jnp.concatenate([x, h], 1), weights)
        i, f, g, o = jnp.split(z if bias is None else z + bias, 4, -1)
        c = lax.logistic(f) * c + lax.logistic(i) * jnp.tanh(g)
        h = lax.logistic(o) * jnp.tanh(c)
        return (h, c), h

    (h, c), ys = lax.scan(step, (h, c), xs)
    return ys, h, c


_lstm = compiled(_lstm)


def fused_lstm(xs: Any, h: Any, c: Any, kernel: Any, recurrent: Any, bias: Any) -> Any:
    """On a CPU one product for inputs and state takes half as long as all inputs at first.

    XLA would read a step of those, four gates wide, within its loops over elements, and computes these one by one.
    """
    if jax.default_backend() != "cpu" or xs.dtype not in (jnp.float32, jnp.float64):
        return None
    return _lstm(xs, h, c, kernel, recurrent, bias)


def _sparse_crossentropy(target: Any, logits: Any, axis: int) -> Any:
    # not by way of log_softmax, whose gradient passes over the logits twice more
    picked = jnp.take_along_axis(logits, jnp.expand_dims(target.astype("int32"), axis), axis)
    return jax.nn.logsumexp(logits, axis) - jnp.squeeze(picked, axis)


sparse_crossentropy = compiled(_sparse_crossentropy, 2)
