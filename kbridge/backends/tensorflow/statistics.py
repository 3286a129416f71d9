"""Kernels of statistics."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from kbridge.backends.tensorflow.arrays import reshape, shape_of
from kbridge.core.errors import ArgumentError

__all__ = ["bincount"]

raw = tf.raw_ops


def bincount(x: Any, weights: Any, minlength: int) -> Any:
    if tf.executing_eagerly() and tf.size(x) > 0 and tf.reduce_min(x) < 0:  # a graph refuses them as it runs
        raise ArgumentError(f"Whole numbers from 0 can be counted, got {tf.reduce_min(x).numpy()}.")
    sizes = shape_of(x)
    rows = math.prod(sizes[:-1]), sizes[-1]
    largest = raw.Max(input=raw.ConcatV2(values=[reshape(x, (-1,)), tf.constant([-1], x.dtype)], axis=0), axis=[0])
    length = raw.Maximum(x=largest + 1, y=tf.constant(minlength, x.dtype))
    weights = tf.zeros((0,), tf.int32) if weights is None else reshape(weights, rows)
    counts = raw.DenseBincount(input=reshape(x, rows), size=length, weights=weights)
    return reshape(counts, (*sizes[:-1], tf.cast(length, tf.int32)))
