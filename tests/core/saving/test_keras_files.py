"""`.keras` files both ways: the installed Keras writes and kbridge reads, kbridge writes and Keras reads."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import kbridge
from kbridge import Input, Sequential, config, layers, saving
from kbridge.core.errors import LoadError
from tests.conftest import TOLERANCE
from tests.core.saving.structures import STRUCTURES, inputs_of, own_classes, scatter
from tests.rows.layers import ROWS, Row
from tests.rows.running import host, leaves, restart

# Where the installed Keras contradicts itself, so that it can't judge.
CONTRADICTS_ITSELF = {
    "layer shared across models": "Keras marks the second place as shared and not the first; it can't load it either",
    "conv2d channels_first": "on TensorFlow and CPU, calling the model and `predict` give different numbers",
    "attention masked queries": "fused and unfused attention answer differently for queries that are masked",
}


@pytest.fixture(autouse=True)
def quiet_keras() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="When providing `inputs` as a dict")
        yield


def outputs(model: Any, inputs: Any) -> list[np.ndarray]:
    return [
        np.asarray(leaf).astype("float32")
        for leaf in leaves(keras.tree.map_structure(keras.ops.convert_to_numpy, model(inputs)))
    ]


def ours(model: Any, inputs: Any) -> list[np.ndarray]:
    return [leaf.astype("float32") for leaf in host(model(inputs))]


def assert_close(got: list[np.ndarray], expected: list[np.ndarray], dtype: str = "float32") -> None:
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, TOLERANCE[dtype], TOLERANCE[dtype])


def precision(name: str) -> str:
    return "bfloat16" if "precision" in name else "float32"


def contents(path: Path) -> dict[str, Any]:
    """What is stored under which path: shape and type; groups with their names, numbers in names aside."""
    found: dict[str, Any] = {}
    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:

        def note(key: str, item: Any) -> None:
            name = item.attrs.get("name", "").rstrip("_0123456789")
            found[key] = (item.shape, item.dtype.str, item.attrs.get("dtype")) if hasattr(item, "shape") else name

        file.visititems(note)
    return found


@pytest.mark.parametrize("name", STRUCTURES)
def test_files_of_keras_load_on_every_backend(name: str, backend: str, tmp_path: Path) -> None:
    if name in CONTRADICTS_ITSELF:
        pytest.skip(CONTRADICTS_ITSELF[name])
    path = tmp_path / "model.keras"
    own_classes(kbridge)
    theirs = STRUCTURES[name](keras)
    scatter(theirs)
    theirs.save(path)
    inputs = inputs_of(theirs)
    loaded = saving.load_model(path)
    assert_close(ours(loaded, inputs), outputs(theirs, inputs), precision(name))
    assert [v.trainable for v in loaded.weights] == [v.trainable for v in theirs.weights]
    if "layers" in theirs.get_config():
        assert [layer.name for layer in loaded.layers] == [layer.name for layer in theirs.layers]


@pytest.mark.parametrize("name", STRUCTURES)
def test_keras_loads_our_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    own_classes(keras)
    model = STRUCTURES[name](kbridge)
    scatter(model)
    model.save(path)
    inputs = inputs_of(model)
    theirs = keras.saving.load_model(path)
    assert_close(outputs(theirs, inputs), ours(model, inputs), precision(name))
    assert [v.trainable for v in theirs.weights] == [v.trainable for v in model.weights]


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_same_model_makes_the_same_file(name: str, tmp_path: Path) -> None:
    """Same members, same paths, same shapes and types, same names as Keras writes."""
    first, second = tmp_path / "theirs.keras", tmp_path / "ours.keras"
    STRUCTURES[name](keras).save(first)
    STRUCTURES[name](kbridge).save(second)
    with zipfile.ZipFile(first) as a, zipfile.ZipFile(second) as b:
        assert a.namelist() == b.namelist()
        assert {i.compress_type for i in b.infolist()} == {zipfile.ZIP_STORED}
        assert json.loads(a.read("metadata.json")).keys() == json.loads(b.read("metadata.json")).keys()
    expected, found = contents(first), contents(second)
    if name == "cut from a graph":  # Keras made an Input of its own for it; we do when writing
        expected = {key: value for key, value in expected.items() if "input_layer" not in key}
    assert found == expected


@pytest.mark.parametrize("name", STRUCTURES)
def test_loading_and_saving_again_changes_nothing(name: str, tmp_path: Path) -> None:
    model = STRUCTURES[name](kbridge)
    scatter(model)
    model.save(tmp_path / "a.keras")
    again = saving.load_model(tmp_path / "a.keras")
    again.save(tmp_path / "b.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as a, zipfile.ZipFile(tmp_path / "b.keras") as b:
        assert json.loads(a.read("config.json")) == json.loads(b.read("config.json"))
    for one, other in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def around(K: Any, row: Row) -> tuple[Any, Any]:
    """The row's layer, and a functional model that is one call of it."""
    flat: list[Any] = []

    def symbol(spec: Any) -> Any:
        batch = None if row.batch else spec.shape[0]
        flat.append(K.Input(batch_shape=(batch, *spec.shape[1:]), dtype=spec.dtype))
        return flat[-1]

    args, kwargs = row.filled(symbol)
    layer = row.make(K)
    return layer, K.Model(flat, layer(*args, **kwargs))


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_every_layer_goes_both_ways(row: Row, tmp_path: Path) -> None:
    if row.gap or row.name in CONTRADICTS_ITSELF:
        pytest.skip(row.gap or CONTRADICTS_ITSELF[row.name])
    path = tmp_path / "model.keras"
    layer, theirs = around(keras, row)
    layer.set_weights(row.weights_for(layer))
    theirs.save(path)
    inputs = [leaf for leaf in leaves(row.arrays()) if isinstance(leaf, np.ndarray)]
    expected = outputs(theirs, inputs)
    _, fresh = around(kbridge, row)  # before loading: it registers what the row has of its own
    loaded = saving.load_model(path)
    restart(loaded)
    assert_close(ours(loaded, inputs), expected)
    restart(loaded)
    fresh.set_weights(loaded.get_weights())
    for model in (loaded, fresh):
        model.save(path)
        assert_close(outputs(keras.saving.load_model(path), inputs), expected)


# --- compiled models ------------------------------------------------------------------------------

COMPILED = {
    "names": lambda K: {"optimizer": "adam", "loss": "mse", "metrics": ["mae"]},
    "objects": lambda K: {
        "optimizer": K.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        "loss": K.losses.BinaryCrossentropy(label_smoothing=0.1),
        "metrics": [K.metrics.BinaryAccuracy(name="right", threshold=0.4), K.metrics.MeanSquaredError()],
    },
    "functions": lambda K: {
        "optimizer": K.optimizers.RMSprop(0.01),
        "loss": K.losses.mean_squared_error,
        "metrics": [K.metrics.mean_absolute_error],
    },
    "schedule": lambda K: {
        "optimizer": K.optimizers.AdamW(K.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)), "loss": "mse",
    },
    "loss weights": lambda K: {"optimizer": "sgd", "loss": ["mse"], "loss_weights": [0.5], "weighted_metrics": ["mae"]},
}  # fmt: skip
X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = (np.random.default_rng(1).random((8, 2)) > 0.5).astype("float32")


def trained(K: Any, how: str) -> Any:
    model = K.Sequential([K.Input((4,)), K.layers.Dense(3, activation="tanh"), K.layers.Dense(2, activation="sigmoid")])
    model.compile(**COMPILED[how](K))
    model.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    return model


def state(optimizer: Any) -> list[np.ndarray]:
    return [np.asarray(v.numpy()) for v in optimizer.variables]


@pytest.mark.parametrize("home", ["jax", "torch", "tensorflow"])
@pytest.mark.parametrize("how", COMPILED)
def test_training_goes_on_where_keras_left_it(how: str, home: str, tmp_path: Path) -> None:
    """Optimizer, its state, loss and metrics arrive: the next epoch here is the next epoch there."""
    path = tmp_path / "model.keras"
    theirs = trained(keras, how)
    theirs.save(path)
    with config.backend_scope(home):
        loaded = saving.load_model(path)
        for a, b in zip(state(loaded.optimizer), state(theirs.optimizer), strict=True):
            np.testing.assert_array_equal(a, b)
        history = loaded.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0).history
    expected = theirs.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0).history
    assert history.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(history[key], values, 1e-4, err_msg=key)
    assert_close(ours(loaded, X), outputs(theirs, X))


@pytest.mark.parametrize("how", COMPILED)
def test_training_goes_on_in_keras(how: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with config.backend_scope("jax"):
        model = trained(kbridge, how)
        model.save(path)
        theirs = keras.saving.load_model(path)
        for a, b in zip(state(theirs.optimizer), state(model.optimizer), strict=True):
            np.testing.assert_array_equal(a, b)
        history = model.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0).history
    expected = theirs.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0).history
    for key, values in expected.items():
        np.testing.assert_allclose(history[key], values, 1e-4, err_msg=key)


@pytest.mark.parametrize("K", [keras, kbridge], ids=["keras", "kbridge"])
def test_a_compiled_model_that_never_trained(K: Any, tmp_path: Path) -> None:
    """Its optimizer has no slots in the file; here it gets them, empty."""
    path = tmp_path / "model.keras"
    model = K.Sequential([K.Input((4,)), K.layers.Dense(2)])
    model.compile("adam", "mse")
    model.save(path)
    loaded = saving.load_model(path)
    assert len(loaded.optimizer.variables) == 6
    assert all((v == 0).all() for v in state(loaded.optimizer)[2:])


def test_compile_false_leaves_training_out(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    theirs = trained(keras, "names")
    theirs.save(path)
    loaded = saving.load_model(path, compile=False)
    assert not loaded.compiled
    assert loaded.optimizer is None
    assert_close(ours(loaded, X), outputs(theirs, X))


def test_compile_false_loads_what_names_an_unknown_loss(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"

    @keras.saving.register_keras_serializable("unknown")
    def odd_loss(y: Any, y_pred: Any) -> Any:
        return keras.ops.mean(y - y_pred)

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("sgd", odd_loss)
    outer = keras.Sequential([keras.Input((4,)), model])  # compiled inside, too
    for each in (model, outer):
        each.save(path)
        with pytest.raises(LoadError, match="odd_loss"):
            saving.load_model(path)
        assert_close(ours(saving.load_model(path, compile=False), X), outputs(each, X))


# --- the rest of the door -------------------------------------------------------------------------


def test_options_that_kbridge_lacks_are_refused_only_when_on(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    x = keras.Input((4,))
    keras.Model(x, keras.layers.BatchNormalization()(x)).save(path)
    saving.load_model(path)
    keras.Model(x, keras.layers.BatchNormalization(renorm=True)(x)).save(path)
    with pytest.raises(LoadError, match="renorm=True"):
        saving.load_model(path)


def test_custom_objects(tmp_path: Path) -> None:
    class Unregistered(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + 1.0

    path = tmp_path / "model.keras"
    model = Sequential([Input((2,)), Unregistered()])
    model.save(path)
    with pytest.raises(LoadError, match=r"Unregistered.*custom_objects=\{'Unregistered'"):
        saving.load_model(path)
    zeros = np.zeros((1, 2), "float32")
    loaded = saving.load_model(path, custom_objects={"Unregistered": Unregistered})
    np.testing.assert_array_equal(host(loaded(zeros))[0], zeros + 1)
    with saving.custom_object_scope({"Unregistered": Unregistered}):
        saving.load_model(path)
    with saving.CustomObjectScope({"Unregistered": Unregistered}):
        saving.load_model(path)


def test_files_in_memory(tmp_path: Path) -> None:
    model, memory = Sequential([Input((2,)), layers.Dense(3)]), io.BytesIO()
    saving.save_model(model, memory)
    np.testing.assert_array_equal(saving.load_model(memory).get_weights()[0], model.get_weights()[0])


def test_an_unbuilt_model_is_saved_with_a_warning(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="isn't built"):
        Sequential([layers.Dense(3)]).save(tmp_path / "model.keras")
    loaded = saving.load_model(tmp_path / "model.keras")
    assert not loaded.built
    assert loaded(np.ones((1, 2), "float32")).shape == (1, 3)


class Halved:
    def __call__(self, weights: Any) -> Any:
        return weights * 0.5


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Sequential([Input((2,)), layers.Dense(3, activation=lambda x: x)]), "lambda"),
        (lambda: Sequential([Input((2,)), layers.Dense(3, bias_constraint=Halved())]), "no get_config"),
    ],
    ids=["lambda", "object"],
)
def test_what_can_not_be_read_again_is_not_written(make: Any, said: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(b"old")
    with pytest.raises(TypeError, match=said):
        make().save(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_constructor_that_takes_no_name_and_no_dtype(tmp_path: Path) -> None:
    """Keras writes both into the config and can't load what it wrote; the classes are common in examples."""

    @saving.register_keras_serializable("plain")
    class Plain(layers.Layer):
        def __init__(self, units: int) -> None:
            super().__init__()
            self.units, self.inner = units, layers.Dense(units)

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    x = Input((3,))
    model = kbridge.Model(x, Plain(2)(x))
    model.save(tmp_path / "model.keras")
    data = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(saving.load_model(tmp_path / "model.keras")(data), model(data))


def test_no_starting_value_is_drawn_in_vain(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "model.keras"
    model = Sequential([Input((3,)), layers.Dense(2), layers.Dense(4)])
    model.save(path)
    monkeypatch.setattr(kbridge.initializers.GlorotUniform, "__call__", lambda *args, **kwargs: pytest.fail("drawn"))
    for a, b in zip(saving.load_model(path).weights, model.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_weights_that_a_layer_does_not_store_start_as_always(tmp_path: Path) -> None:
    @saving.register_keras_serializable("forgetful")
    class Forgetful(layers.Layer):
        """Keeps one of its two weights."""

        def build(self, input_shape: Any) -> None:
            start = kbridge.initializers.RandomNormal(seed=5)
            self.kept = self.add_weight(shape=(3,), initializer=start, name="kept")
            self.lost = self.add_weight(shape=(3,), initializer=start, name="lost")

        def call(self, inputs: Any) -> Any:
            return inputs * self.kept + self.lost

        def save_own_variables(self, store: Any) -> None:
            store["0"] = self.kept.numpy()

        def load_own_variables(self, store: Any) -> None:
            self.kept.assign(store["0"])

    path = tmp_path / "model.keras"
    model = Sequential([Input((3,)), Forgetful()])
    first = model.layers[0].lost.numpy()
    scatter(model)
    model.save(path)
    loaded = saving.load_model(path).layers[0]
    np.testing.assert_array_equal(loaded.kept.numpy(), model.layers[0].kept.numpy())
    np.testing.assert_array_equal(loaded.lost.numpy(), first)
