"""The blocks of the portable generator: see `core/ops/philox.py`. TensorFlow has them in one op."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

__all__ = ["cos_and_sin", "fractions", "philox", "upper_product"]

raw = tf.raw_ops
PHILOX = 1  # the number of the algorithm: https://www.tensorflow.org/api_docs/python/tf/random/Algorithm


def _in_pairs(words: Any) -> Any:
    """Words two by two as numbers of 64 bits, the lower one first."""
    return raw.Bitcast(input=tf.reshape(words, (-1, 2)), type=tf.uint64)


def philox(blocks: Any, counter: Any, key: Any) -> Any:
    return raw.StatelessRandomUniformFullIntV2(
        shape=tf.reshape(blocks * 4, (1,)), key=_in_pairs(key), counter=_in_pairs(counter), alg=PHILOX, dtype=tf.int32
    )


def fractions(words: Any, digits: int, dtype: str) -> Any:
    upper = raw.RightShift(x=words, y=tf.constant(32 - digits))
    upper = raw.BitwiseAnd(x=upper, y=tf.constant((1 << digits) - 1))
    return raw.Mul(x=raw.Cast(x=upper, DstT=dtype), y=tf.constant(2.0**-digits, dtype))


def upper_product(words: Any, span: Any) -> Any:
    words, span = (raw.Cast(x=raw.Bitcast(input=x, type=tf.uint32), DstT=tf.uint64) for x in (words, span))
    product = raw.RightShift(x=raw.Mul(x=words, y=span), y=tf.constant(32, tf.uint64))
    return raw.Bitcast(input=raw.Cast(x=product, DstT=tf.uint32), type=tf.int32)


def cos_and_sin(turns: Any) -> Any:
    angle = raw.Mul(x=turns, y=tf.constant(2 * math.pi, turns.dtype))
    return raw.Cos(x=angle), raw.Sin(x=angle)
