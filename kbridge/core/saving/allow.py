"""What a stored config may name. Names are looked up in lists and never imported.

A config is checked whole, every name in it resolved, before anything is made of it. The names in
force are the public ones, the registered ones, and the custom objects that the caller passed: nothing in a
file can add to them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

from kbridge.core import registry
from kbridge.core.errors import LoadError
from kbridge.core.ops.random import SeedGenerator
from kbridge.core.saving.graph_ops import is_op_entry, op_named
from kbridge.core.tensor.policy import DTypePolicy

MAX_DEPTH = 200  # some forty models nested in each other
LITERALS = frozenset({"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"})
CODE = frozenset({"__lambda__", "__typespec__"})
# What Keras writes with a module that isn't one of the facades.
ELSEWHERE: dict[str, dict[str, Any]] = {
    "": {"DTypePolicy": DTypePolicy, "FloatDTypePolicy": DTypePolicy},
    "dtype_policies": {"DTypePolicy": DTypePolicy, "FloatDTypePolicy": DTypePolicy},
    "random": {"SeedGenerator": SeedGenerator},
}
WRITTEN_ELSEWHERE = {SeedGenerator: ("random", "SeedGenerator")}  # a policy is written by itself
# What Keras calls `keras.Name`, by the facade that has it here.
TOP_LEVEL = {
    "Sequential": "models", "Model": "models", "Layer": "layers", "Initializer": "initializers", "Loss": "losses",
    "Regularizer": "regularizers", "Metric": "metrics", "Optimizer": "optimizers",
}  # fmt: skip
FUNCTION_KINDS = ("activations", "losses", "metrics")
# Arguments by which a layer would read something outside the file.
OUTSIDE = frozenset({"filepath", "vocabulary", "idf_weights", "call_endpoint"})
_BAD_NAME = re.compile(r"[/\\\0]|\.\.|^[A-Za-z]:")


@dataclass(frozen=True)
class Named:
    """A class or function that a config names.

    Attributes:
        where: the place in the config, such as `config.layers[2]`.
        entry: the JSON object.
        target: what it stands for here; None if it is unknown.
    """

    where: str
    entry: dict[str, Any]
    target: Any

    @property
    def label(self) -> str:
        """The name as the file gives it, with its module."""
        name = self.entry["config"] if self.entry["class_name"] == "function" else self.entry["class_name"]
        module = self.entry.get("module")
        return f"{module}.{name}" if module else str(name)


def is_entry(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value stands for an object."""
    return isinstance(value, dict) and "class_name" in value and "config" in value


def named_in(config: Any, custom_objects: dict[str, Any] | None = None) -> list[Named]:
    """Every class and function that a config names, in the order of the file.

    Raises:
        LoadError: the config carries code, points outside the file, holds a name that can't be one, or
            is nested too deeply.
    """
    customs = registry.custom_names(custom_objects)
    found = []
    for where, value in _walk(config):
        if is_entry(value):
            _refuse(where, value)
            found.append(Named(where, value, resolve(value, customs)))
            _refuse_outside(found[-1])
    return found


def check(config: Any, custom_objects: dict[str, Any] | None = None) -> None:
    """Refuse a config that names anything unknown.

    Raises:
        LoadError: listing what is unknown. Nothing was imported or made.
    """
    unknown = [named for named in named_in(config, custom_objects) if named.target is None]
    if not unknown:
        return
    labels = list(dict.fromkeys(named.label for named in unknown))
    shown = ", ".join(labels[:5]) + (f" and {len(labels) - 5} more" if len(labels) > 5 else "")
    what = "which is" if len(labels) == 1 else "which are"
    name = labels[0].rpartition(".")[2]
    raise LoadError(
        f"The file names {shown} (at {unknown[0].where}), {what} neither part of kbridge nor registered. Nothing was "
        f"imported. If you trust the file, pass custom_objects={{{name!r}: ...}} or register the class with "
        "`@kbridge.saving.register_keras_serializable()`."
    )


def _walk(config: Any) -> Iterator[tuple[str, Any]]:
    """All values in a config with their places, outer ones first."""
    stack: list[tuple[str, Any, int]] = [("", config, 0)]
    while stack:
        where, value, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise LoadError(f"The config is nested more than {MAX_DEPTH} levels deep. No model needs that; refused.")
        yield where.lstrip(".") or "the top", value
        if isinstance(value, dict):
            inner = [(f"{where}.{key}", each) for key, each in value.items()]
        elif isinstance(value, (list, tuple)):
            inner = [(f"{where}[{i}]", each) for i, each in enumerate(value)]
        else:
            continue
        stack += [(place, each, depth + 1) for place, each in reversed(inner)]


# --- what is refused whoever asks -----------------------------------------------------------------


def _refuse(where: str, entry: dict[str, Any]) -> None:
    name, config = entry["class_name"], entry["config"]
    for key in ("class_name", "module", "registered_name", "name"):
        if not isinstance(entry.get(key), (str, type(None))):
            raise LoadError(f"At {where}, {key} must be text, got {type(entry[key]).__name__}.")
    if name is None:
        raise LoadError(f"At {where}, class_name is missing.")
    if name in CODE or (name == "Lambda" and _holds_code(config)):
        raise LoadError(
            f"The file carries code (a lambda, at {where}). kbridge never runs code from a file. Name the function, "
            "register it with `@kbridge.saving.register_keras_serializable()` and save the model again."
        )
    if name not in LITERALS and name != "function" and not isinstance(config, (dict, type(None))):
        raise LoadError(f"At {where}, the config of {name} must be an object, got {type(config).__name__}.")
    inner = config.get("name") if isinstance(config, dict) else None
    for given in (entry.get("name"), inner):
        if isinstance(given, str) and _BAD_NAME.search(given):
            raise LoadError(
                f"The name {given!r} at {where} can't be a name: it holds a path separator, '..', a drive letter "
                "or NUL."
            )


def _holds_code(config: Any) -> bool:
    function = config.get("function") if isinstance(config, dict) else config
    return not (isinstance(function, dict) and function.get("class_name") == "function")


def _refuse_outside(named: Named) -> None:
    """A built-in layer reads no other file, whatever its stored arguments say."""
    config = named.entry["config"]
    if not isinstance(config, dict) or not is_ours(named.entry):
        return
    for key in OUTSIDE & config.keys():
        if isinstance(config[key], str):
            raise LoadError(
                f"{named.label} at {named.where} points outside the file ({key}={config[key]!r}). It was not read. "
                "A model file has to be complete in itself: give the layer the values and save it again."
            )


# --- from a name to what it stands for ------------------------------------------------------------


def is_ours(entry: dict[str, Any]) -> bool:
    """Whether an entry claims to be part of Keras or kbridge."""
    return (entry.get("module") or "").partition(".")[0] in ("keras", "kbridge")


def kind_of(entry: dict[str, Any]) -> str:
    """The facade that an entry's module means: "layers" for `keras.layers` and `keras.src.layers.core.dense`."""
    parts = (entry.get("module") or "").split(".")[1:]
    if parts[:1] == ["src"]:
        return parts[1] if len(parts) > 1 else ""
    return ".".join(parts)


def resolve(entry: dict[str, Any], customs: dict[str, Any]) -> Any:
    """The class, function, op or literal that an entry names; None if there is no such thing here.

    A name of kbridge's own can't be taken over: custom objects are looked at only for what isn't built in.
    """
    name, registered = entry["class_name"], entry.get("registered_name")
    if name in LITERALS:
        return name
    if name == "function":
        return _function(entry, customs)
    if is_op_entry(entry):
        return op_named(name)
    builtin = _builtin(entry) if is_ours(entry) else None
    if builtin is not None:
        if registered not in (None, "", name):
            raise LoadError(
                f"The file calls one object by two names, {entry['module']}.{name} and {registered!r}. "
                "A part of Keras has no registered name; the file was tampered with or written by hand."
            )
        return builtin
    for candidate in (registered, name):
        found = registry.get_registered_object(candidate, customs) if candidate else None
        if inspect.isclass(found):
            return found
    return None


def _builtin(entry: dict[str, Any]) -> Any:
    name, kind = entry["class_name"], kind_of(entry)
    found = ELSEWHERE.get(kind, {}).get(name)
    if found is not None:
        return found
    kind = kind or TOP_LEVEL.get(name, "")
    found = registry.public_names(kind).get(name) if kind in registry.kinds() else None
    return found if inspect.isclass(found) else None


def _function(entry: dict[str, Any], customs: dict[str, Any]) -> Any:
    name, registered = entry["config"], entry.get("registered_name")
    if not isinstance(name, str):
        raise LoadError(f"A function is stored by name, got {type(name).__name__}.")
    for candidate in (name, registered):
        found = registry.get_registered_object(candidate, customs) if candidate else None
        if found is not None:
            return found
    kind = kind_of(entry)
    kinds = (kind,) if is_ours(entry) and kind in FUNCTION_KINDS else FUNCTION_KINDS
    if not is_ours(entry) and entry.get("module") not in ("builtins", None):  # Keras's word for its own functions
        return None
    for each in kinds:
        found = registry.public_names(each).get(name)
        if inspect.isfunction(found):
            return found
    return None
