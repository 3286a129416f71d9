"""Kernels that sort, search and count."""

from __future__ import annotations

__all__: list[str] = []
