"""Steps as one jitted function of the state; the values written are donated."""

from __future__ import annotations

from typing import Any

import jax

from kbridge.backends.batches import is_plain, to_native
from kbridge.backends.functional import by_transform
from kbridge.core.context import load_backend, running
from kbridge.core.tensor.berth import moves
from kbridge.core.tensor.lens import laid_over

__all__ = ["compile_step", "gradients"]


def gradients(fn: Any, variables: Any, states: Any, inputs: Any = ()) -> Any:
    return by_transform(_value_and_grad, fn, variables, states, inputs)


def _value_and_grad(function: Any) -> Any:
    return jax.value_and_grad(function, argnums=(0, 1), has_aux=True)


def compile_step(step: Any, read: Any, written: Any, jit_compile: Any, eager: bool) -> Any:
    backend = load_backend("jax")
    if eager or jit_compile is False:

        def run_eagerly(batch: Any) -> Any:
            with running(backend):
                return step(to_native(backend, batch))

        return run_eagerly

    def pure(writes: Any, reads: Any, batch: Any) -> Any:
        overlay = dict(zip((*written, *read), (*writes, *reads), strict=True))
        with running(backend), laid_over(overlay):
            outputs = step(batch)
        return outputs, [overlay[v] for v in written]

    jitted = jax.jit(pure, donate_argnums=0)
    values: list[Any] = [None] * len(written)  # handed to JAX as it is: making one for each step costs
    seated = -1

    def run(batch: Any) -> Any:
        nonlocal seated
        if moves.count != seated:
            for place, variable in enumerate(written):
                if variable._box is not values:
                    variable.seat(values, place)
            seated = moves.count
        # NumPy arrays go in as they are: jit's own door is the shortest way to the device
        if not is_plain(batch):
            batch = to_native(backend, batch)
        outputs, values[:] = jitted(values, [v._box[v._key] for v in read], batch)
        return outputs

    return run
