"""Normalisation: statistics, frozen layers, half precision, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kbridge import Input, layers
from kbridge.core.errors import ShapeError
from kbridge.ops import convert_to_numpy

X = np.random.default_rng(1).normal(3, 2, (6, 5, 4)).astype("float32")


def test_moving_statistics_follow_the_batch(backend: str) -> None:
    """By the formula: momentum of the old value, the rest of the batch's; the variance isn't corrected."""
    layer = layers.BatchNormalization(momentum=0.9)
    y = convert_to_numpy(layer(X, training=True))
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * X.mean((0, 1)), 1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * X.var((0, 1)), 1e-5)
    np.testing.assert_allclose(y, (X - X.mean((0, 1))) / np.sqrt(X.var((0, 1)) + 1e-3), 1e-4, 1e-4)


def test_inference_uses_moving_statistics_and_leaves_them(backend: str) -> None:
    layer = layers.BatchNormalization()
    layer.build(X.shape)
    layer.set_weights([np.full(4, v, "float32") for v in (2, 1, 3, 4)])
    y = convert_to_numpy(layer(X))
    np.testing.assert_allclose(y, (X - 3) / np.sqrt(4.001) * 2 + 1, 1e-5, 1e-5)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), 3)


def test_a_frozen_layer_is_in_inference_mode() -> None:
    layer = layers.BatchNormalization()
    layer.trainable = False
    y = layer(X, training=True)
    np.testing.assert_allclose(y, X / np.sqrt(1.001), 1e-5)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), 0)


def test_masked_elements_are_left_out_of_the_statistics(backend: str) -> None:
    mask = np.random.default_rng(2).random((6, 5)) < 0.5
    layer = layers.BatchNormalization(momentum=0.0)
    layer(X, training=True, mask=mask)
    np.testing.assert_allclose(layer.moving_mean.numpy(), X[mask].mean(0), 1e-4)
    np.testing.assert_allclose(layer.moving_variance.numpy(), X[mask].var(0), 1e-4)


def test_half_precision_computes_in_full(backend: str) -> None:
    """Squares of 300 leave float16; the statistics must not."""
    large = (300 * np.random.default_rng(3).normal(size=(32, 4))).astype("float16")
    expected = (large - large.mean(0, dtype="float64")) / large.std(0, dtype="float64")
    for layer in (layers.BatchNormalization(dtype="mixed_float16"), layers.BatchNormalization(dtype="float16")):
        y = convert_to_numpy(layer(large, training=True))
        assert y.dtype == "float16"
        np.testing.assert_allclose(y, expected, 5e-3, 5e-3)
    expected = (large.T - large.mean(1, dtype="float64")) / large.std(1, dtype="float64")
    y = convert_to_numpy(layers.LayerNormalization(dtype="mixed_float16")(large))
    np.testing.assert_allclose(y, expected.T, 5e-3, 5e-3)


def test_whole_numbers_become_floats(backend: str) -> None:
    numbers = np.arange(6, dtype="int32").reshape(3, 2)
    y = convert_to_numpy(layers.BatchNormalization()(numbers, training=True))
    assert y.dtype == "float32"
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(convert_to_numpy(layers.BatchNormalization()(numbers)), numbers / np.sqrt(1.001), 1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.BatchNormalization(renorm=True), "renorm=True .* isn't supported"),
        (lambda: layers.BatchNormalization()(Input((3, None))), "needs to know the size of axis 2"),
        (lambda: layers.BatchNormalization(axis=5)(X), "axis 5 is out of bounds for a tensor of rank 3"),
        (lambda: layers.BatchNormalization()(X, mask=X > 9, training=True), "one axis less than the inputs"),
        (lambda: layers.LayerNormalization(axis="last"), "axis is a whole number or a list of them"),
        (lambda: layers.LayerNormalization([1, -2])(X), "names one axis twice"),
        (lambda: layers.LayerNormalization(rms_scaling=True), "Use RMSNormalization"),
        (lambda: layers.LayerNormalization([1, 2])(Input((None, 4))), "needs to know the size of axis 1"),
    ],
)  # fmt: skip
def test_what_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((ShapeError, ValueError, TypeError), match=message):
        assert call() is not None
