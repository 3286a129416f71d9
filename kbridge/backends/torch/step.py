"""Steps run eagerly, through torch.compile where asked for; gradients from autograd."""

from __future__ import annotations

from typing import Any

import optree
import torch

from kbridge.backends.batches import to_native
from kbridge.backends.functional import by_transform
from kbridge.backends.torch.control import depth
from kbridge.core.context import load_backend, running
from kbridge.core.graph.node import NAMESPACE, map_leaves

__all__ = ["compile_step", "gradients"]


def gradients(fn: Any, variables: Any, states: Any, inputs: Any = ()) -> Any:
    if torch.compiler.is_compiling() or torch._C._functorch.peek_interpreter_stack() is not None:
        depth.transforms += 1
        try:
            return by_transform(_value_and_grad, fn, variables, states, inputs)  # autograd.grad can't run in these
        finally:
            depth.transforms -= 1
    again = depth.now > 0 or (torch.is_grad_enabled() and any(x.requires_grad for x in inputs))
    frozen = [variable.value for variable in variables if not variable.value.requires_grad]
    depth.now += 1
    try:
        with torch.enable_grad():
            for value in frozen:
                value.requires_grad_(True)
            # not the caller's tensors, which `fn` may use as constants too
            given = [x.view_as(x) if x.requires_grad else x.detach().requires_grad_() for x in inputs]
            values = [*(variable.value for variable in variables), *given]
            loss, aux = fn(*given)
            found: Any = [None] * len(values)
            if values and loss.requires_grad:
                found = torch.autograd.grad(loss, values, create_graph=again, allow_unused=True)
    finally:
        depth.now -= 1
        for value in frozen:
            value.requires_grad_(False)
    if not again:
        loss, aux = loss.detach(), map_leaves(_detached, aux)
    return (loss, aux), list(found)


def _value_and_grad(function: Any) -> Any:
    def call(*args: Any) -> Any:
        rest: Any = None  # what of aux isn't a tensor, which the transform doesn't let through

        def tensors_only(*given: Any) -> Any:
            nonlocal rest
            loss, aux = function(*given)
            found, nest = optree.tree_flatten(aux, none_is_leaf=True, namespace=NAMESPACE)
            rest = nest, [(isinstance(v, torch.Tensor), v) for v in found]
            return loss, [v for v in found if isinstance(v, torch.Tensor)]

        found, (loss, tensors) = torch.func.grad_and_value(tensors_only, argnums=(0, 1), has_aux=True)(*args)
        nest, others = rest
        remaining = iter(tensors)
        aux = optree.tree_unflatten(nest, [next(remaining) if is_tensor else v for is_tensor, v in others])
        return (loss, aux), found

    return call


def _detached(value: Any) -> Any:
    return value.detach() if isinstance(value, torch.Tensor) else value


def compile_step(step: Any, read: Any, written: Any, jit_compile: Any, eager: bool) -> Any:
    backend = load_backend("torch")
    body = torch.compile(step) if jit_compile is True and not eager else step

    def run(batch: Any) -> Any:
        with running(backend), torch.no_grad():
            return body(to_native(backend, batch))

    return run
