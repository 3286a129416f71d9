"""Steps scaled by the running average of the squared gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kbridge.core.ops.elementwise import add, divide, multiply, sqrt, square, subtract
from kbridge.core.optimizers.optimizer import Optimizer
from kbridge.core.tensor.variable import Variable


class RMSprop(Optimizer):
    """`s = rho * s + (1 - rho) * g²; v -= learning_rate * g / sqrt(s + epsilon)`.

    Source: https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf, slide 29.

    Args:
        learning_rate: as in `Optimizer`.
        rho: how much the average keeps at each step.
        momentum: how much of the last move is repeated; 0 keeps no state for it.
        epsilon: added under the root.
        centered: whether to divide by the variance instead of the mean square.
        *base, **named: the other arguments of `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        *base: Any,
        **named: Any,
    ) -> None:
        super().__init__(learning_rate, *base, **named)
        self.rho, self.momentum = rho, momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, variables: Iterable[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        variables = self._trainable_variables
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        self._momentums = self.add_optimizer_variables(variables, "momentum") if self.momentum else []
        self._means = self.add_optimizer_variables(variables, "average_gradient") if self.centered else []

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        i = self._index[variable]
        spread = self._averaged(self._velocities[i], square(gradient))
        if self.centered:
            spread = subtract(spread, square(self._averaged(self._means[i], gradient)))
        move = divide(multiply(gradient, learning_rate), sqrt(add(spread, self.epsilon)))
        if self.momentum:
            move = add(multiply(self._momentums[i], self.momentum), move)
            self._momentums[i].assign(move)
        variable.assign_sub(move)

    def _averaged(self, average: Variable, value: Any) -> Any:
        """The running average with `value` taken in, kept and returned."""
        now = add(multiply(average, self.rho), multiply(value, 1 - self.rho))
        average.assign(now)
        return now
