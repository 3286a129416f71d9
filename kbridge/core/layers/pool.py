"""Pooling layers: two classes; rank and what a window becomes are data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from kbridge.core.layers.base import Layer
from kbridge.core.layers.options import need_rank, one_of, space_axes
from kbridge.core.ops.conv import sizes_of
from kbridge.core.ops.elementwise import cast, divide, where
from kbridge.core.ops.pool import average_pool, max_pool
from kbridge.core.ops.reduce import max as max_over
from kbridge.core.ops.reduce import mean
from kbridge.core.ops.reduce import sum as sum_over
from kbridge.core.ops.shape import expand_dims
from kbridge.core.settings import check_data_format


class Pool(Layer):
    """One number for each window of the inputs. The public classes fix the rank and the number.

    Args:
        pool_size: the window, a number or one for each axis of space.
        strides: steps of the window; the window itself if None.
        padding: "valid" (only whole windows) or "same" (padding isn't counted).
        data_format: "channels_last" or "channels_first"; the default layout if None.

    Shapes: `(batch, *space, channels) -> (batch, *space, channels)`.
    """

    rank: int
    pool: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = sizes_of(pool_size, self.rank, "pool_size")
        self.strides = self.pool_size if strides is None else sizes_of(strides, self.rank, "strides")
        self.padding = one_of(padding, "padding", ("valid", "same"))
        self.data_format = check_data_format(data_format)

    def call(self, inputs: Any) -> Any:
        need_rank(self, inputs, self.rank + 2)
        return type(self).pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling(Pool):
    """The largest value of each window. See `Pool`."""

    pool = max_pool

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling1D(MaxPooling):
    """The largest value of each window along one axis. See `Pool`."""

    rank = 1


class MaxPooling2D(MaxPooling):
    """The largest value of each window of an image. See `Pool`."""

    rank = 2


class MaxPooling3D(MaxPooling):
    """The largest value of each window of a volume. See `Pool`."""

    rank = 3


class AveragePooling1D(Pool):
    """The mean of each window along one axis. See `Pool`."""

    rank = 1
    pool = average_pool


class AveragePooling2D(Pool):
    """The mean of each window of an image. See `Pool`."""

    rank = 2
    pool = average_pool


class AveragePooling3D(Pool):
    """The mean of each window of a volume. See `Pool`."""

    rank = 3
    pool = average_pool


class GlobalPool(Layer):
    """One number for each channel. The public classes fix the rank and the number.

    Args:
        data_format: "channels_last" or "channels_first"; the default layout if None.
        keepdims: whether the axes of space stay, with size 1.

    Shapes: `(batch, *space, channels) -> (batch, channels)`.
    """

    rank: int
    pool: ClassVar[Callable[..., Any]]

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = check_data_format(data_format)
        self.keepdims = keepdims

    def call(self, inputs: Any) -> Any:
        need_rank(self, inputs, self.rank + 2)
        return type(self).pool(inputs, space_axes(self.rank, self.data_format), self.keepdims)


class GlobalMaxPooling1D(GlobalPool):
    """The largest value of each channel of a sequence. See `GlobalPool`."""

    rank = 1
    pool = max_over


class GlobalMaxPooling2D(GlobalPool):
    """The largest value of each channel of an image. See `GlobalPool`."""

    rank = 2
    pool = max_over


class GlobalMaxPooling3D(GlobalPool):
    """The largest value of each channel of a volume. See `GlobalPool`."""

    rank = 3
    pool = max_over


class GlobalAveragePooling1D(GlobalPool):
    """The mean of each channel of a sequence; masked steps aren't counted. See `GlobalPool`."""

    rank = 1
    pool = mean
    supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        last = self.data_format == "channels_last"
        axis = 1 if last else 2
        counted = expand_dims(cast(mask, "bool"), 2 if last else 1)
        total = sum_over(where(counted, inputs, 0), axis, self.keepdims)
        return divide(total, sum_over(cast(counted, inputs.dtype), axis, self.keepdims))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


class GlobalAveragePooling2D(GlobalPool):
    """The mean of each channel of an image. See `GlobalPool`."""

    rank = 2
    pool = mean


class GlobalAveragePooling3D(GlobalPool):
    """The mean of each channel of a volume. See `GlobalPool`."""

    rank = 3
    pool = mean
