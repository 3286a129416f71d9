"""Constraints against Keras's, in training and in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from kbridge import Input, Sequential, backend_scope, constraints, layers, ops, saving
from kbridge.core.errors import ArgumentError

ROWS: list[tuple[str, dict[str, Any]]] = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 1.5, "axis": [0, 1, 2]}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": -1}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 2.0, "rate": 0.25, "axis": [0, 1]}),
]


def weights(dtype: str = "float32") -> np.ndarray:
    w = np.random.default_rng(5).normal(size=(3, 2, 4, 5)).astype(dtype)
    w[:, :, :, 0] = 0  # a vector without length
    return w


@pytest.mark.parametrize(("name", "settings"), ROWS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_values(backend: str, name: str, settings: dict[str, Any], dtype: str) -> None:
    ours, theirs = getattr(constraints, name)(**settings), getattr(keras.constraints, name)(**settings)
    result = ops.convert_to_numpy(ours(weights(dtype)))
    assert result.dtype == dtype
    tolerance = 1e-6 if dtype == "float32" else 2e-3
    np.testing.assert_allclose(result, np.asarray(theirs(weights())), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "settings"), ROWS)
def test_configs(name: str, settings: dict[str, Any]) -> None:
    ours, theirs = getattr(constraints, name)(**settings), getattr(keras.constraints, name)(**settings)
    assert ours.get_config() == theirs.get_config()
    form = constraints.serialize(ours)
    assert form == keras.constraints.serialize(theirs)
    assert constraints.deserialize(form).get_config() == ours.get_config()
    assert constraints.get(form).get_config() == ours.get_config()


def test_names() -> None:
    assert constraints.get(None) is None
    assert constraints.get(abs) is abs
    for name in ("max_norm", "MaxNorm", constraints.MaxNorm, constraints.MaxNorm()):
        assert isinstance(constraints.get(name), constraints.MaxNorm)
    assert constraints.non_neg is constraints.NonNeg
    with pytest.raises(ValueError, match="Did you mean"):
        constraints.get("max_nrm")
    with pytest.raises(ArgumentError, match="`constraint` is a function"):
        layers.Dense(1, kernel_constraint=3).build((None, 2))
    with pytest.raises(NotImplementedError, match="needs a __call__"):
        constraints.Constraint()(1.0)


MAKERS: dict[str, Any] = {
    "dense": lambda c: [Input((4,)), layers.Dense(3, kernel_constraint=c, bias_constraint=c)],
    "conv": lambda c: [Input((6, 2)), layers.Conv1D(3, 2, kernel_constraint=c)],
    "norm": lambda c: [Input((4,)), layers.BatchNormalization(gamma_constraint=c)],
    "embedding": lambda c: [Input((4,)), layers.Embedding(5, 3, embeddings_constraint=c)],
    "lstm": lambda c: [Input((4, 2)), layers.LSTM(3, recurrent_constraint=c)],
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", ["jax", "torch", "tensorflow"])
def test_training_keeps_the_bounds(name: str, kind: str) -> None:
    model = Sequential(MAKERS[kind]("non_neg"))
    x = np.random.default_rng(1).integers(0, 5, (8, *model.input_shape[1:])).astype("float32")
    with backend_scope(name):
        model.compile("sgd", "mse")
        model.fit(x, -np.ones((8, *model.output_shape[1:])), verbose=0, epochs=2)
    bound = [v for v in model.trainable_variables if v.constraint is not None]
    assert bound
    for variable in bound:
        assert (variable.numpy() >= 0).all(), variable.path


@pytest.mark.parametrize("kind", MAKERS)
def test_files_go_both_ways(tmp_path: Path, kind: str) -> None:
    model = Sequential(MAKERS[kind](constraints.MaxNorm(1.5, axis=0)))
    model.save(tmp_path / "ours.keras")
    keras.saving.load_model(tmp_path / "ours.keras").save(tmp_path / "theirs.keras")
    loaded = saving.load_model(tmp_path / "theirs.keras")
    found = [v.constraint for v in loaded.trainable_variables if v.constraint is not None]
    assert found
    assert all(isinstance(c, constraints.MaxNorm) and c.max_value == 1.5 for c in found)


@saving.register_keras_serializable("tests")
def halved(w: Any) -> Any:
    return w * 0.5


def test_a_registered_function() -> None:
    layer = layers.Dense(4, kernel_constraint=halved)
    restored = layers.Dense.from_config(layer.get_config())
    restored.build((None, 3))
    assert restored.kernel_constraint is halved
    assert restored.kernel.constraint is halved
