"""Kernels that read and write at positions."""

from __future__ import annotations

__all__: list[str] = []
