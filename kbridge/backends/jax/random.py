"""Random draws from JAX's Threefry; the state `(seed, draws so far)` is the key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kbridge.backends.jax.arrays import compiled, is_tracing, native_dtype
from kbridge.core.errors import ArgumentError

__all__ = [
    "dropout", "next_seed", "random_binomial", "random_gamma", "random_integers", "random_normal", "random_uniform",
    "seed_framework", "state_of_key", "unseeded_state",
]  # fmt: skip

ONE_DRAW = np.array([0, 1], "int32")


def _key(state: Any) -> Any:
    return jax.random.wrap_key_data(state.astype(jnp.uint32), impl="threefry2x32")


next_seed = compiled(lambda state: state + ONE_DRAW)
_uniform = compiled(lambda shape, dtype, state: jax.random.uniform(_key(state), shape, dtype), 0, 1)
_normal = compiled(lambda shape, dtype, state: jax.random.normal(_key(state), shape, dtype), 0, 1)


def random_uniform(shape: Any, dtype: str, state: Any) -> Any:
    return _uniform(shape, native_dtype(dtype), state)


def random_normal(shape: Any, dtype: str, state: Any) -> Any:
    return _normal(shape, native_dtype(dtype), state)


_integers = compiled(lambda shape, low, high, state: jax.random.randint(_key(state), shape, low, high), 0)
random_gamma = compiled(lambda alpha, state: jax.random.gamma(_key(state), alpha))
random_binomial = compiled(lambda counts, chance, state: jax.random.binomial(_key(state), counts, chance))


def random_integers(shape: Any, low: Any, high: Any, dtype: str, state: Any) -> Any:
    return _integers(shape, low, high, state).astype(native_dtype(dtype))


def _dropout(x: Any, rate: float, shape: Any, state: Any) -> Any:
    keep = jax.random.bernoulli(_key(state), 1 - rate, shape)
    return jnp.where(keep, x / (1 - rate), jnp.zeros((), x.dtype)).astype(x.dtype)


dropout = compiled(_dropout, 1, 2)


def seed_framework(seed: int) -> None:
    """JAX has no global generator."""


def state_of_key(key: Any) -> Any:
    if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        key = jax.random.key_data(key)
    return key.astype("int32")


def unseeded_state(make_seed: Callable[[], int]) -> Any:
    # `grad` alone leaves new arrays concrete, and draws anew with each call
    if is_tracing() and isinstance(jnp.zeros(()), jax.core.Tracer):
        raise ArgumentError(
            "Inside jit you should only use seeded random ops: without a seed, a draw gives the same numbers with each "
            "call. Keep a kbridge.random.SeedGenerator on your layer or model and pass it as `seed`, or pass a key."
        )
    return jnp.array([make_seed(), 0], "int32")
