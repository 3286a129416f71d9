"""Objects as JSON, in Keras's form, and back. Nothing is imported by a name that a file holds."""

from __future__ import annotations

import inspect
import operator
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from kbridge.core import registry
from kbridge.core.errors import LoadError
from kbridge.core.ops.declare import Op
from kbridge.core.saving.allow import TOP_LEVEL, WRITTEN_ELSEWHERE, check, is_entry, is_ours, resolve
from kbridge.core.saving.compat import without_unknown
from kbridge.core.tensor.dtypes import ALL, standardize_dtype
from kbridge.core.tensor.policy import DTypePolicy
from kbridge.core.tensor.variable import Variable

PLAIN = (str, int, float, bool, type(None))
# Where Keras says a class is public, if not in the module named after its kind.
KERAS_MODULES = {**dict.fromkeys(TOP_LEVEL, "keras"), "Functional": "keras.src.models.functional"}


class _Sharing(threading.local):
    """Objects met so far in the writing or reading in progress, so that a shared one stays one."""

    written: dict[int, tuple[Any, dict[str, Any]]] | None = None
    read: dict[int, Any] | None = None
    customs: dict[str, Any] | None = None


_sharing = _Sharing()


# --- writing --------------------------------------------------------------------------------------


@contextmanager
def writing() -> Iterator[dict[str, Any]]:
    """One writing: an object met twice is written as one.

    Yields:
        The classes and functions met that aren't public, by the name they are written under.
    """
    before = _sharing.written, _sharing.customs
    _sharing.written, _sharing.customs = {}, {}
    try:
        yield _sharing.customs
    finally:
        _sharing.written, _sharing.customs = before


def serialize_keras_object(obj: Any) -> Any:
    """The JSON form of a config value, a layer, an initializer, a public function, …

    Raises:
        TypeError: the object has no form that could be read again.
    """
    if isinstance(obj, PLAIN):
        return obj
    if isinstance(obj, (list, tuple)):
        items = [serialize_keras_object(each) for each in obj]
        return obj if isinstance(obj, list) and all(map(operator.is_, items, obj)) else items
    if isinstance(obj, dict):
        entries = {key: serialize_keras_object(each) for key, each in obj.items()}
        # What is in its stored form already stays the same dict: a mark that it is shared may come later.
        return obj if all(entries[key] is obj[key] for key in obj) else entries
    literal = _literal(obj)
    if literal is not None:
        return literal
    if inspect.isfunction(obj) or inspect.isbuiltin(obj):
        return _function(obj)
    if hasattr(obj, "get_config") and not inspect.isclass(obj):
        return _object(obj)
    raise TypeError(
        f"{obj!r} of type {type(obj).__name__} can't be saved: it has no get_config. Give it one and "
        "register its class with `@kbridge.saving.register_keras_serializable()`."
    )


def _literal(obj: Any) -> Any:
    """The form of values that JSON lacks, None for everything else."""
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, Variable):
        obj = obj.numpy()
    if isinstance(obj, np.ndarray):
        dtype = standardize_dtype(obj.dtype)
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": dtype}}
    if isinstance(obj, slice):
        parts = {key: serialize_keras_object(getattr(obj, key)) for key in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": parts}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if isinstance(obj, np.dtype) or (inspect.isclass(obj) and not hasattr(obj, "get_config")):
        return standardize_dtype(obj)
    if isinstance(obj, DTypePolicy):
        return _entry("keras", "DTypePolicy", obj.get_config(), None)
    return None


def _entry(module: str | None, name: str, config: Any, registered: str | None) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def _function(function: Any) -> Any:
    place = registry.public_place(function)
    if place is not None:
        return place[1]
    if function.__name__ == "<lambda>":
        raise TypeError("A lambda can't be saved. Give the function a name and register it.")
    registered = registry.get_registered_name(function)
    _note_custom(registered, function)
    return _entry(None, "function", registered, registered)


def _note_custom(name: str, found: Any) -> None:
    if _sharing.customs is not None and _sharing.customs.setdefault(name, found) is not found:
        raise ValueError(f"Two different things are called {name!r}; give one of them another name.")


def _object(obj: Any) -> dict[str, Any]:
    kind: Any = type(obj)
    place = registry.public_place(kind) or WRITTEN_ELSEWHERE.get(kind)
    config = serialize_keras_object(obj.get_config())
    if place is None:
        registered = registry.get_registered_name(kind)
        _note_custom(registered, kind)
        entry = _entry(None, kind.__name__, config, registered)
    else:
        module = KERAS_MODULES.get(place[1], f"keras.{place[0]}")
        entry = _entry(module, place[1], config, place[1] if place[1] == "Functional" else None)
    for part in ("build_config", "compile_config"):
        value = getattr(obj, f"get_{part}")() if hasattr(obj, f"get_{part}") else None
        if value is not None:
            entry[part] = serialize_keras_object(value)
    _note_shared(obj, entry)
    return entry


def _note_shared(obj: Any, entry: dict[str, Any]) -> None:
    written = _sharing.written
    if written is None:
        return
    if id(obj) in written:
        first = written[id(obj)][1]
        number = first.setdefault("shared_object_id", 1 + list(written).index(id(obj)))
        entry["shared_object_id"] = number
    else:
        written[id(obj)] = obj, entry  # the object is kept, so its id stays its own


# --- reading --------------------------------------------------------------------------------------


def deserialize_keras_object(
    config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True, kind: str | None = None
) -> Any:
    """The object of a JSON form. All names in it are resolved before anything is made.

    Args:
        config: what `serialize_keras_object` gave, or Keras did.
        custom_objects: names that the form may refer to, beside the public and registered ones.
        safe_mode: kept for Keras's signature; nothing unsafe is ever loaded.
        kind: for plain strings, where to look them up ("activations", …).

    Raises:
        LoadError: the form names something unknown, or carries code. Nothing was imported or made.
    """
    if isinstance(config, str) and kind:
        return registry.find(kind, config, custom_objects)
    if isinstance(config, PLAIN):
        return config
    check(config, custom_objects)
    with registry.custom_object_scope(custom_objects), _reading():
        return _made(config)


@contextmanager
def _reading() -> Iterator[None]:
    """One reading, from the outermost call on: objects with one number are one object."""
    before = _sharing.read
    _sharing.read = {} if before is None else before
    try:
        yield
    finally:
        _sharing.read = before


def _made(config: Any) -> Any:
    if isinstance(config, PLAIN):
        return config
    if isinstance(config, (list, tuple)):
        return [_made(each) for each in config]
    if not isinstance(config, dict):
        return config  # an object already
    if not is_entry(config):
        return {key: _made(each) for key, each in config.items()}
    target = resolve(config, registry.custom_names())
    if isinstance(target, str):
        return _made_literal(target, config["config"])
    if inspect.isclass(target):
        return _made_object(target, config)
    if isinstance(target, Op) or target is None:
        raise LoadError(f"{config['class_name']} belongs into the graph of a model; it is no object of its own.")
    return target


def _made_literal(name: str, config: Any) -> Any:
    try:
        if name == "__ellipsis__":
            return Ellipsis
        if name == "__bytes__":
            return config["value"].encode()
        if name == "__slice__":
            return slice(*(_made(config[key]) for key in ("start", "stop", "step")))
        if name in ("__numpy__", "__tensor__") and config["dtype"] in ALL - {"string"}:
            return np.array(config["value"], config["dtype"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LoadError(f"A {name} value in the file can't be read: {error}") from error
    raise LoadError(f"A {name} value in the file stands where none can be: {str(config)[:80]}")


def _made_object(cls: Any, entry: dict[str, Any]) -> Any:
    number: Any = entry.get("shared_object_id")
    shared = _sharing.read if isinstance(number, int) else None
    if shared is not None and type(shared.get(number)) is cls:
        return shared[number]
    config = entry["config"] or {}
    obj = cls.from_config(without_unknown(cls, config) if is_ours(entry) else dict(config))
    build, compiled = entry.get("build_config"), entry.get("compile_config")
    if build and hasattr(obj, "build_from_config") and not getattr(obj, "built", False):
        obj.build_from_config(build)
    if compiled and hasattr(obj, "compile_from_config"):
        obj.compile_from_config(compiled)
    if shared is not None:
        shared[number] = obj
    return obj


@contextmanager
def as_load_error(what: str) -> Iterator[None]:
    """Whatever goes wrong inside is the file's fault: one clear error, the cause behind it."""
    try:
        yield
    except LoadError:
        raise
    except Exception as error:
        raise LoadError(f"{what}: {type(error).__name__}: {error}") from error


def object_of(kind: str, identifier: Any, call: bool = True) -> Any:
    """What users may write for an initializer, activation, …: None, a name, a config, a class, an object."""
    if identifier is None or (callable(identifier) and not inspect.isclass(identifier)):
        return identifier
    if isinstance(identifier, dict):
        return deserialize_keras_object(identifier) if is_entry(identifier) else identifier
    found = registry.find(kind, identifier) if isinstance(identifier, str) else identifier
    return found() if inspect.isclass(found) and call else found
