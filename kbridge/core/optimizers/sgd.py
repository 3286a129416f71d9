"""Gradient descent, plain or with momentum."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kbridge.core.ops.elementwise import multiply, subtract
from kbridge.core.ops.outermost import as_tensor
from kbridge.core.optimizers.optimizer import Optimizer, containers
from kbridge.core.tensor.variable import Variable


class SGD(Optimizer):
    """`v -= learning_rate * g`, or with momentum `m = momentum * m - learning_rate * g; v += m`.

    Args:
        learning_rate: as in `Optimizer`.
        momentum: between 0 and 1; 0 keeps no state.
        nesterov: whether the variable moves by `momentum * m - learning_rate * g` instead of `m`.
        *base, **named: the other arguments of `Optimizer`.
    """

    fused = "sgd"

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        *base: Any,
        **named: Any,
    ) -> None:
        super().__init__(learning_rate, *base, **named)
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum lies between 0 and 1, got {momentum!r}.")
        self.momentum = float(momentum)
        self.nesterov = nesterov
        self.momentums: list[Variable] = []

    def build(self, variables: Iterable[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        if self.momentum:
            self.momentums = self.add_optimizer_variables(self._trainable_variables, "momentum")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        step = multiply(gradient, learning_rate)
        if not self.momentum:
            variable.assign_sub(step)
            return
        slot = self.momentums[self._index[variable]]
        moved = subtract(multiply(slot, self.momentum), step)
        slot.assign(moved)
        variable.assign_add(subtract(multiply(moved, self.momentum), step) if self.nesterov else moved)

    def update_together(
        self, fused: Callable[..., bool], gradients: list[Any], variables: list[Variable], learning_rate: Any
    ) -> bool:
        slots = [self.momentums[self._index[v]] for v in variables] if self.momentum else []
        return fused(
            containers(variables), gradients, containers(slots),
            learning_rate=as_tensor(learning_rate), momentum=self.momentum, nesterov=self.nesterov,
        )  # fmt: skip
