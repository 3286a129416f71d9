"""Small whole models, one for each shape that models take. Every adapter's tests read this table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kbridge import Input, Model, Sequential, initializers, layers, ops


class Row(NamedTuple):
    """A model and how to make inputs for it."""

    build: Callable[[], Any]
    inputs: Callable[[int], list[np.ndarray]]  # batch size -> flat inputs
    random: bool = False  # whether training draws random numbers


def numbers(*shape: int) -> Callable[[int], list[np.ndarray]]:
    return lambda batch: [np.random.default_rng(7).normal(size=(batch, *shape)).astype("float32")]


def tokens(length: int, count: int) -> Callable[[int], list[np.ndarray]]:
    return lambda batch: [np.random.default_rng(7).integers(0, count, (batch, length)).astype("int32")]


def mlp() -> Any:
    x = Input((6,), name="features")
    y = layers.Dense(8, "relu", kernel_initializer=initializers.GlorotUniform(1), name="first")(x)
    y = layers.Dense(8, "tanh", kernel_initializer=initializers.GlorotUniform(2), name="second")(y)
    return Model(x, layers.Dense(3, kernel_initializer=initializers.GlorotUniform(3), name="out")(y))


def convnet() -> Any:
    return Sequential([
        Input((8, 8, 2), name="image"),
        layers.Rescaling(0.5, name="scale"),
        layers.Conv2D(4, 3, padding="same", activation="relu", name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.MaxPooling2D(2, name="pool"),
        layers.Conv2D(6, 3, strides=2, name="conv2"),
        layers.AveragePooling2D(1, name="pool2"),
        layers.Dropout(0.5, name="drop"),
        layers.Flatten(name="flat"),
        layers.Dense(3, "softmax", name="out"),
    ])  # fmt: skip


def decoder() -> Any:
    return Sequential([
        Input((6,), name="code"),
        layers.Dense(3 * 4 * 2, "relu", name="wide"),
        layers.Reshape((12, 2), name="line"),
        layers.Conv1DTranspose(2, 3, padding="same", activation="relu", name="smooth"),
        layers.Reshape((3, 4, 2), name="image"),
        layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu", name="grow"),
        layers.Conv2DTranspose(2, (2, 3), strides=(1, 2), name="out"),
    ])  # fmt: skip


def lstm() -> Any:
    x = Input((5,), dtype="int32", name="words")
    y = layers.Embedding(11, 4, mask_zero=True, name="table")(x)
    y = layers.LSTM(6, name="memory")(y)
    return Model(x, layers.Dense(2, name="out")(y))


def transformer() -> Any:
    x = Input((5, 8), name="steps")
    y = layers.MultiHeadAttention(2, 4, name="attention")(x, x)
    y = layers.LayerNormalization(name="norm")(layers.Add(name="sum")([x, y]))
    y = layers.Dense(8, "gelu", name="wide")(y)
    y = layers.GlobalAveragePooling1D(name="pool")(y)
    return Model(x, layers.Dense(2, name="out")(y))


def two_ends() -> Any:
    a, b = Input((4,), name="left"), Input((3,), name="right")
    joined = layers.Concatenate(name="join")([layers.Dense(4, name="dense_left")(a), b])
    return Model([a, b], {"score": layers.Dense(1, name="score")(joined), "kind": ops.softmax(joined * 2.0)})


class Block(layers.Layer):
    """A layer made of layers, held in a list."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.steps = [layers.Dense(units, "relu", name="a"), layers.Dense(units, name="b")]
        self.norm = layers.LayerNormalization()

    def call(self, inputs: Any) -> Any:
        x = inputs
        for step in self.steps:
            x = step(x)
        return self.norm(x + inputs)


def nested() -> Any:
    x = Input((4,), name="features")
    inner = Sequential([layers.Dense(4, name="inner_dense"), Block(4, name="inner_block")], name="inner")
    return Model(x, layers.Dense(2, name="out")(Block(4, name="block")(inner(x))))


MODELS = {
    "mlp": Row(mlp, numbers(6)),
    "convnet": Row(convnet, numbers(8, 8, 2), random=True),
    "decoder": Row(decoder, numbers(6)),
    "lstm": Row(lstm, tokens(5, 11)),
    "transformer": Row(transformer, numbers(5, 8)),
    "two_ends": Row(two_ends, lambda batch: numbers(4)(batch) + numbers(3)(batch)),
    "nested": Row(nested, numbers(4)),
}


def call_inputs(row: Row, batch: int) -> Any:
    """The inputs as the model is called: one array, or a list."""
    flat = row.inputs(batch)
    return flat[0] if len(flat) == 1 else flat
