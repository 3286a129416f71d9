"""Gradients by a framework's transform of pure functions: variables are laid over, what is written comes back."""

from __future__ import annotations

from typing import Any

from kbridge.core.context import local
from kbridge.core.tensor.lens import laid_over


def by_transform(value_and_grad: Any, fn: Any, variables: Any, states: Any, inputs: Any) -> Any:
    """What the kernel `gradients` gives.

    Args:
        value_and_grad: makes of `f(values, inputs, others) -> (loss, aux)` a function that returns
            `((loss, aux), gradients)` with respect to its first two arguments.
    """
    outer = {} if local.lens is None else local.lens.overlaid()
    differentiated = set(variables)
    kept = [v for v in dict.fromkeys((*outer, *states)) if v not in differentiated]
    others = [v.value for v in kept]

    def function(values: Any, given: Any, others: Any) -> Any:
        overlay = {**dict(zip(kept, others, strict=True)), **dict(zip(variables, values, strict=True))}
        with laid_over(overlay):
            loss, aux = fn(*given)
        return loss, (aux, [overlay[v] for v in kept])

    values = [variable.value for variable in variables]
    (loss, (aux, after)), (found, more) = value_and_grad(function)(values, list(inputs), others)
    for variable, before, now in zip(kept, others, after, strict=True):
        if now is not before:
            variable.assign(now)
    return (loss, aux), [*found, *more]
