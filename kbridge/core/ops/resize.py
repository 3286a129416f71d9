"""Images at other sizes: products with matrices of weights, or the framework's own resize."""

from __future__ import annotations

import math
import operator
from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.elementwise import add, cast, clip, divide, maximum, minimum, multiply, subtract, where
from kbridge.core.ops.image import as_batch, as_given, image_axes, in_dtype, in_single, seen
from kbridge.core.tensor.shapes import one_axis
from kbridge.core.tensor.symbolic import KerasTensor

RESIZES = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic", "area")


def one_of(name: str, value: Any, known: Any) -> None:
    """An error unless the argument has a value we know."""
    if value not in known:
        raise ArgumentError(f"{name} is one of {', '.join(map(repr, known))}; got {value!r}.")


# --- resampling -----------------------------------------------------------------------------------


def _linear(x: Any) -> Any:
    return maximum(subtract(1.0, x), 0.0)


def _cubic(x: Any) -> Any:
    """Keys's curve with a = -1/2 (https://doi.org/10.1109/TASSP.1981.1163711)."""
    near = add(multiply(multiply(multiply(subtract(x, 5 / 3), x), x), 1.5), 1.0)
    far = add(multiply(subtract(multiply(add(multiply(x, -0.5), 2.5), x), 4.0), x), 2.0)
    return where(kernel.less(x, 1), near, where(kernel.less(x, 2), far, 0.0))


def _lanczos(radius: int) -> Any:
    """sinc(x) sinc(x / radius)."""

    def curve(x: Any) -> Any:
        turns = multiply(x, math.pi)
        away = where(kernel.greater(x, 1e-3), turns, 1.0)  # at 0 the quotient has no value
        waves = kernel.multiply(kernel.sin(turns), kernel.sin(multiply(turns, 1 / radius)))
        waves = divide(multiply(waves, float(radius)), kernel.multiply(away, away))
        return where(kernel.greater(x, radius), 0.0, where(kernel.greater(x, 1e-3), waves, 1.0))

    return curve


CURVES: dict[str, Any] = {"lanczos3": _lanczos(3), "lanczos5": _lanczos(5)}
CURVES |= dict.fromkeys(("linear", "bilinear", "trilinear", "triangle"), _linear)
CURVES |= dict.fromkeys(("cubic", "bicubic", "tricubic"), _cubic)


def count_to(size: Any, like: Any, dtype: str = "float32") -> Any:
    """0., 1., 2., … below `size`."""
    return kernel.cast(kernel.arange(0, size, 1, "int32", like=like), dtype)


def real(size: Any) -> Any:
    """A size as a fraction: a number, or a tensor where it isn't known yet."""
    return float(size) if isinstance(size, int) else kernel.cast(size, "float32")


def _curve_weights(size: Any, target: Any, step: Any, shift: Any, method: str, antialias: bool, like: Any) -> Any:
    """How much each of `size` pixels counts for each new one: `(target, size)`, each row of sum 1.

    `step` is how many old pixels a new one is wide, `shift` how many the first one lies before the edge.
    """
    places = subtract(subtract(multiply(add(count_to(target, like), 0.5), step), shift), 0.5)
    places = kernel.expand_dims(places, (1,))
    away = kernel.absolute(kernel.subtract(places, count_to(size, like)))
    if antialias and not (isinstance(step, float) and step <= 1):
        away = divide(away, max(step, 1.0) if isinstance(step, float) else maximum(step, 1.0))
    weights = CURVES[method](away)
    total = kernel.reduce_sum(weights, (1,), True)
    some = kernel.greater(kernel.absolute(total), 1e3 * 2.0**-23)
    weights = where(some, kernel.divide(weights, where(some, total, 1.0)), 0.0)
    inside = kernel.logical_and(
        kernel.greater_equal(places, -0.5), kernel.less_equal(places, subtract(real(size), 0.5))
    )
    return where(inside, weights, 0.0)


def _area_weights(size: Any, target: Any, step: Any, like: Any) -> Any:
    """The share of each of `size` pixels in the stretch that each new one covers: `(target, size)`."""
    start = multiply(kernel.expand_dims(count_to(target, like), (1,)), step)
    pixel = count_to(size, like)
    shared = kernel.subtract(kernel.minimum(add(start, step), add(pixel, 1.0)), kernel.maximum(start, pixel))
    return divide(maximum(shared, 0.0), step)


def _along(x: Any, weights: Any, axis: int) -> Any:
    """`weights @ x` along one axis of `x`."""
    last, sizes, target = len(x.shape) - 1, kernel.shape_of(x), kernel.shape_of(weights)[0]
    if axis == last - 1:  # with channels beside it: one big product instead of many narrow ones
        order = (*range(axis), last, axis)
        rows = kernel.reshape(kernel.transpose(x, order), (-1, sizes[axis]))
        y = kernel.matmul(rows, kernel.transpose(weights, (1, 0)))
        return kernel.transpose(kernel.reshape(y, (*sizes[:axis], sizes[last], target)), order)
    x = kernel.reshape(x, (*sizes[: axis + 1], math.prod(sizes[axis + 1 :])))
    return kernel.reshape(kernel.matmul(weights, x), (*sizes[:axis], target, *sizes[axis + 1 :]))


def _check_resize(size: Any, interpolation: str, crop: bool, pad: bool, fill_mode: str) -> None:
    if len(size) != 2 or any(isinstance(s, int) and s <= 0 for s in size):
        raise ArgumentError(f"`size` must have positive height and width, and no more; got {size!r}.")
    one_of("interpolation", interpolation, RESIZES)
    one_of("fill_mode", fill_mode, ("constant",))
    if crop and pad:
        raise ArgumentError("Choose crop_to_aspect_ratio or pad_to_aspect_ratio, not both.")


def _resize_rule(
    images: KerasTensor, size: Any, interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant",
    fill_value: float = 0.0, data_format: str | None = None,
) -> KerasTensor:  # fmt: skip
    _check_resize(size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode)
    sizes = list(images.shape)
    down, across, _ = image_axes(sizes, data_format)
    sizes[down], sizes[across] = (s if s is None else int(s) for s in size)
    return KerasTensor(sizes, images.dtype)


def smaller(a: Any, b: Any) -> Any:
    return min(a, b) if isinstance(a, int) and isinstance(b, int) else kernel.minimum(a, b)


def larger(a: Any, b: Any) -> Any:
    return max(a, b) if isinstance(a, int) and isinstance(b, int) else kernel.maximum(a, b)


def _number(size: Any) -> Any:
    try:
        return operator.index(size)
    except TypeError:
        return size  # computed in a TensorFlow graph


def _in_ratio(x: Any, size: Any, pad: bool, fill_value: Any) -> Any:
    """The middle of `x` that has the ratio of `size`, or `x` in the middle of a frame that has it."""
    _, height, width, _ = kernel.shape_of(x)
    by_width, by_height = width * size[0] // size[1], height * size[1] // size[0]
    if pad:
        down = (larger(height, by_width) - height) // 2
        across = (larger(width, by_height) - width) // 2
        return kernel.pad(x, ((0, 0), (down, down), (across, across), (0, 0)), fill_value)
    tall, wide = larger(smaller(height, by_width), 1), larger(smaller(width, by_height), 1)
    top, left = (height - tall) // 2, (width - wide) // 2
    return kernel.get_item(x, (slice(None), slice(top, top + tall), slice(left, left + wide)))


@op(_resize_rule)
def resize(
    images: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant",
    fill_value: float = 0.0, data_format: str | None = None,
) -> Any:  # fmt: skip
    """Images at another size.

    Bicubic is Keys's curve with a = -1/2 on every backend; TensorFlow's own kernel rounds it to 1/1024 of a pixel.

    Args:
        images: `(height, width, channels)` or a batch, in the layout of `data_format`; they keep their type.
        size: (height, width).
        interpolation: "bilinear", "nearest", "lanczos3", "lanczos5", "bicubic" or "area".
        antialias: widen the curve when images get smaller; "nearest" and "area" know no such thing.
        crop_to_aspect_ratio: take only the middle of the images that has the ratio of `size`.
        pad_to_aspect_ratio: put `fill_value` around the images first, so that they have the ratio of `size`.
        fill_mode: "constant".
        fill_value: what lies around.

    Raises:
        ArgumentError: a word is another, `size` isn't two positive numbers, or both ratios are to be kept.

    >>> import numpy as np
    >>> resize(np.array([[0.0, 1.0]])[..., None], (1, 4))[0, :, 0]
    array([0.  , 0.25, 0.75, 1.  ])
    """
    _check_resize(size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode)
    x = as_batch(images, data_format)
    size = tuple(
        [s if hasattr(s, "dtype") and s.shape == () and kernel.is_tensor_type(type(s)) else int(s) for s in size]
    )
    if crop_to_aspect_ratio or pad_to_aspect_ratio:
        x = _in_ratio(x, size, pad_to_aspect_ratio, fill_value)
    if interpolation != "nearest":
        x = in_single(x)
    y = kernel.resize(x, size, interpolation, antialias)
    if y is None:  # no kernel of the framework's that gives the same as the others
        y = x
        for axis, target in ((1, size[0]), (2, size[1])):
            y = _resized(y, axis, target, interpolation, antialias)
    return as_given(in_dtype(y, kernel.dtype_of(images)), images, data_format)


def _resized(x: Any, axis: int, target: Any, interpolation: str, antialias: bool) -> Any:
    size = kernel.shape_of(x)[axis]
    step = (
        divide(real(size), real(target)) if not isinstance(size, int) or not isinstance(target, int) else size / target
    )
    if interpolation == "nearest":
        places = kernel.floor(multiply(add(count_to(target, x), 0.5), step))
        return kernel.take(x, kernel.cast(minimum(places, subtract(real(size), 1.0)), "int32"), axis)
    if interpolation == "area":
        weights = _area_weights(size, target, step, x)
    else:
        weights = _curve_weights(size, target, step, 0.0, interpolation, antialias, x)
    return _along(x, cast(weights, kernel.dtype_of(x)), axis)


def _resample_rule(
    images: KerasTensor, scale: KerasTensor, translation: KerasTensor, output_shape: Any, spatial_dims: Any,
    method: str, antialias: bool = True,
) -> KerasTensor:  # fmt: skip
    one_of("method", method, CURVES)
    if len(output_shape) != images.ndim:
        raise ShapeError(f"output_shape {tuple(output_shape)} needs a size for each axis of {images.shape}.")
    return KerasTensor(output_shape, images.dtype)


@op(_resample_rule, arrays=3)
def resample(
    images: Any, scale: Any, translation: Any, output_shape: Any, spatial_dims: Any, method: str, antialias: bool = True
) -> Any:
    """`scale_and_translate` with the arrays first, as ops have them."""
    _resample_rule(seen(images), scale, translation, output_shape, spatial_dims, method)
    y = in_single(images)
    scale, translation = kernel.cast(scale, "float32"), kernel.cast(translation, "float32")
    for i, axis in enumerate(spatial_dims):
        axis = one_axis(axis, len(images.shape))
        step = divide(1.0, kernel.get_item(scale, i))
        shift = kernel.multiply(kernel.get_item(translation, i), step)
        size = kernel.shape_of(y)[axis]
        weights = _curve_weights(size, output_shape[axis], step, shift, method, antialias, y)
        y = _along(y, cast(weights, kernel.dtype_of(y)), axis)
    dtype = kernel.dtype_of(images)
    if "int" in dtype:  # a curve may overshoot
        axes = tuple(range(len(images.shape)))
        low, high = kernel.reduce_min(images, axes, False), kernel.reduce_max(images, axes, False)
        y = clip(y, cast(low, kernel.dtype_of(y)), cast(high, kernel.dtype_of(y)))
    return in_dtype(y, dtype)


def scale_and_translate(
    images: Any, output_shape: Any, scale: Any, translation: Any, spatial_dims: Any, method: str, antialias: bool = True
) -> Any:
    """Images scaled and moved along some axes: pixel x goes to x * scale + translation; zeros beyond the edges.

    Args:
        images: a tensor of any rank.
        output_shape: the size of every axis.
        scale, translation: `(len(spatial_dims),)`.
        spatial_dims: the axes that are scaled.
        method: "linear", "cubic", "lanczos3" or "lanczos5" ("bilinear", … mean the same).
        antialias: widen the curve where the images get smaller.

    >>> import numpy as np
    >>> scale_and_translate(np.array([1.0, 2.0]), (4,), [1.0], [1.0], (0,), "linear")
    array([0., 1., 2., 0.])
    """
    return resample(images, scale, translation, output_shape, spatial_dims, method, antialias)
