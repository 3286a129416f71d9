"""Steps as one jitted function of the state; the values written are donated."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from kbridge.backends.batches import to_native
from kbridge.core.context import load_backend, local, running
from kbridge.core.tensor.variable import laid_over

__all__ = ["compile_step", "gradients"]


def gradients(fn: Any, variables: Any, states: Any) -> Any:
    """Differentiate with respect to an overlay; what `fn` writes comes back as values, not as tracers."""
    outer = local.lens.overlay if local.lens is not None and local.lens.overlay is not None else {}
    kept = [v for v in dict.fromkeys((*outer, *states)) if v not in set(variables)]
    others = [v.value for v in kept]

    def function(values: Any, others: Any) -> Any:
        overlay = {**dict(zip(kept, others, strict=True)), **dict(zip(variables, values, strict=True))}
        with laid_over(overlay):
            loss, aux = fn()
        return loss, (aux, [overlay[v] for v in kept])

    values = [variable.value for variable in variables]
    (loss, (aux, after)), found = jax.value_and_grad(function, has_aux=True)(values, others)
    for variable, before, now in zip(kept, others, after, strict=True):
        if now is not before:
            variable.assign(now)
    return (loss, aux), found


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

    def run(batch: Any) -> Any:
        # NumPy arrays go in as they are: jit's own door is the shortest way to the device
        if not (type(batch) is tuple and all(type(v) is np.ndarray or v is None for v in batch)):
            batch = to_native(backend, batch)
        outputs, after = jitted([v._box[v._key] for v in written], [v._box[v._key] for v in read], batch)
        for variable, value in zip(written, after, strict=True):
            variable._box[variable._key] = value
        return outputs

    return run
