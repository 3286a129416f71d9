"""Kernels on images."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbridge.backends.tensorflow.arrays import settled, shape_of

__all__ = ["blur", "resize"]

raw = tf.raw_ops


def resize(x: Any, size: Any, method: str, antialias: bool) -> Any:
    """Bilinear and nearest: ResizeBicubic rounds its curve, and LiteRT has neither it nor ScaleAndTranslate."""
    if method == "nearest" and x.dtype != tf.bool:
        return raw.ResizeNearestNeighbor(images=x, size=settled(size), half_pixel_centers=True)
    if method == "bilinear" and not antialias and x.dtype == tf.float32:
        return raw.ResizeBilinear(images=x, size=settled(size), half_pixel_centers=True)
    return None


def blur(x: Any, down: Any, across: Any, padding: str) -> Any:
    times = settled([1, 1, shape_of(x)[3], 1])
    for curve, shape in ((down, [-1, 1, 1, 1]), (across, [1, -1, 1, 1])):
        window = raw.Tile(input=raw.Reshape(tensor=curve, shape=shape), multiples=times)
        x = raw.DepthwiseConv2dNative(input=x, filter=window, strides=[1] * 4, padding=padding.upper())
    return x
