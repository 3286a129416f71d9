"""Objects as JSON, in Keras's form, and back. Nothing is imported by a name that a file holds."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from kbridge.core import registry
from kbridge.core.errors import LoadError
from kbridge.core.tensor.dtypes import standardize_dtype
from kbridge.core.tensor.policy import DTypePolicy
from kbridge.core.tensor.variable import Variable

PLAIN = (str, int, float, bool, type(None))
LITERAL_CLASSES = {"__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"}


def serialize_keras_object(obj: Any) -> Any:
    """The JSON form of a config value, a layer, an initializer, a public function, …"""
    if isinstance(obj, PLAIN):
        return obj
    if isinstance(obj, (list, tuple)):
        return [serialize_keras_object(each) for each in obj]
    if isinstance(obj, dict):
        return {key: serialize_keras_object(each) for key, each in obj.items()}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, np.dtype) or (inspect.isclass(obj) and not hasattr(obj, "get_config")):
        return standardize_dtype(obj)
    if isinstance(obj, DTypePolicy):
        return _entry("keras", "DTypePolicy", obj.get_config(), None)
    if isinstance(obj, Variable):
        return serialize_keras_object(obj.numpy())
    if inspect.isfunction(obj) or inspect.isbuiltin(obj):
        return _function(obj)
    if hasattr(obj, "get_config"):
        return _object(obj)
    raise TypeError(
        f"{obj!r} of type {type(obj).__name__} can't be saved: it has no get_config. Give it one and "
        "register its class with `@kbridge.saving.register_keras_serializable()`."
    )


def _entry(module: str | None, name: str, config: Any, registered: str | None) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def _function(function: Any) -> Any:
    place = registry.public_place(function)
    if place is not None:
        return place[1]
    registered = registry.get_registered_name(function)
    return _entry(None, "function", function.__name__, registered)


def _object(obj: Any) -> dict[str, Any]:
    kind = type(obj)
    place = registry.public_place(kind)
    config = serialize_keras_object(obj.get_config())
    if place is not None:
        entry = _entry(f"keras.{place[0]}", place[1], config, None)
    else:
        entry = _entry(None, kind.__name__, config, registry.get_registered_name(kind))
    build = obj.get_build_config() if hasattr(obj, "get_build_config") else None
    if build is not None:
        entry["build_config"] = serialize_keras_object(build)
    compiled = obj.get_compile_config() if hasattr(obj, "get_compile_config") else None
    if compiled is not None:
        entry["compile_config"] = serialize_keras_object(compiled)
    return entry


def is_entry(value: Any) -> bool:
    """Whether a JSON value stands for an object."""
    return isinstance(value, dict) and "class_name" in value and "config" in value


def kind_of_entry(entry: dict[str, Any]) -> str:
    """The facade that an entry's module names: "layers" for `keras.layers`."""
    module = entry.get("module") or ""
    if not isinstance(module, str):
        raise LoadError(f"A module name must be text, got {module!r}.")
    parts = module.split(".")
    if parts[0] not in ("keras", "kbridge"):
        return ""
    if parts[1:2] == ["src"] and len(parts) > 2:
        return {"models": "models"}.get(parts[2], parts[2])
    return ".".join(parts[1:])


def class_of_entry(entry: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The class that an entry names: custom, registered or public. Nothing is imported."""
    name, registered = entry["class_name"], entry.get("registered_name")
    customs = registry.custom_names(custom_objects)
    for candidate in (name, registered):
        if isinstance(candidate, str) and candidate in customs:
            return customs[candidate]
    if isinstance(registered, str) and (found := registry.get_registered_object(registered)) is not None:
        return found
    kind = kind_of_entry(entry)
    found = registry.public_names(kind).get(name) if kind in registry.kinds() else None
    if inspect.isclass(found):
        return found
    raise LoadError(
        f"The file names {entry.get('module')}.{name}, which is neither part of kbridge nor registered. It was "
        "not imported. If you trust it, pass custom_objects={" + repr(name) + ": ...} or register the class."
    )


def deserialize_keras_object(
    config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True, kind: str | None = None
) -> Any:
    """The object of a JSON form.

    Args:
        config: what `serialize_keras_object` gave, or Keras did.
        custom_objects: names that the form may refer to, beside the public and registered ones.
        safe_mode: kept for Keras's signature; nothing unsafe is ever loaded.
        kind: for plain strings, where to look them up ("activations", …).

    Raises:
        LoadError: the form names something unknown. Nothing was imported.
    """
    if isinstance(config, PLAIN):
        return registry.find(kind, config, custom_objects) if isinstance(config, str) and kind else config
    if isinstance(config, (list, tuple)):
        return [deserialize_keras_object(each, custom_objects, safe_mode) for each in config]
    if not is_entry(config):
        return {k: deserialize_keras_object(v, custom_objects, safe_mode) for k, v in config.items()}
    name, inner = config["class_name"], config["config"]
    if name == "DTypePolicy":
        return DTypePolicy.from_config(inner)
    if name == "__numpy__":
        return np.array(inner["value"], inner["dtype"])
    if name == "__tensor__":
        return np.array(inner["value"], inner["dtype"])
    if name == "function":
        return _load_function(config, custom_objects)
    cls = class_of_entry(config, custom_objects)
    with registry.custom_object_scope(custom_objects or {}):
        obj = cls.from_config(inner)
    build = config.get("build_config")
    if build and hasattr(obj, "build_from_config"):
        obj.build_from_config(build)
    compiled = config.get("compile_config")
    if compiled and hasattr(obj, "compile_from_config"):
        obj.compile_from_config(compiled)
    return obj


def _load_function(config: dict[str, Any], custom_objects: dict[str, Any] | None) -> Any:
    name, registered = config["config"], config.get("registered_name")
    customs = registry.custom_names(custom_objects)
    for candidate in (name, registered):
        if isinstance(candidate, str) and candidate in customs:
            return customs[candidate]
    if isinstance(registered, str) and (found := registry.get_registered_object(registered)) is not None:
        return found
    kind = kind_of_entry(config)
    if kind in ("activations", "losses", "metrics") and isinstance(name, str):
        return registry.find(kind, name)
    raise LoadError(
        f"The file names the function {config.get('module')}.{name}, which is neither part of kbridge nor registered. "
        "It was not imported. If you trust it, pass it in custom_objects."
    )


def object_of(kind: str, identifier: Any, call: bool = True) -> Any:
    """What users may write for an initializer, activation, …: None, a name, a config, a class, an object."""
    if identifier is None or (callable(identifier) and not inspect.isclass(identifier)):
        return identifier
    if isinstance(identifier, dict):
        return deserialize_keras_object(identifier) if is_entry(identifier) else identifier
    found = registry.find(kind, identifier) if isinstance(identifier, str) else identifier
    return found() if inspect.isclass(found) and call else found
