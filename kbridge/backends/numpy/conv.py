"""Convolutions other than the plain one, and windows as columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbridge.backends.numpy.nn import conv

__all__ = ["conv_transpose", "depthwise_conv", "fold", "unfold"]


def depthwise_conv(x: Any, weights: Any, strides: Any, padding: str, data_format: str, dilation: Any) -> Any:
    return conv(x, weights.reshape(*weights.shape[:-2], 1, -1), strides, padding, data_format, dilation)


def conv_transpose(x: Any, weights: Any, strides: Any, crops: Any, data_format: str, dilation: Any) -> Any:
    first, space = data_format == "channels_first", tuple(range(1, x.ndim - 1))
    x = np.moveaxis(x, 1, -1) if first else x
    spread = np.zeros((x.shape[0], *((x.shape[i] - 1) * strides[i - 1] + 1 for i in space), x.shape[-1]), x.dtype)
    spread[(slice(None), *(slice(None, None, s) for s in strides))] = x
    reach = [(w - 1) * d for w, d in zip(weights.shape, dilation, strict=False)]
    around = [(r - before, r - after) for r, (before, after) in zip(reach, crops, strict=True)]
    turned = np.flip(weights, tuple(i - 1 for i in space)).swapaxes(-1, -2)
    y = conv(np.pad(spread, [(0, 0), *around, (0, 0)]), turned, (1,) * len(strides), "valid", "channels_last", dilation)
    return np.moveaxis(y, -1, 1) if first else y


def _cuts(x: Any, window: Any, dilation: Any, stride: Any) -> Any:
    """Of an image, padding included: all elements that lie at one place of a window, for each place."""
    rows, columns = (
        (n - (w - 1) * d - 1) // s + 1 for n, w, d, s in zip(x.shape[2:], window, dilation, stride, strict=True)
    )
    for i in range(0, window[0] * dilation[0], dilation[0]):
        for j in range(0, window[1] * dilation[1], dilation[1]):
            yield x[:, :, i : i + stride[0] * rows : stride[0], j : j + stride[1] * columns : stride[1]]


def unfold(x: Any, window: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    cuts = np.stack(list(_cuts(x, window, dilation, stride)), 2)
    return cuts.reshape(x.shape[0], x.shape[1] * cuts.shape[2], cuts.shape[3] * cuts.shape[4])


def fold(x: Any, size: Any, window: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    places = window[0] * window[1]
    image = np.zeros(
        (x.shape[0], x.shape[1] // places, *(n + 2 * p for n, p in zip(size, padding, strict=True))), x.dtype
    )
    parts = np.moveaxis(x.reshape(x.shape[0], -1, places, x.shape[2]), 2, 0)
    for part, cut in zip(parts, _cuts(image, window, dilation, stride), strict=True):
        cut += part.reshape(cut.shape)  # a view of the image
    return image[:, :, padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]
