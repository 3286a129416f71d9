"""Whole models in every shape that files know, made alike from `kbridge` and from `keras`: a table.

Own classes are registered in the library that they are made from, under the same names.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np


@functools.cache
def own_classes(K: Any) -> SimpleNamespace:
    """Classes and functions of a user."""
    layers, register = K.layers, K.saving.register_keras_serializable("structures")

    @register
    class Lists(K.Model):
        """Layers in lists, dicts and lists of dicts, a private one, a shared one, a weight of its own."""

        def __init__(self, units: int = 3, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.blocks = [layers.Dense(units), layers.Dense(units)]
            self.named = {"x": layers.Dense(2), "y": [layers.Dense(1), {"z": layers.Dense(2)}]}
            self._private = layers.Dense(1)
            self.alpha = self._private
            self.zeta = layers.Dense(2)
            self.offset = self.add_weight(shape=(2,), initializer="zeros", name="offset")

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

        def call(self, inputs: Any) -> Any:
            for block in self.blocks:
                inputs = block(inputs)
            once, twice = self.named["y"]
            joined = self.named["x"](inputs) + once(inputs) + self._private(inputs) + self.offset
            return twice["z"](self.zeta(joined))

    @register
    class Hidden(layers.Layer):
        """A private layer behind a property; weights made in an order that isn't the stored one."""

        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self._inner = layers.Dense(units)
            self.outer = layers.Dense(2)

        @property
        def shown(self) -> Any:
            return self._inner

        @property
        def broken(self) -> Any:
            raise RuntimeError("has no value now")

        def build(self, input_shape: Any) -> None:
            self._inner.build(input_shape)
            self.outer.build((None, self.units))
            self.mean = self.add_weight(shape=(2,), initializer="ones", trainable=False, name="mean")
            self.scale = self.add_weight(shape=(2,), initializer="ones", name="scale")
            self.built = True

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

        def call(self, inputs: Any) -> Any:
            return self.outer(self._inner(inputs)) * self.scale + self.mean

    @register
    class GraphAndMore(K.Model):
        """Its constructor makes a graph; a layer beside the graph."""

        def __init__(self, units: int) -> None:
            x = K.Input((3,))
            super().__init__(x, layers.Dense(units)(x))
            self.units = units
            self.extra = layers.Dense(7)
            self.extra.build((None, 3))

        def get_config(self) -> dict[str, Any]:
            return {"units": self.units}

    @register
    class OwnStep(K.Model):
        """Made from a graph by its user, with a training step of its own."""

        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    @K.saving.register_keras_serializable("structures", name="doubled")
    def twice(x: Any) -> Any:
        return x * 2.0

    return SimpleNamespace(Lists=Lists, Hidden=Hidden, GraphAndMore=GraphAndMore, OwnStep=OwnStep, twice=twice)


def called(model: Any, *shape: int) -> Any:
    """The model, built by a call."""
    model(np.ones(shape, "float32"))
    return model


def functional(K: Any) -> Any:
    x = K.Input((4,), name="x")
    y = K.layers.Dense(3, activation="relu", kernel_regularizer=K.regularizers.L2(0.1), name="a")(x)
    return K.Model(x, K.layers.Concatenate()([K.layers.Dense(2)(y), (y + 1.0)[:, 1:], K.ops.softmax(y)]))


def shared(K: Any) -> Any:
    x, again = K.Input((3,)), K.layers.Dense(3, name="again")
    y = again(again(x))
    return K.Model([x], [y, K.layers.Dense(3)(y)])


def shared_across(K: Any) -> Any:
    """One layer in two models that are both parts of a third."""
    inner = K.layers.Dense(3)
    x, y = K.Input((3,)), K.Input((3,))
    one, two = K.Model(x, inner(x)), K.Sequential([y, inner, K.layers.ReLU()])
    z = K.Input((3,))
    return K.Model(z, [one(z), two(z)])


def nested(K: Any) -> Any:
    x = K.Input((4,))
    inner = K.Model(x, K.layers.Dense(4)(x), name="inner")
    y = K.Input((4,))
    return K.Model(y, [inner(inner(y)), K.Sequential([K.layers.Dense(2), K.layers.Dense(1)])(inner(y))])


def branches(K: Any) -> Any:
    """Layers of one class at different distances from the output: the numbering follows the distance."""
    x = K.Input((4,))
    a, b, c = (K.layers.Dense(4, name=name) for name in "abc")
    long = c(b(x))
    short = a(x)
    return K.Model(x, K.layers.Add()([short, K.layers.Dense(4, name="d")(long), x]))


def cut(K: Any) -> Any:
    """A model from the middle of a graph."""
    x = K.Input((3,))
    y = K.layers.Dense(4)(x)
    return K.Model(y, K.layers.Dense(2)(y))


def dicts(K: Any) -> Any:
    b, a = K.Input((3,), name="b"), K.Input((3,), name="a")
    return K.Model({"b": b, "a": a}, {"z": K.layers.Dense(1)(b), "y": [K.layers.Dense(2)(a)]})


def states(K: Any) -> Any:
    x = K.Input((5, 4))
    sequence, hidden, cell = K.layers.LSTM(3, return_sequences=True, return_state=True)(x)
    return K.Model(x, {"sequence": sequence, "states": [hidden, cell]})


def masks(K: Any) -> Any:
    x = K.Input((5,), dtype="int32")
    return K.Model(x, K.layers.GRU(3)(K.layers.Embedding(9, 4, mask_zero=True)(x)))


def frozen(K: Any) -> Any:
    x = K.Input((3,))
    return K.Model(x, K.layers.Dense(2)(K.layers.Dense(3, trainable=False)(x)))


def thawed_within(K: Any) -> Any:
    model = K.Sequential([K.Input((3,)), K.layers.Dense(3), K.layers.BatchNormalization()])
    model.trainable = False
    model.layers[0].trainable = True
    return model


def activations(K: Any) -> Any:
    x = K.Input((3,))
    y = K.layers.Dense(3, activation=own_classes(K).twice)(x)
    y = K.layers.Dense(3, activation=K.activations.tanh)(y)
    return own_classes(K).OwnStep(x, K.layers.Activation("gelu")(y))


def half(K: Any) -> Any:
    return K.Sequential([K.Input((4,)), K.layers.Dense(3, dtype="bfloat16"), K.layers.Dense(2, dtype="float16")])


def mixed(K: Any) -> Any:
    x = K.Input((4,))
    return K.Model(x, K.layers.Dense(2, dtype="mixed_bfloat16")(x))


def hidden(K: Any) -> Any:
    x = K.Input((3,))
    return K.Model(x, own_classes(K).Hidden(5)(x))


STRUCTURES: dict[str, Callable[[Any], Any]] = {
    "functional": functional,
    "sequential": lambda K: K.Sequential([K.Input((5,)), K.layers.Dense(3), K.layers.Dropout(0.5), K.layers.Dense(1)]),
    "deferred sequential": lambda K: called(K.Sequential([K.layers.Dense(3), K.layers.Dense(1)]), 1, 4),
    "shared layer": shared,
    "layer shared across models": shared_across,
    "nested models": nested,
    "branches": branches,
    "cut from a graph": cut,
    "dicts": dicts,
    "several outputs of a layer": states,
    "masks": masks,
    "frozen": frozen,
    "thawed within": thawed_within,
    "activations": activations,
    "half precision": half,
    "mixed precision": mixed,
    "lists of layers": lambda K: called(own_classes(K).Lists(4), 1, 3),
    "private layers": hidden,
    "graph and more": lambda K: own_classes(K).GraphAndMore(4),
}  # fmt: skip


def inputs_of(model: Any) -> Any:
    """Arrays to call a model with, nested as it wants them."""
    rng = np.random.default_rng(3)

    def array(tensor: Any) -> np.ndarray:
        shape = (2, *tensor.shape[1:])
        return rng.integers(0, 5, shape) if "int" in tensor.dtype else rng.normal(size=shape).astype("float32")

    struct = getattr(model, "_inputs_struct", None)
    if struct is None and not getattr(model, "inputs", None):
        return rng.normal(size=(2, 3)).astype("float32")
    if isinstance(struct, dict):
        return {name: array(struct[name]) for name in sorted(struct)}
    arrays = [array(tensor) for tensor in model.inputs]
    return arrays if isinstance(struct, (list, tuple)) else arrays[0]


def scatter(model: Any) -> None:
    """Give a model weights that no initializer gives."""
    rng = np.random.default_rng(4)
    for variable in model.weights:
        variable.assign(np.abs(rng.normal(size=variable.shape)))
