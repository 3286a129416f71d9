"""Attention."""

from __future__ import annotations

from typing import Any

__all__ = ["fused_attention"]


def fused_attention(*_: Any) -> None:
    """TensorFlow has no such kernel."""
