"""Batches cut from arrays that lie in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kbridge.core.context import framework_of_type, load_backend
from kbridge.core.errors import ShapeError
from kbridge.core.graph.node import leaves, map_leaves
from kbridge.core.settings import floatx


def is_array(value: Any) -> bool:
    """Whether a value is data with a length: an array, or a tensor of any framework."""
    return isinstance(value, (np.ndarray, np.generic)) or (
        framework_of_type(type(value)) is not None and hasattr(value, "shape")
    )


def host_array(value: Any) -> Any:
    """The value on the host; 64-bit floats become the default float type, once."""
    if value is None:
        return None
    array = load_backend("numpy").convert(value)
    return array.astype(floatx()) if array.dtype == "float64" else array


def weights_of_classes(y: Any, class_weight: dict[int, float]) -> Any:
    """A weight for each sample, from the weight of its class."""
    if len(leaves(y)) != 1:
        raise ValueError("class_weight needs a model with one output.")
    classes = leaves(y)[0]
    if classes.ndim > 1:
        classes = classes.argmax(-1) if classes.shape[-1] > 1 else classes[..., 0]
    table = np.ones(int(max(classes.max(), *class_weight)) + 1, floatx())
    for number, weight in class_weight.items():
        table[number] = weight
    return table[classes.astype(int)]


class ArraySource:
    """Batches cut from arrays.

    Args:
        x, y, sample_weight: arrays, nested in lists or dicts, alike in length.
        batch_size: samples in a batch; the last one may be smaller.
        shuffle: whether each epoch has an order of its own.
        class_weight: class number -> weight of its samples.
        steps: batches in an epoch, all if None.
    """

    def __init__(
        self, x: Any, y: Any, sample_weight: Any, batch_size: int, shuffle: bool, class_weight: Any = None,
        steps: int | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"batch_size must be a positive whole number, got {batch_size!r}.")
        data = (x,) if y is None and sample_weight is None else (x, y)
        data = map_leaves(host_array, data)
        if class_weight:
            sample_weight = weights_of_classes(data[1], class_weight)
        if sample_weight is not None:
            data = (*data, map_leaves(host_array, sample_weight))
        lengths = {len(v) if v.ndim else -1 for v in leaves(data) if v is not None}
        if -1 in lengths or len(lengths) > 1:
            shapes = [v.shape for v in leaves(data) if v is not None]
            raise ShapeError(f"All arrays need the same number of samples; their shapes are {shapes}.")
        self.data = data
        self.count = lengths.pop()
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.limit = steps
        every = -(-self.count // batch_size)
        self.steps = every if steps is None else min(steps, every)

    def peek(self) -> Any:
        """The first batch."""
        if self.count == 0:
            raise ShapeError("The data has no samples.")
        return self._pick(slice(0, self.batch_size))

    def _pick(self, where: Any) -> Any:
        def pick(array: Any) -> Any:
            return None if array is None else array[where] if isinstance(where, slice) else array.take(where, 0)

        return map_leaves(pick, self.data)

    def batches(self) -> Iterator[Any]:
        """The batches of one epoch."""
        order = np.random.permutation(self.count) if self.shuffle else None
        plain = order is not None and all(isinstance(v, np.ndarray) for v in self.data)
        for start in range(0, self.steps * self.batch_size, self.batch_size):
            piece = slice(start, start + self.batch_size)
            if plain:  # the common case, without walking a tree for each batch
                rows = order[piece]  # type: ignore[index]
                yield tuple([array.take(rows, 0) for array in self.data])  # quicker than array[rows]
            else:
                yield self._pick(piece if order is None else order[piece])

    def cut(self, share: float) -> tuple[ArraySource, Any]:
        """The source without the last `share` of its samples, and those as data for `evaluate`."""
        if not 0 < share < 1:
            raise ValueError(f"validation_split must lie between 0 and 1, got {share}.")
        at = int(self.count * (1 - share))
        if at == 0 or at == self.count:
            raise ValueError(f"validation_split={share} leaves one side of {self.count} samples empty.")
        first, last = (
            map_leaves(lambda v, where=where: None if v is None else v[where], self.data)
            for where in (slice(0, at), slice(at, None))
        )
        x, y, sample_weight = [*first, None, None][:3]
        return ArraySource(x, y, sample_weight, self.batch_size, self.shuffle, None, self.limit), last
