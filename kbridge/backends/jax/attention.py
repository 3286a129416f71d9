"""Attention."""

from __future__ import annotations

from typing import Any

import jax

from kbridge.backends.jax.arrays import compiled

__all__ = ["fused_attention"]


def _fused_attention(
    query: Any, key: Any, value: Any, bias: Any, mask: Any, scale: Any, is_causal: bool, flash: bool | None
) -> Any:
    kernels = {None: None, True: "cudnn", False: "xla"}
    return jax.nn.dot_product_attention(
        query, key, value, bias, mask, scale=scale, is_causal=is_causal, implementation=kernels[flash]
    )


_attention = compiled(_fused_attention, 6, 7)


def fused_attention(query: Any, *rest: Any) -> Any:
    if query.dtype == "float16" and jax.default_backend() == "cpu":
        return None  # XLA's CPU has no product of that type which adds up in float32
    return _attention(query, *rest)
