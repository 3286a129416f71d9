"""Batches as a backend's tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbridge.core.context import framework_of_type
from kbridge.core.graph.node import map_leaves

PLAIN = frozenset({np.ndarray, type(None)})


def is_plain(batch: Any) -> bool:
    """Whether a batch is a tuple of NumPy arrays, the common case: no tree to walk, each array known for what it is."""
    return type(batch) is tuple and PLAIN.issuperset(map(type, batch))


def to_native(backend: Any, batch: Any) -> Any:
    """The arrays of a batch as tensors of the backend; everything else as it is."""
    ready = backend.ready

    def convert(value: Any) -> Any:
        kind = type(value)
        if kind in ready or (kind is not np.ndarray and framework_of_type(kind) is None):
            return value
        return backend.convert(value)

    if type(batch) is tuple:  # the common case, without walking a tree
        return tuple(convert(v) if not isinstance(v, (dict, list, tuple)) else map_leaves(convert, v) for v in batch)
    return map_leaves(convert, batch)
