"""Merging layers: masks, functional forms, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kbridge import Input, Model, layers
from kbridge.core.errors import ShapeError

X = np.random.default_rng(1).normal(size=(2, 3, 4)).astype("float32")
Y = np.random.default_rng(2).normal(size=(2, 3, 4)).astype("float32")


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (layers.add, X + Y),
        (layers.subtract, X - Y),
        (layers.multiply, X * Y),
        (layers.average, (X + Y) / 2),
        (layers.maximum, np.maximum(X, Y)),
        (layers.minimum, np.minimum(X, Y)),
        (layers.concatenate, np.concatenate([X, Y], -1)),
        (lambda pair: layers.concatenate(pair, axis=1), np.concatenate([X, Y], 1)),
        (lambda pair: layers.dot(pair, axes=2), np.einsum("abc,adc->abd", X, Y)),
        (lambda pair: layers.dot(pair, (1, 1)), np.einsum("abc,abd->acd", X, Y)),
    ],
)
def test_functional_forms(function: Callable[[Any], Any], expected: np.ndarray) -> None:
    np.testing.assert_allclose(function([X, Y]), expected, 1e-5, 1e-5)


def test_dot_gives_the_cosine() -> None:
    y = layers.Dot(1, normalize=True)([X[:, 0], Y[:, 0]])
    lengths = np.linalg.norm(X[:, 0], axis=1) * np.linalg.norm(Y[:, 0], axis=1)
    np.testing.assert_allclose(y[:, 0], (X[:, 0] * Y[:, 0]).sum(1) / lengths, 1e-5)


def masked(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """What the layer gives for two masked inputs, and the mean over the steps that it leaves unmasked."""
    words = Input((3,), dtype="int32")
    others = Input((3,), dtype="int32")
    table = layers.Embedding(5, 2, mask_zero=True, embeddings_initializer="ones")
    y = layer([table(words), table(others)])
    model = Model([words, others], [y, layers.GlobalAveragePooling1D()(y)])
    return tuple(np.asarray(v) for v in model([np.array([[1, 0, 0]]), np.array([[1, 2, 0]])]))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: layers.Add(), [2, 2, 2]),  # masked where all are: the mean counts two steps
        (lambda: layers.Multiply(), [1, 1, 0]),
        (lambda: layers.Maximum(), [1, 1, 1]),
    ],
)
def test_masks_of_merges(make: Callable[[], Any], expected: list[float]) -> None:
    y, mean = masked(make())
    np.testing.assert_array_equal(y[0, :, 0], expected)
    np.testing.assert_allclose(mean[0], np.mean(expected[:2]))


def test_maximum_of_a_masked_element_is_the_other(backend: str) -> None:
    high, low = np.full((1, 2, 1), 5.0, "float32"), np.full((1, 2, 1), 3.0, "float32")
    masks = [np.array([[True, False]]), np.array([[True, True]])]
    y = layers.Maximum()([high, low], mask=masks)
    np.testing.assert_array_equal(np.asarray(y)[0, :, 0], [5, 3])


def test_concatenated_masks() -> None:
    words = Input((3,), dtype="int32")
    table = layers.Embedding(5, 2, mask_zero=True, embeddings_initializer="ones")
    joined = layers.Concatenate(axis=1)([table(words), Input((2, 2), name="more")])
    assert joined._mask is not None
    assert joined._mask.shape == (None, 5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.Add()(X), "takes a list of inputs"),
        (lambda: layers.Add()([X, Y[:1]]), "needs inputs of one batch size"),
        (lambda: layers.Add()([X, Y[..., :2]]), "don't broadcast"),
        (lambda: layers.Subtract()([X, Y, X]), "Subtract takes two inputs, got 3"),
        (lambda: layers.Concatenate()([X, Y[:, :2]]), "differ only at axis -1"),
        (lambda: layers.Concatenate()([X, Y[:, 0]]), "differ only at axis -1"),
        (lambda: layers.Dot((1, 2, 3)), "a whole number or a pair"),
        (lambda: layers.Dot(0)([X, Y]), "can't sum over the batch"),
        (lambda: layers.Dot((1, 2))([X, Y]), "needs equal sizes there"),
    ],
)  # fmt: skip
def test_what_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((ShapeError, ValueError), match=message):
        call()
