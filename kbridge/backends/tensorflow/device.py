"""Where new tensors lie."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbridge.core.errors import ArgumentError

__all__ = ["device_scope"]


def device_scope(device: Any) -> Any:
    """TensorFlow itself takes any name, and falls back to another device when it isn't there."""
    kind, _, number = str(device).rpartition("/")[2].removeprefix("device:").lower().partition(":")
    devices = tf.config.list_logical_devices(kind.upper())
    if not (number or "0").isdigit() or int(number or 0) >= len(devices):
        there = ", ".join(d.name.removeprefix("/device:").lower() for d in tf.config.list_logical_devices())
        raise ArgumentError(f"TensorFlow has no device {device!r} here. There is {there}.")
    return tf.device(devices[int(number or 0)].name)
