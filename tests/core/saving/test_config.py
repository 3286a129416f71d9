"""Objects as JSON: Keras's names for them, what is shared, what users register."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
from keras.src.api_export import get_name_from_symbol
from keras.src.utils.naming import to_snake_case

import kbridge
from kbridge import Input, Model, Sequential, activations, initializers, layers, models, saving
from kbridge.core import registry
from kbridge.core.errors import LoadError
from kbridge.core.naming import snake_case
from kbridge.core.saving.config import KERAS_MODULES

STORED = ("layers", "models", "initializers", "regularizers", "losses", "metrics", "optimizers", "optimizers.schedules")


def public_classes() -> list[tuple[str, str]]:
    return [
        (kind, name)
        for kind in STORED
        for name, found in registry.public_names(kind).items()
        if isinstance(found, type) and found.__name__ == name
    ]


@pytest.mark.parametrize(("kind", "name"), public_classes())
def test_classes_are_called_as_keras_calls_them(kind: str, name: str) -> None:
    theirs = keras
    for part in kind.split("."):
        theirs = getattr(theirs, part)
    if name == "Functional":  # Keras doesn't export it, and writes where it lies
        assert KERAS_MODULES[name] == keras.src.models.Functional.__module__
        return
    canonical = get_name_from_symbol(getattr(theirs, name)).rpartition(".")
    assert (KERAS_MODULES.get(name, f"keras.{kind}"), name) == (canonical[0], canonical[2])


@pytest.mark.parametrize(("kind", "name"), public_classes())
def test_snake_case_is_that_of_keras(kind: str, name: str) -> None:
    """Paths in files are made of it."""
    assert snake_case(name) == to_snake_case(name)


@pytest.mark.parametrize("name", ["HTTPServer", "_Private", "A", "ABC1D", "Conv2DTranspose", "MyRNNCell2", "x_Y"])
def test_snake_case_of_own_classes(name: str) -> None:
    assert snake_case(name) == to_snake_case(name)


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype="float32").reshape(2, 3),
        np.array([1, 2], "int64"),
        slice(1, None, 2),
        Ellipsis,
        b"bytes",
        [1, (2.5, "three"), {"four": None}],
        kbridge.DTypePolicy("mixed_bfloat16"),
    ],
)
def test_values_go_both_ways(value: Any) -> None:
    stored = json.loads(json.dumps(saving.serialize_keras_object(value)))
    ours, theirs = saving.deserialize_keras_object(stored), keras.saving.deserialize_keras_object(stored)
    if isinstance(value, kbridge.DTypePolicy):
        assert ours == value
        assert theirs.name == value.name
        return
    np.testing.assert_equal(ours, theirs)
    np.testing.assert_equal(ours, [1, [2.5, "three"], {"four": None}] if isinstance(value, list) else value)
    theirs_stored = json.loads(json.dumps(keras.saving.serialize_keras_object(value)))
    assert stored == theirs_stored


def test_seed_generators_go_both_ways() -> None:
    ours, theirs = (module.random.SeedGenerator(42, name="sg") for module in (kbridge, keras))
    stored = saving.serialize_keras_object(ours)
    assert stored == keras.saving.serialize_keras_object(theirs)
    assert saving.deserialize_keras_object(stored).get_config() == ours.get_config()


def test_a_shared_object_stays_one() -> None:
    start = initializers.Zeros()
    model = Sequential(
        [Input((2,)), layers.Dense(2, kernel_initializer=start), layers.Dense(2, kernel_initializer=start)]
    )
    loaded = models.model_from_json(model.to_json())
    first, second = loaded.layers
    assert first.kernel_initializer is second.kernel_initializer
    assert first.bias_initializer is not second.bias_initializer
    config = json.loads(model.to_json())["config"]["layers"]
    numbers = [layer["config"]["kernel_initializer"]["shared_object_id"] for layer in config[1:]]
    assert numbers == [numbers[0]] * 2
    assert "shared_object_id" not in json.dumps(Sequential([Input((2,)), layers.Dense(2)]).get_config())


def test_a_number_can_not_stand_for_something_else() -> None:
    model = Sequential([Input((2,)), layers.Dense(2), layers.Dense(3)])
    config = json.loads(model.to_json())
    for layer in config["config"]["layers"][1:]:
        layer["config"]["kernel_initializer"]["shared_object_id"] = 1
    config["config"]["layers"][1]["shared_object_id"] = 1
    loaded = models.model_from_json(json.dumps({**config, "shared_object_id": 1}))
    assert type(loaded) is Sequential
    assert type(loaded.layers[0].kernel_initializer) is initializers.GlorotUniform


def test_registered_functions_and_classes() -> None:
    @saving.register_keras_serializable("shop", name="gate")
    def some_function(x: Any) -> Any:
        return x * 3.0

    stored = saving.serialize_keras_object(some_function)
    assert stored == {"module": None, "class_name": "function", "config": "shop>gate", "registered_name": "shop>gate"}
    assert saving.deserialize_keras_object(stored) is some_function
    assert saving.get_registered_name(some_function) == "shop>gate"
    assert saving.get_registered_object("shop>gate") is some_function
    assert saving.get_custom_objects()["shop>gate"] is some_function
    assert keras.saving.deserialize_keras_object(stored, custom_objects={"shop>gate": abs}) is abs


class Tens(initializers.Initializer):
    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        return np.full(shape, 10, dtype)


def doubled(x: Any) -> Any:
    return x * 2


def test_custom_objects_of_one_call() -> None:
    assert isinstance(initializers.deserialize("Tens", {"Tens": Tens}), Tens)
    entry = {"module": None, "class_name": "Tens", "config": {}, "registered_name": "Tens"}
    assert isinstance(initializers.deserialize(entry, {"Tens": Tens}), Tens)
    assert activations.deserialize("doubled", {"doubled": doubled}) is doubled
    with pytest.raises(ValueError, match="Tens"):
        initializers.deserialize("Tens")


def test_get_custom_objects_can_be_filled() -> None:
    saving.get_custom_objects()["thrice"] = lambda x: x * 3.0
    try:
        assert layers.Dense(2, activation="thrice").activation(2.0) == 6.0
    finally:
        del saving.get_custom_objects()["thrice"]
    with pytest.raises(ValueError, match="thrice"):
        layers.Dense(2, activation="thrice")


@pytest.mark.parametrize("name", ["get", "serialize", "deserialize"])
def test_the_tools_of_a_facade_are_no_names(name: str) -> None:
    with pytest.raises(ValueError, match="Unknown name"):
        layers.Dense(2, activation=name)


def test_keras_functions_by_name() -> None:
    """What Keras writes for its own functions, whose module it calls builtins."""
    for function in (keras.losses.mean_squared_error, keras.activations.relu):
        stored = keras.saving.serialize_keras_object(function)
        assert saving.deserialize_keras_object(stored).__name__ == function.__name__


# --- clone_model ----------------------------------------------------------------------------------


def test_clone_model() -> None:
    class Unregistered(layers.Layer):
        def __init__(self, size: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.size = size

        def call(self, inputs: Any) -> Any:
            return inputs * self.size

    def unregistered(x: Any) -> Any:
        return x + 1.0

    x = Input((3,))
    model = Model(x, Unregistered(2)(layers.Dense(2, activation=unregistered, name="d")(x)), name="original")
    model.compile("adam", "mse")
    twin = models.clone_model(model)
    assert twin.name == "original"
    assert not twin.compiled
    assert twin.layers[1] is not model.layers[1]
    assert not set(twin.weights) & set(model.weights)
    twin.set_weights(model.get_weights())
    data = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(twin(data), model(data))
    with pytest.raises(NotImplementedError):
        models.clone_model(model, clone_function=lambda layer: layer)


def test_two_classes_of_one_name_are_not_mixed_up() -> None:
    def make(factor: float) -> Any:
        class Same(layers.Layer):
            def call(self, inputs: Any) -> Any:
                return inputs * factor

        return Same()

    model = Sequential([Input((2,)), make(2.0), make(3.0)])
    with pytest.raises(ValueError, match="Two different things are called 'Same'"):
        models.clone_model(model)


def test_model_from_json() -> None:
    model = Sequential([Input((3,)), layers.Dense(2)], name="m")
    twin = models.model_from_json(model.to_json())
    assert json.loads(twin.to_json()) == json.loads(model.to_json())
    assert keras.models.model_from_json(model.to_json()).count_params() == 8
    theirs = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert models.model_from_json(theirs.to_json()).count_params() == 8
    with pytest.raises(LoadError, match="JSON object"):
        models.model_from_json("3")
