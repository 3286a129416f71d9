"""Images cut into windows and blocks, and put together again."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.conv import channels_of, laid_out, sizes_of, spatial
from kbridge.core.ops.declare import kernel, op
from kbridge.core.settings import check_data_format
from kbridge.core.tensor.shapes import window_length
from kbridge.core.tensor.symbolic import KerasTensor

# --- windows as columns ---------------------------------------------------------------------------


def _columns(size: Any, window: int, step: int, pad: int, stride: int) -> int | None:
    """Places of a window along an axis with zeros around it."""
    return window_length(None if size is None else size + 2 * pad, window, stride, "valid", step)


def _pairs(kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> list[tuple[int, ...]]:
    return [
        sizes_of(kernel_size, 2, "kernel_size"), sizes_of(dilation, 2, "dilation"),
        sizes_of(padding, 2, "padding", 0), sizes_of(stride, 2, "stride"),
    ]  # fmt: skip


def _places(x: Any, pairs: Any) -> list[int | None]:
    """Rows and columns of windows in an image."""
    if len(x.shape) != 4:
        raise ShapeError(f"unfold takes a 4D input (batch, channels, height, width), got {tuple(x.shape)}.")
    return [_columns(size, *each) for size, *each in zip(x.shape[2:], *pairs, strict=True)]


def _unfold_rule(x: KerasTensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    pairs = _pairs(kernel_size, dilation, padding, stride)
    rows, columns = _places(x, pairs)
    places = None if rows is None or columns is None else rows * columns
    depth = None if x.shape[1] is None else x.shape[1] * pairs[0][0] * pairs[0][1]
    return KerasTensor((x.shape[0], depth, places), x.dtype)


@op(_unfold_rule)
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Each window of an image as a column.

    Args:
        x: `(batch, channels, height, width)`.
        kernel_size, dilation, padding, stride: of the windows; a number, or one for height and one
            for width. `padding` zeros lie around the image.

    Returns:
        `(batch, channels * window, windows)`, the windows row by row.

    Raises:
        ShapeError: `x` doesn't have 4 axes.

    >>> import numpy as np
    >>> unfold(np.arange(4).reshape(1, 1, 2, 2), (1, 2))[0]
    array([[0, 2],
           [1, 3]])
    """
    pairs = _pairs(kernel_size, dilation, padding, stride)
    _places(x, pairs)  # some frameworks take too large a window in silence
    return kernel.unfold(x, *pairs)


def _fold_rule(
    x: KerasTensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> KerasTensor:
    if x.ndim != 3:
        raise ShapeError(f"fold takes a 3D input (batch, channels * window, windows), got {x.shape}.")
    size, pairs = sizes_of(output_size, 2, "output_size"), _pairs(kernel_size, dilation, padding, stride)
    rows, columns = (_columns(*each) or 0 for each in zip(size, *pairs, strict=True))
    if x.shape[2] not in (None, rows * columns):
        raise ShapeError(
            f"An image of {size} has {rows * columns} windows of {pairs[0]}; {x.shape} holds {x.shape[2]}."
        )
    window = pairs[0][0] * pairs[0][1]
    if x.shape[1] is not None and x.shape[1] % window:
        raise ShapeError(f"Columns of {x.shape[1]} elements aren't windows of {pairs[0]}, which have {window}.")
    return KerasTensor((x.shape[0], None if x.shape[1] is None else x.shape[1] // window, *size), x.dtype)


@op(_fold_rule)
def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Images from the columns that `unfold` gives; where windows overlap, they add up.

    Args:
        x: `(batch, channels * window, windows)`.
        output_size: height and width of the images; a number if they are equal.
        kernel_size, dilation, padding, stride: as in `unfold`.

    Returns:
        `(batch, channels, height, width)`.

    Raises:
        ShapeError: the columns or their number don't come from windows of such images.

    >>> import numpy as np
    >>> fold(np.ones((1, 2, 2)), (1, 3), (1, 2))[0, 0]
    array([[1., 2., 1.]])
    """
    return kernel.fold(x, sizes_of(output_size, 2, "output_size"), *_pairs(kernel_size, dilation, padding, stride))


# --- space and depth ------------------------------------------------------------------------------


def _blocks(x: Any, block_size: int, data_format: str | None, deeper: bool) -> KerasTensor:
    """The rule of both ops; deeper means fewer pixels with more channels."""
    layout = check_data_format(data_format)
    if not isinstance(block_size, int) or block_size < 2:
        raise ArgumentError(f"`block_size` must be at least 2 and a whole number, got {block_size!r}.")
    if len(x.shape) != 4:
        raise ShapeError(f"Images have four axes: batch, height, width and channels; got {tuple(x.shape)}.")
    sizes = [*spatial(x, layout), channels_of(x, layout)]
    for i, step in enumerate((block_size, block_size, block_size**2)):
        if sizes[i] is None:
            continue
        shrinks = deeper == (i < 2)
        if shrinks and sizes[i] % step:
            raise ShapeError(
                f"{tuple(x.shape)} in blocks of {block_size}: the size {sizes[i]} isn't a multiple of {step}."
            )
        sizes[i] = sizes[i] // step if shrinks else sizes[i] * step
    return KerasTensor(laid_out(x.shape[0], sizes[:2], sizes[2], layout), "bool")


def _rearranged(deeper: bool) -> Any:
    def rule(x: KerasTensor, block_size: int, data_format: str | None = "channels_last") -> KerasTensor:
        return KerasTensor(_blocks(x, block_size, data_format, deeper).shape, x.dtype)

    return rule


def _moved(x: Any, parts: Any, order: Any, shape: Any) -> Any:
    return kernel.reshape(kernel.transpose(kernel.reshape(x, parts), order), shape)


@op(_rearranged(deeper=False))
def depth_to_space(x: Any, block_size: int, data_format: str | None = "channels_last") -> Any:
    """Channels of each pixel laid out as a square of `block_size` by `block_size` pixels.

    Args:
        x: `(batch, height, width, channels)`, or `(batch, channels, height, width)` for channels_first.
        block_size: the side of the square, 2 or more; its square divides the channels. In channels_last
            the place in the square changes slower than the new channel, in channels_first faster.

    Source: https://arxiv.org/abs/1609.05158.

    Raises:
        ArgumentError: `block_size` isn't a whole number from 2 on.
        ShapeError: there aren't 4 axes, or the channels don't divide.

    >>> import numpy as np
    >>> depth_to_space(np.arange(4).reshape(1, 1, 1, 4), 2)[0, :, :, 0]
    array([[0, 1],
           [2, 3]])
    """
    _blocks(x, block_size, data_format, deeper=False)
    side, area = block_size, block_size**2
    if check_data_format(data_format) == "channels_last":
        batch, rows, columns, channels = kernel.shape_of(x)
        depth = channels // area
        parts, order = (batch, rows, columns, side, side, depth), (0, 1, 3, 2, 4, 5)
        return _moved(x, parts, order, (batch, rows * side, columns * side, depth))
    batch, channels, rows, columns = kernel.shape_of(x)
    depth = channels // area
    parts, order = (batch, depth, side, side, rows, columns), (0, 1, 4, 2, 5, 3)
    return _moved(x, parts, order, (batch, depth, rows * side, columns * side))


@op(_rearranged(deeper=True))
def space_to_depth(x: Any, block_size: int, data_format: str | None = "channels_last") -> Any:
    """Squares of `block_size` by `block_size` pixels as channels of one pixel: undoes `depth_to_space`.

    The arguments, and what is raised, are those of `depth_to_space`, for height and width.

    >>> import numpy as np
    >>> space_to_depth(np.arange(4).reshape(1, 2, 2, 1), 2)[0, 0, 0]
    array([0, 1, 2, 3])
    """
    _blocks(x, block_size, data_format, deeper=True)
    side, area = block_size, block_size**2
    if check_data_format(data_format) == "channels_last":
        batch, height, width, channels = kernel.shape_of(x)
        rows, columns = height // side, width // side
        parts, order = (batch, rows, side, columns, side, channels), (0, 1, 3, 2, 4, 5)
        return _moved(x, parts, order, (batch, rows, columns, channels * area))
    batch, channels, height, width = kernel.shape_of(x)
    rows, columns = height // side, width // side
    parts, order = (batch, channels, rows, side, columns, side), (0, 1, 3, 5, 2, 4)
    return _moved(x, parts, order, (batch, channels * area, rows, columns))
