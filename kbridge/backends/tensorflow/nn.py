"""Fused activations, convolution, pooling and normalisation.

TensorFlow's CPU kernels know channels last only; channels first is transposed around them.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from kbridge.backends.tensorflow.arrays import numbers, reshape, shape_of, transpose
from kbridge.backends.tensorflow.elementwise import add, multiply, negative, rsqrt, subtract

__all__ = [
    "average_pool", "batch_normalization", "conv", "gelu", "layer_normalization", "log_softmax", "max_pool",
    "normalize_batch", "rms_normalization", "silu", "softmax", "sparse_crossentropy",
]  # fmt: skip

raw = tf.raw_ops


def silu(x: Any) -> Any:
    return multiply(x, raw.Sigmoid(x=x))


def gelu(x: Any, approximate: bool) -> Any:
    half, one = tf.constant(0.5, x.dtype), tf.constant(1, x.dtype)
    if approximate:
        inner = add(x, multiply(multiply(x, multiply(x, x)), tf.constant(0.044715, x.dtype)))
        curve = raw.Tanh(x=multiply(inner, tf.constant(math.sqrt(2 / math.pi), x.dtype)))
    else:
        curve = raw.Erf(x=multiply(x, tf.constant(math.sqrt(0.5), x.dtype)))
    return multiply(multiply(x, half), add(curve, one))


def softmax(x: Any, axis: int) -> Any:
    if axis == len(x.shape) - 1:
        return raw.Softmax(logits=x)
    return tf.nn.softmax(x, axis)


def log_softmax(x: Any, axis: int) -> Any:
    if axis == len(x.shape) - 1:
        return raw.LogSoftmax(logits=x)
    return tf.nn.log_softmax(x, axis)


def _last(x: Any, data_format: str) -> Any:
    rank = len(x.shape)
    return x if data_format == "channels_last" else transpose(x, (0, *range(2, rank), 1))


def _back(x: Any, data_format: str) -> Any:
    rank = len(x.shape)
    return x if data_format == "channels_last" else transpose(x, (0, rank - 1, *range(1, rank - 1)))


def conv(x: Any, weights: Any, strides: Any, padding: str, data_format: str, dilation: Any, bias: Any = None) -> Any:
    x = _last(x, data_format)
    apply = _conv3d if len(strides) == 3 else _conv2d if len(strides) == 2 else _conv1d
    y = apply(x, weights, tuple(strides), padding.upper(), tuple(dilation))
    return _back(y if bias is None else raw.BiasAdd(value=y, bias=bias), data_format)


def _conv1d(x: Any, weights: Any, strides: Any, padding: str, dilation: Any) -> Any:
    x, weights = raw.ExpandDims(input=x, axis=1), raw.ExpandDims(input=weights, axis=0)
    return raw.Squeeze(input=_conv2d(x, weights, (1, *strides), padding, (1, *dilation)), axis=[1])


def _conv2d(x: Any, weights: Any, strides: Any, padding: str, dilation: Any) -> Any:
    return raw.Conv2D(input=x, filter=weights, strides=[1, *strides, 1], padding=padding, dilations=[1, *dilation, 1])


def _conv3d(x: Any, weights: Any, strides: Any, padding: str, dilation: Any) -> Any:
    """TensorFlow's Conv3D on CPU knows no groups, and no dilation but by moving space to batch."""
    groups = x.shape[-1] // weights.shape[-2]
    if groups > 1:
        parts = zip(tf.split(x, groups, -1), tf.split(weights, groups, -1), strict=True)
        return tf.concat([_conv3d(a, b, strides, padding, dilation) for a, b in parts], -1)
    if max(strides) > 1 and max(dilation) > 1:
        return _strided_and_dilated(x, weights, strides, padding, dilation)
    return tf.nn.convolution(x, weights, strides, padding, "NDHWC", dilation)


def _strided_and_dilated(x: Any, weights: Any, strides: Any, padding: str, dilation: Any) -> Any:
    if padding == "SAME":
        pairs = [
            _same(size, reach, stride, step)
            for size, reach, stride, step in zip(x.shape[1:-1], weights.shape, strides, dilation, strict=False)
        ]
        x = tf.pad(x, [(0, 0), *pairs, (0, 0)])
    y = tf.nn.convolution(x, weights, 1, "VALID", "NDHWC", dilation)
    return y[(slice(None), *(slice(None, None, s) for s in strides))]


def _same(size: Any, reach: int, stride: int, step: int) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + (reach - 1) * step + 1 - size, 0)
    return total // 2, total - total // 2


def _pooled(function: Any, x: Any, window: Any, strides: Any, padding: str, data_format: str) -> Any:
    if len(window) == 3 and x.dtype == tf.float16:  # TensorFlow has no such kernel on CPU
        wide = raw.Cast(x=x, DstT=tf.float32)
        return raw.Cast(x=_pooled(function, wide, window, strides, padding, data_format), DstT=x.dtype)
    x = _last(x, data_format)
    if len(window) == 3 and not x.dtype.is_floating:  # nor this one
        return _back(_max_of_whole_volumes(x, window, strides, padding.upper()), data_format)
    layout = f"N{'DHW'[-len(window) :]}C"  # named, since the eager gradient of a 3D pool reads it
    return _back(function(x, window, strides, padding.upper(), layout), data_format)


def _max_of_whole_volumes(x: Any, window: Any, strides: Any, padding: str) -> Any:
    """The largest in each slice, then across the slices."""
    _, depth, height, width, channels = shape_of(x)
    slices = reshape(x, (-1, height, width, channels))
    y = tf.nn.max_pool(slices, window[1:], strides[1:], padding, "NHWC")
    _, height, width, _ = shape_of(y)
    columns = reshape(y, (-1, depth, height * width, channels))
    y = tf.nn.max_pool(columns, (window[0], 1), (strides[0], 1), padding, "NHWC")
    return reshape(y, (-1, shape_of(y)[1], height, width, channels))


def max_pool(x: Any, window: Any, strides: Any, padding: str, data_format: str) -> Any:
    return _pooled(tf.nn.max_pool, x, window, strides, padding, data_format)


def average_pool(x: Any, window: Any, strides: Any, padding: str, data_format: str) -> Any:
    return _pooled(tf.nn.avg_pool, x, window, strides, padding, data_format)


def _along(vector: Any, axis: int, rank: int) -> Any:
    """A vector, to be broadcast along one axis of a tensor."""
    if axis == rank - 1:
        return vector
    return raw.Reshape(tensor=vector, shape=numbers([-1 if i == axis else 1 for i in range(rank)]))


def batch_normalization(x: Any, mean: Any, variance: Any, offset: Any, scale: Any, axis: int, epsilon: float) -> Any:
    # not FusedBatchNorm: it gives no gradient to mean and variance, which training needs
    factor = rsqrt(add(variance, tf.constant(epsilon, variance.dtype)))
    if scale is not None:
        factor = multiply(factor, scale)
    shift = multiply(mean, factor)
    shift = negative(shift) if offset is None else subtract(offset, shift)
    rank = len(x.shape)
    factor, shift = _along(factor, axis, rank), _along(shift, axis, rank)
    if x.dtype == factor.dtype:
        return add(multiply(x, factor), shift)
    return raw.Cast(x=add(multiply(raw.Cast(x=x, DstT=factor.dtype), factor), shift), DstT=x.dtype)


def normalize_batch(x: Any, offset: Any, scale: Any, axis: int, epsilon: float) -> Any:
    axes = [i for i in range(len(x.shape)) if i != axis]
    mean = raw.Mean(input=x, axis=numbers(axes), keep_dims=True)
    away = subtract(x, mean)
    mean, variance = raw.Squeeze(input=mean, axis=axes), raw.Mean(input=multiply(away, away), axis=numbers(axes))
    return batch_normalization(x, mean, variance, offset, scale, axis, epsilon), mean, variance


def layer_normalization(x: Any, scale: Any, offset: Any, axes: Any, epsilon: float) -> Any:
    half = x.dtype in (tf.float16, tf.bfloat16)  # squares leave float16 above 255
    wide = raw.Cast(x=x, DstT=tf.float32) if half else x
    away = subtract(wide, raw.Mean(input=wide, axis=numbers(axes), keep_dims=True))
    spread = raw.Mean(input=multiply(away, away), axis=numbers(axes), keep_dims=True)
    y = multiply(away, rsqrt(add(spread, tf.constant(epsilon, wide.dtype))))
    if scale is not None:
        y = multiply(y, _over(scale, axes, y))
    if offset is not None:
        y = add(y, _over(offset, axes, y))
    return raw.Cast(x=y, DstT=x.dtype) if half else y


def rms_normalization(x: Any, scale: Any, axes: Any, epsilon: float) -> Any:
    half = x.dtype in (tf.float16, tf.bfloat16)
    wide = raw.Cast(x=x, DstT=tf.float32) if half else x
    size = raw.Mean(input=multiply(wide, wide), axis=numbers(axes), keep_dims=True)
    y = multiply(wide, rsqrt(add(size, tf.constant(epsilon, wide.dtype))))
    if scale is not None:
        y = multiply(y, _over(scale, axes, y))
    return raw.Cast(x=y, DstT=x.dtype) if half else y


def _over(weights: Any, axes: Any, y: Any) -> Any:
    """Weights with the sizes of some axes, to be broadcast over the others of `y`."""
    weights = weights if weights.dtype == y.dtype else raw.Cast(x=weights, DstT=y.dtype)
    if axes[0] == len(y.shape) - len(axes):
        return weights
    sizes = [(y.shape[i] or -1) if i in axes else 1 for i in range(len(y.shape))]
    return raw.Reshape(tensor=weights, shape=numbers(sizes))


def sparse_crossentropy(target: Any, logits: Any, axis: int) -> Any:
    rank = logits.shape.rank
    if axis != rank - 1:  # the fused kernel reads classes from the last axis
        logits = tf.transpose(logits, [*(i for i in range(rank) if i != axis), axis])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(target, tf.int32), logits)
