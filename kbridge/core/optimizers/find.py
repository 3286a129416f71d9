"""Optimizers by name, and their saved form."""

from __future__ import annotations

import inspect
from typing import Any

from kbridge.core import registry
from kbridge.core.optimizers.optimizer import Optimizer
from kbridge.core.saving.config import deserialize_keras_object, serialize_keras_object


def get(identifier: Any) -> Any:
    """An optimizer from what users write: None, a name in any case, a config, a class or an object.

    Raises:
        ValueError: the name is unknown, or the value is no optimizer.

    >>> [type(get(name)).__name__ for name in ("rmsprop", "Adam")]
    ['RMSprop', 'Adam']
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        identifier = _class_called(identifier)
    if inspect.isclass(identifier) and issubclass(identifier, Optimizer):
        return identifier()  # type: ignore[call-arg]  # only the base has no default rate
    raise ValueError(
        f"An optimizer is a name, a config or an Optimizer; got {identifier!r} of type {type(identifier).__name__}."
    )


def _class_called(name: str) -> Any:
    for public, found in registry.public_names("optimizers").items():
        if inspect.isclass(found) and public.lower() == name.lower():
            return found
    return registry.find("optimizers", name)


def serialize(optimizer: Optimizer) -> Any:
    """The JSON form of an optimizer."""
    return serialize_keras_object(optimizer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer of a JSON form."""
    return deserialize_keras_object(config, custom_objects)
