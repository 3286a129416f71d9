"""Fourier transforms, against NumPy and SciPy."""

from __future__ import annotations

import functools
from typing import Any

import ml_dtypes
import numpy as np
import scipy.fft
import scipy.signal

from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from kbridge.core.ops import fft as f
from kbridge.core.ops import sequences as s
from tests.backends.rows import Bad, Row, bad, floats, ints, narrow, row

r = functools.partial(row, gradient=True)
RE, IM = floats(2, 5, 6), floats(2, 5, 6)
Z = RE + 1j * IM
SIGNAL = floats(2, 40)
WINDOW = np.abs(floats(8)) + 0.5
COUNT = ints(-5, 6, 2, 9)


def parts(z: np.ndarray) -> list[np.ndarray]:
    return [narrow(z.real), narrow(z.imag)]


def pair(op: Any, **more: Any) -> Any:
    def call(*xs: Any) -> Any:
        y = op(xs if len(xs) > 1 else xs[0], **more)
        return list(y) if isinstance(y, tuple) else y

    return call


def transform_rows() -> list[Row]:
    rows = []
    for name in ("fft", "ifft", "fft2", "ifft2"):
        op, oracle = getattr(f, name), getattr(np.fft, name)
        rows.append(r(name, pair(op), RE, IM, want=parts(oracle(Z))))
    for length in (None, 1, 4, 7, 12):
        name = f"-{length}" if length else ""
        rows.append(r(f"rfft{name}", pair(f.rfft, fft_length=length), RE, want=parts(np.fft.rfft(RE, length))))
        rows.append(r(f"irfft{name}", pair(f.irfft, fft_length=length), RE, IM, want=narrow(np.fft.irfft(Z, length))))
    half, rough = SIGNAL.astype("float16"), SIGNAL.astype(ml_dtypes.bfloat16)
    back = lambda x: f.irfft(f.rfft(x, 6), 6)  # noqa: E731
    return [
        *rows,
        row("fft-vector", pair(f.fft), RE[0, 0], IM[0, 0], want=parts(np.fft.fft(Z[0, 0]))),
        row("fft-of-int", pair(f.fft), COUNT, COUNT, want=parts(np.fft.fft(COUNT + 1j * COUNT))),
        row("fft-mixed", pair(f.fft), RE, np.zeros((2, 5, 6), "int32"), want=parts(np.fft.fft(RE))),
        row("fft-empty", pair(f.fft), RE[:0], IM[:0], want=parts(Z[:0])),
        row("rfft-empty", pair(f.rfft), RE[:0], want=parts(np.fft.rfft(RE)[:0])),
        row("irfft-empty", pair(f.irfft), RE[:0], IM[:0], want=np.fft.irfft(Z)[:0].astype("float32")),
        row("ifft-turned-back", lambda *x: f.ifft(f.fft(x))[1], RE, IM, want=IM),
        row("ifft2-turned-back", lambda *x: f.ifft2(f.fft2(x))[0], RE, IM, want=RE),
        row("rfft-of-int", pair(f.rfft), COUNT, want=parts(np.fft.rfft(COUNT))),
        row(
            "rfft-half",
            pair(f.rfft),
            half,
            want=[p.astype("float16") for p in parts(np.fft.rfft(half))],
            tolerance=2e-3,
        ),
        row(
            "rfft-rough",
            pair(f.rfft),
            rough,
            want=[p.astype(ml_dtypes.bfloat16) for p in parts(np.fft.rfft(rough.astype("float32")))],
            tolerance=1e-2,
        ),
        row("irfft-turned-back", back, RE, want=RE),
        row("polar", f.polar, np.abs(RE), IM, want=narrow_complex(np.abs(RE) * np.exp(1j * IM))),
        row("polar-broadcast", f.polar, RE[0], IM[:, :1], want=narrow_complex(RE[0] * np.exp(1j * IM[:, :1]))),
        row("polar-of-int", f.polar, COUNT, COUNT, want=narrow_complex(COUNT * np.exp(1j * COUNT))),
        row("fftshift", f.fftshift, RE, want=scipy.fft.fftshift(RE)),
        row("fftshift-axes", lambda x: f.fftshift(x, (0, -2)), RE, want=scipy.fft.fftshift(RE, (0, -2))),
        row("fftshift-axis", lambda x: f.fftshift(x, 1), COUNT, want=scipy.fft.fftshift(COUNT, 1)),
        row("ifftshift", f.ifftshift, RE, want=scipy.fft.ifftshift(RE)),
        row("ifftshift-axis", lambda x: f.ifftshift(x, 1), COUNT, want=scipy.fft.ifftshift(COUNT, 1)),
    ]


def narrow_complex(z: np.ndarray) -> np.ndarray:
    return z.astype("complex64")


# --- over a sliding window ------------------------------------------------------------------------


def windows(x: np.ndarray, length: int, stride: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x, length, -1)[..., ::stride, :]


def filled(window: Any, length: int, fft_length: int) -> np.ndarray:
    """The window as numbers, in the middle of zeros."""
    if window is None:
        return np.ones(fft_length)
    if isinstance(window, str):
        window = scipy.signal.get_window(window, length)
    before = (fft_length - length) // 2
    return np.pad(window, (before, fft_length - length - before))


def stft(x: np.ndarray, length: int, stride: int, fft_length: int, window: Any = "hann", center: bool = True) -> Any:
    if center:
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(fft_length // 2, fft_length // 2)], "reflect")
    return np.fft.rfft(windows(x.astype("float64"), fft_length, stride) * filled(window, length, fft_length))


def istft(
    z: np.ndarray, length: int, stride: int, fft_length: int, size: int | None = None, window: Any = "hann",
    center: bool = True,
) -> np.ndarray:  # fmt: skip
    """Window by window, in a loop."""
    frames, win = np.fft.irfft(z, fft_length), filled(window, length, fft_length)
    total = np.zeros((*z.shape[:-2], (z.shape[-2] - 1) * stride + fft_length))
    weight = np.zeros(total.shape[-1])
    for t in range(z.shape[-2]):
        here = slice(t * stride, t * stride + fft_length)
        total[..., here] += frames[..., t, :] * win
        weight[here] += win**2
    y = total if window is None else total / np.where(weight > 1e-10, weight, 1)
    edge = fft_length // 2 if center else 0
    y = y[..., edge : y.shape[-1] - edge] if size is None else y[..., edge : edge + size]
    return narrow(y if size is None else np.pad(y, [(0, 0)] * (y.ndim - 1) + [(0, size - y.shape[-1])]))


STFT = {
    "": (8, 4, 8, "hann", True), "-filled": (8, 3, 12, "hann", True), "-odd": (5, 2, 7, "hann", True),
    "-hamming": (8, 4, 8, "hamming", True), "-no-center": (8, 4, 8, "hann", False),
    "-numbers": (8, 3, 10, WINDOW, True), "-no-window": (8, 4, 8, None, True), "-one": (1, 1, 1, "hann", True),
    "-apart": (4, 6, 4, "hamming", False), "-one-by-one": (6, 1, 8, "hann", True),
}  # fmt: skip


def window_rows() -> list[Row]:
    rows = []
    for name, given in STFT.items():
        z = stft(SIGNAL, *given).astype("complex64")
        length, stride, fft_length, window, center = given
        more = {"window": window, "center": center}
        forward = lambda x, given=given: list(s.stft(x, *given))  # noqa: E731
        back = lambda *x, g=given[:3], m=more: s.istft(x, *g, **m)  # noqa: E731
        want = istft(z, length, stride, fft_length, None, window, center)
        kind = functools.partial(row, gradient=name in ("", "-filled", "-no-window"), tolerance=1e-4)
        rows.append(kind(f"stft{name}", forward, SIGNAL, want=parts(stft(SIGNAL, *given))))
        rows.append(kind(f"istft{name}", back, np.array(z.real), np.array(z.imag), want=want))
    z = stft(SIGNAL, 8, 4, 8).astype("complex64")
    for size in (17, 40, 60):
        call = lambda *x, size=size: s.istft(x, 8, 4, 8, size)  # noqa: E731
        want = istft(z, 8, 4, 8, size)
        rows.append(row(f"istft-length-{size}", call, np.array(z.real), np.array(z.imag), want=want, tolerance=1e-4))
    turned = lambda x: s.istft(s.stft(x, 8, 2, 8), 8, 2, 8)  # noqa: E731
    half = SIGNAL.astype("float16")
    return [
        *rows,
        row("istft-turned-back", turned, SIGNAL, want=SIGNAL, tolerance=1e-4),
        row("stft-vector", lambda x: s.stft(x, 8, 4, 8)[0], SIGNAL[0], want=narrow(stft(SIGNAL[0], 8, 4, 8).real)),
        row(
            "stft-half",
            lambda x: s.stft(x, 8, 4, 8)[0],
            half,
            want=stft(half, 8, 4, 8).real.astype("float16"),
            tolerance=5e-3,
        ),
        r("extract_sequences", lambda x: s.extract_sequences(x, 5, 3), RE, want=windows(RE, 5, 3)),
        row(
            "extract_sequences-vector", lambda x: s.extract_sequences(x, 5, 3), SIGNAL[0], want=windows(SIGNAL[0], 5, 3)
        ),
        row("extract_sequences-of-int", lambda x: s.extract_sequences(x, 2, 1), COUNT, want=windows(COUNT, 2, 1)),
        row("extract_sequences-whole", lambda x: s.extract_sequences(x, 6, 2), RE, want=windows(RE, 6, 2)),
        row(
            "extract_sequences-apart", lambda x: s.extract_sequences(x, 1, 4), COUNT > 0, want=windows(COUNT > 0, 1, 4)
        ),
    ]


ROWS: list[Row] = [*transform_rows(), *window_rows()]
BAD: list[Bad] = [
    *(
        bad(op.__name__, lambda x, op=op: op(x), RE, error=ArgumentError)
        for op in (f.fft, f.ifft, f.fft2, f.ifft2, f.irfft)
    ),
    *(
        bad(f"{op.__name__}-shapes", lambda *x, op=op: op(x), RE, IM[:1], error=ShapeError)
        for op in (f.fft, f.ifft, f.fft2, f.ifft2, f.irfft)
    ),
    bad("fft-scalars", lambda *x: f.fft(x), np.float32(1), np.float32(1), error=ShapeError),
    bad("fft2-vectors", lambda *x: f.fft2(x), SIGNAL[0], SIGNAL[0], error=ShapeError),
    bad("rfft-scalar", f.rfft, np.float32(1), error=ShapeError),
    bad("rfft-length", lambda x: f.rfft(x, 0), RE, error=ArgumentError),
    bad("rfft-complex", f.rfft, Z.astype("complex64"), error=DTypeError),
    bad("polar", f.polar, RE, IM[..., :4], error=ShapeError),
    bad("fftshift", lambda x: f.fftshift(x, 3), RE, error=ShapeError),
    bad("stft-of-int", lambda x: s.stft(x, 4, 2, 4), COUNT, error=DTypeError),
    bad("stft-short", lambda x: s.stft(x, 8, 2, 4), SIGNAL, error=ArgumentError),
    bad("stft-window", lambda x: s.stft(x, 4, 2, 4, "kaiser"), SIGNAL, error=ArgumentError),
    bad("stft-window-shape", lambda x: s.stft(x, 4, 2, 4, WINDOW), SIGNAL, error=ShapeError),
    bad("stft-stride", lambda x: s.stft(x, 4, 0, 4), SIGNAL, error=ArgumentError),
    bad("stft-signal", lambda x: s.stft(x, 4, 2, 64, center=False), SIGNAL, error=ShapeError),
    bad("istft", lambda x: s.istft(x, 4, 2, 4), RE, error=ArgumentError),
    bad("istft-window", lambda *x: s.istft(x, 4, 2, 4, window="kaiser"), RE, IM, error=ArgumentError),
    bad("extract_sequences", lambda x: s.extract_sequences(x, 50, 1), SIGNAL, error=ShapeError),
    bad("extract_sequences-stride", lambda x: s.extract_sequences(x, 5, 0), SIGNAL, error=ArgumentError),
]
