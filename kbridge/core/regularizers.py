"""Losses on weights."""

from __future__ import annotations

from typing import Any

from kbridge.core.config import Configured
from kbridge.core.ops.elementwise import absolute, multiply, square
from kbridge.core.ops.reduce import sum as sum_over
from kbridge.core.saving.config import object_of


class Regularizer(Configured):
    """Called with a weight, returns a number to add to the loss."""

    def __call__(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a __call__(x).")


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x**2)`."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = float(l1 or 0.0), float(l2 or 0.0)

    def __call__(self, x: Any) -> Any:
        return multiply(sum_over(absolute(x)), self.l1) + multiply(sum_over(square(x)), self.l2)


class L1(Regularizer):
    """`l1 * sum(|x|)`."""

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = float(l1)

    def __call__(self, x: Any) -> Any:
        return multiply(sum_over(absolute(x)), self.l1)


class L2(Regularizer):
    """`l2 * sum(x**2)`."""

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = float(l2)

    def __call__(self, x: Any) -> Any:
        return multiply(sum_over(square(x)), self.l2)


def get(identifier: Any) -> Any:
    """A regularizer from a name, a config, a class or an object."""
    return object_of("regularizers", identifier)
