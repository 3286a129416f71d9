"""Layers that prepare inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbridge.core.layers.base import Layer
from kbridge.core.ops.elementwise import add, cast, multiply, not_equal, where
from kbridge.core.ops.outermost import dtype_of
from kbridge.core.ops.reduce import any as any_over
from kbridge.core.saving.config import deserialize_keras_object
from kbridge.core.settings import image_data_format
from kbridge.core.tensor.dtypes import is_float


class Rescaling(Layer):
    """`inputs * scale + offset`, in the layer's float type.

    Args:
        scale, offset: a number, or an array with one for each channel.
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset
        self._factor, self._shift = self._constant(scale), self._constant(offset)
        if isinstance(self._factor, np.ndarray) and image_data_format() == "channels_first":
            self._factor = self._factor.reshape(-1, 1, 1)

    def _constant(self, value: Any) -> Any:
        return value if isinstance(value, (int, float)) else np.asarray(value, self.compute_dtype)

    def call(self, inputs: Any) -> Any:
        if not is_float(dtype_of(inputs)):
            inputs = cast(inputs, self.compute_dtype)
        scaled = multiply(inputs, self._factor)
        return scaled if isinstance(self._shift, (int, float)) and self._shift == 0 else add(scaled, self._shift)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Rescaling:
        """The layer of that config."""
        arrays = {name: deserialize_keras_object(config[name]) for name in ("scale", "offset") if name in config}
        return cls(**(config | arrays))


class Masking(Layer):
    """Masks each step whose features all equal `mask_value`, and sets it to zero.

    Shapes: `(batch, time, ..., features)`; the mask has one axis less.
    """

    supports_masking = True

    def __init__(self, mask_value: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def call(self, inputs: Any) -> Any:
        return where(any_over(not_equal(inputs, self.mask_value), -1, True), inputs, 0)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return any_over(not_equal(inputs, self.mask_value), -1)
