"""Updates by TensorFlow's own kernels, one for each variable, in place.

Each returns False, with nothing changed, for what its kernel doesn't do; the ops of the optimizer
then do it. The contract of each is in `kbridge.backends.contract`.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

__all__ = ["fused_updates"]

raw = tf.raw_ops


def _fit(variables: list[Any], gradients: list[Any]) -> bool:
    """Whether the kernels take these: variables, and gradients of one float type."""
    kind = variables[0].dtype
    return kind.is_floating and all(
        isinstance(v, tf.Variable) and v.dtype == kind and g.dtype == kind
        for v, g in zip(variables, gradients, strict=True)
    )


def adam(
    variables: list[Any], gradients: list[Any], momentums: list[Any], velocities: list[Any], maxima: list[Any], *,
    learning_rate: Any, iterations: Any, beta_1: float, beta_2: float, epsilon: float,
) -> bool:  # fmt: skip
    if not _fit(variables, gradients):
        return False
    kind = variables[0].dtype
    step = tf.cast(iterations, kind) + 1
    same = {
        "beta1_power": tf.cast(beta_1, kind) ** step, "beta2_power": tf.cast(beta_2, kind) ** step,
        "lr": tf.cast(learning_rate, kind), "beta1": tf.cast(beta_1, kind), "beta2": tf.cast(beta_2, kind),
        "epsilon": tf.cast(epsilon, kind),
    }  # fmt: skip
    for i, (variable, gradient) in enumerate(zip(variables, gradients, strict=True)):
        held = {"var": variable.handle, "m": momentums[i].handle, "v": velocities[i].handle, "grad": gradient}
        if maxima:
            raw.ResourceApplyAdamWithAmsgrad(**held, vhat=maxima[i].handle, **same)
        else:
            raw.ResourceApplyAdam(**held, **same)
    return True


def sgd(
    variables: list[Any], gradients: list[Any], momentums: list[Any], *,
    learning_rate: Any, momentum: float, nesterov: bool,
) -> bool:  # fmt: skip
    if not _fit(variables, gradients):
        return False
    rate = tf.cast(learning_rate, variables[0].dtype)
    if not momentum:
        for variable, gradient in zip(variables, gradients, strict=True):
            raw.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)
        return True
    kept = tf.cast(momentum, variables[0].dtype)
    for variable, gradient, slot in zip(variables, gradients, momentums, strict=True):
        raw.ResourceApplyKerasMomentum(
            var=variable.handle, accum=slot.handle, lr=rate, grad=gradient, momentum=kept, use_nesterov=nesterov
        )
    return True


fused_updates = {"adam": adam, "sgd": sgd}
