"""Compiled steps and gradients."""

from __future__ import annotations

__all__: list[str] = []
