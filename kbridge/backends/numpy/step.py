"""Steps run as they are; there are no gradients."""

from __future__ import annotations

from typing import Any

from kbridge.backends.batches import to_native
from kbridge.core.context import load_backend, running
from kbridge.core.errors import BackendError

__all__ = ["compile_step", "gradients"]


def gradients(fn: Any, variables: Any, states: Any, inputs: Any = ()) -> Any:
    raise BackendError("The numpy backend has no gradients. Choose jax, torch or tensorflow.")


def compile_step(step: Any, read: Any, written: Any, jit_compile: Any, eager: bool) -> Any:
    backend = load_backend("numpy")

    def run(batch: Any) -> Any:
        with running(backend):
            return step(to_native(backend, batch))

    return run
