"""Random draws without state, from `(seed, draws so far)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kbridge.backends.tensorflow.arrays import settled

__all__ = [
    "dropout", "next_seed", "random_binomial", "random_gamma", "random_integers", "random_normal", "random_uniform",
    "seed_framework", "state_of_key", "unseeded_state",
]  # fmt: skip


def next_seed(state: Any) -> Any:
    return state + tf.constant([0, 1], state.dtype)


def random_uniform(shape: Any, dtype: str, state: Any) -> Any:
    return tf.random.stateless_uniform(settled(shape), state, dtype=dtype)


def random_normal(shape: Any, dtype: str, state: Any) -> Any:
    return tf.random.stateless_normal(settled(shape), state, dtype=dtype)


def random_integers(shape: Any, low: Any, high: Any, dtype: str, state: Any) -> Any:
    sizes = settled(shape)
    if low.shape.rank or high.shape.rank:  # the op takes one range for all
        share = tf.random.stateless_uniform(sizes, state, dtype="float64")
        span = tf.cast(high - low, "float64")
        return tf.cast(low + tf.cast(tf.floor(share * span), "int32"), dtype)
    return tf.cast(tf.random.stateless_uniform(sizes, state, low, high, "int32"), dtype)


def random_gamma(alpha: Any, state: Any) -> Any:
    return tf.random.stateless_gamma(tf.shape(alpha), state, alpha, dtype=alpha.dtype)


def random_binomial(counts: Any, probabilities: Any, state: Any) -> Any:
    return tf.random.stateless_binomial(tf.shape(counts), state, counts, probabilities, output_dtype=counts.dtype)


def dropout(x: Any, rate: float, shape: Any, state: Any) -> Any:
    keep = tf.random.stateless_uniform(settled(shape), state) >= rate
    return x * (tf.cast(keep, x.dtype) / (1 - rate))


def seed_framework(seed: int) -> None:
    tf.random.set_seed(seed)


def state_of_key(key: Any) -> Any:
    return tf.cast(key, "int32")


def unseeded_state(make_seed: Callable[[], int]) -> Any:
    if tf.executing_eagerly():
        return tf.constant([make_seed(), 0], "int32")
    return tf.random.uniform((2,), tf.int32.min, tf.int32.max, "int32")  # a number would be a constant of the graph
