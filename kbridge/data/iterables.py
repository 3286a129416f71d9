"""Batches from anything that can be iterated over: a tf.data.Dataset, a DataLoader, a generator."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from kbridge.core.context import framework_of_type
from kbridge.core.graph.node import map_leaves
from kbridge.data.arrays import host_array, weights_of_classes


def on_host(value: Any) -> Any:
    """A leaf of a batch: arrays and tensors come to the host."""
    if hasattr(value, "shape") or framework_of_type(type(value)) is not None:
        return host_array(value)
    return value


class IterableSource:
    """Batches `(x, y)`, `(x, y, sample_weight)` or `x` from an iterable.

    An iterator (a generator) gives each batch once: an epoch of `steps` batches goes on where the last
    one ended. Anything else is iterated over anew in each epoch.
    """

    def __init__(self, batches: Any, class_weight: Any = None, steps: int | None = None) -> None:
        self.given = batches
        self.class_weight = class_weight
        self.once = hasattr(batches, "__next__")
        self._waiting: list[Any] = []
        self._iterator = iter(batches) if self.once else None
        self.limit = steps
        self.steps = steps
        if steps is None and hasattr(batches, "__len__"):
            self.steps = len(batches)

    def _start(self) -> Iterator[Any]:
        if self._iterator is not None:
            return itertools.chain(self._drain(), self._iterator)
        return iter(self.given)

    def _drain(self) -> Iterator[Any]:
        while self._waiting:
            yield self._waiting.pop(0)

    def _host(self, batch: Any) -> Any:
        batch = tuple(batch) if isinstance(batch, list) else batch
        batch = map_leaves(on_host, batch)
        batch = batch if isinstance(batch, tuple) else (batch,)
        if self.class_weight:
            batch = (*batch[:2], weights_of_classes(batch[1], self.class_weight))
        return batch

    def peek(self) -> Any:
        """The first batch; an iterator gives it again."""
        first = next(self._start(), None)
        if first is None:
            raise ValueError("The data has no batches left. A generator gives each batch once.")
        if self.once:
            self._waiting.insert(0, first)
        return self._host(first)

    def batches(self) -> Iterator[Any]:
        """The batches of one epoch."""
        for batch in itertools.islice(self._start(), self.limit):
            yield self._host(batch)

    def cut(self, share: float) -> tuple[Any, Any]:
        """Not possible: the samples aren't known."""
        raise ValueError("validation_split needs arrays. Pass validation_data beside a dataset of batches.")
