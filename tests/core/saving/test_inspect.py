"""What `inspect_file` tells, held against the built model; and that it builds nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kbridge
from kbridge import Input, Sequential, layers
from kbridge.core.errors import LoadError
from kbridge.core.layers.base import Layer
from kbridge.core.saving.inspect import inspect_file
from tests.core.saving.structures import STRUCTURES, own_classes
from tests.core.saving.test_hostile import config_of_small, entry, layer_in, write

LISTED = [name for name in STRUCTURES if name not in ("lists of layers", "graph and more")]  # what configs list


def flat(model: Any) -> list[Any]:
    """The layers of a model, those of models in it after each of these."""
    found = []
    for layer in model.layers:
        found.append(layer)
        if hasattr(layer, "get_layer"):
            found += flat(layer)
    return found


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("K", [keras, kbridge], ids=["keras", "kbridge"])
def test_whole_files(K: Any, name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    model = STRUCTURES[name](K)
    model.save(path)
    report = inspect_file(path)
    assert (report.format, report.keras_version, report.refused) == ("keras", "3.15.1", "")
    assert report.class_name == type(model).__name__
    assert report.count == model.count_params()
    assert sum(weight.count for weight in report.other) == 0
    shapes = sorted(weight.shape for layer in report.layers for weight in layer.weights)
    assert shapes == sorted(tuple(v.shape) for v in model.weights)
    if name not in LISTED:
        return
    assert report.name == model.name
    told = {layer.name: layer for layer in report.layers}
    for layer in flat(model):
        known = told[layer.name]
        assert known.class_name == type(layer).__name__
        if "InputLayer" not in known.class_name and "models" not in type(layer).__module__:
            assert known.dtype == layer.dtype_policy.name
            assert known.weights == () or sorted(w.shape for w in known.weights) == sorted(
                tuple(v.shape) for v in layer.weights
            )
        shape = layer.output.shape if hasattr(layer.output, "shape") else layer.output[0].shape
        if known.output_shape is not None and known.depth == 0:
            assert known.output_shape[1:] == tuple(shape)[1:]


def test_shapes_that_the_config_tells(tmp_path: Path) -> None:
    x = Input((8, 8, 3), name="image")
    y = layers.Conv2D(4, 3, name="conv")(x)
    y = layers.Flatten(name="flat")(y)
    y = layers.Dense(5, name="dense")(y)
    kbridge.Model(x, layers.Softmax(name="out")(y)).save(tmp_path / "m.keras")
    shapes = {layer.name: layer.output_shape for layer in inspect_file(tmp_path / "m.keras").layers}
    assert shapes == {
        "image": (None, 8, 8, 3), "conv": (None, 6, 6, 4), "flat": (None, 144), "dense": (None, 5), "out": (None, 5),
    }  # fmt: skip


def test_the_optimizers_state_is_no_layer(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(np.ones((2, 3)), np.ones((2, 2)), verbose=0)
    for name in ("m.keras", "m.weights.h5"):
        (model.save if name == "m.keras" else model.save_weights)(tmp_path / name)
        report = inspect_file(tmp_path / name)
        assert report.count == 8
        assert sum(weight.count for weight in report.other) == 2 + 2 * 8


@pytest.mark.parametrize("ending", [".weights.h5", ".safetensors"])
def test_files_of_weights(ending: str, tmp_path: Path) -> None:
    model = Sequential([Input((3,)), layers.Dense(2, name="a"), layers.Dense(4, dtype="bfloat16", name="b")])
    path = tmp_path / f"m{ending}"
    model.save_weights(path)
    report = inspect_file(path)
    assert report.format == ending[1:]
    assert [(layer.dtype, layer.count) for layer in report.layers] == [("float32", 8), ("bfloat16", 12)]
    assert {w.shape for layer in report.layers for w in layer.weights} == {(3, 2), (2,), (2, 4), (4,)}
    if ending == ".safetensors":
        assert [layer.name for layer in report.layers] == ["a", "b"]


def test_unknown_classes_are_listed_and_not_needed(tmp_path: Path) -> None:
    config = config_of_small()
    layer_in(config)["config"]["kernel_initializer"] = entry("somewhere", "Odd")
    config["config"]["layers"].append(entry("somewhere.else", "Mine", {"name": "mine"}, "pack>Mine"))
    report = inspect_file(write(tmp_path / "m.keras", config))
    assert report.unknown == ("somewhere.Odd", "somewhere.else.Mine")
    assert [layer.name for layer in report.layers] == ["x", "dense", "mine"]
    assert report.layers[1].weights[0].shape == (3, 2)


def test_a_file_that_kbridge_refuses_says_why(tmp_path: Path) -> None:
    config = config_of_small()
    config["config"]["layers"].append(entry("keras.layers", "Lambda", {"function": ["code"], "name": "l"}))
    report = inspect_file(write(tmp_path / "m.keras", config))
    assert "carries code" in report.refused
    assert [layer.class_name for layer in report.layers] == ["InputLayer", "Dense", "Lambda"]


def test_nothing_is_built(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "m.keras"
    own_classes(keras)
    STRUCTURES["nested models"](keras).save(path)

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a layer was made")

    monkeypatch.setattr(Layer, "__init__", fail)
    assert len(inspect_file(path).layers) == 8


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"class_name": "X", "config": {"layers": [{"class_name": "D", "config": {"name": 3}}]}},
        {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {"dtype": [1]}}]}},
    ],
)
def test_strange_configs_still_tell_the_weights(config: Any, tmp_path: Path) -> None:
    report = inspect_file(write(tmp_path / "m.keras", config))
    assert report.count + sum(weight.count for weight in report.other) == 8


@pytest.mark.parametrize(
    "config",
    [
        {"class_name": "X", "config": {"layers": 3}},
        {"class_name": "X", "config": {"layers": [entry("a", "B", [1])]}},
        {"class_name": "X", "config": [1]},
    ],
)
def test_broken_configs_are_one_clear_error(config: Any, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"m\.keras has a config that can't be read"):
        inspect_file(write(tmp_path / "m.keras", config))


def test_metadata_is_optional(tmp_path: Path) -> None:
    import zipfile

    whole, path = write(tmp_path / "whole.keras", config_of_small()), tmp_path / "m.keras"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as archive:
        for name in ("config.json", "model.weights.h5"):
            archive.writestr(name, source.read(name))
    report = inspect_file(path)
    assert (report.keras_version, report.date_saved, report.count) == ("", "", 8)
    assert json.dumps(report.unknown) == "[]"
