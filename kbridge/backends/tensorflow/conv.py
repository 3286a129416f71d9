"""Convolutions other than the plain one, and the pools that adapt."""

from __future__ import annotations

__all__: list[str] = []
