"""The blocks of the portable generator, in products of 64 bits: see `core/ops/philox.py`."""

from __future__ import annotations

import math
from typing import Any

import torch

from kbridge.backends.philox import MULTIPLIERS, ROUNDS, WEYL
from kbridge.backends.torch.arrays import DTYPES

__all__ = ["cos_and_sin", "fractions", "philox", "upper_product"]

WORD = 0xFFFFFFFF
FIRST, SECOND = MULTIPLIERS
STEP, OTHER_STEP = WEYL


def _numbers(words: Any) -> Any:
    """Words as numbers from 0: Python's, or in a trace, where their value isn't known, tensors."""
    words = words.long().bitwise_and(WORD)
    return words.unbind() if torch.compiler.is_compiling() else words.tolist()


def philox(blocks: int, counter: Any, key: Any) -> Any:
    first, *others = _numbers(counter)
    k, m = _numbers(key)
    a = (torch.arange(blocks, device=counter.device) + first).bitwise_and_(WORD)
    b, c, d = (torch.zeros_like(a) + word for word in others)
    for _ in range(ROUNDS):
        a.mul_(FIRST)  # what leaves 63 bits comes back as the sign, which a shift copies and the mask cuts off
        c.mul_(SECOND)
        upper_a, upper_c = (a >> 32).bitwise_and_(WORD), (c >> 32).bitwise_and_(WORD)
        lower_a, lower_c = a.bitwise_and_(WORD), c.bitwise_and_(WORD)
        a, b = upper_c.bitwise_xor_(b).bitwise_xor_(k), lower_c
        c, d = upper_a.bitwise_xor_(d).bitwise_xor_(m), lower_a
        k, m = (k + STEP) & WORD, (m + OTHER_STEP) & WORD
    return torch.stack([word.to(torch.int32) for word in (a, b, c, d)], 1).reshape(-1)


def fractions(words: Any, digits: int, dtype: str) -> Any:
    upper = (words >> (32 - digits)).bitwise_and_((1 << digits) - 1)
    return upper.to(DTYPES[dtype]).mul_(2.0**-digits)


def upper_product(words: Any, span: Any) -> Any:
    product = words.long().bitwise_and_(WORD) * span.long().bitwise_and(WORD)
    return (product >> 32).to(torch.int32)


def cos_and_sin(turns: Any) -> Any:
    angle = turns * (2 * math.pi)
    return torch.cos(angle), torch.sin(angle)
