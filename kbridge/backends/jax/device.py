"""Where new arrays lie."""

from __future__ import annotations

from typing import Any

import jax

from kbridge.core.errors import ArgumentError

__all__ = ["device_scope"]


def device_scope(device: Any) -> Any:
    return jax.default_device(_found(device) if isinstance(device, str) else device)


def _found(name: str) -> Any:
    kind, _, number = name.lower().partition(":")
    try:
        devices = jax.local_devices(backend=kind)
    except RuntimeError:  # no such platform
        devices = []
    if not (number or "0").isdigit() or int(number or 0) >= len(devices):
        there = ", ".join(f"{d.platform}:{d.id}" for d in jax.local_devices())
        raise ArgumentError(f"JAX has no device {name!r} here. There is {there}.")
    return devices[int(number or 0)]
