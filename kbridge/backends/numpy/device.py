"""Where new arrays lie: in the computer's memory."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from kbridge.core.errors import ArgumentError

__all__ = ["device_scope"]


def device_scope(device: Any) -> Any:
    if str(device).lower() not in ("cpu", "cpu:0"):
        raise ArgumentError(f"NumPy has no device {device!r}, only cpu:0. Choose another backend.")
    return nullcontext()
