"""One protocol for everything that gives batches: `batches()`, `peek()`, `steps`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from kbridge.core.graph.node import leaves
from kbridge.data.arrays import ArraySource, is_array
from kbridge.data.iterables import IterableSource


class Source(Protocol):
    """What training asks of data."""

    @property
    def steps(self) -> int | None: ...
    def batches(self) -> Iterator[Any]: ...
    def peek(self) -> Any: ...
    def cut(self, share: float) -> tuple[Any, Any]: ...


def batch_source(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    shuffle: bool = False,
    class_weight: dict[int, float] | None = None,
    steps: int | None = None,
) -> Source:
    """The source for what the user passed: arrays, or an iterable of batches."""
    flat = leaves(x)
    if flat and all(is_array(value) for value in flat):
        return ArraySource(x, y, sample_weight, batch_size or 32, shuffle, class_weight, steps)
    if x is not None and hasattr(x, "__iter__"):
        if y is not None or sample_weight is not None:
            raise ValueError(
                "A dataset of batches holds its targets and weights; don't pass y or sample_weight beside it."
            )
        return IterableSource(x, class_weight, steps)
    raise ValueError(
        f"Data must be arrays or an iterable of batches, got {type(x).__name__}. Convert lists with numpy.array."
    )
