"""Attention."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

__all__ = ["fused_attention"]

OTHERS = [SDPBackend.MATH, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.CUDNN_ATTENTION]


def fused_attention(
    query: Any, key: Any, value: Any, bias: Any, mask: Any, scale: Any, is_causal: bool, flash: bool | None
) -> Any:
    query, key, value = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
    if mask is not None or (bias is not None and is_causal):  # torch takes one of mask, bias and causality
        if is_causal:
            earlier = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device).tril()
            mask, is_causal = earlier if mask is None else mask & earlier, False
        # not -inf, nor the mask itself: a query that may look nowhere shall look evenly, as elsewhere
        low = torch.full((), 0.7 * torch.finfo(query.dtype).min, dtype=query.dtype, device=query.device)
        if query.dtype is torch.float16:  # kernels add in float32, where what float16 holds doesn't drown the logits
            query = query * mask.any(-1, keepdim=True)
        bias = torch.where(mask, torch.zeros_like(low) if bias is None else bias, low)
    groups = key.shape[1] != query.shape[1]
    options = {"attn_mask": bias, "is_causal": is_causal, "scale": scale, "enable_gqa": groups}
    if flash is not None:
        with sdpa_kernel([SDPBackend.FLASH_ATTENTION] if flash else OTHERS):
            return F.scaled_dot_product_attention(query, key, value, **options).transpose(1, 2)
    return F.scaled_dot_product_attention(query, key, value, **options).transpose(1, 2)
