"""The two sides that share one API: Keras as `KERAS_BACKEND` sets it, and kbridge under a scope."""

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np

BACKENDS = ("torch", "jax", "tensorflow")


Scope = Callable[[], AbstractContextManager[None]]


def keras_like(side: str, backend: str) -> tuple[Any, Scope]:
    """The module to call `keras`, and what opens the scope to build and train in."""
    if side == "keras":
        return importlib.import_module("keras"), nullcontext
    kbridge = importlib.import_module("kbridge")
    return kbridge, partial(kbridge.backend_scope, backend)


def to_framework(backend: str, array: np.ndarray) -> Any:
    """`array` as a tensor of the framework, on the CPU."""
    if backend == "torch":
        return importlib.import_module("torch").from_numpy(array)
    if backend == "jax":
        return importlib.import_module("jax.numpy").asarray(array)
    return importlib.import_module("tensorflow").convert_to_tensor(array)


def inference_only(backend: str) -> None:
    """For the rest of this process: no gradient tape where the framework would keep one unasked."""
    if backend == "torch":
        importlib.import_module("torch").set_grad_enabled(False)


def finished(backend: str) -> Any:
    """What waits for a result: JAX hands out results before they are computed."""
    if backend == "jax":
        return importlib.import_module("jax").block_until_ready
    return lambda result: result
