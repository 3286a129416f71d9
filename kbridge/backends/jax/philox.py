"""The blocks of the portable generator: see `core/ops/philox.py`."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from kbridge.backends.jax.arrays import compiled, native_dtype
from kbridge.backends.philox import MULTIPLIERS, ROUNDS, WEYL

__all__ = ["cos_and_sin", "fractions", "philox", "upper_product"]

FIRST, SECOND = map(np.uint32, MULTIPLIERS)
STEP, OTHER_STEP = map(np.uint32, WEYL)


def _upper_by_halves(x: Any, y: Any) -> Any:
    """The upper word of each product, from products of 16-bit halves."""
    crossed = (x >> 16) * (y & 0xFFFF) + ((x & 0xFFFF) * (y & 0xFFFF) >> 16)
    other = (x & 0xFFFF) * (y >> 16) + (crossed & 0xFFFF)
    return (x >> 16) * (y >> 16) + (crossed >> 16) + (other >> 16)


def _upper(x: Any, y: Any) -> Any:
    """The same by one op, which not every JAX from 0.6 on has."""
    y = jnp.broadcast_to(jnp.asarray(y, "uint32"), x.shape)
    return lax.mulhi(x, y) if hasattr(lax, "mulhi") else _upper_by_halves(x, y)


def _round(a: Any, b: Any, c: Any, d: Any, k: Any, m: Any) -> Any:
    upper_a, lower_a, upper_c, lower_c = _upper(a, FIRST), a * FIRST, _upper(c, SECOND), c * SECOND
    return upper_c ^ b ^ k, lower_c, upper_a ^ d ^ m, lower_a, k + STEP, m + OTHER_STEP


def _philox(blocks: int, counter: Any, key: Any) -> Any:
    (first, *others), (k, m) = counter.astype("uint32"), key.astype("uint32")
    place = jnp.arange(blocks, dtype="uint32") + first
    state = (place, *(jnp.full_like(place, word) for word in others), k, m)
    # A loop, so that XLA keeps the words. It would fuse all rounds into the weaving at the end, once for each of the
    # four words, which takes six times as long on a CPU.
    state = lax.fori_loop(0, ROUNDS // 2, lambda _, s: _round(*_round(*s)), state)
    return lax.bitcast_convert_type(jnp.stack(state[:4], 1).reshape(-1), jnp.int32)


philox = compiled(_philox, 0)


def _fractions(words: Any, digits: int, dtype: Any) -> Any:
    return lax.shift_right_logical(words, jnp.full_like(words, 32 - digits)).astype(dtype) * jnp.asarray(
        2.0**-digits, dtype
    )


_fractions = compiled(_fractions, 1, 2)


def fractions(words: Any, digits: int, dtype: str) -> Any:
    return _fractions(words, digits, native_dtype(dtype))


upper_product = compiled(lambda words, span: _upper(words.astype("uint32"), span.astype("uint32")).astype("int32"))


def _cos_and_sin(turns: Any) -> Any:
    """By Taylor's series within an eighth of a turn: XLA takes ten times as long on a CPU, and rounds the angle."""
    if turns.dtype != jnp.float32:
        return jnp.cos(turns * (2 * math.pi)), jnp.sin(turns * (2 * math.pi))
    quarter = jnp.round(turns * 4)
    x = (turns * 4 - quarter) * (math.pi / 2)
    square = x * x
    sine = x + x * square * (-1 / 6 + square * (1 / 120 + square * (-1 / 5040 + square / 362880)))
    cosine = 1 + square * (-1 / 2 + square * (1 / 24 + square * (-1 / 720 + square * (1 / 40320 - square / 3628800))))
    place = quarter.astype("int32")
    odd, left, below = place & 1 == 1, (place + 1) & 2 == 2, place & 2 == 2
    cosine, sine = jnp.where(odd, sine, cosine), jnp.where(odd, cosine, sine)
    return jnp.where(left, -cosine, cosine), jnp.where(below, -sine, sine)


cos_and_sin = compiled(_cos_and_sin)
