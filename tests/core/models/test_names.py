"""Names of variables: what files, `state_dict` and pytrees call them."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbridge import Input, Model, Sequential, layers
from kbridge.core.models.names import named_variables


def test_names_follow_layers_and_attributes() -> None:
    class Block(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.steps = [layers.Dense(2), layers.Dense(2)]
            self._private = layers.Dense(2)
            self.branches = {"left": layers.Dense(2), "right": [layers.Dense(2, use_bias=False)]}

        def call(self, x: Any) -> Any:
            for step in (*self.steps, self._private, self.branches["left"], *self.branches["right"]):
                x = step(x)
            return x

    x = Input((2,))
    model = Model(x, Sequential([layers.Dense(2, name="first"), Block(name="block")], name="inner")(x))
    assert list(named_variables(model)) == [
        "inner.first.kernel", "inner.first.bias",
        "inner.block.steps.0.kernel", "inner.block.steps.0.bias",
        "inner.block.steps.1.kernel", "inner.block.steps.1.bias",
        "inner.block.private.kernel", "inner.block.private.bias",
        "inner.block.branches.left.kernel", "inner.block.branches.left.bias",
        "inner.block.branches.right.0.kernel",
    ]  # fmt: skip


def test_the_attention_layer_has_readable_names() -> None:
    x = Input((3, 4))
    model = Model(x, layers.MultiHeadAttention(1, 2, name="attention")(x, x))
    parts = {name.removeprefix("attention.").partition(".")[0] for name in named_variables(model)}
    assert parts == {"query_dense", "key_dense", "value_dense", "output_dense"}


def test_every_weight_is_named_once() -> None:
    x = Input((3,))
    shared = layers.Dense(3, name="shared")
    inner = Sequential([Input((3,)), shared], name="inner")
    model = Model(x, [inner(shared(x)), layers.BatchNormalization(name="norm")(x)])
    named = named_variables(model)
    assert len(set(map(id, named.values()))) == len(named)
    assert set(named.values()) == set(model.weights)
    assert {name for name in named if "kernel" in name} == {"inner.shared.kernel"} or {
        name for name in named if "kernel" in name
    } == {"shared.kernel"}


def test_random_states_are_no_weights() -> None:
    model = Sequential([Input((3,)), layers.Dropout(0.5), layers.Dense(2, name="d")])
    assert list(named_variables(model)) == ["d.kernel", "d.bias"]


def test_no_name_is_the_beginning_of_another() -> None:
    """So that the names split at the dots make a nested dict."""

    class Clashing(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.a = self.add_weight(shape=(1,), name="a")
            self._a = self.add_weight(shape=(2,), name="a")
            self.b = self.add_weight(shape=(3,), name="b")
            self.__dict__["_b"] = [layers.Dense(1, name="x")]
            self.__dict__["_b"][0].build((None, 1))
            self.add_weight(shape=(4,), name="loose")
            self.add_weight(shape=(5,), name="loose")

    layer = Clashing()
    layer.build((None, 1))
    named = named_variables(layer)
    assert len(named) == len(layer.weights) == 7
    assert [tuple(v.shape) for v in named.values()][:3] == [(1,), (2,), (3,)]
    for name in named:
        assert not any(other.startswith(f"{name}.") for other in named)


def test_dots_in_names_of_layers_do_not_confuse() -> None:
    x = Input((2,))
    one = Sequential([layers.Dense(2, name="b.c")], name="a")
    two = layers.Dense(2, name="a.b.c")
    named = named_variables(Model(x, two(one(x))))
    assert len(named) == 4
    assert len({tuple(name.split(".")) for name in named}) == 4


def test_the_order_is_the_same_each_time() -> None:
    def names() -> list[str]:
        x = Input((2,))
        layers_ = [layers.Dense(2, name=f"d{i}") for i in range(12)]
        y = x
        for layer in layers_:
            y = layer(y)
        return list(named_variables(Model(x, y)))

    assert names() == names()
    assert names()[::2] == [f"d{i}.kernel" for i in range(12)]


def test_scalars_too() -> None:
    class Scale(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight(shape=(), initializer="ones", name="factor")

    layer = Scale()
    layer.build((None, 1))
    assert {name: np.shape(v.numpy()) for name, v in named_variables(layer).items()} == {"factor": ()}
