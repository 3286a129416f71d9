"""What an optimizer remembers: variables in a fixed order, the order of files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbridge.core import initializers
from kbridge.core.config import Configured
from kbridge.core.context import local
from kbridge.core.errors import ShapeError
from kbridge.core.naming import auto_name
from kbridge.core.tensor.variable import Variable


class State(Configured):
    """A list of variables, made in the order in which Keras makes and stores them."""

    built = False
    _unbuilt = 0  # how many of the variables exist before `build`

    def __init__(self, name: str | None = None) -> None:
        self.name = name or auto_name(type(self))
        self._variables: list[Variable] = []

    @property
    def variables(self) -> list[Variable]:
        """The state: steps done, learning rate, then what `build` made."""
        return self._variables[:]

    def add_variable(
        self, shape: Sequence[int], initializer: Any = "zeros", dtype: Any = None, name: str | None = None
    ) -> Variable:
        """Make a variable that belongs to this optimizer."""
        before = local.names
        local.names = (self.name,)
        try:
            variable = Variable(
                initializers.get(initializer),
                shape=tuple(shape),
                dtype=dtype,
                trainable=False,
                autocast=False,
                name=name,
            )
        finally:
            local.names = before
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Make a variable in the shape and type of another one, named after it."""
        return self.add_variable(
            reference_variable.shape,
            initializer,
            reference_variable.dtype,
            f"{reference_variable.path.replace('/', '_')}_{name or 'var'}",
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Make a variable of this name for each of the trainable ones; for several names, a list each."""
        names = [name] if isinstance(name, str) else list(name)
        starts = initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        made: list[list[Variable]] = [[] for _ in names]
        for variable in trainable_variables:  # one variable's state lies together, as in Keras's files
            for slots, each, start in zip(made, names, starts, strict=True):
                slots.append(self.add_variable_from_reference(variable, each, start))
        return made[0] if isinstance(name, str) else made

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the state; nothing changes unless every value fits."""
        if len(weights) != len(self._variables):
            raise ShapeError(f"{self.name} has {len(self._variables)} variables and got {len(weights)} values.")
        _replace(self._variables, weights)

    def save_own_variables(self, store: Any) -> None:
        """Put the state into a store, numbered."""
        for i, variable in enumerate(self._variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read the state from a store.

        A store with only the first variables (steps and learning rate) comes from an optimizer that
        never did a step; the rest then stays zero.
        """
        count = len(store.keys())
        if count != len(self._variables) and (count != self._unbuilt or np.any(store["0"])):  # "0": steps done
            hint = "" if self.built else " It isn't built: call build(trainable_variables) first."
            raise ShapeError(
                f"{self.name} has {len(self._variables)} variables and the file holds {count} for it.{hint}"
            )
        _replace(self._variables[:count], [store[str(i)] for i in range(count)])


def _replace(variables: Sequence[Variable], values: Sequence[Any]) -> None:
    """Assign all values, or none if one doesn't fit."""
    for variable, value in zip(variables, values, strict=True):
        if np.shape(value) != variable.shape:
            raise ShapeError(f"{variable.path} has shape {variable.shape} and got {np.shape(value)}.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
