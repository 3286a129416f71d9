"""Activation functions by name; the functions are ops."""

from __future__ import annotations

from typing import Any

from kbridge.core.ops import activate
from kbridge.core.ops.elementwise import multiply, tanh
from kbridge.core.registry import custom_object_scope
from kbridge.core.saving.config import object_of, serialize_keras_object


def linear(x: Any) -> Any:
    """The input itself."""
    return x


def gelu(x: Any, approximate: bool = False) -> Any:
    """`x * P(X <= x)` for a normal X: exactly, where the op of that name approximates by default, as in Keras."""
    return activate.gelu(x, approximate)


def mish(x: Any) -> Any:
    """`x * tanh(softplus(x))` (https://arxiv.org/abs/1908.08681)."""
    return multiply(x, tanh(activate.softplus(x)))


def get(identifier: Any) -> Any:
    """An activation from a name, a config or a function; None means `linear`."""
    return linear if identifier is None else object_of("activations", identifier)


def serialize(activation: Any) -> Any:
    """The JSON form of an activation: its name, if it is a public one."""
    return serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The activation of a JSON form."""
    with custom_object_scope(custom_objects):
        return get(config)
