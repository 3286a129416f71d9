"""Layers on whole numbers: counts, or images. They give what they give for the same numbers as floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kbridge
from kbridge import ops
from kbridge.core.graph.node import leaves
from tests.rows.layers import ROWS, Floats, Row


def specs(row: Row) -> list[Any]:
    found: list[Any] = []
    row.filled(lambda spec: found.append(spec) or spec)  # type: ignore[func-returns-value]
    return found


APART = ("lambda", "embedding of floats")  # TensorFlow's own `*`; floats that are places in a table of one
FITTING = [
    row
    for row in ROWS
    if not (row.random or row.name in APART) and any(isinstance(spec, Floats) for spec in specs(row))
]


def result(row: Row, floats: str) -> list[np.ndarray]:
    """What the row's layer gives for whole numbers, stored as `floats`."""
    rng = np.random.default_rng(0)

    def array(spec: Any) -> np.ndarray:
        return rng.integers(0, 4, spec.shape).astype(floats) if isinstance(spec, Floats) else spec.array(rng)

    layer = row.make(kbridge)
    args, kwargs = row.filled(array)
    if not layer.built:
        layer(*args, **kwargs)
    layer.set_weights(row.weights_for(layer))
    if hasattr(layer, "reset_states"):
        layer.reset_states()
    return [ops.convert_to_numpy(value) for value in leaves(layer(*args, **kwargs))]


@pytest.mark.parametrize("row", FITTING, ids=[row.name for row in FITTING])
def test_whole_numbers_count_like_floats(row: Row, backend: str) -> None:
    for found, expected in zip(result(row, "int32"), result(row, "float32"), strict=True):
        np.testing.assert_allclose(found.astype("float32"), expected, rtol=1e-5, atol=1e-5)
