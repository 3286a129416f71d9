"""Fourier transforms. Complex numbers are pairs of real and imaginary parts."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

__all__ = ["complex_of", "fft", "frames", "irfft", "rfft"]

complex_of = tf.complex
FORWARD = {1: tf.signal.fft, 2: tf.signal.fft2d, 3: tf.signal.fft3d}
INVERSE = {1: tf.signal.ifft, 2: tf.signal.ifft2d, 3: tf.signal.ifft3d}


def _parts(z: Any) -> Any:
    return tf.math.real(z), tf.math.imag(z)


def fft(real: Any, imag: Any, rank: int, inverse: bool) -> Any:
    return _parts((INVERSE if inverse else FORWARD)[rank](tf.complex(real, imag)))


# Cropped here, since the gradients of RFFT and IRFFT know nothing of it (seen in TensorFlow 2.21).
def rfft(x: Any, length: int | None) -> Any:
    return _parts(tf.signal.rfft(x) if length is None else tf.signal.rfft(x[..., :length], [length]))


def irfft(real: Any, imag: Any, length: int | None) -> Any:
    z = tf.complex(real, imag)
    return tf.signal.irfft(z) if length is None else tf.signal.irfft(z[..., : length // 2 + 1], [length])


def frames(x: Any, length: int, stride: int) -> Any:
    return tf.signal.frame(x, length, stride)
