"""Masks travel beside tensors: in a table during a call, as an attribute of what a call returns."""

from __future__ import annotations

from typing import Any

from kbridge.core.context import local
from kbridge.core.graph.node import leaves
from kbridge.core.tensor.symbolic import KerasTensor


def mask_of(tensor: Any) -> Any:
    """The mask of a tensor in the call in progress, or None."""
    if isinstance(tensor, KerasTensor):
        return tensor._mask
    found = local.masks.get(id(tensor)) if local.masks else None
    return found[1] if found is not None and found[0] is tensor else None


def set_mask(tensor: Any, mask: Any) -> None:
    """Give a tensor a mask for the call in progress."""
    if isinstance(tensor, KerasTensor):
        tensor._mask = mask
        return
    if local.masks is None:
        local.masks = {}
    local.masks[id(tensor)] = (tensor, mask)  # the tensor is kept, so its id stays its own


def arriving_masks(given: Any) -> Any:
    """The masks that the arguments of an outermost call carry, or None."""
    found = None
    for value in given:
        mask = getattr(value, "_keras_mask", None)
        if mask is not None:
            found = found or {}
            found[id(value)] = (value, mask)
    return found


def leave_masks(outputs: Any) -> None:
    """Let the outputs of an outermost call carry their masks."""
    for output in leaves(outputs):
        mask = mask_of(output)
        if mask is not None and hasattr(output, "__dict__"):  # a NumPy array can't carry one
            output._keras_mask = mask
