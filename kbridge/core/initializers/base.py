"""The base class: an initializer is called with a shape and a dtype and returns a host array."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbridge.core.config import Configured
from kbridge.core.ops.random import SeedGenerator, make_seed
from kbridge.core.tensor.dtypes import standardize_dtype


class Initializer(Configured):
    """Makes the starting value of a weight. Subclasses give `__call__(shape, dtype=None) -> array`."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a __call__(shape, dtype=None).")

    def clone(self) -> Initializer:
        """A fresh one with the same arguments."""
        return self.from_config(self.get_config())


class RandomInitializer(Initializer):
    """An initializer with a seed. The same object gives the same numbers at each call, as in Keras.

    Args:
        seed: a whole number, a SeedGenerator (then each call differs), or None for a fresh seed.
    """

    def __init__(self, seed: Any = None) -> None:
        self._first_seed = seed
        self.seed = make_seed() if seed is None else seed

    def stream(self) -> np.random.Generator:
        """The host generator to draw from in this call."""
        if isinstance(self.seed, SeedGenerator):
            seed, count = (int(part) for part in self.seed.state.numpy())
            self.seed.state.assign(np.array([seed, count + 1], "int32"))
        else:
            seed, count = int(self.seed), 0
        return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, count]))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; the seed as it was given."""
        config = super().get_config()
        if isinstance(self._first_seed, (int, np.integer)) or self._first_seed is None:
            config["seed"] = self._first_seed
        return config


def compute_fans(shape: Sequence[int]) -> tuple[int, int]:
    """How many values feed into one output, and how many outputs one value feeds."""
    shape = tuple(shape)
    if len(shape) < 1:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


def finished(values: Any, dtype: Any) -> Any:
    """Drawn values in the dtype asked for."""
    return np.asarray(values).astype(standardize_dtype(dtype))
