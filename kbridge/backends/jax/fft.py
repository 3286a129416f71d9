"""Fourier transforms. Complex numbers are pairs of real and imaginary parts."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from kbridge.backends.jax.arrays import compiled

__all__ = ["complex_of", "fft", "frames", "irfft", "rfft"]

complex_of = compiled(lax.complex)


def _parts(z: Any) -> Any:
    return z.real, z.imag


def _fft(real: Any, imag: Any, rank: int, inverse: bool) -> Any:
    transform = jnp.fft.ifftn if inverse else jnp.fft.fftn
    return _parts(transform(lax.complex(real, imag), axes=range(-rank, 0)))


def _frames(x: Any, length: int, stride: int) -> Any:
    starts = np.arange(0, x.shape[-1] - length + 1, stride)
    return x[..., starts[:, None] + np.arange(length)]


fft, frames = compiled(_fft, 2, 3), compiled(_frames, 1, 2)
rfft = compiled(lambda x, length: _parts(jnp.fft.rfft(x, length)), 1)
irfft = compiled(lambda real, imag, length: jnp.fft.irfft(lax.complex(real, imag), length), 2)
