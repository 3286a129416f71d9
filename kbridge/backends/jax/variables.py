"""The container of a variable: a plain `jax.Array`, replaced on write.

`jnp.asarray(layer.kernel)` gives what the call in progress reads, tracers too; JAX itself asks for that call (0.10).
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kbridge.backends.jax.arrays import native_dtype
from kbridge.core.context import load_backend, local, running
from kbridge.core.errors import BackendError
from kbridge.core.tensor.berth import Box
from kbridge.core.tensor.variable import Variable

__all__ = ["add_in_place", "keep_for_traces", "make_variable", "mark_trainable", "refuse_write", "write_variable"]


def make_variable(value: Any, dtype: str, trainable: bool, path: str) -> Any:
    with jax.ensure_compile_time_eval():  # numbers, not a tracer, even inside a trace
        return jnp.array(value, native_dtype(dtype))


def write_variable(box: Box, key: Any, value: Any) -> None:
    if isinstance(value, jax.core.Tracer):
        raise BackendError(
            "A variable can't be written inside a JAX trace (jit, grad, vmap): the new value has no numbers "
            "yet and would leak out of the trace. Use stateless_call, which returns the new values, or "
            "kbridge.adapters.to_jax."
        )
    if not isinstance(value, jax.Array):
        value = make_variable(value, value.dtype.name, True, key)
    elif local.running is None:
        value = value.copy()  # the caller's own array: a training step gives a variable's buffer away
    box[key] = value


def add_in_place(box: Box, key: Any, value: Any) -> bool:
    return False  # arrays are replaced, not changed


def mark_trainable(value: Any, trainable: bool) -> None:
    """Nothing to mark on an array."""


def keep_for_traces(value: Any) -> None:
    """A trace has taken the numbers."""


def refuse_write(path: str) -> None:
    raise BackendError(
        f"{path} can't be written inside a JAX trace while another framework holds it. Use stateless_call, "
        "which returns the new values, or kbridge.adapters.to_jax."
    )


def _array(variable: Variable) -> Any:
    with running(load_backend("jax")):
        return variable.value


Variable.__jax_array__ = _array  # type: ignore[attr-defined]
