"""A `call` that computes with free sizes: `shape(x)[0] * 2` has no answer when the batch is None."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optree

from kbridge.core.errors import KBridgeError
from kbridge.core.graph.node import NAMESPACE, leaves, map_leaves
from kbridge.core.tensor.symbolic import KerasTensor

TRIALS = (360, 720)  # in place of free sizes; both can be divided by the numbers up to 6, by 8, 9, 10 and 12


def followed(call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """What `call` gives for symbolic tensors.

    If it fails on free sizes it runs on two choices of them: a size that differs between the results is free.
    """
    try:
        return call(args, kwargs)
    except KBridgeError:  # which says itself what is wrong with a free size
        raise
    except Exception:
        if not any(isinstance(value, KerasTensor) and None in value.shape for value in leaves((args, kwargs))):
            raise
        found = _tried(call, args, kwargs)
        if found is None:
            raise  # the first error: it speaks of the shapes that the user knows
        return found


def _tried(call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """What is common to both trials; None if one fails, or if the number of results depends on a size."""
    try:
        first, second = (call(*map_leaves(_sized(size), (args, kwargs))) for size in TRIALS)
        return optree.tree_map(_common, first, second, none_is_leaf=True, namespace=NAMESPACE)
    except Exception:
        return None


def _sized(size: int) -> Callable[[Any], Any]:
    """What puts `size` in place of a tensor's free sizes."""

    def fill(value: Any) -> Any:
        if not isinstance(value, KerasTensor):
            return value
        return KerasTensor([size if s is None else s for s in value.shape], value.dtype, value.sparse, value.ragged)

    return fill


def _common(first: Any, second: Any) -> Any:
    """The tensor of which both are instances; what is no tensor is taken from the first."""
    if not isinstance(first, KerasTensor):
        return first
    sizes = [a if a == b else None for a, b in zip(first.shape, second.shape, strict=True)]
    return KerasTensor(sizes, first.dtype, first.sparse, first.ragged)
