"""Where new tensors lie."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from kbridge.core.errors import ArgumentError

__all__ = ["device_scope"]


class _Place(threading.local):
    def __init__(self) -> None:  # in each thread, not on the class: Dynamo guards on which attributes an object has
        self.device: torch.device | None = None  # of the innermost scope


place = _Place()


def placed(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor made of host memory, where the scope wants it; torch's own scope moves only what torch makes."""
    return tensor if place.device is None else tensor.to(place.device)


@contextmanager
def device_scope(device: Any) -> Iterator[None]:
    before, chosen = place.device, _found(device) if isinstance(device, str) else torch.device(device)
    place.device = chosen
    try:
        with chosen:
            yield
    finally:
        place.device = before


def _found(name: str) -> torch.device:
    kind, _, number = name.lower().partition(":")
    if kind == "gpu":  # Keras's word for what torch calls by the maker's
        kind = "mps" if torch.backends.mps.is_available() else "cuda"
    try:
        device = torch.device(f"{kind}:{number}" if number else kind)
    except RuntimeError as error:
        raise ArgumentError(f"torch knows no device {name!r}. Choose cpu, or gpu:0 and so on.") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ArgumentError(f"torch has no device {name!r} here: it sees {torch.cuda.device_count()} GPUs.")
    return device
