"""Kernels that run functions: Python branches and loops in eager calls, higher-order ops in compiled ones."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import torch
from torch.utils._pytree import tree_map
from torch.utils.checkpoint import checkpoint

from kbridge.core.errors import BackendError

__all__ = ["cond", "custom_gradient", "jvp", "remat", "scan", "vectorized_map", "while_loop"]


class _Depth(threading.local):
    """How many calls of the kernel `gradients` are under way; inside another, results must be differentiable again."""

    def __init__(self) -> None:
        self.now = 0
        self.transforms = 0  # of these, by torch.func


depth = _Depth()


def _copied(value: Any) -> Any:
    """Higher-order ops may not return what they were given."""
    return value.clone() if isinstance(value, torch.Tensor) else value


def cond(pred: Any, true_fn: Any, false_fn: Any) -> Any:
    if not torch.compiler.is_compiling():
        return true_fn() if pred else false_fn()
    return torch.cond(pred, lambda: tree_map(_copied, true_fn()), lambda: tree_map(_copied, false_fn()))


def while_loop(cond: Any, body: Any, state: Any) -> Any:
    if not torch.compiler.is_compiling():
        while cond(*state):
            state = body(*state)
        return state
    from torch._higher_order_ops.while_loop import while_loop  # its public name is still to come (torch 2.13)

    return while_loop(lambda *s: cond(*s).clone(), lambda *s: tree_map(_copied, body(*s)), state)


def scan(step: Any, carry: Any, xs: Any, length: int, reverse: bool, unroll: Any) -> Any:
    rows = [x.unbind(0) for x in xs]
    outputs: list[Any] = [()] * length
    for t in reversed(range(length)) if reverse else range(length):
        carry, outputs[t] = step(carry, tuple([row[t] for row in rows]))
    return carry, tuple([torch.stack(ys) for ys in zip(*outputs, strict=True)])


def vectorized_map(function: Any, xs: Any) -> Any:
    return torch.vmap(function, randomness="different")(*xs)


class _Attached(torch.autograd.Function):
    """Tensors as they are, with a rule for their gradient: apart from what made them."""

    @staticmethod
    def forward(outputs: Any, rule: Any, *args: Any) -> Any:
        return tuple([t.detach().clone() for t in outputs()])

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.rule = inputs[1]

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        return None, None, *ctx.rule(*upstream)


def custom_gradient(function: Any, args: Any) -> Any:
    if depth.transforms and torch.compiler.is_compiling():  # Dynamo would drop the rule in silence (torch 2.13)
        raise BackendError(
            "torch.compile can't follow a custom gradient inside kbridge.grad. Compile the function without its "
            "gradient and call grad on that, or leave grad uncompiled."
        )
    outputs, rule = function(*args)  # recorded: what the rule uses has gradients of its own
    return _Attached.apply(lambda: outputs, rule, *args)


def jvp(function: Any, primals: Any, tangents: Any) -> Any:
    if not torch.compiler.is_compiling():
        with warnings.catch_warnings():  # it compiles a part of itself in a way that it calls deprecated (torch 2.13)
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.autograd.forward_ad._maybe_load_decompositions()
    return torch.func.jvp(function, primals, tangents, has_aux=True)


def remat(function: Any, inputs: Any) -> Any:
    if torch.compiler.is_compiling() or not torch.is_grad_enabled():  # the compiler plans by itself what it keeps
        return function(*inputs)
    return checkpoint(function, *inputs, use_reentrant=False)
