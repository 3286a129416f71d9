"""Kernels that run functions: Python's own branches and loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbridge.core.errors import BackendError

__all__ = ["cond", "custom_gradient", "jvp", "remat", "scan", "vectorized_map", "while_loop"]


def cond(pred: Any, true_fn: Any, false_fn: Any) -> Any:
    return true_fn() if pred else false_fn()


def while_loop(cond: Any, body: Any, state: Any) -> Any:
    while cond(*state):
        state = body(*state)
    return state


def scan(step: Any, carry: Any, xs: Any, length: int, reverse: bool, unroll: Any) -> Any:
    outputs: list[Any] = [()] * length
    for t in reversed(range(length)) if reverse else range(length):
        carry, outputs[t] = step(carry, tuple(x[t] for x in xs))
    return carry, tuple(np.stack(ys) for ys in zip(*outputs, strict=True))


def vectorized_map(function: Any, xs: Any) -> Any:
    return scan(lambda carry, parts: (carry, function(*parts)), (), xs, len(xs[0]), False, 1)[1]


def custom_gradient(function: Any, args: Any) -> Any:
    return function(*args)[0]  # nobody asks for the gradient


def jvp(function: Any, primals: Any, tangents: Any) -> Any:
    raise BackendError("The numpy backend has no derivatives. Choose jax, torch or tensorflow.")


def remat(function: Any, inputs: Any) -> Any:
    return function(*inputs)  # nothing is kept anyway
