"""Convolutions other than the plain one, and windows as columns. As to layout see `nn`: nothing is copied."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from kbridge.backends.torch.nn import conv

__all__ = ["conv_transpose", "depthwise_conv", "fold", "unfold"]

TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def depthwise_conv(x: Any, weights: Any, strides: Any, padding: str, data_format: str, dilation: Any) -> Any:
    weights = weights.transpose(-1, -2) if weights.shape[-1] == 1 else weights.reshape(*weights.shape[:-2], 1, -1)
    return conv(x, weights, strides, padding, data_format, dilation)


def conv_transpose(x: Any, weights: Any, strides: Any, crops: Any, data_format: str, dilation: Any) -> Any:
    rank = len(strides)
    x = x.movedim(-1, 1) if data_format == "channels_last" else x
    # torch cuts the same off both ends and gives back fewer elements than a stride; the rest is done by hand
    back = [before - after for before, after in crops]
    inside = [min(max(b, 0), max(s, d) - 1) for b, s, d in zip(back, strides, dilation, strict=True)]
    y = TRANSPOSED[rank](
        x, weights.permute(-1, -2, *range(rank)), None, strides, [before for before, _ in crops], inside, 1, dilation
    )
    if inside != back:
        y = F.pad(y, [w for b, i in reversed(list(zip(back, inside, strict=True))) for w in (0, b - i)])
    return y.movedim(1, -1) if data_format == "channels_last" else y


def _in_fractions(x: Any) -> Any:
    """torch moves only fractions this way."""
    return x if x.dtype.is_floating_point else x.double()


def unfold(x: Any, window: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    return F.unfold(_in_fractions(x), window, dilation, padding, stride).to(x.dtype)


def fold(x: Any, size: Any, window: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    return F.fold(_in_fractions(x), size, window, dilation, padding, stride).to(x.dtype)
