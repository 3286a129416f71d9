"""Fourier transforms. Complex numbers are pairs of real and imaginary parts."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["complex_of", "fft", "frames", "irfft", "rfft"]


def complex_of(real: Any, imag: Any) -> Any:
    return real + np.asarray(1j, np.result_type(real.dtype, "complex64")) * imag


def _parts(z: Any) -> Any:
    return z.real, z.imag


def fft(real: Any, imag: Any, rank: int, inverse: bool) -> Any:
    transform = np.fft.ifftn if inverse else np.fft.fftn
    return _parts(transform(complex_of(real, imag), axes=range(-rank, 0)))


def rfft(x: Any, length: int | None) -> Any:
    return _parts(np.fft.rfft(x, length))


def irfft(real: Any, imag: Any, length: int | None) -> Any:
    return np.fft.irfft(complex_of(real, imag), length)


def frames(x: Any, length: int, stride: int) -> Any:
    return np.lib.stride_tricks.sliding_window_view(x, length, -1)[..., ::stride, :]
