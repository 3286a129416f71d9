"""Rows for convolutions beyond the plain one, adaptive pools, and images in windows and blocks: loops by hand."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.ops import nn
from tests.backends.rows import Bad, Row, bad, floats, ints, narrow, row
from tests.backends.window_rows import channels_first, dilated, looped_pool, scipy_conv

IMAGE = np.random.default_rng(1).permutation(120).reshape(2, 5, 6, 2).astype("float32") / 40  # no two are close
LAYOUTS = {"channels_last": np.array, "channels_first": channels_first}

# --- depthwise and separable ----------------------------------------------------------------------

DEPTHWISE = [
    # sizes, window, strides, dilation, multiplier
    ((9,), (3,), (2,), (1,), 2),
    ((9,), (3,), (1,), (2,), 1),
    ((7, 8), (3, 2), (1, 1), (1, 1), 2),
    ((7, 8), (3, 2), (2, 2), (1, 1), 1),
    ((7, 8), (3, 2), (2, 1), (1, 1), 2),
    ((9, 8), (3, 3), (1, 1), (2, 1), 2),
    ((4, 5, 4), (2, 2, 2), (1, 2, 1), (1, 1, 1), 2),
]


def scipy_depthwise(x: Any, weights: Any, *options: Any) -> np.ndarray:
    """One plain convolution for each channel."""
    parts = [scipy_conv(x[..., c : c + 1], weights[..., c : c + 1, :], *options) for c in range(x.shape[-1])]
    return np.concatenate(parts, -1)


def depthwise_rows() -> list[Row]:
    rows = []
    for i, ((sizes, window, strides, dilation, times), padding) in enumerate(
        itertools.product(DEPTHWISE, ("same", "valid"))
    ):
        x, weights, points = floats(2, *sizes, 3), floats(*window, 3, times), floats(*(1 for _ in sizes), 3 * times, 4)
        want = scipy_depthwise(x, weights, strides, padding, dilation)
        mixed = np.einsum("...c,cf->...f", want, points.reshape(-1, 4))
        layout = ("channels_last", "channels_first")[i // 2 % 2]
        turn, options = LAYOUTS[layout], (strides, padding, layout, dilation)
        name = f"{sizes}-{strides}-{dilation}-{padding}"
        rows += [
            row(f"depthwise_conv-{name}", lambda x, w, o=options: nn.depthwise_conv(x, w, *o), turn(x), weights,
                want=turn(want), tolerance=1e-4, gradient=True, data=1),
            row(f"separable_conv-{name}", lambda x, w, p, o=options: nn.separable_conv(x, w, p, *o), turn(x), weights,
                points, want=turn(mixed), tolerance=1e-4, gradient=True, data=1),
        ]  # fmt: skip
    return rows


# --- transposed -----------------------------------------------------------------------------------

TRANSPOSED = [
    # sizes, window, strides, padding, output_padding, dilation
    ((5,), (3,), (1,), "same", None, (1,)),
    ((5,), (4,), (2,), "valid", None, (1,)),
    ((4,), (2,), (3,), "valid", None, (1,)),
    ((4,), (2,), (3,), "same", None, (1,)),
    ((4,), (3,), (1,), "valid", None, (2,)),
    ((4, 5), (3, 3), (2, 2), "same", None, (1, 1)),
    ((4, 5), (4, 2), (2, 3), "same", None, (1, 1)),
    ((4, 5), (5, 3), (2, 1), "valid", None, (1, 1)),
    ((4, 5), (3, 3), (2, 2), "same", 1, (1, 1)),
    ((4, 5), (3, 3), (2, 2), "same", (0, 1), (1, 1)),
    ((4, 5), (4, 3), (2, 2), "valid", 1, (1, 1)),
    ((4, 5), (2, 3), (2, 2), "valid", (0, 3), (1, 1)),
    ((4, 4), (3, 2), (1, 1), "same", None, (2, 2)),
    ((4, 4), (3, 2), (2, 1), "valid", None, (1, 3)),
    ((2, 3, 2), (3, 2, 3), (2, 2, 1), "same", None, (1, 1, 1)),
    ((2, 3, 2), (2, 3, 1), (1, 2, 2), "valid", None, (1, 1, 1)),
]


def length(size: int, reach: int, stride: int, padding: str, extra: int | None) -> tuple[int, int]:
    """Keras's size of the result, and where in the sum of all windows it begins (as TensorFlow has it)."""
    if padding == "valid":
        return (size - 1) * stride + (max(reach, stride) if extra is None else reach + extra), 0
    whole = size * stride if extra is None else (size - 1) * stride + reach % 2 + extra
    return whole, max((size - 1) * stride + reach - whole, 0) // 2


def looped_transpose(x: Any, weights: Any, strides: Any, padding: str, extra: Any, dilation: Any) -> np.ndarray:
    """Each element spread over its window."""
    wide, sizes = dilated(weights, dilation), x.shape[1:-1]
    extras = extra if isinstance(extra, tuple) else (extra,) * len(sizes)
    spans = [length(*each) for each in zip(sizes, wide.shape, strides, (padding,) * len(sizes), extras, strict=False)]
    room = [
        max((n - 1) * s + r, start + whole)
        for n, s, r, (whole, start) in zip(sizes, strides, wide.shape, spans, strict=False)
    ]
    y = np.zeros((x.shape[0], *room, weights.shape[-2]))
    for place in itertools.product(*map(range, sizes)):
        cut = tuple(slice(i * s, i * s + r) for i, s, r in zip(place, strides, wide.shape, strict=False))
        y[(slice(None), *cut)] += np.einsum("bc,...fc->b...f", x[(slice(None), *place)].astype("float64"), wide)
    return narrow(y[(slice(None), *(slice(start, start + whole) for whole, start in spans))])


def transposed_rows() -> list[Row]:
    rows = []
    for case, layout in itertools.product(TRANSPOSED, LAYOUTS):
        sizes, window, strides, padding, extra, dilation = case
        x, weights = floats(2, *sizes, 3), floats(*window, 4, 3)
        turn, options = LAYOUTS[layout], (strides, padding, extra, layout, dilation)
        want = looped_transpose(x, weights, strides, padding, extra, dilation)
        rows.append(
            row(
                f"conv_transpose-{case}-{layout}",
                lambda x, w, o=options: nn.conv_transpose(x, w, *o),
                turn(x),
                weights,
                want=turn(want),
                tolerance=1e-4,
                gradient=layout == "channels_last",
                data=1,
            )
        )
    return rows


# --- adaptive pools -------------------------------------------------------------------------------


def adaptive_rows() -> list[Row]:
    rows = []
    cases = [((6,), 3), ((7,), 3), ((5,), 8), ((6, 8), (3, 2)), ((7, 8), (3, 5)), ((5, 7), 1), ((4, 5, 6), (2, 2, 4))]
    names = {"max": "max", "average": "avg"}
    for (sizes, count), (name, layout) in itertools.product(cases, itertools.product(names, LAYOUTS)):
        x, turn = floats(2, *sizes, 3), LAYOUTS[layout]
        pool = getattr(torch.nn.functional, f"adaptive_{names[name]}_pool{len(sizes)}d")
        want = np.moveaxis(pool(torch.from_numpy(channels_first(x).copy()), count).numpy(), 1, -1)
        call = lambda x, name=name, o=(count, layout): getattr(nn, f"adaptive_{name}_pool")(x, *o)  # noqa: E731
        rows.append(
            row(f"adaptive_{name}_pool-{sizes}-{count}-{layout}", call, turn(x), want=turn(want), gradient=True,
                fixed="the windows follow from the sizes")
        )  # fmt: skip
    x = floats(1, 5, 1)
    x[0, 2] = np.inf
    whole = ints(-9, 9, 1, 5, 2)
    fixed = "the windows follow from the sizes"
    return [
        *rows,
        row(
            "adaptive_average_pool-infinity",
            lambda x: nn.adaptive_average_pool(x, 3),
            x,
            fixed=fixed,
            want=np.stack([x[:, 0:2].mean(1), x[:, 1:4].mean(1), x[:, 3:5].mean(1)], 1),
        ),
        row(
            "adaptive_max_pool-of-ints",
            lambda x: nn.adaptive_max_pool(x, 2),
            whole,
            fixed=fixed,
            want=np.stack([whole[:, :3].max(1), whole[:, 2:].max(1)], 1),
        ),
        row(
            "adaptive_average_pool-of-ints",
            lambda x: nn.adaptive_average_pool(x, 2),
            whole,
            fixed=fixed,
            want=narrow(np.stack([whole[:, :3].mean(1), whole[:, 2:].mean(1)], 1)),
        ),
    ]


# --- windows and blocks ---------------------------------------------------------------------------


def patch_rows() -> list[Row]:
    rows = []
    cases = [
        # kernel_size, dilation, padding, stride
        (2, 1, 0, 1),
        ((3, 2), 1, 0, 1),
        (2, 1, 1, 2),
        (3, (1, 2), (2, 1), (2, 1)),
        ((1, 3), 2, (0, 2), 3),
    ]
    for case in cases:
        x = floats(2, 3, 7, 6)
        columns = torch.nn.functional.unfold(torch.from_numpy(x), *case).numpy()
        y = floats(*columns.shape)
        image = torch.nn.functional.fold(torch.from_numpy(y), (7, 6), *case).numpy()
        rows += [
            row(f"unfold-{case}", lambda x, c=case: nn.unfold(x, *c), x, want=columns, gradient=True),
            row(f"fold-{case}", lambda x, c=case: nn.fold(x, (7, 6), *c), y, want=image, gradient=True),
        ]
    whole = np.arange(32, dtype="int32").reshape(2, 1, 4, 4)
    parts = whole.reshape(2, 1, 2, 2, 2, 2).transpose(0, 1, 3, 5, 2, 4).reshape(2, 4, 4)
    rows += [
        row("unfold-of-ints", lambda x: nn.unfold(x, 2, stride=2), whole, want=parts),
        row("fold-of-ints", lambda x: nn.fold(x, 4, 2, stride=2), parts, want=whole),
    ]
    pixels = {"channels_last": floats(2, 3, 4, 8), "channels_first": floats(2, 8, 3, 4)}
    for layout, x in pixels.items():
        if layout == "channels_last":
            want = np.zeros((2, 6, 8, 2), "float32")
            for i, j in itertools.product(range(2), range(2)):
                want[:, i::2, j::2] = x[..., (2 * i + j) * 2 : (2 * i + j) * 2 + 2]
        else:
            want = torch.nn.functional.pixel_shuffle(torch.from_numpy(x), 2).numpy()
        rows += [
            row(
                f"depth_to_space-{layout}", lambda x, o=layout: nn.depth_to_space(x, 2, o), x, want=want, gradient=True
            ),
            row(
                f"space_to_depth-{layout}", lambda x, o=layout: nn.space_to_depth(x, 2, o), want, want=x, gradient=True
            ),
        ]
    return [
        *rows,
        row(
            "depth_to_space-of-ints",
            lambda x: nn.depth_to_space(x, 2),
            whole.reshape(2, 2, 2, 4),
            want=whole.reshape(2, 2, 2, 2, 2).transpose(0, 1, 3, 2, 4).reshape(2, 4, 4, 1),
        ),
        row(
            "conv-padding-in-capitals",
            lambda x, w: nn.conv(x, w, padding="SAME"),
            np.ones((1, 3, 1), "float32"),
            np.ones((3, 1, 1), "float32"),
            want=np.array([[[2], [3], [2]]], "float32"),
            data=1,
        ),
        row(
            "conv-of-ints",
            nn.conv,
            ints(1, 2, 1, 4, 2),
            np.ones((4, 2, 1), "float32"),
            want=np.full((1, 1, 1), 8, "float32"),
            data=1,
        ),
        row(
            "max_pool-gradient",
            lambda x: nn.max_pool(x, (2, 3), 2, "SAME", "channels_first"),
            channels_first(IMAGE),
            want=channels_first(looped_pool(IMAGE, np.max, (2, 3), (2, 2), "same")),
            gradient=True,
        ),
        row(
            "average_pool-gradient",
            lambda x: nn.average_pool(x, (2, 3), 2, "same"),
            IMAGE,
            want=looped_pool(IMAGE, np.mean, (2, 3), (2, 2), "same"),
            gradient=True,
        ),
    ]


ROWS: list[Row] = [*depthwise_rows(), *transposed_rows(), *adaptive_rows(), *patch_rows()]
LINE, WEIGHTS = floats(1, 5, 4), floats(3, 4, 2)
BAD: list[Bad] = [
    bad("conv-padding", lambda x, w: nn.conv(x, w, padding="full"), LINE, WEIGHTS, error=ArgumentError),
    bad("conv-channels", nn.conv, LINE, floats(3, 3, 2), error=ShapeError),
    bad("conv-filters", nn.conv, LINE, floats(3, 2, 3), error=ShapeError),
    bad("conv-strides", lambda x, w: nn.conv(x, w, (1, 1)), LINE, WEIGHTS, error=ShapeError),
    bad("conv-rank", nn.conv, LINE, floats(3, 3, 4, 2), error=ShapeError),
    bad("conv-window", nn.conv, LINE, floats(6, 4, 2), error=ShapeError),
    bad("depthwise_conv-channels", nn.depthwise_conv, LINE, floats(3, 2, 1), error=ShapeError),
    bad("separable_conv-channels", nn.separable_conv, LINE, floats(3, 4, 1), floats(1, 3, 2), error=ShapeError),
    bad("conv_transpose-channels", nn.conv_transpose, LINE, floats(3, 4, 2), error=ShapeError),
    bad(
        "conv_transpose-padding",
        lambda x, w: nn.conv_transpose(x, w, padding=1),
        LINE,
        floats(3, 2, 4),
        error=ArgumentError,
    ),
    bad("max_pool-padding", lambda x: nn.max_pool(x, 2, padding="causal"), LINE, error=ArgumentError),
    bad("average_pool-window", lambda x: nn.average_pool(x, 6), LINE, error=ShapeError),
    bad("max_pool-rank", lambda x: nn.max_pool(x, 2), floats(3, 4), error=ShapeError),
    bad("adaptive_max_pool-size", lambda x: nn.adaptive_max_pool(x, (2, 2)), LINE, error=ShapeError),
    bad("unfold-rank", lambda x: nn.unfold(x, 2), LINE, error=ShapeError),
    bad("unfold-window", lambda x: nn.unfold(x, 4), floats(1, 1, 3, 5), error=ShapeError),
    bad("fold-places", lambda x: nn.fold(x, 4, 2), floats(1, 4, 8), error=ShapeError),
    bad("fold-window", lambda x: nn.fold(x, 3, 2), floats(1, 6, 4), error=ShapeError),
    bad("depth_to_space-channels", lambda x: nn.depth_to_space(x, 2), floats(1, 2, 2, 6), error=ShapeError),
    bad("depth_to_space-block", lambda x: nn.depth_to_space(x, 1), floats(1, 2, 2, 4), error=ArgumentError),
    bad("space_to_depth-size", lambda x: nn.space_to_depth(x, 2), floats(1, 3, 2, 4), error=ShapeError),
    bad("space_to_depth-rank", lambda x: nn.space_to_depth(x, 2), LINE, error=ShapeError),
]
