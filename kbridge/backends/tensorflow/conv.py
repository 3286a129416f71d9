"""Convolutions other than the plain one, and windows as columns. Channels first is transposed around them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbridge.backends.tensorflow.arrays import reshape, settled, shape_of, transpose
from kbridge.backends.tensorflow.nn import conv

__all__ = ["conv_transpose", "depthwise_conv", "fold", "unfold"]

raw = tf.raw_ops


def depthwise_conv(x: Any, weights: Any, strides: Any, padding: str, data_format: str, dilation: Any) -> Any:
    rank, square = len(strides), len(set(strides)) == 1
    if rank == 3 or not (square and 1 in (max(strides), max(dilation))):  # TensorFlow has no such kernel
        weights = reshape(weights, (*weights.shape[:-2], 1, weights.shape[-2] * weights.shape[-1]))
        return conv(x, weights, strides, padding, data_format, dilation)
    if data_format == "channels_first":
        y = depthwise_conv(_last(x), weights, strides, padding, "channels_last", dilation)
        return transpose(y, (0, rank + 1, *range(1, rank + 1)))
    if rank == 1:
        x, weights = raw.ExpandDims(input=x, axis=1), raw.ExpandDims(input=weights, axis=0)
        y = depthwise_conv(x, weights, (*strides, *strides), padding, data_format, (1, *dilation))
        return raw.Squeeze(input=y, axis=[1])
    steps = [1, *strides, 1]
    if max(dilation) == 1:
        return raw.DepthwiseConv2dNative(input=x, filter=weights, strides=steps, padding=padding.upper())
    return tf.nn.depthwise_conv2d(x, weights, steps, padding.upper(), dilations=dilation)


def _last(x: Any) -> Any:
    return transpose(x, (0, *range(2, len(x.shape)), 1))


def _with_holes(weights: Any, dilation: Any) -> Any:
    """A window with zeros between its elements: TensorFlow's CPU kernels turn no dilated convolution round."""
    for axis, step in enumerate(dilation):
        if step > 1:
            sizes = list(weights.shape)
            apart = raw.ExpandDims(input=weights, axis=axis + 1)
            apart = tf.pad(apart, [(0, step - 1 if i == axis + 1 else 0) for i in range(len(sizes) + 1)])
            joined = reshape(apart, (*sizes[:axis], sizes[axis] * step, *sizes[axis + 1 :]))
            weights = joined[(*(slice(None),) * axis, slice(0, (sizes[axis] - 1) * step + 1))]
    return weights


def conv_transpose(x: Any, weights: Any, strides: Any, crops: Any, data_format: str, dilation: Any) -> Any:
    rank = len(strides)
    if data_format == "channels_first":
        y = conv_transpose(_last(x), weights, strides, crops, "channels_last", dilation)
        return transpose(y, (0, rank + 1, *range(1, rank + 1)))
    if rank == 1:
        x, weights = raw.ExpandDims(input=x, axis=1), raw.ExpandDims(input=weights, axis=0)
        y = conv_transpose(x, weights, (1, *strides), ((0, 0), *crops), data_format, (1, *dilation))
        return raw.Squeeze(input=y, axis=[1])
    weights = _with_holes(weights, dilation)
    (batch, *space, _), windows, padding = shape_of(x), weights.shape[:rank], "VALID"
    whole = [(n - 1) * s + w for n, s, w in zip(space, strides, windows, strict=True)]
    if all(
        c == (max(w - s, 0) // 2, w - s - max(w - s, 0) // 2) for c, w, s in zip(crops, windows, strides, strict=True)
    ):
        padding, whole, crops = "SAME", [n * s for n, s in zip(space, strides, strict=True)], ()
    elif all(before == 0 and -s < after <= 0 for (before, after), s in zip(crops, strides, strict=True)):
        whole, crops = [n - after for n, (_, after) in zip(whole, crops, strict=True)], ()
    apply = raw.Conv2DBackpropInput if rank == 2 else raw.Conv3DBackpropInputV2
    sizes = settled((batch, *whole, weights.shape[-2]))
    y = apply(input_sizes=sizes, filter=weights, out_backprop=x, strides=[1, *strides, 1], padding=padding)
    if any(after < 0 for _, after in crops):
        y = tf.pad(y, [(0, 0), *((0, max(-after, 0)) for _, after in crops), (0, 0)])
    if any(before > 0 or after > 0 for before, after in crops):
        y = y[(slice(None), *(slice(before, -after if after > 0 else None) for before, after in crops))]
    return y


def unfold(x: Any, window: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    x = tf.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)]) if any(padding) else x
    batch, depth, *space = shape_of(x)
    rows, columns = ((n - (w - 1) * d - 1) // s + 1 for n, w, d, s in zip(space, window, dilation, stride, strict=True))
    cuts = [
        x[:, :, i : i + stride[0] * (rows - 1) + 1 : stride[0], j : j + stride[1] * (columns - 1) + 1 : stride[1]]
        for i in range(0, window[0] * dilation[0], dilation[0])
        for j in range(0, window[1] * dilation[1], dilation[1])
    ]
    return reshape(raw.Pack(values=cuts, axis=2), (batch, depth * len(cuts), rows * columns))


def fold(x: Any, size: Any, window: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    """Each element back to its place in the window: a transposed convolution that counts the places as channels."""
    if not x.dtype.is_floating:
        return tf.cast(fold(tf.cast(x, tf.float64), size, window, dilation, padding, stride), x.dtype)
    places, reach = window[0] * window[1], [(w - 1) * d + 1 for w, d in zip(window, dilation, strict=True)]
    counts = [(n + 2 * p - r) // s + 1 for n, p, r, s in zip(size, padding, reach, stride, strict=True)]
    whole = [(n - 1) * s + r for n, s, r in zip(counts, stride, reach, strict=True)]
    crops = tuple((p, n - p - full) for p, n, full in zip(padding, whole, size, strict=True))
    batch, depth, _ = shape_of(x)
    depth = depth // places
    each = transpose(reshape(x, (-1, places, *counts)), (0, 2, 3, 1))
    back = reshape(tf.eye(places, dtype=x.dtype), (*window, 1, places))
    return reshape(conv_transpose(each, back, stride, crops, "channels_last", dilation), (batch, depth, *size))
