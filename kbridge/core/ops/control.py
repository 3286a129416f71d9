"""Ops that run a function: over time, or for its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbridge.core.ops.declare import kernel


def scan_time(step: Callable[..., Any], carry: tuple[Any, ...], xs: tuple[Any, ...]) -> Any:
    """Run `step(carry, x_t) -> (carry, y_t)` along the first axis of `xs`.

    Only inside a running call. Returns the last carry and the `y`s, stacked along a new first axis.
    """
    return kernel.scan_time(step, carry, xs)
