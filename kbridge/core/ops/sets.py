"""Ops on tensors as sets: the different elements of two of them, in rising order.

The size of a result depends on values, which no compiled step on jax and torch can know.
"""

from __future__ import annotations

from typing import Any

from kbridge.core.ops.compare import logical_not
from kbridge.core.ops.join import concatenate
from kbridge.core.ops.pick import get_item
from kbridge.core.ops.shape import ravel
from kbridge.core.ops.sort import isin, sort
from kbridge.core.ops.unique import unique_values


def union1d(x1: Any, x2: Any) -> Any:
    """What is in `x1` or in `x2`, each once: `(count,)`.

    >>> union1d([3, 1], [[1, 2]])
    array([1, 2, 3], dtype=int32)
    """
    return unique_values(concatenate([ravel(x1), ravel(x2)]))


def intersect1d(x1: Any, x2: Any) -> Any:
    """What is in `x1` and in `x2`, each once: `(count,)`.

    >>> intersect1d([3, 1, 1], [1, 2, 3])
    array([1, 3], dtype=int32)
    """
    mine = unique_values(x1)
    return get_item(mine, isin(mine, x2))


def setdiff1d(x1: Any, x2: Any) -> Any:
    """What is in `x1` and not in `x2`, each once: `(count,)`.

    >>> setdiff1d([3, 1, 1], [1, 2])
    array([3], dtype=int32)
    """
    mine = unique_values(x1)
    return get_item(mine, logical_not(isin(mine, x2)))


def setxor1d(x1: Any, x2: Any) -> Any:
    """What is in one of `x1` and `x2` only, each once: `(count,)`.

    >>> setxor1d([3, 1, 1], [1, 2])
    array([2, 3], dtype=int32)
    """
    return sort(concatenate([setdiff1d(x1, x2), setdiff1d(x2, x1)]))
