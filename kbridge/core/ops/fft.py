"""Fourier transforms. A complex tensor is a pair of its real and imaginary parts, as Keras has it.

All of them are `sum(x[n] * exp(-2j * pi * k * n / N))`, and their inverses divide by N
(https://numpy.org/doc/stable/reference/routines.fft.html).
"""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.decompose import lapack
from kbridge.core.ops.elementwise import divide
from kbridge.core.ops.linalg import agree
from kbridge.core.ops.shape import arange, concatenate, convert_to_tensor
from kbridge.core.tensor.dtypes import COMPLEX, float_result, result_type
from kbridge.core.tensor.shapes import broadcast_shape, every_axis
from kbridge.core.tensor.symbolic import KerasTensor

Pair = tuple[Any, Any]


def pair(x: Any) -> Pair:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ArgumentError("Input `x` should be a tuple of two tensors, the real and the imaginary part.")
    real, imag = x
    if len(real.shape) != len(imag.shape) or not all(map(agree, real.shape, imag.shape)):  # frameworks broadcast them
        raise ShapeError(f"the real and the imaginary part differ in shape: {real.shape} and {imag.shape}.")
    return real, imag


def pair_rule(x: Any, rank: int) -> KerasTensor:
    """One part, in the type both will have."""
    real, imag = pair(x)
    if real.ndim < rank:
        raise ShapeError(f"Input should have rank >= {rank}, got shape {real.shape}.")
    sizes = [b if a is None else a for a, b in zip(real.shape, imag.shape, strict=True)]
    return KerasTensor(sizes, _part_type(real.dtype, imag.dtype))


def _part_type(*dtypes: str) -> str:
    if any(dtype in COMPLEX for dtype in dtypes):
        raise DTypeError(f"the parts of complex numbers are real, got {', '.join(dtypes)}.")
    return float_result(result_type(*dtypes))


def both(x: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    return x, KerasTensor(x.shape, x.dtype)


@op(lambda x: both(pair_rule(x, 1)), listed=True)
def fft(x: Any) -> Any:
    """Discrete Fourier transform of a pair (real, imaginary) along the last axis, as such a pair.

    Shapes stay: `(..., n) -> (..., n)`, for both parts.

    Raises:
        ArgumentError: `x` isn't a pair.
        ShapeError: the parts differ in shape, or have too few axes.
        DTypeError: a part is complex.

    >>> fft(([1.0, 2.0], [0.0, 1.0]))
    (array([ 3., -1.], dtype=float32), array([ 1., -1.], dtype=float32))
    """
    return lapack(lambda real, imag: kernel.fft(real, imag, 1, False), *pair(x))


@op(lambda x: both(pair_rule(x, 1)), listed=True)
def ifft(x: Any) -> Any:
    """Inverse of `fft`.

    Takes and raises what `fft` does.

    >>> ifft(([3.0, -1.0], [1.0, -1.0]))
    (array([1., 2.], dtype=float32), array([0., 1.], dtype=float32))
    """
    return lapack(lambda real, imag: kernel.fft(real, imag, 1, True), *pair(x))


@op(lambda x: both(pair_rule(x, 2)), listed=True)
def fft2(x: Any) -> Any:
    """Discrete Fourier transform of a pair (real, imaginary) along the last two axes, as such a pair.

    Takes and raises what `fft` does, with at least two axes.

    >>> fft2(([[1.0, 2.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]))[0]
    array([[ 6.,  0.],
           [ 0., -2.]], dtype=float32)
    """
    return lapack(lambda real, imag: kernel.fft(real, imag, 2, False), *pair(x))


@op(lambda x: both(pair_rule(x, 2)), listed=True)
def ifft2(x: Any) -> Any:
    """Inverse of `fft2`.

    Takes and raises what `fft2` does.

    >>> ifft2(([[6.0, 0.0], [0.0, -2.0]], [[0.0, 0.0], [0.0, 0.0]]))[0]
    array([[1., 2.],
           [2., 1.]], dtype=float32)
    """
    return lapack(lambda real, imag: kernel.fft(real, imag, 2, True), *pair(x))


def _rfft_rule(x: KerasTensor, fft_length: int | None = None) -> tuple[KerasTensor, KerasTensor]:
    if not x.ndim:
        raise ShapeError("Input should have rank >= 1, got a scalar.")
    length = x.shape[-1] if fft_length is None else fft_length
    _check_length(length)
    return both(KerasTensor((*x.shape[:-1], None if length is None else length // 2 + 1), _part_type(x.dtype)))


def _check_length(length: Any) -> None:
    """TensorFlow ends the process over a transform of no elements."""
    if isinstance(length, int) and length < 1:
        raise ArgumentError(f"a transform has 1 element or more, got {length}. Set fft_length.")


def _back_length(half: Any, fft_length: int | None) -> Any:
    return fft_length if fft_length is not None or not isinstance(half, int) else 2 * (half - 1)


@op(_rfft_rule)
def rfft(x: Any, fft_length: int | None = None) -> Any:
    """Discrete Fourier transform of real numbers along the last axis; the half that determines the other.

    Args:
        x: real, `(..., n)`.
        fft_length: crop the axis, or fill it up with zeros, to this length.

    Returns:
        The real and the imaginary part, `(..., n // 2 + 1)`.

    Raises:
        ShapeError: `x` is a scalar.
        DTypeError: `x` is complex.
        ArgumentError: the length is below 1.

    >>> rfft([1.0, 2.0, 3.0, 0.0])
    (array([ 6., -2.,  2.], dtype=float32), array([ 0., -2.,  0.], dtype=float32))
    """
    _check_length(x.shape[-1] if fft_length is None else fft_length)
    return lapack(lambda x: kernel.rfft(x, fft_length), x)


def _irfft_rule(x: Any, fft_length: int | None = None) -> KerasTensor:
    part = pair_rule(x, 1)
    length = _back_length(part.shape[-1], fft_length)
    _check_length(length)
    return KerasTensor((*part.shape[:-1], length), part.dtype)


@op(_irfft_rule, listed=True)
def irfft(x: Any, fft_length: int | None = None) -> Any:
    """Inverse of `rfft`: real numbers from a pair (real, imaginary).

    Args:
        x: the pair, each `(..., m)`.
        fft_length: size of the last axis of the result; `2 * (m - 1)` if None. An odd size has to be said.

    Raises:
        ArgumentError: `x` isn't a pair, or the length is below 1.
        ShapeError: the parts differ in shape.

    >>> irfft(([6.0, -2.0, 2.0], [0.0, -2.0, 0.0]))
    array([1., 2., 3., 0.], dtype=float32)
    """
    real, imag = pair(x)
    _check_length(_back_length(real.shape[-1], fft_length))
    return lapack(lambda real, imag: kernel.irfft(real, imag, fft_length), real, imag)


# --- orders of frequencies ------------------------------------------------------------------------


def fftfreq(n: int, d: float = 1.0, dtype: Any = None) -> Any:
    """Frequencies of the `n` results of `fft`, for samples `d` apart: 0 and up, then the negative ones.

    Args:
        n: length of the transform; the result is `(n,)`.
        d: the distance between samples.

    >>> fftfreq(4, 0.5)
    array([ 0. ,  0.5, -1. , -0.5], dtype=float32)
    """
    return _over(concatenate([arange((n + 1) // 2), arange(-(n // 2), 0)]), n * d, dtype)


def rfftfreq(n: int, d: float = 1.0, dtype: Any = None) -> Any:
    """Frequencies of the results of `rfft` of `n` samples `d` apart.

    The arguments are those of `fftfreq`; the result is `(n // 2 + 1,)`.

    >>> rfftfreq(4, 0.5)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return _over(arange(n // 2 + 1), n * d, dtype)


def _over(steps: Any, span: float, dtype: Any) -> Any:
    frequencies = divide(steps, span)
    return frequencies if dtype is None else convert_to_tensor(frequencies, dtype)


def _shifted(x: Any, axes: Any, sign: int) -> Any:
    axes = every_axis(axes, len(x.shape))
    sizes = kernel.shape_of(x)
    return kernel.roll(x, tuple([sign * (sizes[axis] // 2) for axis in axes]), axes) if axes else x


def _shift_rule(x: KerasTensor, axes: Any = None) -> KerasTensor:
    every_axis(axes, x.ndim)
    return KerasTensor(x.shape, x.dtype)


@op(_shift_rule)
def fftshift(x: Any, axes: Any = None) -> Any:
    """Frequency 0 moved from the front to the middle of `axes` (all if None).

    >>> fftshift([0, 1, 2, -2, -1])
    array([-2, -1,  0,  1,  2], dtype=int32)
    """
    return _shifted(x, axes, 1)


@op(_shift_rule)
def ifftshift(x: Any, axes: Any = None) -> Any:
    """Inverse of `fftshift`.

    The arguments are those of `fftshift`.

    >>> ifftshift([-2, -1, 0, 1, 2])
    array([ 0,  1,  2, -2, -1], dtype=int32)
    """
    return _shifted(x, axes, -1)


# --- complex numbers from their size and angle ----------------------------------------------------


def _polar_rule(abs_: KerasTensor, angle: KerasTensor) -> KerasTensor:
    dtype = {"float64": "complex128"}.get(_part_type(abs_.dtype, angle.dtype), "complex64")
    return KerasTensor(broadcast_shape(abs_.shape, angle.shape), dtype)


@op(_polar_rule, arrays=2)
def polar(abs_: Any, angle: Any) -> Any:
    """Complex numbers from their sizes and their angles in radians, which broadcast; half floats give complex64.

    Args:
        abs_: the sizes.
        angle: the angles.

    Raises:
        DTypeError: one of them is complex.

    >>> polar([2.0], [0.0])
    array([2.+0.j], dtype=complex64)
    """

    _part_type(kernel.dtype_of(abs_), kernel.dtype_of(angle))

    def run(size: Any, angle: Any) -> Any:
        return kernel.complex_of(kernel.multiply(size, kernel.cos(angle)), kernel.multiply(size, kernel.sin(angle)))

    return lapack(run, abs_, angle)
