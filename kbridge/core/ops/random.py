"""Random draws. The seed is a `SeedGenerator`, whose state is a variable, or a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbridge.core.context import SYMBOLIC, current_backend, local, running
from kbridge.core.ops import rules
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.elementwise import add, multiply
from kbridge.core.tensor.dtypes import standardize_dtype
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import Variable

_fresh = np.random.default_rng()


def set_global_seed(seed: int) -> None:
    """Make every seed that is drawn for "no seed given" from now on follow from `seed`."""
    global _fresh
    _fresh = np.random.default_rng(seed)


def make_seed() -> int:
    """A seed for something that was given none."""
    return int(_fresh.integers(0, 2**31 - 1))


class SeedGenerator:
    """A stream of seeds: the same seed gives the same stream.

    Args:
        seed: a whole number from 0 to 2**31 - 1; drawn if None.
        name: kept for Keras's signature.

    The state is a variable `(seed, draws so far)`, so that compiled steps carry it along.
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **_: Any) -> None:
        if seed is not None and (not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**31):
            raise ValueError(f"A seed is a whole number from 0 to 2**31 - 1, got {seed!r}.")
        self.seed = make_seed() if seed is None else int(seed)
        self.name = name or "seed_generator"
        self.state = Variable(
            np.array([self.seed, 0], "int32"), trainable=False, autocast=False, name="seed_generator_state"
        )

    def next(self) -> Any:
        """The state to draw from now; the state moves on."""
        now = self.state.value
        self.state.assign(kernel.next_seed(now))
        return now

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """The generator of that config."""
        return cls(**config)


def _draw_from(seed: Any) -> Any:
    """The state to draw from; None lets the framework's global generator draw."""
    if local.framework_random:
        return None
    if isinstance(seed, SeedGenerator):
        return seed.next()
    number = make_seed() if seed is None else int(seed)
    return kernel.convert(np.array([number, 0], "int32"))


def _drawn(shape: Sequence[int], dtype: Any, seed: Any, draw: Any) -> Any:
    dtype = standardize_dtype(dtype)
    if local.running is SYMBOLIC:
        return KerasTensor(tuple(shape), dtype)
    with running(local.running or current_backend()):
        return draw(tuple(shape), dtype, _draw_from(seed))


def uniform(shape: Sequence[int], minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers spread evenly over `[minval, maxval)`."""

    def draw(sizes: Any, kind: str, state: Any) -> Any:
        return add(multiply(kernel.random_uniform(sizes, kind, state), maxval - minval), minval)

    return _drawn(shape, dtype, seed, draw)


def normal(shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers from a normal distribution."""

    def draw(sizes: Any, kind: str, state: Any) -> Any:
        return add(multiply(kernel.random_normal(sizes, kind, state), stddev), mean)

    return _drawn(shape, dtype, seed, draw)


@op(lambda inputs, rate, noise_shape=None, seed=None: rules.same(inputs))
def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Each element set to zero with probability `rate`, the others scaled by 1 / (1 - rate).

    `noise_shape` has 1 where an axis shares one decision. Source: https://jmlr.org/papers/v15/srivastava14a.html.
    """
    if rate == 0:
        return inputs
    if rate == 1:
        return kernel.full_like(inputs, 0, kernel.dtype_of(inputs))
    sizes = kernel.shape_of(inputs)
    if noise_shape is not None:
        sizes = tuple(s if n is None else n for s, n in zip(sizes, noise_shape, strict=True))
    return kernel.dropout(inputs, rate, sizes, _draw_from(seed))
