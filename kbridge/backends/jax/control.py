"""Kernels that run functions: JAX's own."""

from __future__ import annotations

from typing import Any

import jax
from jax import lax

__all__ = ["cond", "custom_gradient", "jvp", "remat", "scan", "vectorized_map", "while_loop"]

scan = lax.scan


def cond(pred: Any, true_fn: Any, false_fn: Any) -> Any:
    if isinstance(pred, jax.core.Tracer):
        return lax.cond(pred, true_fn, false_fn)
    return true_fn() if pred else false_fn()  # lax.cond would compile both, anew at each call


def while_loop(cond: Any, body: Any, state: Any) -> Any:
    return lax.while_loop(lambda s: cond(*s), lambda s: body(*s), state)


def vectorized_map(function: Any, xs: Any) -> Any:
    return jax.vmap(function)(*xs)


def custom_gradient(function: Any, args: Any) -> Any:
    def with_rule(*values: Any) -> Any:
        outputs, rule = function(*values)
        return outputs, lambda upstream: rule(*upstream)

    return jax.custom_gradient(with_rule)(*args)


def jvp(function: Any, primals: Any, tangents: Any) -> Any:
    return jax.jvp(function, primals, tangents, has_aux=True)


def remat(function: Any, inputs: Any) -> Any:
    return jax.checkpoint(function)(*inputs)
