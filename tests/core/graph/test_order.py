"""The order of layers in a graph is Keras's: the numbers in weight files hang on it."""

from __future__ import annotations

import random
from typing import Any

import keras
import pytest

import kbridge


def tangle(K: Any, seed: int) -> Any:
    """A graph of shared layers and sums, the same from kbridge and from Keras."""
    rng = random.Random(seed)
    inputs = [K.Input((4,), name=f"x{i}") for i in range(rng.randint(1, 3))]
    layers = [K.layers.Dense(4, name=f"d{i}") for i in range(rng.randint(2, 8))]
    tensors = list(inputs)
    for _ in range(rng.randint(3, 14)):
        if rng.random() < 0.4:
            tensors.append(rng.choice(tensors) + rng.choice(tensors))
        else:
            tensors.append(rng.choice(layers)(rng.choice(tensors)))
    return K.Model(inputs, rng.sample(tensors[len(inputs) :], rng.randint(1, 3)))


@pytest.mark.parametrize("seed", range(150))
def test_layers_are_listed_as_keras_lists_them(seed: int) -> None:
    expected = [layer.name for layer in tangle(keras, seed).layers]
    assert [layer.name for layer in tangle(kbridge, seed).layers] == expected


def test_long_graphs_need_no_deep_stack() -> None:
    x = y = kbridge.Input((2,))
    dense = kbridge.layers.Dense(2)
    for _ in range(5000):
        y = dense(y)
    assert [layer.name for layer in kbridge.Model(x, y).layers] == [x.name or "input_layer", dense.name]
