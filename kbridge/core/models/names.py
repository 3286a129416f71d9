"""Names of variables that a person can read: `block.0.dense.kernel`. Files and adapters share them."""

from __future__ import annotations

from kbridge.core.layers.base import Layer
from kbridge.core.tensor.variable import Variable


def named_variables(layer: Layer) -> dict[str, Variable]:
    """The weights of a layer or model by name, in the same order in every process.

    A name is the path to the variable: names of layers for graph models and Sequential, names of
    attributes (without leading underscores, with positions in lists and keys in dicts) elsewhere. What
    is shared is listed once, where it is met first. No name is the beginning of another one's path, so
    that the names also make a nested dict. States of random streams are not weights and are left out.

    >>> from kbridge.core.layers.dense import Dense
    >>> from kbridge.core.layers.input import Input
    >>> from kbridge.core.models.sequential import Sequential
    >>> list(named_variables(Sequential([Input((3,)), Dense(2, name="out")])))
    ['out.kernel', 'out.bias']
    """
    found: dict[str, Variable] = {}
    variables: set[Variable] = set()
    layers: set[int] = set()

    def visit(owner: Layer, prefix: str) -> None:
        layers.add(id(owner))
        names = _Names()
        for name, variable in owner.own_variables_in_order():
            if variable not in variables:
                variables.add(variable)
                found[prefix + names.free(name)] = variable
        for name, child in owner.children():
            if id(child) not in layers:
                visit(child, prefix + names.free(name) + ".")

    visit(layer, "")
    return found


class _Names:
    """The names given within one layer."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._beginnings: set[str] = set()

    def free(self, wanted: str) -> str:
        """`wanted`, or with a number behind it where the name, or part of its path, is taken."""
        name, number = wanted or "_", 0
        while self._taken(name):
            number += 1
            name = f"{wanted or '_'}_{number}"
        self._given.add(name)
        self._beginnings.update(_beginnings(name))
        return name

    def _taken(self, name: str) -> bool:
        return name in self._given or name in self._beginnings or not self._given.isdisjoint(_beginnings(name))


def _beginnings(name: str) -> list[str]:
    """`a` and `a.b` for `a.b.c`."""
    parts = name.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]
