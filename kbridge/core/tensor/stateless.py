"""A block in which no variable changes: `stateless_call`'s way of reading and writing, for any code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from kbridge.core.context import decide, framework_of, local
from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.tensor.lens import laid_over
from kbridge.core.tensor.variable import Variable


class StatelessScope:
    """Inside, variables are read from values that stand in for their own, and what is written is kept apart.

    Args:
        state_mapping: pairs `(variable, value)`; a value is cast to its variable's dtype. Variables
            that aren't named are read as they are.
        collect_losses: whether `losses` gathers what layers add to the loss inside.
        initialize_variables: kept for Keras's signature: a variable made inside has its value at once.

    Raises:
        ArgumentError: a key is no variable.
        ShapeError: a value has another shape than its variable.

    The layers' own lists of losses are left alone too. A pure function for a framework's transforms
    is: open a scope on the arguments, compute, return the outputs and the values of the variables.

    >>> counter = Variable(0)
    >>> with StatelessScope([(counter, 5)]) as scope:
    ...     added = counter.assign_add(1)
    >>> int(scope.get_current_value(counter)), int(counter)
    (6, 0)
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self._values = dict(_fitted(variable, value) for variable, value in state_mapping or ())
        self._gathered: list[tuple[Any, Any]] = []
        self._open: list[Any] = []  # one scope may be opened again inside of itself

    def __enter__(self) -> Self:
        self._open.append(laid_over(self._values, catches=True, losses=self._gathered))
        self._open[-1].__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.pop().__exit__(*error)

    @property
    def losses(self) -> list[Any]:
        """What layers added to the loss inside, with `collect_losses`."""
        return [loss for _, loss in self._gathered] if self.collect_losses else []

    def get_current_value(self, variable: Variable) -> Any:
        """The value that stands for the variable here; None if it has its own."""
        return self._values.get(variable)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Put a value in the place of a variable's own: `(variable, value)`."""
        variable, value = _fitted(*update)
        self._values[variable] = value

    def add_loss(self, loss: Any) -> None:
        """Add to `losses` what belongs to no layer."""
        self._gathered.append((None, loss))


def _fitted(variable: Any, value: Any) -> tuple[Variable, Any]:
    if not isinstance(variable, Variable):
        raise ArgumentError(f"A StatelessScope takes pairs (variable, value); {variable!r} is no variable.")
    value = value.value if isinstance(value, Variable) else value
    backend = local.running or decide([value] if framework_of(value) else [variable.seen_value])
    shape = tuple(getattr(value, "shape", None) or np.shape(value))
    if shape != variable.shape:
        raise ShapeError(f"{variable.path} has shape {variable.shape} and got a value of shape {shape} in its place.")
    return variable, backend.convert(value, variable._dtype)
