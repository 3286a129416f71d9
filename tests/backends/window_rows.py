"""Rows for convolution and pooling: SciPy's correlation, and windows cut out by hand."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np
import scipy.signal

from kbridge.ops import nn
from tests.backends.rows import Row, floats, ints, narrow, row


def edges(size: int, window: int, stride: int, padding: str, step: int = 1) -> tuple[int, int, int]:
    """Places of a window along one axis, and the padding before and after, by TensorFlow's rule."""
    reach = (window - 1) * step + 1
    if padding == "valid":
        return (size - reach) // stride + 1, 0, 0
    places = -(-size // stride)
    total = max((places - 1) * stride + reach - size, 0)
    return places, total // 2, total - total // 2


def channels_first(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, -1, 1)


def dilated(weights: np.ndarray, steps: tuple[int, ...]) -> np.ndarray:
    sizes = [(w - 1) * d + 1 for w, d in zip(weights.shape, steps, strict=False)]
    wide = np.zeros((*sizes, *weights.shape[-2:]))
    wide[tuple(slice(None, None, d) for d in steps)] = weights
    return wide


def scipy_conv(x: Any, weights: Any, strides: Any, padding: str, dilation: Any) -> np.ndarray:
    """Convolution of channels-last inputs, one SciPy correlation for each pair of channels."""
    rank, inner, filters = x.ndim - 2, weights.shape[-2], weights.shape[-1]
    around = [
        edges(n, w, s, padding, d)[1:]
        for n, w, s, d in zip(x.shape[1:-1], weights.shape, strides, dilation, strict=False)
    ]
    x = np.pad(x.astype("float64"), [(0, 0), *around, (0, 0)])
    wide = dilated(weights, dilation)
    per_group = filters // (x.shape[-1] // inner)
    planes = [
        [
            sum(
                scipy.signal.correlate(image[..., f // per_group * inner + c], wide[..., c, f], "valid", "direct")
                for c in range(inner)
            )[tuple(slice(None, None, s) for s in strides)]
            for f in range(filters)
        ]
        for image in x
    ]
    return np.moveaxis(np.array(planes), 1, rank + 1).astype("float32")


CONV_CASES = [
    # rank, sizes, window, strides, dilation, groups
    (1, (9,), (3,), (1,), (1,), 1),
    (1, (10,), (4,), (3,), (1,), 1),
    (1, (9,), (3,), (1,), (2,), 2),
    (1, (8,), (2,), (2,), (1,), 4),
    (2, (7, 8), (3, 3), (1, 1), (1, 1), 1),
    (2, (7, 8), (3, 2), (2, 2), (1, 1), 1),
    (2, (9, 9), (2, 3), (3, 2), (1, 1), 2),
    (2, (9, 8), (3, 3), (1, 1), (2, 2), 1),
    (2, (9, 8), (3, 2), (2, 1), (2, 3), 2),
    (2, (6, 6), (3, 3), (1, 1), (1, 1), 4),
    (2, (5, 5), (1, 1), (2, 2), (1, 1), 1),
    (2, (3, 4), (5, 5), (1, 1), (1, 1), 1),
    (3, (5, 6, 4), (3, 2, 3), (1, 1, 1), (1, 1, 1), 1),
    (3, (5, 6, 5), (3, 3, 2), (2, 1, 2), (1, 1, 1), 2),
    (3, (6, 6, 6), (2, 2, 2), (1, 1, 1), (2, 2, 2), 1),
    (3, (6, 7, 6), (2, 2, 2), (2, 2, 2), (2, 1, 2), 2),
]


def conv_rows() -> list[Row]:
    rows = []
    for (rank, sizes, window, strides, dilation, groups), padding in itertools.product(CONV_CASES, ("same", "valid")):
        if padding == "valid" and window == (5, 5):
            continue  # larger than the image
        x, weights = floats(2, *sizes, 4), floats(*window, 4 // groups, 8)
        want = scipy_conv(x, weights, strides, padding, dilation)
        name = f"conv{rank}-{sizes}-{window}-{strides}-{dilation}-{groups}-{padding}"
        for layout in ("channels_last", "channels_first"):
            turn = channels_first if layout == "channels_first" else np.array
            call = lambda x, w, a=(strides, padding, layout, dilation): nn.conv(x, w, *a)  # noqa: E731
            rows.append(row(f"{name}-{layout}", call, turn(x), weights, want=turn(want), tolerance=1e-4))
    return rows


def looped_pool(x: Any, fold: Any, window: Any, strides: Any, padding: str) -> np.ndarray:
    """Each window cut out by hand, without the part that lies outside."""
    spans = []
    for size, w, s in zip(x.shape[1:-1], window, strides, strict=True):
        places, before, _ = edges(size, w, s, padding)
        spans.append([slice(max(i * s - before, 0), min(i * s - before + w, size)) for i in range(places)])
    space = tuple(range(1, x.ndim - 1))
    flat = [fold(x[(slice(None), *cut)], axis=space) for cut in itertools.product(*spans)]
    return np.moveaxis(np.array(flat), 0, 1).reshape(x.shape[0], *map(len, spans), x.shape[-1])


POOL_CASES = [
    # sizes, window, strides
    ((9,), (2,), (2,)),
    ((10,), (3,), (2,)),
    ((7, 8), (2, 2), (2, 2)),
    ((7, 9), (3, 2), (2, 3)),
    ((5, 5), (3, 3), (1, 1)),
    ((6, 7), (4, 4), (3, 3)),
    ((5, 6, 7), (2, 3, 2), (2, 2, 1)),
    ((4, 4, 5), (2, 2, 2), (2, 2, 2)),
]


def pooled(name: str, options: Any, x: Any) -> Any:
    return getattr(nn, name)(x, *options)


def pool_rows() -> list[Row]:
    rows = []
    for (sizes, window, strides), padding in itertools.product(POOL_CASES, ("same", "valid")):
        x = floats(2, *sizes, 3) - 2  # mostly negative: zeros from padding would win a maximum
        for name, fold in {"max_pool": np.max, "average_pool": np.mean}.items():
            want = looped_pool(x, fold, window, strides, padding)
            for layout in ("channels_last", "channels_first"):
                turn = channels_first if layout == "channels_first" else np.array
                call = partial(pooled, name, (window, strides, padding, layout))
                rows.append(
                    row(f"{name}-{sizes}-{window}-{strides}-{padding}-{layout}", call, turn(x), want=turn(want))
                )
        whole = ints(-9, 9, 2, *sizes, 3)
        call = partial(pooled, "max_pool", (window, strides, padding, "channels_last"))
        want = looped_pool(whole, np.max, window, strides, padding)
        rows.append(row(f"max_pool-of-int-{sizes}-{window}-{strides}-{padding}", call, whole, want=want))
    whole = ints(-9, 9, 1, 5, 5, 2)
    want = looped_pool(whole, np.max, (2, 2), (2, 2), "same")
    means = narrow(looped_pool(whole, np.mean, (2, 2), (2, 2), "same"))
    return [
        *rows,
        row("max_pool-of-int", lambda x: nn.max_pool(x, 2, padding="same"), whole, want=want),
        row("average_pool-of-int", lambda x: nn.average_pool(x, 2, padding="same"), whole, want=means),
    ]
