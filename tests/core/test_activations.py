"""Activation functions against the installed Keras, by every public name."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from kbridge import activations
from kbridge.ops import convert_to_numpy

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32") * 2
ARGUMENTS: dict[str, tuple[Any, ...]] = {"threshold": (0.5, -1.0)}
# Keras's sparsemax gives some rows no share at all; what it is to be stands in tests/backends/activation_rows.py
APART = {"get", "serialize", "deserialize", "sparsemax"}
NAMES = sorted({name for name in dir(keras.activations) if name[0] != "_"} - APART)


@pytest.mark.parametrize("name", NAMES)
def test_value_as_keras(name: str, backend: str) -> None:
    rest = ARGUMENTS.get(name, ())
    expected = keras.ops.convert_to_numpy(getattr(keras.activations, name)(X, *rest))
    np.testing.assert_allclose(convert_to_numpy(getattr(activations, name)(X, *rest)), expected, rtol=1e-5, atol=1e-6)
    assert activations.get(name) is getattr(activations, name)
