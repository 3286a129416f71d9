"""Layers that move, add or drop elements without computing on them."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core.errors import ShapeError
from kbridge.core.layers.base import Layer
from kbridge.core.layers.options import need_rank, over_space, positive, space_axes, without
from kbridge.core.ops import shape as shapes
from kbridge.core.ops.conv import sizes_of
from kbridge.core.settings import check_data_format
from kbridge.core.tensor.shapes import reshaped


def behind_batch(x: Any, sizes: Any) -> Any:
    """`x` in shape `(batch, *sizes)`; a size may be -1, or None where it isn't known.

    The batch is written as -1 where possible, so that a traced graph doesn't compute shapes.
    """
    free = [i for i, s in enumerate(sizes) if s is None or (isinstance(s, int) and s == -1)]
    if not free:
        return shapes.reshape(x, (-1, *sizes))
    return shapes.reshape(x, (shapes.shape(x)[0], *(-1 if i in free else s for i, s in enumerate(sizes))))


class Flatten(Layer):
    """All axes behind the batch as one: `(batch, ...) -> (batch, features)`.

    Args:
        data_format: for "channels_first" the channels are moved last before, so that both layouts
            give the same order; the default layout if None.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = check_data_format(data_format)

    def call(self, inputs: Any) -> Any:
        rank = len(inputs.shape)
        if self.data_format == "channels_first" and rank > 2:
            inputs = shapes.transpose(inputs, (0, *range(2, rank), 1))
        sizes = inputs.shape[1:]
        free = any(size is None for size in sizes)
        return behind_batch(inputs, (-1,) if free else (math.prod(sizes),))


class Reshape(Layer):
    """The elements of each sample in another shape.

    Args:
        target_shape: sizes behind the batch; one may be -1.
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sizes = (target_shape,) if isinstance(target_shape, int) else tuple(target_shape)
        if any(not isinstance(s, int) or s < -1 for s in sizes) or sizes.count(-1) > 1:
            raise ShapeError(f"target_shape holds whole numbers, at most one of them -1; got {target_shape!r}.")
        self.target_shape = sizes

    def call(self, inputs: Any) -> Any:
        return behind_batch(inputs, reshaped(tuple(inputs.shape[1:]), self.target_shape))


class Permute(Layer):
    """The axes behind the batch in another order.

    Args:
        dims: the order; axes are counted from 1.
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"dims holds each of 1 to {len(self.dims)} once, got {dims!r}.")

    def call(self, inputs: Any) -> Any:
        return shapes.transpose(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """Each sample `n` times: `(batch, features) -> (batch, n, features)`."""

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive(n, "n")

    def call(self, inputs: Any) -> Any:
        if len(inputs.shape) != 2:
            raise ShapeError(f"RepeatVector takes inputs (batch, features), got shape {tuple(inputs.shape)}.")
        return shapes.tile(shapes.expand_dims(inputs, 1), (1, self.n, 1))


def pairs_of(value: Any, rank: int, name: str) -> tuple[tuple[int, int], ...]:
    """What is added or cut before and after, for each axis of space, from any of the short forms."""
    given = (value,) * rank if isinstance(value, int) else tuple(value)
    if rank == 1 and len(given) == 2:
        given = (given,)
    pairs = tuple((p, p) if isinstance(p, int) else tuple(p) for p in given)
    if len(pairs) != rank or any(len(p) != 2 or not all(isinstance(n, int) and n >= 0 for n in p) for p in pairs):
        raise ShapeError(
            f"{name} is a number, or a number or pair (before, after) for each of {rank} axes; got {value!r}."
        )
    return pairs


class ZeroPadding(Layer):
    """Zeros around space. The public classes fix the rank.

    Args:
        padding: how many, as a number, or a number or pair (before, after) for each axis of space.
        data_format: "channels_last" or "channels_first"; the default layout if None.
    """

    rank: int

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pairs = pairs_of(padding, self.rank, "padding")
        self.padding = self._pairs[0] if self.rank == 1 else self._pairs
        self.data_format = check_data_format(data_format)

    def call(self, inputs: Any) -> Any:
        need_rank(self, inputs, self.rank + 2)
        return shapes.pad(inputs, over_space(self._pairs, self.data_format, (0, 0)))


class ZeroPadding1D(ZeroPadding):
    """Zeros before and after a sequence. See `ZeroPadding`."""

    rank = 1


class ZeroPadding2D(ZeroPadding):
    """Zeros around an image. See `ZeroPadding`."""

    rank = 2


class ZeroPadding3D(ZeroPadding):
    """Zeros around a volume. See `ZeroPadding`."""

    rank = 3


class Cropping(Layer):
    """Space without its borders. The public classes fix the rank.

    Args:
        cropping: how much to cut, as a number, or a number or pair (before, after) for each axis.
        data_format: "channels_last" or "channels_first"; the default layout if None.
    """

    rank: int

    def __init__(self, cropping: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pairs = pairs_of(cropping, self.rank, "cropping")
        self.cropping = self._pairs[0] if self.rank == 1 else self._pairs
        self.data_format = check_data_format(data_format)

    def call(self, inputs: Any) -> Any:
        need_rank(self, inputs, self.rank + 2)
        sizes = [inputs.shape[i] for i in space_axes(self.rank, self.data_format)]
        if any(s is not None and s <= sum(p) for s, p in zip(sizes, self._pairs, strict=True)):
            raise ShapeError(f"cropping={self.cropping} leaves nothing of inputs of shape {tuple(inputs.shape)}.")
        cuts = [slice(before, -after or None) for before, after in self._pairs]
        return shapes.get_item(inputs, over_space(cuts, self.data_format, slice(None)))


class Cropping1D(Cropping):
    """A sequence without its ends. See `Cropping`."""

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        return without(super().get_config(), "data_format")


class Cropping2D(Cropping):
    """An image without its borders. See `Cropping`."""

    rank = 2

    def __init__(self, cropping: Any = 0, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(Cropping):
    """A volume without its borders. See `Cropping`."""

    rank = 3


class UpSampling(Layer):
    """Each element of space repeated. The public classes fix the rank.

    Args:
        size: how often, as a number, or one for each axis of space.
        data_format: "channels_last" or "channels_first"; the default layout if None.
    """

    rank: int

    def __init__(self, size: Any = 2, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._times = sizes_of(size, self.rank, "size")
        self.size = self._times[0] if self.rank == 1 else self._times
        self.data_format = check_data_format(data_format)

    def call(self, inputs: Any) -> Any:
        need_rank(self, inputs, self.rank + 2)
        for axis, times in zip(space_axes(self.rank, self.data_format), self._times, strict=True):
            inputs = shapes.repeat(inputs, times, axis) if times > 1 else inputs
        return inputs


class UpSampling1D(UpSampling):
    """Each step of a sequence repeated. See `UpSampling`."""

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(size, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        return without(super().get_config(), "data_format")


class UpSampling2D(UpSampling):
    """Each pixel repeated. See `UpSampling`; of the interpolations there is "nearest" only."""

    rank = 2

    def __init__(
        self, size: Any = 2, data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        self.interpolation = interpolation
        if interpolation != "nearest":
            raise ValueError(f'UpSampling2D interpolates by "nearest" only, got {interpolation!r}.')


class UpSampling3D(UpSampling):
    """Each voxel repeated. See `UpSampling`."""

    rank = 3
