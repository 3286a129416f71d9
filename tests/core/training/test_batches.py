"""Batches as tuples, and back."""

from __future__ import annotations

from typing import Any

import pytest

from kbridge.utils import pack_x_y_sample_weight, unpack_x_y_sample_weight


@pytest.mark.parametrize(
    ("given", "packed"),
    [
        ((1,), 1),
        (([1, 2],), ([1, 2],)),
        (((1, 2),), ((1, 2),)),
        (({"a": 1},), {"a": 1}),
        ((1, 2), (1, 2)),
        ((1, 2, 3), (1, 2, 3)),
        ((1, None, 3), (1, None, 3)),
    ],
)
def test_there_and_back(given: Any, packed: Any) -> None:
    assert pack_x_y_sample_weight(*given) == packed
    assert unpack_x_y_sample_weight(packed) == (*given, None, None)[:3]


def test_what_is_no_batch() -> None:
    with pytest.raises(ValueError, match="a tuple of 4"):
        unpack_x_y_sample_weight((1, 2, 3, 4))
