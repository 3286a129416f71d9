"""Kernels on bits."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbridge.backends.tensorflow.elementwise import absolute, two

__all__ = [
    "bitwise_and", "bitwise_count", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor",
]  # fmt: skip

raw = tf.raw_ops
bitwise_and, bitwise_or = two(raw.BitwiseAnd, raw.LogicalAnd), two(raw.BitwiseOr, raw.LogicalOr)
bitwise_xor = two(raw.BitwiseXor, raw.NotEqual)
bitwise_left_shift, bitwise_right_shift = two(raw.LeftShift), two(raw.RightShift)


def bitwise_not(x: Any) -> Any:
    return raw.LogicalNot(x=x) if x.dtype is tf.bool else raw.Invert(x=x)


def bitwise_count(x: Any) -> Any:
    return raw.Cast(x=x, DstT=tf.uint8) if x.dtype is tf.bool else raw.PopulationCount(x=absolute(x))
