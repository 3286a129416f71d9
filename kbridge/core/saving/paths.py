"""Under which path each object's weights lie in a file: Keras's paths, made of attribute names."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from kbridge.core.layers.base import Layer
from kbridge.core.layers.tracking import UNTRACKED
from kbridge.core.naming import snake_case

CONTAINERS = (list, tuple, dict)


def saved_objects(top: Any) -> Iterator[tuple[str, Any]]:
    """A model and all that it holds and that has weights to save, each once, with its path.

    Layers of a graph or a Sequential lie under `layers`; everything else under the name of the attribute
    that holds it, those without leading underscore first, in alphabetical order. In a list or dict an
    object is called after its class.
    """
    return _walk(top, "", set())


def _walk(owner: Any, path: str, visited: set[int]) -> Iterator[tuple[str, Any]]:
    if id(owner) in visited:
        return
    visited.add(id(owner))
    yield path, owner
    for name, child in _attributes(owner):
        inner = f"{path}/{name}" if path else name
        if _is_saved(child):
            yield from _walk(child, inner, visited)
        elif isinstance(child, CONTAINERS):
            yield from _walk_container(child, inner, visited, ())


def _walk_container(container: Any, path: str, visited: set[int], around: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
    if id(container) in around:
        return
    used: dict[str, int] = {}
    for child in list(container.values()) if isinstance(container, dict) else container:
        if _is_saved(child):
            yield from _walk(child, f"{path}/{numbered(snake_case(type(child).__name__), used)}", visited)
        elif isinstance(child, CONTAINERS):
            inner = f"{path}/{numbered('container', used)}"
            yield from _walk_container(child, inner, visited, (*around, id(container)))


def numbered(name: str, used: dict[str, int]) -> str:
    """The name, with a number behind it from the second of its kind on."""
    used[name] = used.get(name, -1) + 1
    return f"{name}_{used[name]}" if used[name] else name


def _is_saved(value: Any) -> bool:
    return hasattr(value, "save_own_variables") and not isinstance(value, type)


def _attributes(owner: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(owner, Layer) and (getattr(owner, "_graph", None) is not None or hasattr(owner, "_stack")):
        yield "layers", owner.layers  # type: ignore[attr-defined]
    common = _names_of_layers() if isinstance(owner, Layer) else frozenset()
    for name in sorted(dir(owner), key=lambda name: f"~{name}" if name.startswith("_") else name):
        if name.startswith("__") or name in common:
            continue
        try:
            value = getattr(owner, name)
        except Exception:  # a property that has no value now, for whatever reason, holds no weights
            continue
        yield name, value


@functools.cache
def _names_of_layers() -> frozenset[str]:
    """What every layer has holds no weights of others, and a Sequential's stack is its `layers`."""
    return frozenset(dir(Layer(name="_"))) | UNTRACKED | {"_stack"}
