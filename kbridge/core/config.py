"""Objects whose config is their constructor's arguments."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Self


@functools.cache
def constructor_parameters(kind: type) -> dict[str, inspect.Parameter]:
    """The parameters of a class's constructor, inherited ones behind `**kwargs` included."""
    found: dict[str, inspect.Parameter] = {}
    for parent in kind.__mro__:
        init = parent.__dict__.get("__init__")
        if init is None or parent is object:
            continue
        parameters = list(inspect.signature(init).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                found.setdefault(parameter.name, parameter)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


class Configured:
    """Records what its constructor was called with; `get_config` gives that back.

    A subclass writes `get_config` itself only where the stored form differs. A recorded argument that
    was set as an attribute of the same name is read from there, so that changes are kept.
    """

    _arguments: dict[str, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        object.__setattr__(self, "_arguments", recorded(cls, args, kwargs))
        return self

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, defaults included."""
        config = {}
        kind: Any = type(self)
        for name, parameter in constructor_parameters(kind).items():
            if name in self._arguments:
                given = self._arguments[name]
            elif parameter.default is not parameter.empty:
                given = parameter.default
            else:
                continue
            config[name] = getattr(self, name, given)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The object of that config."""
        return cls(**config)


def recorded(kind: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The constructor's arguments by name, those of a `*args` under "*"; wrong ones are the constructor's to refuse."""
    names = [p.name for p in constructor_parameters(kind).values() if p.kind is not p.KEYWORD_ONLY]
    rest = {"*": args[len(names) :]} if len(args) > len(names) else {}
    return {**dict(zip(names, args, strict=False)), **rest, **kwargs}
