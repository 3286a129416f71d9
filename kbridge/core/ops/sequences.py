"""Windows that slide over the last axis, and their Fourier transforms."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.decompose import lapack
from kbridge.core.ops.elementwise import greater, where
from kbridge.core.ops.fft import both, pair, pair_rule
from kbridge.core.ops.shape import pad
from kbridge.core.tensor.dtypes import is_float
from kbridge.core.tensor.symbolic import KerasTensor


def _count(size: int | None, length: int, stride: int) -> int | None:
    """How many windows fit."""
    if length < 1 or not isinstance(stride, int) or stride < 1:
        raise ArgumentError(f"sequence_length and sequence_stride are 1 or more, got {length} and {stride}.")
    if size is None:
        return None
    if size < length:
        raise ShapeError(f"an axis of {size} elements holds no sequence of {length}.")
    return 1 + (size - length) // stride


def _sequences_rule(x: KerasTensor, sequence_length: int, sequence_stride: int) -> KerasTensor:
    if not x.ndim:
        raise ShapeError("Input should have rank >= 1, got a scalar.")
    count = _count(x.shape[-1], sequence_length, sequence_stride)
    return KerasTensor((*x.shape[:-1], count, sequence_length), x.dtype)


@op(_sequences_rule)
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Any:
    """Windows of the last axis, `sequence_stride` apart: `(..., n)` to `(..., count, sequence_length)`.

    Args:
        x: `(..., n)`.
        sequence_length: length of a window.
        sequence_stride: how far apart windows begin.

    Raises:
        ArgumentError: length or stride is below 1.
        ShapeError: the axis is shorter than one window.

    >>> extract_sequences([1, 2, 3, 4, 5, 6], 3, 2)
    array([[1, 2, 3],
           [3, 4, 5]], dtype=int32)
    """
    size = x.shape[-1]
    _count(size if isinstance(size, int) else None, sequence_length, sequence_stride)
    return kernel.frames(x, sequence_length, sequence_stride)


def _check_window(window: Any, sequence_length: int, stride: int, fft_length: int) -> None:
    if not isinstance(stride, int) or stride < 1:
        raise ArgumentError(f"`sequence_stride` must be a positive integer, got {stride!r}.")
    if fft_length < sequence_length:
        raise ArgumentError(
            f"`fft_length` must equal or exceed `sequence_length`, got {fft_length}, {sequence_length}."
        )
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ArgumentError(f"If a string is passed to `window`, it is 'hann' or 'hamming'; got {window!r}.")
    elif window is not None and (shape := tuple(getattr(window, "shape", (len(window),)))) != (sequence_length,):
        raise ShapeError(f"The shape of `window` must be equal to ({sequence_length},), got {shape}.")


def _window(window: Any, length: int, fft_length: int, like: Any) -> Any:
    """The window in the middle of `fft_length` zeros. The named ones are periodic (`scipy.signal.get_window`)."""
    dtype = kernel.dtype_of(like)
    if isinstance(window, str):
        least = {"hann": 0.5, "hamming": 0.54}[window] if length > 1 else 1.0
        turn = kernel.multiply(
            kernel.arange(0, length, 1, dtype, like=like), kernel.convert(2 * math.pi / length, dtype)
        )
        swing = kernel.multiply(kernel.cos(turn), kernel.convert(1 - least, dtype))
        values = kernel.subtract(kernel.convert(least, dtype), swing)
    else:
        values = kernel.convert(window, dtype)
    before = (fft_length - length) // 2
    return pad(values, ((before, fft_length - length - before),))


def _stft_rule(
    x: KerasTensor,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> tuple[KerasTensor, KerasTensor]:
    if not x.ndim:
        raise ShapeError("Input should have rank >= 1, got a scalar.")
    if not is_float(x.dtype):
        raise DTypeError(f"expected `float32` or `float64` (or a half float), got {x.dtype}. Cast the signal first.")
    _check_window(window, sequence_length, sequence_stride, fft_length)
    size = x.shape[-1]
    if center and size is not None:
        size += fft_length // 2 * 2
    return both(KerasTensor((*x.shape[:-1], _count(size, fft_length, sequence_stride), fft_length // 2 + 1), x.dtype))


@op(_stft_rule)
def stft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> Any:
    """Short-time Fourier transform: `rfft` of windows of the last axis.

    Args:
        x: floats, `(..., n)`.
        sequence_length: length of the window.
        sequence_stride: how far apart windows lie.
        fft_length: length of the transform; the window lies in its middle, in zeros.
        window: "hann", "hamming", numbers `(sequence_length,)`, or None for ones over all of `fft_length`.
        center: mirror half a transform at both ends, so that window t has its middle at `t * sequence_stride`.

    Returns:
        The real and the imaginary part, `(..., count, fft_length // 2 + 1)`.

    Raises:
        ArgumentError: a length or the window is something else.
        ShapeError: `window` doesn't have `sequence_length` numbers, or `x` no axes.
        DTypeError: `x` isn't made of floats.

    >>> stft([0.0, 1.0, 2.0, 3.0, 4.0], 3, 2, 3)[0].round(4)
    array([[ 0.75 , -0.375],
           [ 3.75 , -1.875],
           [ 5.25 , -2.625]], dtype=float32)
    """
    _check_window(window, sequence_length, sequence_stride, fft_length)
    if not is_float(kernel.dtype_of(x)):
        raise DTypeError(f"expected `float32` or `float64`, got {kernel.dtype_of(x)}. Cast the signal first.")

    def run(x: Any) -> Any:
        if center:
            half = fft_length // 2
            x = pad(x, (*((0, 0),) * (len(x.shape) - 1), (half, half)), "reflect")
        frames = extract_sequences(x, fft_length, sequence_stride)
        if window is not None:
            frames = kernel.multiply(frames, _window(window, sequence_length, fft_length, x))
        return kernel.rfft(frames, None)

    return lapack(run, x)


def _istft_rule(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> KerasTensor:
    part = pair_rule(x, 2)
    _check_window(window, sequence_length, sequence_stride, fft_length)
    count, size = part.shape[-2], length
    if size is None and count is not None:
        size = (count - 1) * sequence_stride + fft_length - (fft_length // 2 * 2 if center else 0)
    return KerasTensor((*part.shape[:-2], size), part.dtype)


@op(_istft_rule, listed=True)
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """Inverse of `stft` with the same arguments: the signal nearest to the windows (Griffin and Lim, 1984).

    Args:
        x: the pair (real, imaginary), each `(..., count, fft_length // 2 + 1)`.
        length: size of the result's last axis, cropped or filled up with zeros; all there is if None.
        window: as in `stft`. With None the windows are added up and not weighed, as in Keras.
        sequence_length, sequence_stride, fft_length, center: as in `stft`, which raises the same.

    >>> istft(stft([0.0, 1.0, 2.0, 3.0, 4.0], 2, 1, 2), 2, 1, 2).round(4)
    array([0., 1., 2., 3., 4.], dtype=float32)
    """
    _check_window(window, sequence_length, sequence_stride, fft_length)

    def run(real: Any, imag: Any) -> Any:
        frames = kernel.irfft(real, imag, fft_length)
        if window is None:
            y = overlap_add(frames, sequence_stride)
        else:
            weights = _window(window, sequence_length, fft_length, frames)
            y = overlap_add(kernel.multiply(frames, weights), sequence_stride)
            rows = (kernel.shape_of(frames)[-2], fft_length)
            total = overlap_add(kernel.broadcast_to(kernel.multiply(weights, weights), rows), sequence_stride)
            y = kernel.divide(y, where(greater(total, 1e-10), total, 1.0))  # nothing was there to weigh
        return _cut(y, fft_length // 2 if center else 0, length)

    return lapack(run, *pair(x))


def _cut(y: Any, edge: int, length: int | None) -> Any:
    """Without `edge` at both ends, or `length` from the first one on."""
    if length is None:
        return kernel.get_item(y, (..., slice(edge, -edge))) if edge else y
    size = y.shape[-1]
    short = max(0, edge + length - size) if isinstance(size, int) else edge + length
    if short:
        y = pad(y, (*((0, 0),) * (len(y.shape) - 1), (0, short)))
    return kernel.get_item(y, (..., slice(edge, edge + length)))


def overlap_add(frames: Any, stride: int) -> Any:
    """Windows laid `stride` apart and added up: `(..., count, length)` to `(..., (count - 1) * stride + length)`.

    Each window is cut into pieces of `stride`. Laying all first pieces in a row, then all second ones, and so on, and
    reading them in rows one shorter than they are long, moves the second pieces on by one, the third ones by two.
    """
    *lead, count, length = kernel.shape_of(frames)
    pieces, rank = -(-length // stride), len(lead)
    none = ((0, 0),) * rank
    frames = pad(frames, (*none, (0, 0), (0, pieces * stride - length)))
    frames = kernel.reshape(frames, (*lead, count, pieces, stride))
    frames = kernel.transpose(frames, (*range(rank), rank + 1, rank, rank + 2))
    frames = kernel.reshape(
        pad(frames, (*none, (0, 0), (0, pieces), (0, 0))), (*lead, pieces * (count + pieces), stride)
    )
    frames = kernel.get_item(frames, (..., slice(None, -pieces), slice(None)))
    frames = kernel.reshape(frames, (*lead, pieces, count + pieces - 1, stride))
    y = kernel.reshape(kernel.reduce_sum(frames, (rank,), False), (*lead, (count + pieces - 1) * stride))
    extra = pieces * stride - length
    return kernel.get_item(y, (..., slice(None, -extra))) if extra else y
