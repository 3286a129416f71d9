"""Ops that run a function: over time, or for its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbridge.core.context import SYMBOLIC, local
from kbridge.core.ops.declare import kernel, native
from kbridge.core.tensor.symbolic import KerasTensor


def fused_lstm(xs: Any, states: list[Any], weights: list[Any]) -> Any:
    """All steps of a standard LSTM in one kernel: the outputs, and the last states.

    None where the running backend has no such kernel, or it can't run now.
    """
    run = getattr(local.running, "fused_lstm", None)
    done = None if run is None else run(xs, *states, *(native(local.running, w) for w in weights))
    return None if done is None else (done[0], [done[1], done[2]])


def scan_time(step: Callable[..., Any], carry: tuple[Any, ...], xs: tuple[Any, ...]) -> Any:
    """Run `step(carry, x_t) -> (carry, y_t)` along the first axis of `xs`.

    Only inside a running call. Returns the last carry and the `y`s, stacked along a new first axis.
    """
    if local.running is SYMBOLIC:
        carry, y = step(carry, tuple(KerasTensor(x.shape[1:], x.dtype) for x in xs))
        return carry, KerasTensor((xs[0].shape[0], *y.shape), y.dtype)
    return kernel.scan_time(step, carry, xs)
