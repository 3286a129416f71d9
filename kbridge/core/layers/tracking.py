"""What belongs to a layer: found by looking at its attributes, lists and dicts included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kbridge.core.ops.random import SeedGenerator
from kbridge.core.tensor.variable import Variable

PLAIN = frozenset({str, int, float, bool, type(None)})  # most of a layer's attributes, and they hold nothing
UNTRACKED = frozenset({"_added", "_arguments", "_inbound", "_graph", "_graph_children", "_with_losses"})


def open_container(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The objects in nested lists, tuples and dicts, with dotted names."""
    if isinstance(value, (list, tuple)):
        for i, each in enumerate(value):
            yield from open_container(f"{name}.{i}", each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from open_container(f"{name}.{key}", each)
    else:
        yield name, value


def attributes(owner: Any) -> Iterator[tuple[str, Any]]:
    """Every object held by `owner`'s attributes, once, in the order it was set; no plain numbers and strings."""
    seen: set[int] = set()
    untracked = UNTRACKED | owner.untracked
    for name, value in owner.__dict__.items():
        if type(value) in PLAIN or name in untracked:
            continue
        for path, found in open_container(name.lstrip("_"), value):
            if id(found) not in seen:
                seen.add(id(found))
                yield path, found


def own_variables(owner: Any) -> Iterator[tuple[str, Variable]]:
    """The variables that `owner` itself holds, not those of its layers."""
    named = {id(v): (path, v) for path, v in attributes(owner) if isinstance(v, Variable)}
    for variable in owner._added:
        named.setdefault(id(variable), (variable.name, variable))
    order = {id(v): i for i, v in enumerate(owner._added)}
    yield from sorted(named.values(), key=lambda pair: order.get(id(pair[1]), len(order)))


def seed_generators(owner: Any) -> Iterator[tuple[str, SeedGenerator]]:
    """The random streams that `owner` itself holds."""
    for path, found in attributes(owner):
        if isinstance(found, SeedGenerator):
            yield path, found
