"""What the rows of `index_rows` and `sort_rows` don't say: refusals that need numbers, and positions out of range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kbridge.core.errors import ArgumentError, DTypeError
from kbridge.core.ops import index, segment, sort
from kbridge.core.ops.shape import convert_to_numpy
from tests.backends.rows import floats

X, HALF = floats(4, 3), np.float32([[0.5]])


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(
    "call",
    [
        lambda: index.scatter(HALF, X[:1], (4, 3)),
        lambda: index.scatter_update(X, HALF, X[:1]),
        lambda: index.put_along_axis(X, HALF, 1),
        lambda: segment.segment_sum(X[:1], HALF[0], 2),
        lambda: index.unravel_index(HALF, (4, 3)),
    ],
)
def test_positions_are_whole_numbers(call: Callable[[], Any]) -> None:
    with pytest.raises(DTypeError, match=r"float32\[.*Cast them to int32"):
        call()


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("call", [sort.partition, sort.argpartition])
def test_kth_has_to_be_there(call: Callable[..., Any]) -> None:
    with pytest.raises(ArgumentError, match="kth 3 is out of range for 3 elements"):
        call(X, 3)


def test_a_position_that_is_not_there(backend: str) -> None:
    """numpy, torch and tensorflow say so; jax, which looks at no values, leaves it out."""
    for reduction in (None, "add", "max", "mul"):
        if backend == "jax":
            kept = index.scatter_update(X, np.int32([[4]]), X[:1], reduction)
            np.testing.assert_array_equal(convert_to_numpy(kept), X)
        else:
            with pytest.raises(Exception, match=r"(?i)out of (bounds|range)|indices\[0\]|index"):
                index.scatter_update(X, np.int32([[4]]), X[:1], reduction)
