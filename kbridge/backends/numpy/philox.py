"""The blocks of the portable generator, in products of 64 bits: see `core/ops/philox.py`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbridge.backends.philox import MULTIPLIERS, ROUNDS, WEYL

__all__ = ["cos_and_sin", "fractions", "philox", "upper_product"]

WORD = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
FIRST, SECOND = map(np.uint64, MULTIPLIERS)
STEP, OTHER_STEP = map(np.uint64, WEYL)
AT_ONCE = 1 << 14  # blocks whose arrays stay in the cache


def philox(blocks: int, counter: Any, key: Any) -> Any:
    words = np.empty((blocks, 4), "int32")
    for start in range(0, blocks, AT_ONCE):
        stop = min(start + AT_ONCE, blocks)
        _scramble(words[start:stop], start, counter.view("uint32"), key.view("uint32"))
    return words.reshape(-1)


def _scramble(words: Any, start: int, counter: Any, key: Any) -> None:
    a, b, c, d = (np.full(len(words), word, "uint64") for word in counter)
    a += np.arange(start, start + len(words), dtype="uint64")
    a &= WORD
    k, m = key.astype("uint64")
    e, f = np.empty_like(a), np.empty_like(a)
    for _ in range(ROUNDS):
        a *= FIRST
        c *= SECOND
        np.right_shift(c, HALF, out=e)
        np.right_shift(a, HALF, out=f)
        e ^= b
        e ^= k
        f ^= d
        f ^= m
        a &= WORD
        c &= WORD
        a, b, c, d, e, f = e, c, f, a, b, d
        k, m = (k + STEP) & WORD, (m + OTHER_STEP) & WORD
    for column, word in enumerate((a, b, c, d)):
        words[:, column] = word.astype("uint32").view("int32")


def fractions(words: Any, digits: int, dtype: str) -> Any:
    """Bit by bit where the words lie, if the type is as wide as they: new pages take longer than the arithmetic."""
    wide = np.dtype(dtype).itemsize != 4
    numbers = np.empty(words.shape, dtype) if wide else words.view(dtype)
    source, target, scale = words.reshape(-1), numbers.reshape(-1), np.asarray(2.0**-digits, dtype)
    for start in range(0, len(source), 4 * AT_ONCE):
        upper = source[start : start + 4 * AT_ONCE].view("uint32") >> np.uint32(32 - digits)
        np.multiply(upper.view("int32").astype(dtype), scale, out=target[start : start + 4 * AT_ONCE])
    return numbers


def upper_product(words: Any, span: Any) -> Any:
    product = words.view("uint32").astype("uint64") * np.asarray(span).view("uint32")
    return (product >> HALF).astype("uint32").view("int32")


def cos_and_sin(turns: Any) -> Any:
    angle = turns * np.asarray(2 * math.pi, turns.dtype)
    return np.cos(angle), np.sin(angle)
