"""What of a file goes where in a model: settled whole before the model changes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from kbridge.core.errors import LoadError
from kbridge.core.tensor.variable import Variable

SHOWN = 8


class Unread(Protocol):
    """A tensor in a file, checked and not read yet."""

    shape: tuple[int, ...]
    dtype: str
    fragile: bool  # whether reading it may still fail

    def read(self) -> np.ndarray: ...


@dataclass
class Fitting:
    """A file held against a model. Nothing is changed before `finish`.

    Attributes:
        label: the file.
        model: name of the model.
        values: variable -> what it will hold, read or unread.
        faults: what doesn't fit, in words.
        left_over: what nothing in the model asked for, in words.
        stale: why the optimizer's state doesn't fit, or None.
    """

    label: str
    model: str
    values: dict[Variable, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    stale: str | None = None

    def add(self, wanted: list[tuple[str, str, Variable]], found: Mapping[str, Unread]) -> None:
        """Fit some variables that belong together: all of them or none.

        Args:
            wanted: for each, its name in `found`, how to call it in errors, the variable.
            found: tensors by name.
        """
        faults, values = [], {}
        for name, shown, variable in wanted:
            stored = found.get(name)
            what = f"{shown} {described(variable.shape, variable._dtype)}"
            if stored is None:
                faults.append(f"{what} is missing")
            elif stored.shape != variable.shape or ("complex" in stored.dtype) != ("complex" in variable._dtype):
                faults.append(f"{what} is {described(stored.shape, stored.dtype)} in the file")
            else:
                values[variable] = stored
        self.faults += faults
        if not faults:
            self.values.update(values)

    def finish(self, skip_mismatch: bool = False, optimizer_too: bool = False) -> None:
        """Change the model, all of it or nothing.

        Args:
            skip_mismatch: leave out, with a warning, what doesn't fit.
            optimizer_too: whether the optimizer's state has to fit; else it is left out with a warning.

        Raises:
            LoadError: something doesn't fit. The model is as it was.
        """
        if self.stale and not optimizer_too:
            warnings.warn(f"The optimizer's state was not loaded: {self.stale}", stacklevel=5)
            self.stale = None
        if self.faults or self.left_over or self.stale:
            lines = "\n".join(self._lines())
            if not skip_mismatch:
                raise LoadError(f"{self.label} doesn't fit model {self.model!r}. Nothing was changed.\n{lines}")
            warnings.warn(f"Not all of {self.label} was loaded into model {self.model!r}.\n{lines}", stacklevel=5)
        ready = {v: s.read() for v, s in self.values.items() if getattr(s, "fragile", False)}
        for variable, value in {**self.values, **ready}.items():
            variable.assign(value.read() if hasattr(value, "read") else value)

    def _lines(self) -> list[str]:
        lines = _listed("Doesn't fit", self.faults) + _listed("Left over", self.left_over)
        return lines + ([f"  The optimizer's state: {self.stale}"] if self.stale else [])


def described(shape: tuple[int, ...], dtype: str) -> str:
    """`float32[3, 4]`."""
    return f"{dtype}{list(shape)}"


def _listed(title: str, what: list[str]) -> list[str]:
    more = [f"    … and {len(what) - SHOWN} more"] if len(what) > SHOWN else []
    return [f"  {title}:", *(f"    {each}" for each in what[:SHOWN]), *more] if what else []
