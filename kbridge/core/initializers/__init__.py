"""Starting values of weights, drawn on the host: the same seed gives the same bits on every backend."""

from typing import Any

from kbridge.core.registry import custom_object_scope
from kbridge.core.saving.config import object_of, serialize_keras_object


def get(identifier: Any) -> Any:
    """An initializer from a name, a config, a class or an object."""
    return object_of("initializers", identifier)


def serialize(initializer: Any) -> Any:
    """The JSON form of an initializer."""
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer of a JSON form."""
    with custom_object_scope(custom_objects):
        return object_of("initializers", config)
