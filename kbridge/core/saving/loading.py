"""While a model file is read: no starting value is drawn in vain, and no more weights are made than it explains."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from kbridge.core.context import local
from kbridge.core.errors import LoadError
from kbridge.core.initializers.base import RandomInitializer
from kbridge.core.saving.hdf5 import WeightFile

SLACK = 16 << 20  # bytes of weights that a model may have beyond those in its file…
SLOTS = 16  # …and times as many, for optimizers that didn't write their state


class Starts:
    """The starting values of weights that a file will replace."""

    def __init__(self, weights: WeightFile, label: str) -> None:
        self._left = SLOTS * weights.nbytes + SLACK
        self._held, self._label = weights.nbytes, label
        self._drawn_later: dict[int, tuple[np.ndarray, Any]] = {}  # the blanks are kept, so their ids stay their own

    def start(self, initializer: Any, shape: tuple[int, ...], dtype: str) -> np.ndarray | None:
        """An empty array instead of random numbers; None where the initializer is to do its work.

        Raises:
            LoadError: the weights made so far are far more than those in the file.
        """
        self._left -= math.prod(shape) * 4
        if self._left < 0:
            raise LoadError(
                f"The config in {self._label} asks for a weight of shape {shape}, far more than the "
                f"{self._held:,} bytes of weights in the file. Nothing was allocated for it."
            )
        if not isinstance(initializer, RandomInitializer):
            return None
        blank = np.zeros(shape, np.dtype(dtype))
        self._drawn_later[id(blank)] = blank, initializer
        return blank

    def draw_the_rest(self, model: Any) -> None:
        """Draw the starting values that the file didn't replace: of weights that a layer doesn't store."""
        for variable in model.variables:
            if id(variable.home_value) in self._drawn_later:
                _, initializer = self._drawn_later[id(variable.home_value)]
                variable.assign(initializer(variable.shape, dtype=variable._dtype))


@contextmanager
def loading(weights: WeightFile, label: str) -> Iterator[Starts]:
    """Inside, weights are made for that file."""
    before = local.loading
    local.loading = Starts(weights, label)
    try:
        yield local.loading
    finally:
        local.loading = before
