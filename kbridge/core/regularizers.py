"""Losses on weights."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core.config import Configured
from kbridge.core.errors import ShapeError
from kbridge.core.ops.diagonal import eye
from kbridge.core.ops.elementwise import absolute, multiply, square, subtract
from kbridge.core.ops.linalg import matmul
from kbridge.core.ops.nn import normalize
from kbridge.core.ops.outermost import as_tensor, dtype_of, outermost
from kbridge.core.ops.reduce import sum as sum_over
from kbridge.core.ops.shape import transpose
from kbridge.core.registry import custom_object_scope
from kbridge.core.saving.config import object_of, serialize_keras_object


class Regularizer(Configured):
    """Called with a weight, returns a number to add to the loss."""

    def __call__(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a __call__(x).")


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x**2)`."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = _factor("l1", l1 or 0.0), _factor("l2", l2 or 0.0)

    def __call__(self, x: Any) -> Any:
        return multiply(sum_over(absolute(x)), self.l1) + multiply(sum_over(square(x)), self.l2)


class L1(Regularizer):
    """`l1 * sum(|x|)`."""

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor("l1", l1)

    def __call__(self, x: Any) -> Any:
        return multiply(sum_over(absolute(x)), self.l1)


class L2(Regularizer):
    """`l2 * sum(x**2)`."""

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor("l2", l2)

    def __call__(self, x: Any) -> Any:
        return multiply(sum_over(square(x)), self.l2)


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean size of the cosines between the rows, or columns, of a matrix.

    Args:
        factor: 0 or more.
        mode: "rows" or "columns".

    Raises:
        ShapeError: the weight is no matrix.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ValueError(f'mode is "rows" or "columns", got {mode!r}.')
        self.factor = _factor("factor", factor)
        self.mode = mode

    @outermost
    def __call__(self, x: Any) -> Any:
        if len(x.shape) != 2:
            raise ShapeError(f"OrthogonalRegularizer takes matrices, got shape {tuple(x.shape)}.")
        x = as_tensor(x)
        rows = normalize(x if self.mode == "rows" else transpose(x), axis=1)
        count = x.shape[0 if self.mode == "rows" else 1]
        cosines = multiply(matmul(rows, transpose(rows)), subtract(1.0, eye(count, dtype=dtype_of(x))))
        return multiply(sum_over(absolute(cosines)), self.factor / (count * (count - 1)))


def _factor(name: str, value: Any) -> float:
    if isinstance(value, (int, float)) and 0 <= value < math.inf:
        return float(value)
    raise ValueError(f"{name} is a number from 0 on, got {value!r}.")


def serialize(regularizer: Any) -> Any:
    """The JSON form of a regularizer."""
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer of a JSON form."""
    with custom_object_scope(custom_objects):
        return object_of("regularizers", config)


def get(identifier: Any) -> Any:
    """A regularizer from a name, a config, a class or an object."""
    return object_of("regularizers", identifier)
