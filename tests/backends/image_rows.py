"""Rows of ops on images. Oracles: the installed Keras (tensorflow backend), SciPy, and NumPy where these err."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from scipy import ndimage

from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from kbridge.core.ops import image, image_parts, resize, warp
from tests.backends.rows import Bad, Row, bad, row

ROWS: list[Row] = []
BAD: list[Bad] = []
oracle = keras.ops.image
rng = np.random.default_rng(11)  # its own, so that no half comes to lie on the edge of rounding by other files' draws


def ints(low: int, high: int, *sizes: int, dtype: str = "int32") -> np.ndarray:
    return rng.integers(low, high, sizes).astype(dtype)


BATCH = (ints(0, 65, 2, 7, 9, 3) / 64).astype("float32")  # exact in 8 bits
FIRST = np.ascontiguousarray(BATCH.transpose(0, 3, 1, 2))
BYTES = 16 * ints(0, 16, 2, 7, 9, 3, dtype="uint8")


def add(
    name: str, mine: Any, theirs: Any, *arrays: np.ndarray, want: Any = None, how: Any = (), **options: Any
) -> None:
    """A row for `mine(*arrays, **how)`, told by `theirs`."""
    how = dict(how)
    if want is None:
        want = np.asarray(theirs(*arrays, **how))
    ROWS.append(row(name, lambda *xs, how=how: mine(*xs, **how), *arrays, want=want, **options))


# --- colour and filters ---------------------------------------------------------------------------

first = {"data_format": "channels_first"}
add("rgb_to_grayscale", image.rgb_to_grayscale, oracle.rgb_to_grayscale, BATCH, gradient=True)
add("rgb_to_grayscale-bytes", image.rgb_to_grayscale, oracle.rgb_to_grayscale, BYTES)
add("rgb_to_grayscale-first", image.rgb_to_grayscale, oracle.rgb_to_grayscale, FIRST, how=first)
add("rgb_to_grayscale-one", image.rgb_to_grayscale, oracle.rgb_to_grayscale, BATCH[0])
add("rgb_to_grayscale-grey", image.rgb_to_grayscale, oracle.rgb_to_grayscale, BATCH[..., :1])
EDGES = np.array([[[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [0.5, 0.25, 0.25]]], "float32")
APART = np.sort(BATCH + np.arange(3, dtype="float32"), -1)[..., [1, 2, 0]] / 4
for name in ("rgb_to_hsv", "hsv_to_rgb"):
    mine, theirs = getattr(image, name), getattr(oracle, name)
    add(name, mine, theirs, APART if name == "rgb_to_hsv" else BATCH * 0.9 + 0.04, gradient=True)
    add(f"{name}-edges", mine, theirs, EDGES)
    add(f"{name}-first", mine, theirs, FIRST, how=first)

last = {"data_format": "channels_last"}  # Keras's tensorflow backend doesn't look up the default here
add("gaussian_blur", image.gaussian_blur, oracle.gaussian_blur, BATCH, how=last, gradient=True)
for size, sigma in ((5, (1.0, 2.0)), (4, (0.5, 0.75))):
    how = {"kernel_size": (size, size), "sigma": sigma}
    add(f"gaussian_blur-{size}", image.gaussian_blur, oracle.gaussian_blur, BATCH, how=how | last)
add("gaussian_blur-first", image.gaussian_blur, oracle.gaussian_blur, FIRST, how=first)
add("gaussian_blur-one", image.gaussian_blur, oracle.gaussian_blur, BATCH[0], how=last)


def blurred(x: np.ndarray, width: int, height: int, sigma: Any) -> np.ndarray:
    """Plain loops, zeros around."""

    def bell(size: int, s: float) -> np.ndarray:
        curve = np.exp(-((np.arange(size) - (size - 1) / 2) ** 2) / (2 * s * s))
        return curve / curve.sum()

    window = np.outer(bell(height, sigma[1]), bell(width, sigma[0]))
    above, before = (height - 1) // 2, (width - 1) // 2
    wide = np.pad(x, ((0, 0), (above, height - 1 - above), (before, width - 1 - before), (0, 0)))
    rows, columns = x.shape[1:3]
    return sum(window[i, j] * wide[:, i : i + rows, j : j + columns] for i in range(height) for j in range(width))


how = {"kernel_size": (5, 3), "sigma": (2.0, 0.5)}
add("gaussian_blur-wide", image.gaussian_blur, None, BATCH, how=how, want=blurred(BATCH, 5, 3, (2.0, 0.5)).astype("f4"))
want = np.round(blurred(BYTES, 5, 3, (2.0, 0.5))).astype("uint8")
add("gaussian_blur-bytes", image.gaussian_blur, None, BYTES, how=how, want=want)

add("sobel_edges", image.sobel_edges, oracle.sobel_edges, BATCH, gradient=True)
add("sobel_edges-first", image.sobel_edges, lambda x, **_: oracle.sobel_edges(x, **first), FIRST, how=first)
add("sobel_edges-ints", image.sobel_edges, lambda x: oracle.sobel_edges(x.astype("f4")).numpy().astype("int32"),
    ints(-9, 9, 1, 5, 6, 2))  # fmt: skip

LARGE, OTHER = (ints(0, 65, 2, 13, 12, 3) / 64).astype("float32"), (ints(0, 65, 2, 13, 12, 3) / 64).astype("float32")
add("ssim", image.ssim, oracle.ssim, LARGE, OTHER, gradient=True)
how = {"max_val": 2.0, "filter_size": 5, "filter_sigma": 1.0, "k1": 0.1, "k2": 0.2}
add("ssim-options", image.ssim, oracle.ssim, LARGE, OTHER, how=how)
add("ssim-one", image.ssim, oracle.ssim, LARGE[0], OTHER[0])
add("ssim-first", image.ssim, oracle.ssim, LARGE.transpose(0, 3, 1, 2), OTHER.transpose(0, 3, 1, 2), how=first)
add("psnr", image.psnr, keras.ops.psnr, LARGE, OTHER, how={"max_val": 1.0}, gradient=True)
add("psnr-ints", image.psnr, None, BYTES.astype("int32"), BYTES[:, ::-1].astype("int32"), how={"max_val": 255},
    want=np.float32(20 * np.log10(255) - 10 * np.log10(np.mean((BYTES * 1.0 - BYTES[:, ::-1]) ** 2))))  # fmt: skip

grey = np.ones((3, 4), "float32")
for name in ("rgb_to_grayscale", "rgb_to_hsv", "hsv_to_rgb", "gaussian_blur"):
    BAD.append(bad(f"{name}-rank", lambda x, name=name: getattr(image, name)(x), grey, error=ShapeError))
BAD += [
    bad("rgb_to_grayscale-channels", image.rgb_to_grayscale, BATCH[..., :2], error=ShapeError),
    bad("rgb_to_hsv-channels", image.rgb_to_hsv, BATCH[..., :2], error=ShapeError),
    bad("hsv_to_rgb-bytes", image.hsv_to_rgb, BYTES, error=DTypeError),
    bad("sobel_edges-rank", image.sobel_edges, BATCH[0], error=ShapeError),
    bad("ssim-sizes", image.ssim, LARGE, LARGE[:, 1:], error=ShapeError),
    bad("psnr-sizes", lambda x, y: image.psnr(x, y, 1.0), LARGE, LARGE[:, 1:], error=ShapeError),
]

# --- parts ----------------------------------------------------------------------------------------

CROPS: dict[str, Any] = {
    "margins": {"top_cropping": 1, "left_cropping": 2, "bottom_cropping": 3, "right_cropping": 0},
    "targets": {"top_cropping": 1, "left_cropping": 2, "target_height": 4, "target_width": 5},
    "ends": {"bottom_cropping": 1, "right_cropping": 2, "target_height": 4, "target_width": 5},
}
for name, how in CROPS.items():
    add(f"crop_images-{name}", image_parts.crop_images, oracle.crop_images, BATCH, how=how, gradient=name == "ends")
    grown = {key.replace("cropping", "padding"): value + 8 * ("target" in key) for key, value in how.items()}
    add(f"pad_images-{name}", image_parts.pad_images, oracle.pad_images, BATCH, how=grown, gradient=name == "ends")
add("crop_images-first", image_parts.crop_images, oracle.crop_images, FIRST, how=CROPS["ends"] | first)
add("pad_images-first", image_parts.pad_images, oracle.pad_images, FIRST[0],
    how={"top_padding": 1, "bottom_padding": 2, "left_padding": 0, "target_width": 12} | first)  # fmt: skip
add("crop_images-bytes", image_parts.crop_images, oracle.crop_images, BYTES, how=CROPS["targets"])
ROWS.append(row("pad_images-positions", lambda x: image_parts.pad_images(x, 1, 2, 3, 4), BYTES,
                want=np.pad(BYTES, ((0, 0), (1, 3), (2, 4), (0, 0)))))  # fmt: skip

PATCHES: list[dict[str, Any]] = [
    {"size": 3},
    {"size": (2, 3), "strides": 1},
    {"size": 2, "strides": 3, "padding": "same"},
    {"size": 3, "strides": 1, "dilation_rate": 2},
    {"size": (3, 2), "strides": (2, 3), "padding": "same", "dilation_rate": (1, 2)},
]
for i, how in enumerate(PATCHES):

    def theirs(x: Any, how: Any = how, **_: Any) -> Any:
        size = (how["size"],) * 2 if isinstance(how["size"], int) else how["size"]
        steps, gaps = how.get("strides") or size, how.get("dilation_rate", 1)
        steps, gaps = ((s, s) if isinstance(s, int) else s for s in (steps, gaps))
        padding = how.get("padding", "valid").upper()
        import tensorflow as tf

        return tf.image.extract_patches(x, [1, *size, 1], [1, *steps, 1], [1, *gaps, 1], padding)

    add(f"extract_patches-{i}", image_parts.extract_patches, theirs, BATCH, how=how, gradient=i == 3)
    want = np.asarray(theirs(BATCH)).transpose(0, 3, 1, 2)
    add(f"extract_patches-first-{i}", image_parts.extract_patches, None, FIRST, how=how | first, want=want)
add("extract_patches-one", image_parts.extract_patches, oracle.extract_patches, BATCH[0], how={"size": 2})
add("extract_patches-bytes", image_parts.extract_patches, lambda x, **how: np.asarray(
    oracle.extract_patches(x.astype("f4"), **how)).astype("uint8"), BYTES, how={"size": 2})  # fmt: skip
VOLUMES = (ints(0, 65, 2, 5, 6, 7, 2) / 64).astype("float32")
for i, how in enumerate(({"size": 2}, {"size": (2, 3, 2), "strides": 1, "padding": "same"}, {"size": (1, 2, 3)})):
    add(f"extract_patches-volumes-{i}", image_parts.extract_patches_3d, oracle.extract_patches_3d, VOLUMES, how=how)
add("extract_patches-volumes-first", image_parts.extract_patches, oracle.extract_patches,
    VOLUMES[0].transpose(3, 0, 1, 2), how={"size": (2, 2, 2)} | first)  # fmt: skip

ONE = {"top_cropping": 1, "bottom_cropping": 1, "target_height": 5, "left_cropping": 0, "right_cropping": 0}
BAD += [
    bad("crop_images-rank", lambda x: image_parts.crop_images(x, 0, 0, 0, 0), grey, error=ShapeError),
    bad("crop_images-three", lambda x: image_parts.crop_images(x, **ONE), BATCH, error=ArgumentError),
    bad("crop_images-larger", lambda x: image_parts.crop_images(x, 0, 0, None, None, 8, 9), BATCH, error=ArgumentError),
    bad("pad_images-smaller", lambda x: image_parts.pad_images(x, 0, 0, None, None, 6, 9), BATCH, error=ArgumentError),
    bad("pad_images-negative", lambda x: image_parts.pad_images(x, -1, 0, 1, 1), BATCH, error=ArgumentError),
    bad("extract_patches-rank", lambda x: image_parts.extract_patches(x, 2), grey, error=ShapeError),
    bad("extract_patches-size", lambda x: image_parts.extract_patches(x, (2,)), BATCH, error=ArgumentError),
    bad("extract_patches-padding", lambda x: image_parts.extract_patches(x, 2, padding="full"), BATCH,
        error=ArgumentError),
    bad("extract_patches-large", lambda x: image_parts.extract_patches(x, 8), BATCH, error=ShapeError),
]  # fmt: skip

# --- sizes ----------------------------------------------------------------------------------------


def cubic(x: np.ndarray, target: int) -> np.ndarray:
    """Keys's curve along the first axis, without the table that TensorFlow rounds it to."""
    size = x.shape[0]
    away = np.abs((np.arange(target)[:, None] + 0.5) * size / target - 0.5 - np.arange(size))
    near, far = 1.5 * away**3 - 2.5 * away**2 + 1, -0.5 * away**3 + 2.5 * away**2 - 4 * away + 2
    weights = np.where(away < 1, near, np.where(away < 2, far, 0))
    return np.tensordot(weights / weights.sum(1, keepdims=True), x, 1)


def bicubic(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    x = np.moveaxis(cubic(np.moveaxis(x.astype("float64"), 1, 0), size[0]), 0, 1)
    return np.moveaxis(cubic(np.moveaxis(x, 2, 0), size[1]), 0, 2)


for method in resize.RESIZES:
    for size in ((4, 5), (10, 14), (5, 12)):
        for antialias in (False, True):
            how = {"size": size, "interpolation": method, "antialias": antialias}
            want = bicubic(BATCH, size).astype("f4") if method == "bicubic" and not antialias else None
            add(f"resize-{method}-{size}-{antialias}", resize.resize, oracle.resize, BATCH, how=how, want=want,
                gradient=size == (5, 12))  # fmt: skip
for name, more in {
    "crop": {"crop_to_aspect_ratio": True},
    "pad": {"pad_to_aspect_ratio": True, "fill_value": 2.0},
}.items():
    for size in ((6, 6), (3, 9), (9, 3)):
        how = {"size": size} | more
        add(f"resize-{name}-{size}", resize.resize, oracle.resize, BATCH, how=how)
for method in ("bilinear", "nearest", "lanczos3"):
    how = {"size": (5, 12), "interpolation": method}
    add(f"resize-bytes-{method}", resize.resize, oracle.resize, BYTES, how=how)
    add(f"resize-first-{method}", resize.resize, oracle.resize, FIRST, how=how | first)
    add(f"resize-one-{method}", resize.resize, oracle.resize, BATCH[0], how=how)
for dtype in ("float16", "int32"):
    add(f"resize-{dtype}", resize.resize, None, BATCH.astype(dtype) if "f" in dtype else BYTES.astype(dtype),
        how={"size": (4, 5)}, tolerance=1e-3 if dtype == "float16" else 2e-5,
        want=np.asarray(oracle.resize(BATCH.astype(dtype) if "f" in dtype else BYTES.astype(dtype), (4, 5)))
    )  # fmt: skip
add("resize-same", resize.resize, None, BATCH, how={"size": (7, 9)}, want=BATCH)

SCALE, MOVE = np.array([1.25, 0.5], "float32"), np.array([0.5, -1.0], "float32")
for method in ("linear", "cubic", "lanczos3", "lanczos5"):
    for antialias in (True, False):
        how = {"output_shape": (2, 10, 6, 3), "spatial_dims": (1, -2), "method": method, "antialias": antialias}
        ROWS.append(
            row(
                f"resample-{method}-{antialias}",
                lambda x, s, t, how=how: resize.scale_and_translate(x, scale=s, translation=t, **how),
                BATCH, SCALE, MOVE,
                want=np.asarray(oracle.scale_and_translate(BATCH, scale=SCALE, translation=MOVE, **how)),
                fixed="output_shape tells the batch too",
            )
        )  # fmt: skip
how = {"output_shape": (2, 10, 6, 3), "spatial_dims": (1, 2), "method": "cubic"}
found = np.asarray(oracle.scale_and_translate(BYTES.astype("f4"), scale=SCALE, translation=MOVE, **how))
for dtype in ("uint8", "int32"):
    ROWS.append(
        row(
            f"resample-{dtype}",
            lambda x, how=how: resize.scale_and_translate(x, scale=SCALE, translation=MOVE, **how),
            BYTES.astype(dtype),
            want=np.clip(np.round(found), BYTES.min(), BYTES.max()).astype(dtype),
            fixed="output_shape tells the batch too",
        )
    )

BAD += [
    bad("resize-rank", lambda x: resize.resize(x, (2, 2)), grey, error=ShapeError),
    bad("resize-size", lambda x: resize.resize(x, (2, 0)), BATCH, error=ArgumentError),
    bad("resize-sizes", lambda x: resize.resize(x, (2,)), BATCH, error=ArgumentError),
    bad("resize-method", lambda x: resize.resize(x, (2, 2), "cubist"), BATCH, error=ArgumentError),
    bad("resize-both", lambda x: resize.resize(x, (2, 2), "nearest", False, True, True), BATCH, error=ArgumentError),
    bad("resample-method", lambda x: resize.scale_and_translate(x, (2, 7, 9, 3), SCALE, MOVE, (1, 2), "area"), BATCH,
        error=ArgumentError),
    bad("resample-shape", lambda x: resize.scale_and_translate(x, (7, 9, 3), SCALE, MOVE, (1, 2), "linear"), BATCH,
        error=ShapeError),
]  # fmt: skip

# --- warps ----------------------------------------------------------------------------------------

CUBE = (ints(0, 65, 3, 4, 5) / 64).astype("float32")
WHERE = (ints(-24, 56, 3, 2, 6) / 8 + 0.0625).astype("float32")  # far beyond the edges on both sides
MODES = {"constant": "grid-constant", "wrap": "grid-wrap"}


def sampled(x: np.ndarray, where: np.ndarray, order: int, mode: str, fill: float) -> np.ndarray:
    wide = x.astype("float64")
    if order == 0:
        where = np.round(where)  # SciPy rounds some halves up
    found = ndimage.map_coordinates(wide, where, order=order, mode=MODES.get(mode, mode), cval=fill)
    return (np.round(found) if x.dtype.kind in "iu" else found).astype(x.dtype)


for order in (0, 1):
    for mode in warp.FILLS:
        for x in (CUBE, ints(0, 99, 3, 4, 5), ints(0, 99, 3, 4, 5, dtype="uint8")):
            how = {"order": order, "fill_mode": mode, "fill_value": 2}
            want = sampled(x, WHERE, order, mode, 2)
            add(f"map_coordinates-{order}-{mode}-{x.dtype}", warp.map_coordinates, None, x, WHERE, how=how, want=want,
                gradient=x is CUBE and order == 1)  # fmt: skip
LINE, ON = np.arange(5, dtype="float32"), np.array([[[0.5, 1.5], [2.5, -0.5]]], "float32")
add("map_coordinates-halves", warp.map_coordinates, oracle.map_coordinates, LINE, ON, how={"order": 0})
add("map_coordinates-single", warp.map_coordinates, None, LINE[:1], ON, how={"order": 1, "fill_mode": "mirror"},
    want=np.zeros((2, 2), "float32"))  # fmt: skip
add("map_coordinates-ints", warp.map_coordinates, None, LINE, np.array([[4, 0, 2]]), how={"order": 1},
    want=np.array([4, 0, 2], "float32"))  # fmt: skip

TURNS = np.array([[0.75, 0.25, 0.5, -0.25, 1.25, -0.25, 0, 0], [0.5, 0, 1, 0, 0.5, -3, 0.0625, 0.03125]], "float32")
for method in warp.ORDERS:
    for mode in ("constant", "nearest", "reflect"):
        how = {"interpolation": method, "fill_mode": mode, "fill_value": 0.5}
        add(f"affine_transform-{method}-{mode}", warp.affine_transform, oracle.affine_transform, BATCH, TURNS, how=how)
        add(f"affine_transform-one-{method}-{mode}", warp.affine_transform, oracle.affine_transform, BATCH[0], TURNS[1],
            how=how)  # fmt: skip
add("affine_transform-first", warp.affine_transform, oracle.affine_transform, FIRST, TURNS[1], how=first)
add("affine_transform-moved", lambda x: warp.affine_transform(x, TURNS), lambda x: oracle.affine_transform(x, TURNS),
    BATCH, gradient=True)  # fmt: skip
add("affine_transform-both", warp.affine_transform, oracle.affine_transform, BATCH[:1], TURNS[:1] + 0.01, gradient=True)


def turned(x: np.ndarray, transform: np.ndarray, order: int, mode: str) -> np.ndarray:
    """With SciPy, for one transform without depth."""
    down, across = np.meshgrid(np.arange(x.shape[1]), np.arange(x.shape[2]), indexing="ij")
    a0, a1, a2, b0, b1, b2 = transform[:6]
    where = np.array([b0 * across + b1 * down + b2, a0 * across + a1 * down + a2])
    each = [[sampled(x[i, ..., c], where, order, mode, 0) for c in range(x.shape[3])] for i in range(len(x))]
    return np.moveaxis(np.array(each), 1, -1)


for mode in ("wrap", "mirror"):
    want = turned(BATCH, TURNS[0], 1, mode)
    add(f"affine_transform-{mode}", warp.affine_transform, None, BATCH, TURNS[0], how={"fill_mode": mode}, want=want)
want = turned(BYTES, TURNS[0], 1, "constant")
add("affine_transform-bytes", warp.affine_transform, None, BYTES, TURNS[0], want=want)
add("affine_transform-bytes-nearest", warp.affine_transform, oracle.affine_transform, BYTES, TURNS,
    how={"interpolation": "nearest", "fill_value": 7})  # fmt: skip

CORNERS = np.array([[0, 0], [8, 0], [0, 6], [8, 6]], "float32")
ENDS = np.stack([CORNERS + ints(-8, 9, 4, 2) / 8 for _ in range(2)]).astype("float32")
STARTS = np.stack([CORNERS, CORNERS - 0.25]).astype("float32")
for method in warp.ORDERS:
    how = {"interpolation": method, "fill_value": 0.5}
    add(f"perspective_transform-{method}", warp.perspective_transform, oracle.perspective_transform, BATCH, STARTS,
        ENDS, how=how, tolerance=1e-4)  # fmt: skip
add("perspective_transform-one", warp.perspective_transform, oracle.perspective_transform, BATCH[0], CORNERS, ENDS[0],
    tolerance=1e-4)  # fmt: skip
add("perspective_transform-first", warp.perspective_transform, oracle.perspective_transform, FIRST, CORNERS, ENDS[0],
    how=first, tolerance=1e-4)  # fmt: skip
add("perspective_transform-same", warp.perspective_transform, None, BATCH, STARTS, STARTS, want=BATCH)
add("perspective_transform-moved", lambda x: warp.perspective_transform(x, STARTS, ENDS),
    lambda x: oracle.perspective_transform(x, STARTS, ENDS), BATCH, gradient=True, tolerance=1e-4)  # fmt: skip

BAD += [
    bad("map_coordinates-rank", lambda x, c: warp.map_coordinates(x, c, 1), CUBE, WHERE[:2], error=ShapeError),
    bad("map_coordinates-flat", lambda x, c: warp.map_coordinates(x, c, 1), LINE, ON[0, 0], error=ShapeError),
    bad("map_coordinates-order", lambda x, c: warp.map_coordinates(x, c, 2), CUBE, WHERE, error=ArgumentError),
    bad("map_coordinates-mode", lambda x, c: warp.map_coordinates(x, c, 1, "edge"), CUBE, WHERE, error=ArgumentError),
    bad("affine_transform-rank", warp.affine_transform, grey, TURNS[0], error=ShapeError),
    bad("affine_transform-numbers", warp.affine_transform, BATCH, TURNS[:, :6], error=ShapeError),
    bad("affine_transform-method", lambda x: warp.affine_transform(x, TURNS, "cubic"), BATCH, error=ArgumentError),
    bad("perspective_transform-points", warp.perspective_transform, BATCH, CORNERS[:3], CORNERS[:3], error=ShapeError),
    bad("perspective_transform-shapes", warp.perspective_transform, BATCH, CORNERS, ENDS, error=ShapeError),
    bad("elastic_transform-rank", warp.elastic_transform, grey, error=ShapeError),
    bad("elastic_transform-method", lambda x: warp.elastic_transform(x, interpolation="cubic"), BATCH,
        error=ArgumentError),
]  # fmt: skip
