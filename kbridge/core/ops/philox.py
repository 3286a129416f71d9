"""Random numbers that are the same, to the bit, on every backend: Philox4x32-10, written in ops.

A counter is scrambled by ten rounds of multiplication and xor (https://doi.org/10.1145/2063384.2063405), so
the n-th number depends on the seed and n alone. All arithmetic is on int32, whose products and sums wrap
around alike everywhere; unsigned 32-bit numbers are not to be had on every backend.
"""

from __future__ import annotations

import math
from typing import Any

from kbridge.core.ops.declare import kernel

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)  # what a round adds to the key


def signed(word: int) -> int:
    """A 32-bit word as the int32 with the same bits.

    >>> signed(0xFFFFFFFF)
    -1
    """
    return (word + 2**31) % 2**32 - 2**31


def _high_half(x: Any) -> Any:
    """The upper 16 bits of each word, as a number from 0."""
    return kernel.bitwise_and(kernel.bitwise_right_shift(x, 16), 0xFFFF)


def _product(x: Any, factor: int) -> tuple[Any, Any]:
    """The upper and the lower word of `x * factor`, from products of 16-bit halves."""
    low, high = kernel.bitwise_and(x, 0xFFFF), _high_half(x)
    factor_low, factor_high = factor & 0xFFFF, factor >> 16
    crossed = kernel.multiply(low, factor_high), kernel.multiply(high, factor_low)
    middle = _high_half(kernel.multiply(low, factor_low))
    upper = kernel.multiply(high, factor_high)
    for part in crossed:
        middle = kernel.add(middle, kernel.bitwise_and(part, 0xFFFF))
        upper = kernel.add(upper, _high_half(part))
    return kernel.add(upper, _high_half(middle)), kernel.multiply(x, signed(factor))


def scramble(counter: list[Any], key: list[Any]) -> list[Any]:
    """Four int32 tensors of random bits from four of counters and two of keys."""
    a, b, c, d = counter
    k, m = key
    for _ in range(ROUNDS):
        (upper_a, lower_a), (upper_c, lower_c) = _product(a, MULTIPLIERS[0]), _product(c, MULTIPLIERS[1])
        a, b = kernel.bitwise_xor(kernel.bitwise_xor(upper_c, b), k), lower_c
        c, d = kernel.bitwise_xor(kernel.bitwise_xor(upper_a, d), m), lower_a
        k, m = kernel.add(k, signed(WEYL[0])), kernel.add(m, signed(WEYL[1]))
    return [a, b, c, d]


def _size(shape: tuple[Any, ...]) -> Any:
    """How many elements a shape has; sizes may be tensors."""
    total: Any = 1
    for size in shape:
        total = total * size
    return total


def bits(shape: tuple[Any, ...], state: Any) -> Any:
    """Random words, int32 of `shape`; `state` is `(seed, draws so far)`."""
    count = _size(shape)
    place = kernel.arange(0, (count + 3) // 4, 1, "int32")
    seed, draws = kernel.reshape(kernel.get_item(state, 0), (1,)), kernel.reshape(kernel.get_item(state, 1), (1,))
    nothing = kernel.multiply(place, 0)
    words = scramble([place, nothing, kernel.add(nothing, draws), nothing], [seed, kernel.multiply(seed, 0)])
    flat = kernel.reshape(kernel.stack(words, 1), (-1,))
    return kernel.reshape(kernel.get_item(flat, slice(0, count)), shape)


def uniform(shape: tuple[Any, ...], dtype: str, state: Any) -> Any:
    """Numbers from [0, 1): as many upper bits of a word as `dtype` can hold exactly."""
    digits = {"float16": 11, "bfloat16": 8}.get(dtype, 24)
    words = kernel.bitwise_and(kernel.bitwise_right_shift(bits(shape, state), 32 - digits), (1 << digits) - 1)
    return kernel.multiply(kernel.cast(words, dtype), 2.0**-digits)


def normal(shape: tuple[Any, ...], dtype: str, state: Any) -> Any:
    """Normal numbers, two from each pair of uniform ones (Box and Muller 1958). Equal but for rounding."""
    half = (_size(shape) + 1) // 2
    pairs = uniform((2, half), "float64" if dtype == "float64" else "float32", state)
    # 1 - u lies in (0, 1], where the logarithm is finite
    radius = kernel.sqrt(kernel.multiply(kernel.log1p(kernel.negative(kernel.get_item(pairs, 0))), -2.0))
    angle = kernel.multiply(kernel.get_item(pairs, 1), 2 * math.pi)
    both = kernel.concatenate(
        [kernel.multiply(radius, kernel.cos(angle)), kernel.multiply(radius, kernel.sin(angle))], 0
    )
    return kernel.cast(kernel.reshape(kernel.get_item(both, slice(0, _size(shape))), shape), dtype)


def integers(shape: tuple[Any, ...], low: Any, high: Any, dtype: str, state: Any) -> Any:
    """Whole numbers from [low, high); the upper bits of a word times the span, so small spans stay even."""
    span = kernel.subtract(high, low)
    word = bits(shape, state)
    upper = _wide_product(word, span)
    return kernel.cast(kernel.add(upper, low), dtype)


def _wide_product(word: Any, span: Any) -> Any:
    """The upper word of the unsigned `word * span`, for a span that is a tensor."""
    low, high = kernel.bitwise_and(word, 0xFFFF), _high_half(word)
    span_low, span_high = kernel.bitwise_and(span, 0xFFFF), _high_half(span)
    middle = _high_half(kernel.multiply(low, span_low))
    upper = kernel.multiply(high, span_high)
    for part in (kernel.multiply(low, span_high), kernel.multiply(high, span_low)):
        middle = kernel.add(middle, kernel.bitwise_and(part, 0xFFFF))
        upper = kernel.add(upper, _high_half(part))
    return kernel.add(upper, _high_half(middle))
