"""Regularizers against the installed Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from kbridge import regularizers
from kbridge.core.errors import ShapeError
from kbridge.ops import convert_to_numpy

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
ROWS: list[tuple[str, dict[str, Any]]] = [
    ("L1", {"l1": 0.3}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {"l1": 0.2, "l2": 0.1}),
    ("l1_l2", {"l1": 0.2}),
    ("OrthogonalRegularizer", {"factor": 0.5}),
    ("orthogonal_regularizer", {"factor": 0.5, "mode": "columns"}),
]


@pytest.mark.parametrize(("name", "arguments"), ROWS, ids=[name for name, _ in ROWS])
def test_value_as_keras(name: str, arguments: dict[str, Any], backend: str) -> None:
    ours, theirs = getattr(regularizers, name)(**arguments), getattr(keras.regularizers, name)(**arguments)
    expected = keras.ops.convert_to_numpy(theirs(keras.ops.convert_to_tensor(X)))
    np.testing.assert_allclose(convert_to_numpy(ours(X)), expected, rtol=1e-5)


@pytest.mark.parametrize(("name", "arguments"), ROWS, ids=[name for name, _ in ROWS])
def test_config_as_keras(name: str, arguments: dict[str, Any]) -> None:
    ours, theirs = getattr(regularizers, name)(**arguments), getattr(keras.regularizers, name)(**arguments)
    assert ours.get_config() == pytest.approx(theirs.get_config())
    stored = keras.regularizers.serialize(theirs)
    assert regularizers.deserialize(stored).get_config() == pytest.approx(ours.get_config())
    assert keras.regularizers.deserialize(regularizers.serialize(ours)).get_config() == pytest.approx(
        theirs.get_config()
    )


def test_what_is_refused() -> None:
    for value in (-1.0, float("nan"), float("inf"), "much"):
        with pytest.raises(ValueError, match="l2 is a number from 0 on"):
            regularizers.L2(value)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rows"):
        regularizers.OrthogonalRegularizer(mode="planes")
    with pytest.raises(ShapeError, match="matrices"):
        regularizers.OrthogonalRegularizer()(X[0])
