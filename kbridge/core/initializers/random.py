"""Initializers that draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbridge.core.errors import ShapeError
from kbridge.core.initializers.base import RandomInitializer, compute_fans, finished


def truncated_normal(stream: np.random.Generator, shape: Any, mean: float, stddev: float) -> Any:
    """Normal draws; those beyond two standard deviations are drawn again."""
    values = stream.standard_normal(shape)
    while (far := np.abs(values) > 2).any():
        values[far] = stream.standard_normal(int(far.sum()))
    return values * stddev + mean


class RandomNormal(RandomInitializer):
    """Normal draws."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return finished(self.stream().normal(self.mean, self.stddev, tuple(shape)), dtype)


class TruncatedNormal(RandomInitializer):
    """Normal draws within two standard deviations."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return finished(truncated_normal(self.stream(), tuple(shape), self.mean, self.stddev), dtype)


class RandomUniform(RandomInitializer):
    """Draws spread evenly over `[minval, maxval)`."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return finished(self.stream().uniform(self.minval, self.maxval, tuple(shape)), dtype)


class VarianceScaling(RandomInitializer):
    """Draws whose variance is `scale / fan`.

    Args:
        scale: a positive number.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: see `RandomInitializer`.
    """

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal", seed: Any = None
    ) -> None:
        if scale <= 0:
            raise ValueError(f"scale must be positive, got {scale}.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"mode must be fan_in, fan_out or fan_avg, got {mode!r}.")
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                f"distribution must be truncated_normal, untruncated_normal or uniform, got {distribution!r}."
            )
        super().__init__(seed)
        self.scale, self.mode, self.distribution = scale, mode, distribution

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        fan_in, fan_out = compute_fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        stream = self.stream()
        if self.distribution == "truncated_normal":
            # 0.8796… is the standard deviation of a unit normal cut at two deviations
            stddev = math.sqrt(variance) / 0.87962566103423978
            return finished(truncated_normal(stream, tuple(shape), 0.0, stddev), dtype)
        if self.distribution == "untruncated_normal":
            return finished(stream.normal(0.0, math.sqrt(variance), tuple(shape)), dtype)
        limit = math.sqrt(3.0 * variance)
        return finished(stream.uniform(-limit, limit, tuple(shape)), dtype)


class _Scaled(VarianceScaling):
    """A VarianceScaling with its three numbers fixed."""

    settings: tuple[float, str, str]

    def __init__(self, seed: Any = None) -> None:
        super().__init__(*self.settings, seed=seed)


class GlorotUniform(_Scaled):
    """Uniform, for layers with a symmetric activation (Glorot and Bengio, 2010)."""

    settings = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal, for layers with a symmetric activation (Glorot and Bengio, 2010)."""

    settings = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform, for relu layers (https://arxiv.org/abs/1502.01852)."""

    settings = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal, for relu layers (https://arxiv.org/abs/1502.01852)."""

    settings = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform, variance 1 / fan_in (LeCun et al., 1998)."""

    settings = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal, variance 1 / fan_in (LeCun et al., 1998)."""

    settings = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """A matrix with orthonormal rows or columns, times `gain` (https://arxiv.org/abs/1312.6120)."""

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal makes matrices and larger tensors, got shape {tuple(shape)}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(self.stream().standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))  # makes the decomposition, and so the draw, unique
        q = q.T if rows < columns else q
        return finished(self.gain * q.reshape(tuple(shape)), dtype)
