"""Layers that only act, or only count, while training."""

from __future__ import annotations

from typing import Any

from kbridge.core.layers.base import Layer
from kbridge.core.layers.options import fraction, need_rank, over_space
from kbridge.core.ops.random import SeedGenerator, dropout
from kbridge.core.settings import check_data_format


class Dropout(Layer):
    """While training, elements set to zero with probability `rate`, the others scaled by 1 / (1 - rate).

    Args:
        rate: from 0 to 1.
        noise_shape: sizes of the decision, 1 where an axis shares one, None where it is the input's.
        seed: a whole number; drawn if None.

    Source: https://jmlr.org/papers/v15/srivastava14a.html.
    """

    supports_masking = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = fraction(rate, "rate")
        self.seed = seed
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        if any(s is not None and (not isinstance(s, int) or s < 1) for s in self.noise_shape or ()):
            raise ValueError(f"noise_shape holds positive whole numbers and None, got {noise_shape!r}.")
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training and self.rate > 0:
            return dropout(inputs, self.rate, self.noise_shape, self.seed_generator)
        return inputs


class SpatialDropout(Layer):
    """Dropout of whole channels. The public classes fix the rank.

    Source: https://arxiv.org/abs/1411.4280.
    """

    rank: int
    supports_masking = True

    def __init__(
        self, rate: float, data_format: str | None = None, seed: Any = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.rate, self.seed = fraction(rate, "rate"), seed
        self.data_format = check_data_format(data_format)
        self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        need_rank(self, inputs, self.rank + 2)
        if not training or self.rate == 0:
            return inputs
        return dropout(inputs, self.rate, over_space((1,) * self.rank, self.data_format, None), self.seed_generator)


class SpatialDropout1D(SpatialDropout):
    """Dropout of whole channels of sequences: `(batch, length, channels)`."""

    rank = 1

    def __init__(self, rate: float, seed: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(rate, "channels_last", seed, name, dtype)


class SpatialDropout2D(SpatialDropout):
    """Dropout of whole channels of images. See `Dropout`."""

    rank = 2


class SpatialDropout3D(SpatialDropout):
    """Dropout of whole channels of volumes. See `Dropout`."""

    rank = 3


class Identity(Layer):
    """The inputs themselves."""

    supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs
