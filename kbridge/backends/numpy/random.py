"""Random draws from Philox, keyed by (seed, draws so far)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "dropout", "next_seed", "random_binomial", "random_gamma", "random_integers", "random_normal", "random_uniform",
    "seed_framework", "state_of_key", "unseeded_state",
]  # fmt: skip


def _stream(state: Any) -> np.random.Generator:
    seed, count = (int(part) & 0xFFFFFFFF for part in state)
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, count]))


def next_seed(state: Any) -> Any:
    return state + np.array([0, 1], "int32")


def random_uniform(shape: Any, dtype: str, state: Any) -> Any:
    return _stream(state).random(shape).astype(dtype)


def random_normal(shape: Any, dtype: str, state: Any) -> Any:
    return _stream(state).standard_normal(shape).astype(dtype)


def random_integers(shape: Any, low: Any, high: Any, dtype: str, state: Any) -> Any:
    return np.asarray(_stream(state).integers(low, high, shape)).astype(dtype)


def random_gamma(alpha: Any, state: Any) -> Any:
    return np.asarray(_stream(state).standard_gamma(alpha)).astype(alpha.dtype)


def random_binomial(counts: Any, probabilities: Any, state: Any) -> Any:
    return np.asarray(_stream(state).binomial(counts.astype("int64"), probabilities)).astype(counts.dtype)


def dropout(x: Any, rate: float, shape: Any, state: Any) -> Any:
    keep = _stream(state).random(shape) >= rate
    return np.where(keep, x / (1 - rate), np.zeros((), x.dtype)).astype(x.dtype)


def seed_framework(seed: int) -> None:
    """NumPy's global generator is seeded with Python's."""


def state_of_key(key: Any) -> Any:
    return key.astype("int32")


def unseeded_state(make_seed: Callable[[], int]) -> Any:
    return np.array([make_seed(), 0], "int32")
