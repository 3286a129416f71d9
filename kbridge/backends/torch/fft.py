"""Fourier transforms. Complex numbers are pairs of real and imaginary parts."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["complex_of", "fft", "frames", "irfft", "rfft"]

complex_of = torch.complex


def _transformed(transform: Any, x: Any, rank: int, **more: Any) -> Any:
    if 0 not in x.shape:
        return transform(x, **more)
    # MKL refuses an empty stack (seen in torch 2.13): transform a full one and take nothing of it
    y = transform(x.new_zeros([size or 1 for size in x.shape]), **more)
    return y[tuple(slice(size) for size in x.shape[: x.dim() - rank])]


def fft(real: Any, imag: Any, rank: int, inverse: bool) -> Any:
    transform = torch.fft.ifftn if inverse else torch.fft.fftn
    z = _transformed(transform, torch.complex(real, imag), rank, dim=tuple(range(-rank, 0)))
    return z.real, z.imag


def rfft(x: Any, length: int | None) -> Any:
    z = _transformed(torch.fft.rfft, x, 1, n=length)
    return z.real, z.imag


def irfft(real: Any, imag: Any, length: int | None) -> Any:
    return _transformed(torch.fft.irfft, torch.complex(real, imag), 1, n=length)


def frames(x: Any, length: int, stride: int) -> Any:
    return x.unfold(-1, length, stride)
