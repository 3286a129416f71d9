"""Gradients made shorter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from kbridge.core.ops.elementwise import add, clip, divide, maximum, minimum, multiply, sqrt, square, subtract
from kbridge.core.ops.reduce import sum as sum_over


def by_norm(gradient: Any, most: float) -> Any:
    """The gradient, scaled down where its length is above `most`."""
    length = sqrt(sum_over(square(gradient)))
    return divide(multiply(gradient, most), maximum(length, most))


def by_global_norm(gradients: Sequence[Any], most: float) -> list[Any]:
    """The gradients, all scaled down alike where their common length is above `most`.

    An infinite or undefined length makes every gradient NaN, so that it shows.
    """
    length = sqrt(reduce(add, [sum_over(square(g)) for g in gradients]))
    scale = multiply(minimum(divide(1.0, length), 1.0 / most), most)
    scale = add(scale, subtract(length, length))
    return [multiply(g, scale) for g in gradients]


def by_value(gradient: Any, most: float) -> Any:
    """The gradient with each element held between `-most` and `most`."""
    return clip(gradient, -most, most)
