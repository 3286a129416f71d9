"""The base of metrics: state in variables, written by `update_state`, read by `result`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbridge.core import initializers
from kbridge.core.config import Configured
from kbridge.core.context import local, running
from kbridge.core.errors import ShapeError
from kbridge.core.layers.tracking import attributes
from kbridge.core.naming import auto_name
from kbridge.core.ops.outermost import backend_for, flat, outermost
from kbridge.core.settings import floatx
from kbridge.core.tensor.lens import laid_over
from kbridge.core.tensor.policy import policy_of
from kbridge.core.tensor.variable import Variable


class Metric(Configured):
    """A number that is gathered over batches.

    Subclasses make state with `add_variable` in `__init__`, change it in `update_state(...)` and give
    `result()`. Both run in the framework of the tensors they get; the state stays there.

    Args:
        dtype: the type of the state and the result, or a policy; the default float type if None.
        name: a name, made up if None.
    """

    untracked: frozenset[str] = frozenset()
    _direction: str | None = None  # "up" if larger is better, "down" if smaller is

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for method in ("update_state", "result"):
            if method in cls.__dict__:
                setattr(cls, method, outermost(cls.__dict__[method]))

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or auto_name(type(self))
        self.dtype: str = policy_of(dtype or floatx()).compute_dtype
        self._added: list[Variable] = []

    # --- state -------------------------------------------------------------------------------------

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Make a variable that belongs to this metric."""
        before = local.names
        local.names = (*before, self.name.replace("/", ">"))
        try:
            variable = Variable(
                initializers.get(initializer),
                shape=tuple(shape),
                dtype=dtype or self.dtype,
                trainable=False,
                autocast=False,
                aggregation=aggregation,
                name=name,
            )
        finally:
            local.names = before
        self._added.append(variable)
        return variable

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = "zeros", dtype: Any = None, name: str | None = None
    ) -> Variable:
        """The same as `add_variable`."""
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The state: this metric's own, then that of the metrics it holds."""
        held = [found for _, found in attributes(self)]
        own = [v for v in held if isinstance(v, Variable)]
        inner = [v for metric in held if isinstance(metric, Metric) for v in metric.variables]
        return list(dict.fromkeys([*own, *inner]))

    def reset_state(self) -> None:
        """Start again: all state becomes zero."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, "float32") if variable.shape else 0)

    # --- what subclasses give ----------------------------------------------------------------------

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take in a batch."""
        raise NotImplementedError(f"{type(self).__name__} needs an update_state(...).")

    def result(self) -> Any:
        """The value so far."""
        raise NotImplementedError(f"{type(self).__name__} needs a result().")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take in a batch and return the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    # --- pure forms --------------------------------------------------------------------------------

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """The state after a batch, from the state before it; the metric itself stays as it is."""
        overlay = self._overlay(metric_variables)
        backend = local.running or backend_for([*flat(args, kwargs), *metric_variables])
        with running(backend), laid_over(overlay):
            self.update_state(*args, **kwargs)
        return list(overlay.values())

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """The value that this state stands for."""
        overlay = self._overlay(metric_variables)
        with running(local.running or backend_for(metric_variables)), laid_over(overlay):
            return self.result()

    def stateless_reset_state(self) -> list[Any]:
        """The state of a metric that has seen nothing."""
        variables = self.variables
        with running(local.running or backend_for((), variables)):
            overlay = {variable: variable.value for variable in variables}
            with laid_over(overlay):
                self.reset_state()
        return list(overlay.values())

    def _overlay(self, values: Sequence[Any]) -> dict[Variable, Any]:
        variables = self.variables
        if len(values) != len(variables):
            raise ShapeError(
                f"Metric {self.name!r} has {len(variables)} variables and got {len(values)} values. Give one "
                "for each of `metric.variables`, in that order."
            )
        return dict(zip(variables, values, strict=True))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
