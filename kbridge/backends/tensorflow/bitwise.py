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


def _shift(function: Any, beyond: Any) -> Any:
    """`function`, or `beyond` where the shift isn't one of 0 to the last bit, for which TensorFlow promises nothing."""

    def call(x1: Any, x2: Any) -> Any:
        last = tf.constant(8 * x1.dtype.size - 1, x1.dtype)
        inside = raw.Minimum(x=raw.Maximum(x=x2, y=tf.zeros((), x1.dtype)), y=last)
        return raw.SelectV2(condition=raw.Equal(x=inside, y=x2), t=function(x=x1, y=inside), e=beyond(x1, last))

    return call


bitwise_left_shift = _shift(raw.LeftShift, lambda x, last: raw.ZerosLike(x=x))
bitwise_right_shift = _shift(raw.RightShift, lambda x, last: raw.RightShift(x=raw.RightShift(x=x, y=last), y=last))


def bitwise_not(x: Any) -> Any:
    return raw.LogicalNot(x=x) if x.dtype is tf.bool else raw.Invert(x=x)


def bitwise_count(x: Any) -> Any:
    return raw.Cast(x=x, DstT=tf.uint8) if x.dtype is tf.bool else raw.PopulationCount(x=absolute(x))
