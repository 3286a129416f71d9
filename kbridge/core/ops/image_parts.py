"""Parts of images, and frames around them."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core import settings
from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from kbridge.core.ops.conv import sizes_of
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.image import image_axes, seen
from kbridge.core.tensor.shapes import window_length
from kbridge.core.tensor.symbolic import KerasTensor

# --- borders --------------------------------------------------------------------------------------


def _margins(kind: str, names: tuple[str, str, str], size: Any, before: Any, after: Any, target: Any) -> Any:
    """Both margins and the final size along one axis: two of them are given, the third follows from `size`."""
    given = dict(
        zip((f"{names[0]}_{kind}", f"{names[1]}_{kind}", f"target_{names[2]}"), (before, after, target), strict=True)
    )
    if list(given.values()).count(None) != 1:
        raise ArgumentError(f"Must specify exactly two of {', '.join(given)}; got {given}.")
    grows = kind == "padding"
    if size is not None and all(not isinstance(value, int) or value >= 0 for value in given.values()):
        if target is None:
            target = size + before + after if grows else size - before - after
        else:
            rest = target - size if grows else size - target
            before, after = (rest - after, after) if before is None else (before, rest - before)
    for name, value in zip(given, (before, after, target), strict=True):
        if isinstance(value, int) and value < 0:
            raise ArgumentError(f"{name} must be >= 0, got {value} for images with {names[2]} {size}.")
    return before, after, target


def _both_margins(kind: str, shape: Any, sizes: Any, settled: tuple[Any, ...], data_format: str | None) -> Any:
    top, left, bottom, right, height, width = settled
    down, across, _ = image_axes(shape, data_format)
    rows = _margins(kind, ("top", "bottom", "height"), sizes[down], top, bottom, height)
    columns = _margins(kind, ("left", "right", "width"), sizes[across], left, right, width)
    return ((down, rows), (across, columns))


def _margins_rule(kind: str) -> Any:
    def rule(
        images: KerasTensor, top: Any = None, left: Any = None, bottom: Any = None, right: Any = None,
        height: Any = None, width: Any = None, data_format: str | None = None, **named: Any,
    ) -> KerasTensor:  # fmt: skip
        ends = [named.get(f"{side}_{kind}", by) for side, by in
                (("top", top), ("left", left), ("bottom", bottom), ("right", right))]  # fmt: skip
        target = (named.get("target_height", height), named.get("target_width", width))
        sizes = list(images.shape)
        for axis, (_, _, size) in _both_margins(kind, sizes, sizes, (*ends, *target), data_format):
            sizes[axis] = size
        return KerasTensor(sizes, images.dtype)

    return rule


def _with_sizes(x: Any, images: Any, edges: Any) -> Any:
    """`x` with the sizes that are known by now, which a trace may have lost."""
    if None not in tuple(x.shape):
        return x
    sizes = list(kernel.shape_of(images))
    for axis, (_, _, size) in edges:
        sizes[axis] = size
    return kernel.reshape(x, tuple(sizes))


@op(_margins_rule("cropping"))
def crop_images(
    images: Any, top_cropping: int | None = None, left_cropping: int | None = None,
    bottom_cropping: int | None = None, right_cropping: int | None = None, target_height: int | None = None,
    target_width: int | None = None, data_format: str | None = None,
) -> Any:  # fmt: skip
    """Images without their borders.

    Give two of top, bottom and target height, and two of left, right and target width.

    Args:
        images: `(height, width, channels)` or a batch, in the layout of `data_format`.
        top_cropping, bottom_cropping: how many rows go.
        left_cropping, right_cropping: how many columns go.
        target_height, target_width: how many are left.

    Raises:
        ArgumentError: not two of three are given, or one comes out negative.

    >>> import numpy as np
    >>> crop_images(np.arange(9).reshape(3, 3, 1), 1, 0, 0, target_width=2)[..., 0]
    array([[3, 4],
           [6, 7]])
    """
    settled = (top_cropping, left_cropping, bottom_cropping, right_cropping, target_height, target_width)
    edges = _both_margins("cropping", images.shape, kernel.shape_of(images), settled, data_format)
    key = [slice(None)] * len(images.shape)
    for axis, (before, _, size) in edges:
        key[axis] = slice(before, before + size)
    return _with_sizes(kernel.get_item(images, tuple(key)), images, edges)


@op(_margins_rule("padding"))
def pad_images(
    images: Any, top_padding: int | None = None, left_padding: int | None = None, bottom_padding: int | None = None,
    right_padding: int | None = None, target_height: int | None = None, target_width: int | None = None,
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Images with zeros around them.

    Give two of top, bottom and target height, and two of left, right and target width.

    Args:
        images: as in `crop_images`.
        top_padding, bottom_padding: how many rows come on.
        left_padding, right_padding: how many columns come on.
        target_height, target_width: how many there will be.

    Raises:
        ArgumentError: as in `crop_images`.

    >>> import numpy as np
    >>> pad_images(np.ones((1, 2, 1)), 1, 0, 0, target_width=3)[..., 0]
    array([[0., 0., 0.],
           [1., 1., 0.]])
    """
    settled = (top_padding, left_padding, bottom_padding, right_padding, target_height, target_width)
    edges = _both_margins("padding", images.shape, kernel.shape_of(images), settled, data_format)
    widths: list[Any] = [(0, 0)] * len(images.shape)
    for axis, (before, after, _) in edges:
        widths[axis] = (before, after)
    return _with_sizes(kernel.pad(images, tuple(widths), 0), images, edges)


# --- patches --------------------------------------------------------------------------------------


def _patch_size(size: Any) -> tuple[Any, ...]:
    if not isinstance(size, (int, tuple, list)):
        raise DTypeError(f"Expected an int or a tuple of them as `size`, got {size!r}.")
    return (size, size) if isinstance(size, int) else tuple(size)


def _patching(shape: Any, size: Any, strides: Any, dilation_rate: Any, padding: str, data_format: str | None) -> Any:
    """Windows, steps, gaps and whether the channels come last; `size` is a tuple."""
    rank = len(size)
    if rank not in (2, 3):
        raise ArgumentError(f"Expected a tuple of length 2 or 3 (in a volume) as `size`, got {size!r}.")
    if len(shape) not in (rank + 1, rank + 2):
        raise ShapeError(f"Patches of {size} are cut from {rank + 1} or {rank + 2} axes; got shape {tuple(shape)}.")
    if padding not in ("valid", "same"):
        raise ArgumentError(f"padding is 'valid' or 'same', got {padding!r}.")
    window = sizes_of(size, rank, "size")
    steps = sizes_of(strides, rank, "strides") if strides else window
    gaps = sizes_of(dilation_rate, rank, "dilation_rate")
    return window, steps, gaps, settings.check_data_format(data_format) == "channels_last"


def _patches_rule(
    images: KerasTensor, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: str | None = None,
) -> KerasTensor:  # fmt: skip
    size = _patch_size(size)
    window, steps, gaps, last = _patching(images.shape, size, strides, dilation_rate, padding, data_format)
    lead: Any = images.shape[: images.ndim - len(window) - 1]
    rest: Any = images.shape[len(lead) :]
    space, channels = (rest[:-1], rest[-1]) if last else (rest[1:], rest[0])
    places = [window_length(s, w, t, padding, g) for s, w, t, g in zip(space, window, steps, gaps, strict=True)]
    depth = None if channels is None else channels * math.prod(window)
    return KerasTensor((*lead, *places, depth) if last else (*lead, depth, *places), images.dtype)


def _not_below_zero(size: Any) -> Any:
    return max(size, 0) if isinstance(size, int) else kernel.maximum(size, 0)


def _unfolded(x: Any, axis: int, window: int, step: int, gap: int, padding: str) -> Any:
    """The windows along one axis; what they hold is put before the channels, and counted as channels."""
    last, size, reach = len(x.shape) - 1, kernel.shape_of(x)[axis], (window - 1) * gap + 1
    if padding == "same":
        total = _not_below_zero((-(-size // step) - 1) * step + reach - size)
        widths: list[Any] = [(0, 0)] * (last + 1)
        widths[axis] = (total // 2, total - total // 2)
        x, size = kernel.pad(x, tuple(widths), 0), size + total
    places = (size - reach) // step + 1

    def cut(part: slice) -> Any:
        return kernel.get_item(x, (*[slice(None)] * axis, part))

    if step != window or gap > 1:
        reach = (places - 1) * step + 1
        return kernel.concatenate([cut(slice(i * gap, i * gap + reach, step)) for i in range(window)], last)
    sizes = kernel.shape_of(x)  # side by side: one move does it
    x = kernel.reshape(cut(slice(0, places * step)), (*sizes[:axis], places, window, *sizes[axis + 1 :]))
    x = kernel.transpose(x, (*range(axis + 1), *range(axis + 2, last + 1), axis + 1, last + 1))
    return kernel.reshape(x, (*sizes[:axis], places, *sizes[axis + 1 : -1], window * sizes[-1]))


@op(_patches_rule)
def extract_patches(
    images: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """The windows of images, or of volumes, each flattened into the channels.

    Args:
        images: `(height, width, channels)` or a batch of them; `(depth, height, width, channels)` or a batch.
        size: of a patch: one number, two for images, three for volumes.
        strides: from patch to patch; as far as a patch is long if None.
        dilation_rate: from element to element within a patch.
        padding: "valid", or "same" with zeros around.

    Returns:
        `(batch, rows, columns, size * size * channels)` in the images' layout, the channel changing fastest.

    Raises:
        DTypeError: `size` isn't made of whole numbers.
        ArgumentError: `size` or `padding` is something else.
        ShapeError: the images have other axes.

    >>> import numpy as np
    >>> extract_patches(np.arange(16).reshape(4, 4, 1), 2)[1]
    array([[ 8,  9, 12, 13],
           [10, 11, 14, 15]])
    """
    _patches_rule(seen(images), size, strides, dilation_rate, padding, data_format)
    size = _patch_size(size)
    window, steps, gaps, last = _patching(images.shape, size, strides, dilation_rate, padding, data_format)
    rank = len(window)
    single = len(images.shape) == rank + 1
    x = kernel.expand_dims(images, (0,)) if single else images
    if not last:
        x = kernel.transpose(x, (0, *range(2, rank + 2), 1))
    for axis in range(rank, 0, -1):  # from behind, so that the last axis changes fastest
        x = _unfolded(x, axis, window[axis - 1], steps[axis - 1], gaps[axis - 1], padding)
    if not last:
        x = kernel.transpose(x, (0, rank + 1, *range(1, rank + 1)))
    return kernel.squeeze(x, (0,)) if single else x


def extract_patches_3d(
    volumes: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """`extract_patches` of volumes: `(depth, height, width, channels)` or a batch of them.

    `volumes` stands for `images`; the other arguments are those of `extract_patches`.

    >>> import numpy as np
    >>> extract_patches_3d(np.zeros((4, 4, 6, 2)), 2).shape
    (2, 2, 3, 16)
    """
    if not isinstance(size, int) and len(size) != 3:
        raise DTypeError(f"ops.extract_patches_3d: size takes a number, or one for each of 3 axes; got {size!r}.")
    return extract_patches(
        volumes, (size,) * 3 if isinstance(size, int) else size, strides, dilation_rate, padding, data_format
    )
