"""Updates of many variables in few calls, in place.

Each returns False, with nothing changed, for what its kernel doesn't do; the ops of the optimizer
then do it. The contract of each is in `kbridge.backends.contract`.
"""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["fused_updates"]


def _fit(variables: list[Any], gradients: list[Any]) -> bool:
    """Whether kernels that take lists take these. A compiler fuses the ops better by itself."""
    if torch.compiler.is_compiling():
        return False
    first = variables[0]
    kind, place = first.dtype, first.device
    return all(
        v.dtype is kind and g.dtype is kind and v.device == place and g.device == place and not g.is_sparse
        for v, g in zip(variables, gradients, strict=True)
    )


def _laid_like(variable: Any, gradient: Any) -> Any:
    """The gradient in the memory layout of its variable: the fused kernel walks both by address."""
    if gradient.stride() == variable.stride():
        return gradient
    return torch.empty_like(variable).copy_(gradient)


@torch.no_grad()
def adam(
    variables: list[Any], gradients: list[Any], momentums: list[Any], velocities: list[Any], maxima: list[Any], *,
    learning_rate: Any, iterations: Any, beta_1: float, beta_2: float, epsilon: float,
) -> bool:  # fmt: skip
    if not _fit(variables, gradients) or not variables[0].is_floating_point():
        return False
    gradients = [_laid_like(v, g) for v, g in zip(variables, gradients, strict=True)]
    slots = [*momentums, *velocities, *maxima]
    if any(
        slot.stride() != v.stride() for slot, v in zip(slots, variables * (len(slots) // len(variables)), strict=True)
    ):
        return False
    step = iterations.item() + 1
    # torch divides by sqrt(velocity / correction) + eps, Keras by sqrt(velocity) + eps before correcting
    correction = 1 - beta_2**step
    steps = [torch.full((), step, dtype=torch.float32, device=variables[0].device)] * len(variables)
    torch._fused_adam_(
        variables, gradients, momentums, velocities, maxima, steps,
        lr=learning_rate.item(), beta1=beta_1, beta2=beta_2, weight_decay=0.0, eps=epsilon / correction**0.5,
        amsgrad=bool(maxima), maximize=False, grad_scale=None, found_inf=None,
    )  # fmt: skip
    return True


@torch.no_grad()
def sgd(
    variables: list[Any], gradients: list[Any], momentums: list[Any], *,
    learning_rate: Any, momentum: float, nesterov: bool,
) -> bool:  # fmt: skip
    if not _fit(variables, gradients):
        return False
    rate = learning_rate.item()
    if not momentum:
        torch._foreach_add_(variables, gradients, alpha=-rate)
        return True
    torch._foreach_mul_(momentums, momentum)
    torch._foreach_add_(momentums, gradients, alpha=-rate)
    if nesterov:
        torch._foreach_add_(variables, momentums, alpha=momentum)
        torch._foreach_add_(variables, gradients, alpha=-rate)
    else:
        torch._foreach_add_(variables, momentums)
    return True


fused_updates = {"adam": adam, "sgd": sgd}
