"""Steps scaled by running averages of the gradient and its square."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from kbridge.core.ops.elementwise import (
    add,
    cast,
    divide,
    expm1,
    maximum,
    multiply,
    negative,
    sqrt,
    square,
    subtract,
)
from kbridge.core.ops.outermost import as_tensor
from kbridge.core.optimizers.optimizer import Optimizer, containers
from kbridge.core.tensor.variable import Variable


class Adam(Optimizer):
    """Adam (https://arxiv.org/abs/1412.6980), in the form with epsilon outside of the bias correction.

    Args:
        learning_rate: as in `Optimizer`.
        beta_1, beta_2: how much the averages of the gradient and of its square keep at each step.
        epsilon: added to the root of the second.
        amsgrad: whether to divide by the largest second average so far (https://openreview.net/forum?id=ryQu7f-RZ).
        *base, **named: the other arguments of `Optimizer`.
    """

    fused = "adam"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        *base: Any,
        **named: Any,
    ) -> None:
        super().__init__(learning_rate, *base, **named)
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad
        self._momentums: list[Variable] = []
        self._velocities: list[Variable] = []
        self._velocity_hats: list[Variable] = []

    def build(self, variables: Iterable[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        variables = self._trainable_variables
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        i = self._index[variable]
        first, second = self._momentums[i], self._velocities[i]
        step = cast(add(self.iterations, 1), variable.dtype)
        rise = divide(sqrt(_reached(self.beta_2, step)), _reached(self.beta_1, step))
        first.assign_add(multiply(subtract(gradient, first), 1 - self.beta_1))
        second.assign_add(multiply(subtract(square(gradient), second), 1 - self.beta_2))
        if self.amsgrad:
            largest = self._velocity_hats[i]
            largest.assign(maximum(largest, second))
            second = largest
        move = multiply(first, multiply(learning_rate, rise))
        variable.assign_sub(divide(move, add(sqrt(second), self.epsilon)))

    def update_together(
        self, fused: Callable[..., bool], gradients: list[Any], variables: list[Variable], learning_rate: Any
    ) -> bool:
        slots = [self._momentums, self._velocities, self._velocity_hats]
        if variables is not self._trainable_variables:
            order = [self._index[v] for v in variables]
            slots = [[kept[i] for i in order] if kept else [] for kept in slots]
        return fused(
            containers(variables), gradients, *map(containers, slots),
            learning_rate=as_tensor(learning_rate), iterations=as_tensor(self.iterations),
            beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon,
        )  # fmt: skip


def _reached(beta: float, step: Any) -> Any:
    """`1 - beta**step`: how much of its value a running average from 0 has after that many steps.

    By expm1, because beta**step is near 1 at first and float32 would leave four digits of the rest.
    """
    return negative(expm1(multiply(step, math.log(beta)))) if beta else 1.0


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (https://arxiv.org/abs/1711.05101).

    Args:
        learning_rate: as in `Optimizer`.
        weight_decay: share (times the learning rate) taken off each variable before each step.
        beta_1, beta_2, epsilon, amsgrad: as in `Adam`.
        **base: the other arguments of `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **base: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError("AdamW needs a weight_decay, got None. Adam does without.")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, **base)
