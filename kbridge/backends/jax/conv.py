"""Convolutions other than the plain one, and windows as columns."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kbridge.backends.jax.arrays import compiled
from kbridge.backends.jax.nn import conv

__all__ = ["conv_transpose", "depthwise_conv", "fold", "unfold"]


def depthwise_conv(x: Any, weights: Any, strides: Any, padding: str, data_format: str, dilation: Any) -> Any:
    return conv(x, weights.reshape(*weights.shape[:-2], 1, -1), strides, padding, data_format, dilation)


def _conv_transpose(x: Any, weights: Any, strides: Any, crops: Any, data_format: str, dilation: Any) -> Any:
    space = "DHW"[-len(strides) :]
    layout = f"N{space}C" if data_format == "channels_last" else f"NC{space}"
    reach = [(w - 1) * d for w, d in zip(weights.shape, dilation, strict=False)]
    return lax.conv_general_dilated(
        x,
        jnp.flip(weights, range(len(strides))),
        (1,) * len(strides),
        [(r - before, r - after) for r, (before, after) in zip(reach, crops, strict=True)],
        lhs_dilation=strides,
        rhs_dilation=dilation,
        dimension_numbers=(layout, f"{space}OI", layout),
    )


conv_transpose = compiled(_conv_transpose, 2, 3, 4, 5)


def _unfold(x: Any, window: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    x = jnp.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    rows, columns = (
        (n - (w - 1) * d - 1) // s + 1 for n, w, d, s in zip(x.shape[2:], window, dilation, stride, strict=True)
    )
    cuts = [
        x[:, :, i : i + stride[0] * rows : stride[0], j : j + stride[1] * columns : stride[1]]
        for i in range(0, window[0] * dilation[0], dilation[0])
        for j in range(0, window[1] * dilation[1], dilation[1])
    ]
    return jnp.stack(cuts, 2).reshape(x.shape[0], x.shape[1] * len(cuts), rows * columns)


def _fold(x: Any, size: Any, window: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    image = jax.ShapeDtypeStruct((x.shape[0], x.shape[1] // (window[0] * window[1]), *size), x.dtype)
    (y,) = jax.linear_transpose(lambda image: _unfold(image, window, dilation, padding, stride), image)(x)
    return y


unfold, fold = compiled(_unfold, 1, 2, 3, 4), compiled(_fold, 1, 2, 3, 4, 5)
