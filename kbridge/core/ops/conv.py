"""Convolutions."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.declare import as_float, kernel, op, promote
from kbridge.core.settings import check_data_format
from kbridge.core.tensor.dtypes import float_result, result_type
from kbridge.core.tensor.shapes import window_length
from kbridge.core.tensor.symbolic import KerasTensor


def sizes_of(value: Any, rank: int, name: str, least: int = 1) -> tuple[int, ...]:
    """One number for every axis, or one for each."""
    sizes = (value,) * rank if isinstance(value, int) else tuple(value)
    fits = len(sizes) == rank
    for size in sizes:  # a loop: this runs in each call, and a generator costs several times as much
        fits = fits and isinstance(size, int) and size >= least
    if not fits:
        kind = "positive whole number" if least else "whole number from 0 on"
        raise ShapeError(f"{name} takes a {kind}, or {rank} of them; got {value!r}.")
    return sizes


def padding_of(padding: Any) -> str:
    """ "valid" or "same", however it is written."""
    word = padding.lower() if isinstance(padding, str) else padding
    if word not in ("valid", "same"):
        raise ArgumentError(f"padding is 'valid' or 'same', got {padding!r}.")
    return str(word)


def space_of(x: Any) -> int:
    """How many axes of space inputs have: all but batch and channels."""
    rank = len(x.shape) - 2
    if not 1 <= rank <= 3:
        raise ShapeError(f"Inputs have a batch, channels, and 1 to 3 axes of space between; got {tuple(x.shape)}.")
    return rank


def spatial(x: Any, data_format: str) -> tuple[Any, ...]:
    """The sizes of space."""
    return tuple(x.shape[1:-1]) if data_format == "channels_last" else tuple(x.shape[2:])


def channels_of(x: Any, data_format: str) -> Any:
    """The number of channels."""
    return x.shape[-1] if data_format == "channels_last" else x.shape[1]


def laid_out(batch: Any, space: Any, channels: Any, data_format: str) -> tuple[Any, ...]:
    """A shape in the given layout."""
    return (batch, *space, channels) if data_format == "channels_last" else (batch, channels, *space)


def check_windows(x: Any, data_format: str, windows: Any, padding: str, dilation: Any = (1, 1, 1)) -> None:
    """An error where a window is larger than the inputs; some frameworks give an empty result instead."""
    if padding == "valid":
        for size, window, step in zip(spatial(x, data_format), windows, dilation, strict=False):
            if size is not None and window is not None and (window - 1) * step >= size:
                window_length(size, window, 1, padding, step)  # tells


def _check_weights(x: Any, weights: Any, data_format: str, inner: int = -2, grouped: bool = True) -> None:
    """An error if weights of that shape can't convolve `x`; `inner` is their axis of input channels."""
    if len(weights.shape) != len(x.shape):
        raise ShapeError(f"A kernel for inputs {tuple(x.shape)} has rank {len(x.shape)}, got {tuple(weights.shape)}.")
    channels, takes, filters = channels_of(x, data_format), weights.shape[inner], weights.shape[-1]
    if channels is None or channels == takes:
        return
    if not grouped or not takes or channels % takes or filters % (channels // takes):
        raise ShapeError(
            f"The number of input channels must match the kernel: {channels} in {data_format} inputs {tuple(x.shape)} "
            f"meet {takes} in a kernel {tuple(weights.shape)}."
            + (" For groups, both channels and filters are multiples of them." if grouped else "")
        )


# --- convolution ----------------------------------------------------------------------------------


def _filtered(
    filters: Any, x: KerasTensor, weights: KerasTensor, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> KerasTensor:  # fmt: skip
    """The rule of convolutions; `filters` is None where groups of channels may have filters of their own."""
    rank, padding, layout = space_of(x), padding_of(padding), check_data_format(data_format)
    strides, dilation = sizes_of(strides, rank, "strides"), sizes_of(dilation_rate, rank, "dilation_rate")
    _check_weights(x, weights, layout, grouped=filters is None)
    windows: tuple[Any, ...] = weights.shape
    space = [
        window_length(size if window else None, window, stride, padding, step)
        for size, window, stride, step in zip(spatial(x, layout), windows, strides, dilation, strict=False)
    ]
    dtype = float_result(result_type(x.dtype, weights.dtype))
    return KerasTensor(laid_out(x.shape[0], space, filters or weights.shape[-1], layout), dtype)


def _conv_rule(x: KerasTensor, weights: KerasTensor, *args: Any, **kwargs: Any) -> KerasTensor:
    return _filtered(None, x, weights, *args, **kwargs)


def _settled(plain: bool, x: Any, weights: Any, strides: Any, padding: Any, data_format: Any, dilation: Any) -> Any:
    """What the kernels of convolution take."""
    rank, layout = space_of(x), check_data_format(data_format)
    _check_weights(x, weights, layout, grouped=plain)
    strides, dilation = sizes_of(strides, rank, "strides"), sizes_of(dilation, rank, "dilation_rate")
    padding = padding_of(padding)
    check_windows(x, layout, weights.shape, padding, dilation)
    x, weights = promote(x, weights)
    return as_float(x), as_float(weights), strides, padding, layout, dilation


def _convolved(*given: Any) -> Any:
    return kernel.conv(*_settled(True, *given))  # `conv` has Keras's parameter names: one of them is `kernel`


@op(_conv_rule, arrays=2)
def conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """Convolution of rank 1 to 3.

    Args:
        inputs: `(batch, *space, channels)`, or `(batch, channels, *space)` for channels_first.
        kernel: `(*window, channels / groups, filters)`; fewer channels than the input has mean groups.
        strides, dilation_rate: a number, or one for each axis of space.
        padding: "valid" or "same" (zeros; as many outputs as inputs over strides).
        data_format: layout of the inputs; the default layout if None.

    Raises:
        ShapeError: the kernel has another rank than the inputs, or other channels.

    >>> import numpy as np
    >>> conv(np.ones((1, 4, 1)), np.ones((2, 1, 1)))[0, :, 0]
    array([2., 2., 2.])
    """
    return _convolved(inputs, kernel, strides, padding, data_format, dilation_rate)


def _biased_conv_rule(x: KerasTensor, weights: KerasTensor, bias: Any, *settings: Any) -> KerasTensor:
    return _conv_rule(x, weights, *settings)


@op(_biased_conv_rule, arrays=3)
def biased_conv(
    x: Any, weights: Any, bias: Any, strides: Any, padding: str, data_format: str, dilation_rate: Any
) -> Any:
    """`conv` plus one number for each filter: what a convolution layer computes, fused where a backend can.

    `strides` and `dilation_rate` are tuples; `bias` may be None.
    """
    x, weights = promote(x, weights)
    return kernel.conv(x, weights, strides, padding, data_format, dilation_rate, bias)


def _depthwise_rule(x: KerasTensor, weights: KerasTensor, *args: Any, **kwargs: Any) -> KerasTensor:
    channels, times = weights.shape[-2:]
    return _filtered((channels or 1) * (times or 1), x, weights, *args, **kwargs)


def _depthwise(*given: Any) -> Any:
    return kernel.depthwise_conv(*_settled(False, *given))


@op(_depthwise_rule, arrays=2)
def depthwise_conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """Convolution of each channel by itself, `multiplier` times.

    Args:
        inputs, strides, padding, data_format, dilation_rate: as in `conv`.
        kernel: `(*window, channels, multiplier)`; the outputs have `channels * multiplier` channels.

    Raises:
        ShapeError: as in `conv`.

    >>> import numpy as np
    >>> depthwise_conv(np.ones((1, 3, 2)), np.array([[[1.0], [5.0]]]))[0, 0]
    array([1., 5.])
    """
    return _depthwise(inputs, kernel, strides, padding, data_format, dilation_rate)


def _separable_rule(
    x: KerasTensor, depthwise: KerasTensor, pointwise: KerasTensor, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> KerasTensor:  # fmt: skip
    middle = _depthwise_rule(x, depthwise, strides, padding, data_format, dilation_rate)
    return _conv_rule(middle, pointwise, 1, "valid", data_format)


@op(_separable_rule, arrays=3)
def separable_conv(
    inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """`depthwise_conv`, then a convolution with windows of one element that mixes the channels.

    Args:
        inputs, strides, padding, data_format, dilation_rate: as in `conv`.
        depthwise_kernel: `(*window, channels, multiplier)`.
        pointwise_kernel: `(*ones, channels * multiplier, filters)`.

    Raises:
        ShapeError: as in `conv`.

    >>> import numpy as np
    >>> separable_conv(np.ones((1, 3, 2)), np.ones((2, 2, 1)), np.ones((1, 2, 1)))[0, :, 0]
    array([4., 4.])
    """
    each = _depthwise(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return _convolved(each, pointwise_kernel, 1, "valid", data_format, 1)


# --- convolution turned round ---------------------------------------------------------------------


def _crops(windows: Any, strides: Any, padding: str, extra: Any, dilation: Any) -> tuple[tuple[int, int], ...]:
    """What to cut off before and after the sum of all windows; below zero: zeros to add.

    That sum has (inputs - 1) * stride + reach elements, reach being the window's with its holes. Of
    them "same" keeps inputs * stride, or (inputs - 1) * stride + reach % 2 + output_padding. "valid"
    keeps all, adds output_padding, and has at least inputs * stride. An odd element goes at the end.
    """
    crops = []
    for window, stride, more, step in zip(windows, strides, extra, dilation, strict=True):
        reach = (window - 1) * step + 1
        if padding == "same":
            total = reach - (stride if more is None else reach % 2 + more)
        else:
            total = min(reach - stride, 0) if more is None else -more
        before = max(total, 0) // 2
        crops.append((before, total - before))
    return tuple(crops)


def _transposed(
    x: Any, weights: Any, strides: Any, padding: Any, output_padding: Any, data_format: Any, dilation_rate: Any
) -> Any:
    """Settled strides, crops, layout and dilation."""
    rank, layout = space_of(x), check_data_format(data_format)
    strides, dilation = sizes_of(strides, rank, "strides"), sizes_of(dilation_rate, rank, "dilation_rate")
    extra = (None,) * rank if output_padding is None else sizes_of(output_padding, rank, "output_padding", 0)
    _check_weights(x, weights, layout, inner=-1, grouped=False)
    return strides, _crops(weights.shape[:-2], strides, padding_of(padding), extra, dilation), layout, dilation


def _conv_transpose_rule(
    x: KerasTensor, weights: KerasTensor, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
    data_format: str | None = None, dilation_rate: Any = 1,
) -> KerasTensor:  # fmt: skip
    strides, crops, layout, dilation = _transposed(
        x, weights, strides, padding, output_padding, data_format, dilation_rate
    )
    windows: tuple[Any, ...] = weights.shape[:-2]
    space = [
        None if size is None else (size - 1) * stride + (window - 1) * step + 1 - sum(crop)
        for size, window, stride, step, crop in zip(spatial(x, layout), windows, strides, dilation, crops, strict=True)
    ]
    dtype = float_result(result_type(x.dtype, weights.dtype))
    return KerasTensor(laid_out(x.shape[0], space, weights.shape[-2], layout), dtype)


def _turned_round(x: Any, weights: Any, *options: Any) -> Any:
    settled = _transposed(x, weights, *options)
    return kernel.conv_transpose(*(as_float(each) for each in promote(x, weights)), *settled)


@op(_conv_transpose_rule, arrays=2)
def conv_transpose(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
    data_format: str | None = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """The gradient of `conv` for its inputs: each element spreads over a window, and windows that meet add up.

    Args:
        inputs: `(batch, *space, channels)`, or `(batch, channels, *space)` for channels_first.
        kernel: `(*window, filters, channels)`: the last two are the other way round than in `conv`.
        strides, dilation_rate: a number, or one for each axis of space.
        padding: "valid" for all elements that a window reaches, "same" for inputs times strides.
        output_padding: a number, or one for each axis: settles the size in place of `strides`. "valid"
            gives that many more; "same" gives (inputs - 1) * strides + reach % 2 + output_padding.
        data_format: layout of the inputs; the default layout if None.

    Raises:
        ShapeError: as in `conv`.

    >>> import numpy as np
    >>> conv_transpose(np.ones((1, 2, 1)), np.array([[[1.0]], [[2.0]], [[3.0]]]), strides=2)[0, :, 0]
    array([1., 2., 4., 2., 3.])
    """
    return _turned_round(inputs, kernel, strides, padding, output_padding, data_format, dilation_rate)
