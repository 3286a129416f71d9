"""Names that files and strings may refer to: the public ones, and those that users register.

A facade (`kbridge.layers`, …) is the list of what is public. The same list feeds `get("relu")`, the
saved form and the loader's allow-list, so a name is public, findable and loadable together or not at all.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kbridge.core.naming import snake_case

VERBS = frozenset({"get", "serialize", "deserialize"})  # a facade's own tools: nothing that a config may mean
_facades: dict[str, str] = {}  # "layers" -> the module that lists them; filled by kbridge/__init__.py
_registered: dict[str, Any] = {}  # "package>Name" -> class or function
_registered_names: dict[Any, str] = {}


class _Local(threading.local):
    def __init__(self) -> None:  # runs in each thread
        self.custom: dict[str, Any] = {}


_local = _Local()


def set_facades(modules: dict[str, str]) -> None:
    """Say which modules list the public names."""
    _facades.update(modules)


@functools.cache
def public_names(kind: str) -> dict[str, Any]:
    """The public classes and functions of one kind, such as "layers"."""
    module = importlib.import_module(_facades[kind])
    return {
        name: found
        for name, found in vars(module).items()
        if not name.startswith("_") and callable(found) and name not in VERBS
    }


@functools.cache
def _aliases(kind: str) -> dict[str, Any]:
    """Public names as people write them: `GlorotUniform`, `glorot_uniform`."""
    names = public_names(kind)
    return {**{snake_case(name): found for name, found in names.items() if inspect.isclass(found)}, **names}


@functools.cache
def public_place(found: Any) -> tuple[str, str] | None:
    """Where a class or function is public: `("layers", "Dense")`."""
    for kind in _facades:
        names = [name for name, public in public_names(kind).items() if public is found]
        if names:  # of several, its own: files shall say MaxPooling2D, not MaxPool2D
            own = getattr(found, "__name__", "")
            return kind, own if own in names else names[0]
    return None


def find(kind: str, name: str, extra: dict[str, Any] | None = None) -> Any:
    """The object called `name`: a custom one, a registered one, or a public one of this kind.

    Raises:
        ValueError: with the nearest names, if there is none.
    """
    customs = custom_names(extra)
    if name in customs:
        return customs[name]
    if name in _registered:
        return _registered[name]
    names = _aliases(kind)
    if name in names:
        return names[name]
    import difflib

    near = difflib.get_close_matches(name, names, 3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise ValueError(
        f"Unknown name {name!r} in kbridge.{kind}.{hint} Own classes need "
        "`@kbridge.saving.register_keras_serializable()` or `custom_objects`."
    )


def custom_names(extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """The custom objects in force: the scope's and those passed along."""
    return {**_local.custom, **(extra or {})}


@contextmanager
def custom_object_scope(objects: dict[str, Any] | None) -> Iterator[None]:
    """Let files and strings refer to these objects inside."""
    before = _local.custom
    _local.custom = {**before, **(objects or {})}
    try:
        yield
    finally:
        _local.custom = before


CustomObjectScope = custom_object_scope


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Decorator: let saved files refer to a class or function as `package>name`.

    >>> @register_keras_serializable("example")
    ... def gate(x):
    ...     return x
    >>> get_registered_name(gate)
    'example>gate'
    """

    def register(found: Any) -> Any:
        full = f"{package}>{name or found.__name__}"
        if inspect.isclass(found) and not hasattr(found, "get_config"):
            raise ValueError(f"{found.__name__} needs a get_config method to be saved.")
        _registered[full] = found
        _registered_names[found] = full
        return found

    return register


def get_registered_name(found: Any) -> str:
    """The registered name of a class or function, or its plain name."""
    return _registered_names.get(found, found.__name__)


def get_registered_object(
    name: str, custom_objects: dict[str, Any] | None = None, module_objects: dict[str, Any] | None = None
) -> Any:
    """The class or function registered under that name, or None."""
    names = {**(module_objects or {}), **_registered, **custom_names(custom_objects)}
    return names.get(name)


def get_custom_objects() -> dict[str, Any]:
    """The registered classes and functions by name. What is put in counts as registered, everywhere."""
    return _registered


def kinds() -> frozenset[str]:
    """The kinds of public names that files may refer to."""
    return frozenset(_facades)


# The formats that `Model.export` writes, and under which name Keras knows them.
FORMATS = ("tf_saved_model", "litert", "onnx", "torch", "jax", "tfjs")
EXPORT = "kbridge.adapters.export"


def exporter(format: str) -> Any:
    """A function `(model, path, **options)` that writes models in that format."""
    check_format(format)
    export = importlib.import_module(EXPORT).export
    return functools.partial(export, format=format)


def check_format(format: str) -> None:
    """Refuse what isn't the name of an export format."""
    if format not in FORMATS:
        raise ValueError(f"Unknown export format {format!r}. Choose one of {', '.join(FORMATS)}.")


def batch_source() -> Any:
    """What turns the data that users pass to `fit` into batches; `kbridge.data` brings it."""
    return importlib.import_module(DATA).batch_source


DATA = "kbridge.data.source"
