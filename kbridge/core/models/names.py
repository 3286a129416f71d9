"""Names of variables that a person can read: `block.0.dense.kernel`. Files and adapters share them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

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
        """`wanted`, with a number behind a part of it that is taken: by a name, or by the beginning of one."""
        *outer, last = (wanted or "_").split(".")
        path = ""
        for part in outer:
            beginning = _numbered(path + part, self._given)
            self._beginnings.add(beginning)
            path = f"{beginning}."
        name = _numbered(path + last, self._given, self._beginnings)
        self._given.add(name)
        return name


def _numbered(wanted: str, *taken: set[str]) -> str:
    name, number = wanted, 0
    while any(name in names for names in taken):
        number += 1
        name = f"{wanted}_{number}"
    return name


def renumbered(names: Iterable[str], kinds: Collection[str]) -> dict[str, str]:
    """Names by what is left of them when the numbers are forgotten that unnamed layers get.

    A process counts its layers on, so a model made twice has `dense_2` where it first had `dense`. The
    order of the numbers stays.

    Args:
        names: dotted names.
        kinds: what unnamed layers are called, without number.

    >>> renumbered(["dense_4.kernel", "dense_7.kernel", "out_3.kernel"], {"dense"})
    {'dense#0.kernel': 'dense_4.kernel', 'dense#1.kernel': 'dense_7.kernel', 'out_3.kernel': 'out_3.kernel'}
    """

    def split(part: str) -> tuple[str, int] | None:
        kind, _, number = part.rpartition("_")
        if part in kinds:
            return part, 0
        return (kind, int(number)) if kind in kinds and number.isdecimal() else None

    names = list(names)
    met: dict[tuple[str, str], set[int]] = {}
    for name in names:
        for path, part in _parts(name):
            if found := split(part):
                met.setdefault((path, found[0]), set()).add(found[1])
    ranks = {place: {number: i for i, number in enumerate(sorted(numbers))} for place, numbers in met.items()}
    forgotten = {}
    for name in names:
        parts = []
        for path, part in _parts(name):
            found = split(part)
            parts.append(f"{found[0]}#{ranks[path, found[0]][found[1]]}" if found else part)
        forgotten[".".join(parts)] = name
    return forgotten


def _parts(name: str) -> Iterator[tuple[str, str]]:
    """Each part of a dotted name, with the path in front of it."""
    parts = name.split(".")
    for i, part in enumerate(parts):
        yield ".".join(parts[:i]), part
