"""Whole numbers without a sign, of more than 8 bits: torch holds them and does little more (pytorch/pytorch#58734).

What it lacks is computed in int64. Sums, products and bits come out the same there; the order of uint64 doesn't, from
2**63 on, and neither do quotients.
"""

from __future__ import annotations

from typing import Any

import torch

UNSIGNED = frozenset({torch.uint16, torch.uint32, torch.uint64})
LEAST = -(2**63)


def moved(function: Any) -> Any:
    """`function`, which only moves the elements of its first argument about."""

    def call(x: Any, *settled: Any) -> Any:
        return function(x.to(torch.int64), *settled).to(x.dtype) if x.dtype in UNSIGNED else function(x, *settled)

    return call


def in_order(x: Any) -> Any:
    """`x` in a type that torch can order, in the same order."""
    if x.dtype not in UNSIGNED:
        return x
    return x.to(torch.int64) ^ LEAST if x.dtype == torch.uint64 else x.to(torch.int64)


def back_in_type(y: Any, dtype: Any) -> Any:
    """What came of `in_order`, in the type that went in."""
    return (y ^ LEAST if dtype == torch.uint64 else y).to(dtype)


def by_order(function: Any) -> Any:
    """`function`, which chooses among the elements of its first argument by their order."""

    def call(x: Any, *settled: Any) -> Any:
        if x.dtype not in UNSIGNED:
            return function(x, *settled)
        return back_in_type(function(in_order(x), *settled), x.dtype)

    return call


def quotient(x1: Any, x2: Any) -> Any:
    """x1 / x2 rounded down; both hold the bits of uint64 in int64 (H. Warren, "Hacker's Delight", 9-3)."""
    half = torch.bitwise_and(x1 >> 1, 2**63 - 1)
    guess = (half // torch.where(x2 < 0, 1, x2)) << 1
    more = ((x1 - guess * x2) ^ LEAST) >= (x2 ^ LEAST)
    return torch.where(x2 < 0, ((x1 ^ LEAST) >= (x2 ^ LEAST)).to(x1.dtype), guess + more)


def remainder(x1: Any, x2: Any) -> Any:
    """x1 less the multiple of x2 below it, likewise."""
    return x1 - quotient(x1, x2) * x2


def divisor(x1: Any, x2: Any) -> Any:
    """The greatest common divisor, likewise: three remainders bring both below 2**63, where torch's own takes over."""
    for _ in range(3):
        ended = x2 == 0
        x1, x2 = torch.where(ended, x1, x2), torch.where(ended, 0, remainder(x1, torch.where(ended, 1, x2)))
    return torch.where(x2 == 0, x1, torch.gcd(x1, x2))


def multiple(x1: Any, x2: Any) -> Any:
    """The least common multiple, likewise."""
    shared = divisor(x1, x2)
    return quotient(x1, torch.where(shared == 0, 1, shared)) * x2


def raised(x1: Any, x2: Any) -> Any:
    """x1 to the power of x2, likewise: of half the exponent, squared."""
    root = torch.pow(x1, torch.bitwise_and(x2 >> 1, 2**63 - 1))
    return root * root * torch.where(torch.bitwise_and(x2, 1) == 1, x1, 1)
