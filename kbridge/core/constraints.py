"""Functions that put a weight back into bounds after each step of an optimizer."""

from __future__ import annotations

from typing import Any

from kbridge.core.config import Configured
from kbridge.core.ops.elementwise import add, clip, divide, greater, maximum, multiply, sqrt, square, where
from kbridge.core.ops.reduce import sum as sum_over
from kbridge.core.saving.config import deserialize_keras_object, object_of, serialize_keras_object
from kbridge.core.settings import epsilon


class Constraint(Configured):
    """Called with a weight, returns what shall take its place. Subclasses give `__call__(w)`."""

    def __call__(self, w: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a __call__(w).")


def _lengths(w: Any, axis: Any) -> Any:
    return sqrt(sum_over(square(w), axis=axis, keepdims=True))


def _scaled(w: Any, lengths: Any, wanted: Any) -> Any:
    safe = where(greater(lengths, 0), add(lengths, epsilon()), 1.0)  # epsilon itself may be 0 in half precision
    return multiply(divide(w, safe), wanted)


class MaxNorm(Constraint):
    """Weights whose length along `axis` is above `max_value` are shortened to it.

    Args:
        max_value: the greatest length.
        axis: the axes that make one vector: 0 for a Dense kernel `(inputs, units)`, `(0, 1, 2)` for a
            Conv2D kernel `(height, width, inputs, filters)`.

    >>> MaxNorm(1.0)([[3.0, 0.3], [4.0, 0.4]]).round(4)
    array([[0.6, 0.3],
           [0.8, 0.4]], dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        lengths = _lengths(w, self.axis)
        return _scaled(w, lengths, clip(lengths, 0, self.max_value))


class NonNeg(Constraint):
    """Weights below 0 become 0.

    >>> NonNeg()([-1.0, 2.0])
    array([0., 2.], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        return maximum(w, 0)


class UnitNorm(Constraint):
    """Weights get length 1 along `axis`. See `MaxNorm`.

    >>> UnitNorm()([[3.0], [4.0]]).round(4)
    array([[0.6],
           [0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return _scaled(w, _lengths(w, self.axis), 1.0)


class MinMaxNorm(Constraint):
    """The length of weights along `axis` is put between two bounds. See `MaxNorm`.

    Args:
        min_value, max_value: the bounds.
        rate: how much of the way is gone at each step, from 0 to 1.
        axis: the axes that make one vector.

    >>> MinMaxNorm(1.0, 2.0, rate=0.5)([[3.0], [4.0]]).round(4)
    array([[2.1],
           [2.8]], dtype=float32)
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:
        lengths = _lengths(w, self.axis)
        bounded = clip(lengths, self.min_value, self.max_value)
        return _scaled(w, lengths, add(multiply(bounded, self.rate), multiply(lengths, 1 - self.rate)))


def get(identifier: Any) -> Any:
    """A constraint from a name, a config, a class or an object."""
    return object_of("constraints", identifier)


def serialize(constraint: Any) -> Any:
    """The JSON form of a constraint."""
    return serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint of a JSON form; names are looked up in `custom_objects` too."""
    return deserialize_keras_object(config, custom_objects)
