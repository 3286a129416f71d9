"""Random draws without state, from `(seed, draws so far)`."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbridge.backends.tensorflow.arrays import settled

__all__ = ["dropout", "next_seed", "random_normal", "random_uniform", "seed_framework"]


def next_seed(state: Any) -> Any:
    return state + tf.constant([0, 1], state.dtype)


def random_uniform(shape: Any, dtype: str, state: Any) -> Any:
    return tf.random.stateless_uniform(settled(shape), state, dtype=dtype)


def random_normal(shape: Any, dtype: str, state: Any) -> Any:
    return tf.random.stateless_normal(settled(shape), state, dtype=dtype)


def dropout(x: Any, rate: float, shape: Any, state: Any) -> Any:
    keep = tf.random.stateless_uniform(settled(shape), state) >= rate
    return x * (tf.cast(keep, x.dtype) / (1 - rate))


def seed_framework(seed: int) -> None:
    tf.random.set_seed(seed)
