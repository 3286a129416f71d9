"""Layers whose `call` computes with sizes that aren't known yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kbridge import Input, Model, layers, ops


def folded(x: Any) -> Any:
    """The steps of all rows in one row each: the batch and the time become one axis, and two again."""
    batch, steps, features = ops.shape(x)
    rows = ops.reshape(x, (batch * steps, features))
    return ops.reshape(2 * rows, (batch, steps, features))


def halves(x: Any) -> Any:
    half = ops.shape(x)[1] // 2
    return x[:, :half], x[:, half:]


def last(x: Any) -> Any:
    return x[:, ops.shape(x)[1] - 1]


def flat(x: Any) -> Any:
    batch, steps, _ = ops.shape(x)
    return ops.reshape(x, (batch * steps, -1))


CASES: dict[str, tuple[Callable[..., Any], Any]] = {
    "folded": (folded, (None, None, 3)),
    "halves": (halves, [(None, None, 3), (None, None, 3)]),
    "last": (last, (None, 3)),
    "flat": (flat, (None, 3)),
}


def layer_of(function: Callable[..., Any]) -> layers.Layer:
    class Computes(layers.Layer):
        def call(self, x: Any) -> Any:
            return function(x)

    return Computes()


@pytest.mark.parametrize("name", CASES)
def test_sizes_are_computed_with(name: str, backend: str) -> None:
    function, shapes = CASES[name]
    inputs = Input((None, 3))
    outputs = layer_of(function)(inputs)
    assert [o.shape for o in (outputs if isinstance(outputs, tuple) else [outputs])] == (
        shapes if isinstance(shapes, list) else [shapes]
    )
    model, x = Model(inputs, outputs), np.arange(24, dtype="float32").reshape(2, 4, 3)
    results = model.predict(x, verbose=0, batch_size=2)
    for got, want in zip(
        *([r] if not isinstance(r, (list, tuple)) else r for r in (results, function(x))), strict=True
    ):
        np.testing.assert_array_equal(got, ops.convert_to_numpy(want))


def test_the_first_error_is_told() -> None:
    def wrong(x: Any) -> Any:
        return ops.reshape(x, (ops.shape(x)[0] * 2, "two"))

    with pytest.raises(TypeError, match="NoneType"):
        layer_of(wrong)(Input((3,)))


def test_as_many_results_as_rows_is_no_shape() -> None:
    with pytest.raises(ValueError, match="isn't known"):
        layer_of(ops.unstack)(Input((3,)))
