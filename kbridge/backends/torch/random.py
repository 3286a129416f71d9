"""Random draws from torch's generators.

Eagerly, a generator seeded by (seed, draws so far): the same seed gives the same draws. Inside a
trace Dynamo can't hold a generator, so torch's default one draws there, as in any torch module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from kbridge.backends.torch.arrays import DTYPES

__all__ = [
    "dropout", "next_seed", "random_binomial", "random_gamma", "random_integers", "random_normal", "random_uniform",
    "seed_framework", "state_of_key", "unseeded_state",
]  # fmt: skip


def _generator(state: Any) -> Any:
    if state is None or torch.compiler.is_compiling():
        return None
    seed, count = state.tolist()
    # torch's CPU generator takes 32 bits of a seed; odd factors spread both numbers over them
    return torch.Generator().manual_seed((seed * 0x9E3779B1 + count * 0x85EBCA6B) & 0xFFFFFFFF)


def next_seed(state: Any) -> Any:
    return state + torch.tensor([0, 1], dtype=state.dtype)


def random_uniform(shape: Any, dtype: str, state: Any) -> Any:
    return torch.rand(shape, dtype=DTYPES[dtype], generator=_generator(state))


def random_normal(shape: Any, dtype: str, state: Any) -> Any:
    return torch.randn(shape, dtype=DTYPES[dtype], generator=_generator(state))


def random_integers(shape: Any, low: Any, high: Any, dtype: str, state: Any) -> Any:
    # `randint` takes one range for all, and only numbers: that of a tensor can't be read in a trace
    share = torch.rand(shape, dtype=torch.float64, generator=_generator(state))
    return (low + (share * (high - low)).floor().to(torch.int64)).to(DTYPES[dtype])


def random_gamma(alpha: Any, state: Any) -> Any:
    return torch._standard_gamma(alpha, generator=_generator(state))


def random_binomial(counts: Any, probabilities: Any, state: Any) -> Any:
    return torch.binomial(counts, probabilities, generator=_generator(state))


def dropout(x: Any, rate: float, shape: Any, state: Any) -> Any:
    keep = torch.empty(tuple(shape), dtype=x.dtype).bernoulli_(1 - rate, generator=_generator(state))
    return x * (keep.to(x.device) / (1 - rate))


def seed_framework(seed: int) -> None:
    torch.manual_seed(seed)


def state_of_key(key: Any) -> Any:
    return key.to(torch.int32)


def unseeded_state(make_seed: Callable[[], int]) -> Any:
    if torch.compiler.is_compiling():
        return None  # a number would be a constant of the trace
    return torch.tensor([make_seed(), 0], dtype=torch.int32)
