"""Random numbers that are the same, to the bit, on every backend: from the words of Philox4x32-10.

A counter is scrambled by ten rounds of multiplication and xor (https://doi.org/10.1145/2063384.2063405), so the n-th
number depends on the seed and n alone. The words come from the backend, as int32: unsigned numbers of 32 bits are not
to be had on every one.
"""

from __future__ import annotations

from typing import Any

from kbridge.core.ops.declare import kernel


def signed(word: int) -> int:
    """A 32-bit word as the int32 with the same bits.

    >>> signed(0xFFFFFFFF)
    -1
    """
    return (word + 2**31) % 2**32 - 2**31


def _size(shape: tuple[Any, ...]) -> Any:
    """How many elements a shape has; sizes may be tensors."""
    total: Any = 1
    for size in shape:
        total = total * size
    return total


def bits(shape: tuple[Any, ...], state: Any) -> Any:
    """Random words, int32 of `shape`; `state` is `(seed, draws so far)`."""
    count = _size(shape)
    seed, draws = kernel.get_item(state, slice(0, 1)), kernel.get_item(state, slice(1, 2))
    nothing = kernel.full_like(seed, 0, "int32")
    counter, key = kernel.concatenate([nothing, nothing, draws, nothing], 0), kernel.concatenate([seed, nothing], 0)
    words = kernel.philox((count + 3) // 4, counter, key)
    return kernel.reshape(kernel.get_item(words, slice(0, count)), shape)


def uniform(shape: tuple[Any, ...], dtype: str, state: Any) -> Any:
    """Numbers from [0, 1): as many upper bits of a word as `dtype` can hold exactly."""
    digits = {"float16": 11, "bfloat16": 8}.get(dtype, 24)
    return kernel.fractions(bits(shape, state), digits, dtype)


def normal(shape: tuple[Any, ...], dtype: str, state: Any) -> Any:
    """Normal numbers, two from each pair of uniform ones (Box and Muller 1958). Equal but for rounding."""
    half = (_size(shape) + 1) // 2
    pairs = uniform((2, half), "float64" if dtype == "float64" else "float32", state)
    # 1 - u lies in (0, 1], where the logarithm is finite
    radius = kernel.sqrt(kernel.multiply(kernel.log1p(kernel.negative(kernel.get_item(pairs, 0))), -2.0))
    cosine, sine = kernel.cos_and_sin(kernel.get_item(pairs, 1))
    both = kernel.concatenate([kernel.multiply(radius, cosine), kernel.multiply(radius, sine)], 0)
    return kernel.cast(kernel.reshape(kernel.get_item(both, slice(0, _size(shape))), shape), dtype)


def integers(shape: tuple[Any, ...], low: Any, high: Any, dtype: str, state: Any) -> Any:
    """Whole numbers from [low, high); the upper bits of a word times the span, so small spans stay even."""
    upper = kernel.upper_product(bits(shape, state), kernel.subtract(high, low))
    return kernel.cast(kernel.add(upper, low), dtype)
