"""Steps run eagerly, through torch.compile where asked for; gradients from autograd."""

from __future__ import annotations

from typing import Any

import torch

from kbridge.backends.batches import to_native
from kbridge.core.context import load_backend, running
from kbridge.core.graph.node import map_leaves

__all__ = ["compile_step", "gradients"]


def gradients(fn: Any, variables: Any, states: Any) -> Any:
    with torch.enable_grad():
        loss, aux = fn()
        values = [variable.value for variable in variables]
        found = torch.autograd.grad(loss, values, allow_unused=True)
    return (loss.detach(), map_leaves(_detached, aux)), list(found)


def _detached(value: Any) -> Any:
    return value.detach() if isinstance(value, torch.Tensor) else value


def compile_step(step: Any, read: Any, written: Any, jit_compile: Any, eager: bool) -> Any:
    backend = load_backend("torch")
    body = torch.compile(step) if jit_compile is True and not eager else step

    def run(batch: Any) -> Any:
        with running(backend), torch.no_grad():
            return body(to_native(backend, batch))

    return run
