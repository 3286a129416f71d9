"""The installed Keras as oracle: names, arguments, configs, weights, outputs and files of layers."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kbridge
from kbridge.saving import load_model
from tests.conftest import TOLERANCE
from tests.rows.layers import ROWS, Row
from tests.rows.running import built, host, leaves, run

WITHIN = TOLERANCE["float32"]
COMPARED = [row for row in ROWS if not row.gap]
LAYERS = sorted(
    name for name, found in vars(kbridge.layers).items() if inspect.isclass(found) and hasattr(keras.layers, name)
)
# Arguments that Keras's configs leave out, though its constructors take them.
ONLY_OURS = {"SimpleRNN": {"seed"}}
# Entries of Keras's configs for features that kbridge doesn't have: their value is None or "off".
ONLY_KERAS = {"Dense": {"quantization_config"}}


def for_rows(rows: list[Row]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


def keras_twin(row: Row, layer: Any) -> Any:
    """Keras's layer of the row, with our layer's weights."""
    theirs = row.make(keras)
    args, kwargs = row.arrays()
    theirs(*args, **kwargs)
    assert [w.shape for w in theirs.get_weights()] == [w.shape for w in layer.get_weights()]
    theirs.set_weights(layer.get_weights())
    for inner in theirs._flatten_layers():
        if hasattr(inner, "reset_state"):
            inner.reset_state()
    return theirs


def assert_close(got: Any, expected: Any) -> None:
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, WITHIN, WITHIN)


# --- names, arguments, configs ---------------------------------------------------------------------


def parameters(kind: Any) -> dict[str, Any]:
    found = inspect.signature(kind.__init__).parameters.values()
    return {p.name: p.default for p in found if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"}


def plain(default: Any) -> Any:
    """Equal defaults in one form: 2, (2, 2) and ((2, 2), (2, 2)) say the same."""
    while isinstance(default, tuple) and len(set(default)) == 1:
        default = default[0]
    return default


@pytest.mark.parametrize("name", [n for n in LAYERS if n not in ("Layer", "InputLayer")])
def test_arguments_are_those_of_keras(name: str) -> None:
    """The same names in the same order with the same defaults."""
    ours, theirs = parameters(getattr(kbridge.layers, name)), parameters(getattr(keras.layers, name))
    later = {k for k in theirs if k not in ours}
    assert later <= {"lora_rank", "lora_alpha", "quantization_config"}, "missing"
    assert list(ours) == [k for k in theirs if k in ours]
    assert {k: plain(v) for k, v in ours.items()} == {k: plain(theirs[k]) for k in ours}


def test_call_arguments_are_those_of_keras() -> None:
    for name in LAYERS:
        if name in ("Layer", "InputLayer"):
            continue
        ours = list(inspect.signature(getattr(kbridge.layers, name).call).parameters)
        theirs = list(inspect.signature(getattr(keras.layers, name).call).parameters)
        assert [name for name in ours if name in theirs] == [name for name in theirs if name in ours]
        # the base class takes `training` for all; Keras's merges find the masks of their inputs otherwise
        assert set(ours) ^ set(theirs) <= {"training", "mask", "kwargs"}, name


@for_rows([row for row in COMPARED if not isinstance(row.make(kbridge), kbridge.Model)])
def test_configs_interchange(row: Row) -> None:
    """The same keys; each side builds the other's config, and gives it back as it got it."""
    ours, theirs = row.make(kbridge), row.make(keras)
    name = type(ours).__name__
    our_config, their_config = stored(ours), stored(theirs)
    for key in ONLY_OURS.get(name, ()):
        assert our_config.pop(key) is None
    for key in ONLY_KERAS.get(name, ()):
        assert their_config.pop(key) is None
    assert set(our_config) == set(their_config)
    assert stored(type(ours).from_config(their_config)).items() >= their_config.items()
    read = json.loads(json.dumps(our_config))  # Keras writes into what it reads
    assert stored(type(theirs).from_config(read)).items() >= our_config.items()


def stored(layer: Any) -> Any:
    """A layer's config as it comes back from JSON, without what says nothing."""
    return bare(json.loads(json.dumps(layer.get_config())))


def bare(value: Any) -> Any:
    """A config without the arguments of initializers that kbridge doesn't have, and dtypes by name."""
    if isinstance(value, list):
        return [bare(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "DTypePolicy":
        return value["config"]["name"]
    unknown = {k for k in ("input_axes", "output_axes") if value.get(k, 0) is None}
    return {k: bare(v) for k, v in value.items() if k not in unknown}


# --- results ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@for_rows(COMPARED)
def test_outputs(row: Row, training: bool) -> None:
    """The same weights in the same order give the same outputs and the same statistics."""
    if training and row.random:
        pytest.skip("training draws random numbers, and each side its own")
    layer = built(row)
    theirs = keras_twin(row, layer)
    args, kwargs = row.arrays()
    if "training" in inspect.signature(theirs.call).parameters:
        kwargs["training"] = training
    assert_close(host(run(row, layer, "numpy", training)), [np.asarray(y) for y in leaves(theirs(*args, **kwargs))])
    for ours, expected in zip(layer.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, WITHIN, WITHIN)


def functional(K: Any, row: Row, layer: Any) -> Any:
    """A model of the row's layer alone; its inputs are the row's, in order."""
    inputs: list[Any] = []

    def start(spec: Any) -> Any:
        shape = (None if row.batch else spec.shape[0], *spec.shape[1:])
        inputs.append(K.Input(batch_shape=shape, dtype=spec.dtype, name=f"in{len(inputs)}"))
        return inputs[-1]

    args, kwargs = row.filled(start)
    return K.Model(inputs, layer(*args, **kwargs))


@for_rows(COMPARED)
def test_files_from_keras(row: Row, tmp_path: Path) -> None:
    """A `.keras` file that Keras wrote loads here, with equal predictions."""
    layer = built(row)
    theirs = functional(keras, row, keras_twin(row, layer))
    theirs.save(tmp_path / "theirs.keras")
    ours = load_model(tmp_path / "theirs.keras")
    flat = leaves(row.arrays())
    arrays = [leaf for leaf in flat if isinstance(leaf, np.ndarray)]
    assert_close(host(ours(arrays)), [np.asarray(y) for y in leaves(theirs(arrays))])


@for_rows(COMPARED)
def test_files_for_keras(row: Row, tmp_path: Path) -> None:
    """A `.keras` file that we wrote loads in Keras, with equal predictions."""
    ours = functional(kbridge, row, built(row))
    ours.save(tmp_path / "ours.keras")
    theirs = keras.saving.load_model(tmp_path / "ours.keras")
    arrays = [leaf for leaf in leaves(row.arrays()) if isinstance(leaf, np.ndarray)]
    assert_close(host(ours(arrays)), [np.asarray(y) for y in leaves(theirs(arrays))])
