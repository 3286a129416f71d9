"""Ops on images: colour, filters and likeness. Borders, sizes and warps are in the files beside.

An image is `(height, width, channels)`, a batch `(batch, height, width, channels)`; for
"channels_first" the channels stand before the height. `data_format` None is the default layout.
"""

from __future__ import annotations

import math
from typing import Any

from kbridge.core import settings
from kbridge.core.errors import DTypeError, ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.declare import as_float, kernel, op, promote
from kbridge.core.ops.elementwise import add, cast, clip, divide, maximum, minimum, multiply, subtract, where
from kbridge.core.tensor.dtypes import float_result, is_float
from kbridge.core.tensor.symbolic import KerasTensor

LIMITS = {"uint8": (0, 255), "int8": (-128, 127), "uint16": (0, 65535), "int16": (-32768, 32767)}

# --- layouts and types that ops on images share ---------------------------------------------------


def image_axes(shape: Any, data_format: str | None) -> tuple[int, int, int]:
    """Where height, width and channels stand in an image or a batch."""
    rank = len(shape)
    if rank not in (3, 4):
        raise ShapeError(f"Invalid images rank: expected rank 3 (an image) or 4 (a batch), got shape {tuple(shape)}.")
    if settings.check_data_format(data_format) == "channels_last":
        return rank - 3, rank - 2, rank - 1
    return rank - 2, rank - 1, rank - 3


def as_batch(images: Any, data_format: str | None) -> Any:
    """An image or a batch as `(batch, height, width, channels)`."""
    image_axes(images.shape, data_format)
    x = kernel.expand_dims(images, (0,)) if len(images.shape) == 3 else images
    return x if settings.check_data_format(data_format) == "channels_last" else kernel.transpose(x, (0, 2, 3, 1))


def as_given(x: Any, images: Any, data_format: str | None) -> Any:
    """`(batch, height, width, channels)` back in the rank and layout of `images`."""
    if settings.check_data_format(data_format) == "channels_first":
        x = kernel.transpose(x, (0, 3, 1, 2))
    return kernel.squeeze(x, (0,)) if len(images.shape) == 3 else x


def seen(x: Any) -> KerasTensor:
    """A tensor as the rules get it: they hold the checks that no framework makes."""
    return KerasTensor(tuple(x.shape), kernel.dtype_of(x))


def in_single(x: Any) -> Any:
    """`x` in float32, or float64 if it is: what weighted sums of pixels are computed in."""
    return x if kernel.dtype_of(x) in ("float32", "float64") else kernel.cast(x, "float32")


def in_dtype(x: Any, dtype: str) -> Any:
    """Fractions in the type that the pixels had: rounded and held within its range if it has none."""
    if kernel.dtype_of(x) == dtype:
        return x
    if not is_float(dtype):
        x = kernel.round(x)
    return kernel.cast(clip(x, *LIMITS[dtype]) if dtype in LIMITS else x, dtype)


def _images_rule(images: KerasTensor, *args: Any, data_format: str | None = None, **_: Any) -> KerasTensor:
    if args and isinstance(args[-1], str):  # the layout comes last wherever it is given by position
        data_format = args[-1]
    image_axes(images.shape, data_format)
    return rules.same(images)


# --- colour ---------------------------------------------------------------------------------------


def _grayscale_rule(images: KerasTensor, data_format: str | None = None) -> KerasTensor:
    sizes = list(images.shape)
    channels = image_axes(sizes, data_format)[2]
    if sizes[channels] not in (None, 1, 3):
        raise ShapeError(f"Expected 3 channels, or 1 that is grey already; got {sizes[channels]} in {images.shape}.")
    sizes[channels] = 1
    return KerasTensor(sizes, images.dtype)


@op(_grayscale_rule)
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """The brightness of RGB images, as one channel: 0.2989 R + 0.587 G + 0.114 B.

    Whole numbers are cut off, as in Keras; images with one channel come back as they are.

    Images are `(height, width, channels)` or a batch, in the layout of `data_format`.

    Raises:
        ShapeError: there are neither 3 channels nor 1.

    >>> rgb_to_grayscale([[[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]])
    array([[[0.2989],
            [0.8859]]], dtype=float32)
    """
    _grayscale_rule(seen(images), data_format)
    channels = image_axes(images.shape, data_format)[2]
    if images.shape[channels] == 1:
        return images
    red, green, blue = kernel.split(as_float(images), (1, 1, 1), channels)
    grey = add(add(multiply(red, 0.2989), multiply(green, 0.587)), multiply(blue, 0.114))
    return cast(grey, kernel.dtype_of(images))


def _colour_rule(images: KerasTensor, data_format: str | None = None) -> KerasTensor:
    channels = images.shape[image_axes(images.shape, data_format)[2]]
    if not is_float(images.dtype):
        raise DTypeError(f"Invalid images dtype: expected float dtype, got {images.dtype}. Scale them to 0..1 first.")
    if channels not in (None, 3):
        raise ShapeError(f"Expected 3 channels, got {channels} in {images.shape}.")
    return rules.same(images)


def _colours(images: Any, data_format: str | None) -> tuple[Any, Any, Any, int]:
    _colour_rule(seen(images), data_format)
    axis = image_axes(images.shape, data_format)[2]
    first, second, third = kernel.split(images, (1, 1, 1), axis)
    return first, second, third, axis


@op(_colour_rule)
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Any:
    """RGB images as hue, saturation and value, all in 0..1 (https://doi.org/10.1145/965139.807361).

    `images` are as in `rgb_to_grayscale`, floats in 0..1.

    Raises:
        DTypeError: the images aren't floats.
        ShapeError: there aren't 3 channels.

    >>> rgb_to_hsv([[[0.0, 0.5, 0.0]]])
    array([[[0.33333334, 1.        , 0.5       ]]], dtype=float32)
    """
    red, green, blue, axis = _colours(images, data_format)
    value = maximum(maximum(red, green), blue)
    spread = kernel.subtract(value, minimum(minimum(red, green), blue))
    some = where(kernel.greater(spread, 0), spread, 1.0)  # grey has hue 0, without a division by 0
    hue = where(
        kernel.equal(red, value),
        divide(subtract(green, blue), some),
        where(
            kernel.equal(green, value),
            add(divide(subtract(blue, red), some), 2.0),
            add(divide(subtract(red, green), some), 4.0),
        ),
    )
    hue = multiply(where(kernel.less(hue, 0), add(hue, 6.0), hue), 1 / 6)
    bright = kernel.greater(value, 0)
    saturation = where(bright, divide(spread, where(bright, value, 1.0)), 0.0)
    return kernel.concatenate([hue, saturation, value], axis)


@op(_colour_rule)
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Any:
    """Images given as hue, saturation and value in 0..1, as RGB: the inverse of `rgb_to_hsv`.

    >>> hsv_to_rgb([[[0.0, 0.5, 0.8]]])
    array([[[0.8, 0.4, 0.4]]], dtype=float32)
    """
    hue, saturation, value, axis = _colours(images, data_format)
    turns = multiply(hue, 6.0)
    red = subtract(kernel.absolute(subtract(turns, 3.0)), 1.0)
    green = subtract(2.0, kernel.absolute(subtract(turns, 2.0)))
    blue = subtract(2.0, kernel.absolute(subtract(turns, 4.0)))
    rest = subtract(1.0, saturation)
    return kernel.concatenate(
        [kernel.multiply(add(rest, multiply(saturation, clip(c, 0.0, 1.0))), value) for c in (red, green, blue)], axis
    )


# --- filters --------------------------------------------------------------------------------------


def bell(size: int, sigma: Any, like: Any) -> Any:
    """A normal curve over `size` pixels, its sum 1, in the type of `like`."""
    away = subtract(kernel.cast(kernel.arange(0, size, 1, "int32", like=like), "float32"), (size - 1) / 2)
    away = divide(away, sigma)
    curve = kernel.exp(multiply(kernel.multiply(away, away), -0.5))
    return cast(kernel.divide(curve, kernel.reduce_sum(curve, (0,), True)), kernel.dtype_of(like))


@op(_images_rule)
def gaussian_blur(
    images: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Any:
    """Images filtered with a normal curve, zeros lying around them.

    Both pairs name the width first: so do Keras's numpy and jax backends; the others agree for square windows.

    Args:
        images: `(height, width, channels)` or a batch, in the layout of `data_format`.
        kernel_size: (width, height) of the window, in pixels.
        sigma: (along the width, along the height) of the curve, in pixels.

    >>> import numpy as np
    >>> gaussian_blur(np.eye(3, dtype="float32")[..., None])[1, :, 0].round(3)
    array([0.248, 0.354, 0.248], dtype=float32)
    """
    x = in_single(as_batch(images, data_format))
    across = bell(int(kernel_size[0]), sigma[0], x)
    down = bell(int(kernel_size[1]), sigma[1], x)
    return as_given(in_dtype(kernel.blur(x, down, across, "same"), kernel.dtype_of(images)), images, data_format)


def _edges_rule(images: KerasTensor, data_format: str | None = None) -> KerasTensor:
    if images.ndim != 4:
        raise ShapeError(f"Expected a batch of images, with 4 axes; got shape {images.shape}.")
    return KerasTensor((*images.shape, 2), images.dtype)


@op(_edges_rule)
def sobel_edges(images: Any, data_format: str | None = None) -> Any:
    """How fast images change downwards and across, as a last axis of 2 (Sobel's filter).

    Beyond the border the images are mirrored, as in Keras's tensorflow backend (the others differ there).

    Raises:
        ShapeError: `images` aren't a batch with 4 axes.

    >>> import numpy as np
    >>> sobel_edges(np.array([[0.0, 1, 2]] * 3).reshape(1, 3, 3, 1))[0, 1, 1, 0]
    array([0., 8.])
    """
    _edges_rule(seen(images))
    down, across, _ = image_axes(images.shape, data_format)

    def beside(x: Any, axis: int) -> tuple[Any, Any]:
        """What lies before and after each pixel."""

        def cut(start: int, stop: int | None) -> Any:
            return kernel.get_item(x, (*[slice(None)] * axis, slice(start, stop)))

        return kernel.concatenate([cut(1, 2), cut(0, -1)], axis), kernel.concatenate([cut(1, None), cut(-2, -1)], axis)

    def smooth(x: Any, axis: int) -> Any:
        before, after = beside(x, axis)
        return kernel.add(kernel.add(before, after), kernel.add(x, x))

    def slope(x: Any, axis: int) -> Any:
        before, after = beside(x, axis)
        return kernel.subtract(after, before)

    return kernel.stack([slope(smooth(images, across), down), slope(smooth(images, down), across)], 4)


# --- likeness -------------------------------------------------------------------------------------


def _alike(x1: Any, x2: Any) -> None:
    if len(x1.shape) != len(x2.shape) or any(
        a != b and None not in (a, b) for a, b in zip(x1.shape, x2.shape, strict=True)
    ):
        raise ShapeError(f"Both inputs need the same shape, got {tuple(x1.shape)} and {tuple(x2.shape)}.")


def _psnr_rule(x1: KerasTensor, x2: KerasTensor, max_val: Any) -> KerasTensor:
    _alike(x1, x2)
    return KerasTensor((), float_result(rules.together(x1, x2).dtype))


@op(_psnr_rule, arrays=2)
def psnr(x1: Any, x2: Any, max_val: Any) -> Any:
    """Peak signal-to-noise ratio in decibel: 10 log10(max_val² / mean((x1 - x2)²)), one number for all.

    `x1` and `x2` have one shape; `max_val` is the largest value that an element can have.

    Raises:
        ShapeError: the shapes differ.

    >>> float(psnr([0.0, 1.0], [0.1, 0.9], 1.0).round(3))
    20.0
    """
    _alike(x1, x2)
    x1, x2 = (as_float(x) for x in promote(x1, x2))
    away = kernel.subtract(x1, x2)
    error = kernel.reduce_mean(kernel.multiply(away, away), tuple(range(len(x1.shape))), False)
    peak = cast(kernel.convert(max_val), kernel.dtype_of(error))
    return _decibel(kernel.divide(kernel.multiply(peak, peak), error))


def _decibel(x: Any) -> Any:
    return multiply(kernel.log(x), 10 / math.log(10))


def _ssim_rule(image1: KerasTensor, image2: KerasTensor, *_: Any, **__: Any) -> KerasTensor:
    image_axes(image1.shape, None)
    _alike(image1, image2)
    return KerasTensor(image1.shape[: image1.ndim - 3], image1.dtype)


@op(_ssim_rule, arrays=2)
def ssim(
    image1: Any, image2: Any, max_val: float = 1.0, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
    k2: float = 0.03, data_format: str | None = None,
) -> Any:  # fmt: skip
    """Structural similarity of images, 1 if they are the same (https://doi.org/10.1109/TIP.2003.819861).

    Args:
        image1, image2: of one shape, `(height, width, channels)` or a batch.
        max_val: the largest value a pixel can have.
        filter_size, filter_sigma: the window, and the normal curve in it, that local means are taken with.
        k1, k2: keep the quotients of means and of variances stable.

    Returns:
        One number for each image.

    Raises:
        ShapeError: the shapes differ.

    >>> import numpy as np
    >>> float(ssim(np.ones((16, 16, 3)), np.ones((16, 16, 3))).round(3))
    1.0
    """
    _alike(image1, image2)
    x, y = (in_single(as_batch(image, data_format)) for image in promote(image1, image2))
    curve = bell(filter_size, filter_sigma, x)

    def local(values: Any) -> Any:
        return kernel.blur(values, curve, curve, "valid")

    mean_x, mean_y = local(x), local(y)
    squares = kernel.add(kernel.multiply(mean_x, mean_x), kernel.multiply(mean_y, mean_y))
    product = kernel.multiply(mean_x, mean_y)
    spreads = kernel.subtract(local(kernel.add(kernel.multiply(x, x), kernel.multiply(y, y))), squares)
    together = kernel.subtract(local(kernel.multiply(x, y)), product)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    above = kernel.multiply(add(multiply(product, 2.0), c1), add(multiply(together, 2.0), c2))
    below = kernel.multiply(add(squares, c1), add(spreads, c2))
    likeness = kernel.reduce_mean(kernel.divide(above, below), (1, 2, 3), False)
    likeness = likeness if len(image1.shape) == 4 else kernel.squeeze(likeness, (0,))
    return cast(likeness, kernel.dtype_of(image1))
