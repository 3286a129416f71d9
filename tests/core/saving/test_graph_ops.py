"""Every op that a graph can hold goes through a file, from Keras to kbridge and back."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kbridge
from kbridge.core.ops.declare import OPS
from kbridge.core.saving.graph_ops import BEYOND_KERAS, CLASS_NAMES, INTERNAL, MODULES, OF_FUNCTIONS, place_of
from tests.rows.running import host, leaves

X = np.linspace(-2, 2, 24, dtype="float32").reshape(2, 3, 4)
KERNEL = np.linspace(-1, 1, 24, dtype="float32").reshape(2, 4, 3)
VECTOR = np.array([0.5, 1.5, 1.0, 2.0], "float32")


def call(name: str, *args: Any, **kwargs: Any) -> Callable[[Any, Any], Any]:
    """The op of that name on the graph's tensor and these arguments."""
    return lambda K, x: getattr(K.ops, name)(x, *args, **kwargs)


UNARY = [
    "logical_not",
    "negative",
    "absolute",
    "abs",
    "square",
    "sign",
    "exp",
    "expm1",
    "log",
    "log1p",
    "sqrt",
    "rsqrt",
    "reciprocal",
    "sin",
    "cos",
    "tanh",
    "erf",
    "floor",
    "ceil",
    "round",
    "isnan",
    "isinf",
    "isfinite",
    "stop_gradient",
    "zeros_like",
    "ones_like",
    "ravel",
    "transpose",
    "relu",
    "sigmoid",
    "relu6",
    "elu",
    "selu",
    "silu",
    "softplus",
    "softsign",
    "hard_sigmoid",
    "gelu",
    "leaky_relu",
    "softmax",
    "log_softmax",
]
REDUCTIONS = [
    "sum",
    "prod",
    "mean",
    "var",
    "std",
    "max",
    "min",
    "amax",
    "amin",
    "all",
    "any",
    "argmax",
    "argmin",
    "logsumexp",
]
BINARY = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "true_divide",
    "floor_divide",
    "mod",
    "power",
    "maximum",
    "minimum",
    "equal",
    "not_equal",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "logical_and",
    "logical_or",
]

ROWS: dict[str, Callable[[Any, Any], Any]] = {
    **{name: call(name) for name in UNARY},
    **{name: call(name, axis=1, keepdims=True) for name in REDUCTIONS},
    **{name: (lambda K, x, name=name: getattr(K.ops, name)(x, K.ops.flip(x, 2))) for name in BINARY},
    "where": lambda K, x: K.ops.where(x > 0, x, 0.5),
    "cast": call("cast", "int32"),
    "clip": call("clip", -1, 0.5),
    "full_like": call("full_like", 3.0),
    "reshape": call("reshape", (-1, 2)),
    "swapaxes": call("swapaxes", 1, 2),
    "expand_dims": call("expand_dims", 1),
    "squeeze": lambda K, x: K.ops.squeeze(K.ops.expand_dims(x, 1), 1),
    "broadcast_to": lambda K, x: K.ops.broadcast_to(x[:, :1], (2, 3, 4)),
    "flip": call("flip", axis=1),
    "tile": call("tile", (1, 2, 1)),
    "repeat": call("repeat", 2, axis=1),
    "pad": call("pad", ((0, 0), (1, 0), (0, 2)), constant_values=7),
    "concatenate": lambda K, x: K.ops.concatenate([x, x], axis=1),
    "stack": lambda K, x: K.ops.stack([x, x], axis=1),
    "split": call("split", 2, axis=2),
    "take": lambda K, x: K.ops.take(x, np.array([0, 2], "int32"), axis=1),
    "take_along_axis": lambda K, x: K.ops.take_along_axis(x, np.zeros((2, 1, 4), "int32"), axis=1),
    "get_item": lambda K, x: x[..., 1:, None],
    "one_hot": lambda K, x: K.ops.one_hot(K.ops.cast(x > 0, "int32"), 3),
    "count_nonzero": call("count_nonzero", axis=1),
    "cumsum": call("cumsum", axis=1),
    "matmul": lambda K, x: K.ops.matmul(x, K.ops.transpose(x, (0, 2, 1))),
    "dot": lambda K, x: K.ops.dot(x, VECTOR),
    "einsum_of": lambda K, x: K.ops.einsum("bij,bkj->bik", x, x),
    "leaky_relu": call("leaky_relu", negative_slope=0.3),
    "elu": call("elu", alpha=0.7),
    "gelu": call("gelu", approximate=False),
    "softmax": call("softmax", axis=1),
    "conv": lambda K, x: K.ops.conv(x, KERNEL, padding="same"),
    "max_pool": call("max_pool", 2, strides=1, padding="same", data_format="channels_last"),
    "average_pool": call("average_pool", 2, data_format="channels_last"),
    "moments": call("moments", axes=[1], keepdims=True),
    "batch_norm": lambda K, x: K.ops.batch_normalization(x, VECTOR, VECTOR, axis=-1, epsilon=0.1),
    "categorical_crossentropy": lambda K, x: K.ops.categorical_crossentropy(K.ops.softmax(x), K.ops.softmax(-x)),
    "sparse_categorical_crossentropy": lambda K, x: K.ops.sparse_categorical_crossentropy(
        K.ops.cast(x[..., 0] > 0, "int32"), x, from_logits=True
    ),
    "binary_crossentropy": lambda K, x: K.ops.binary_crossentropy(K.ops.sigmoid(x), K.ops.sigmoid(-x)),
}


def test_every_row_is_an_op() -> None:
    assert set(ROWS) <= set(OPS) - INTERNAL


def test_every_op_has_the_place_that_keras_gives_it() -> None:
    """The class that is written exists in Keras, in that module; what has none is on a list."""
    for name, op in OPS.items():
        if name in INTERNAL | OF_FUNCTIONS | BEYOND_KERAS:
            continue
        module, class_name = place_of(op)
        found = getattr(importlib.import_module(f"keras.src.ops.{module}"), class_name, None)
        assert found is not None, f"{name}: no {class_name} in {module}"
        assert found.__module__ == f"keras.src.ops.{module}", name


def test_the_lists_of_ops_are_true() -> None:
    assert set(OPS) >= INTERNAL | OF_FUNCTIONS | BEYOND_KERAS
    assert set(CLASS_NAMES.values()) | set(MODULES) <= set(OPS)


def model(K: Any, row: Callable[[Any, Any], Any]) -> Any:
    x = K.Input((3, 4), name="x")
    return K.Model(x, row(K, x))


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:divide by zero encountered:RuntimeWarning")
@pytest.mark.parametrize("name", sorted(ROWS))
def test_op_goes_through_files_both_ways(name: str, tmp_path: Path) -> None:
    theirs, path = model(keras, ROWS[name]), tmp_path / "model.keras"
    expected = [np.asarray(leaf) for leaf in leaves(theirs(X))]
    theirs.save(path)
    loaded = kbridge.saving.load_model(path)
    for ours in (loaded, model(kbridge, ROWS[name])):
        for got, want in zip(host(ours(X)), expected, strict=True):
            np.testing.assert_allclose(got, want, 1e-5, 1e-5)
        ours.save(path)
        again = keras.saving.load_model(path)
        for got, want in zip(leaves(again(X)), expected, strict=True):
            np.testing.assert_allclose(np.asarray(got), want, 1e-5, 1e-5)


def test_internal_ops_are_refused_when_saving(tmp_path: Path) -> None:
    x = kbridge.Input((4,))
    whole = kbridge.Model(x, kbridge.random.dropout(x, 0.5))
    with pytest.raises(TypeError, match=r"'dropout'.*Layer of your own"):
        whole.save(tmp_path / "model.keras")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"class_name": "NoSuchOp"}, "NoSuchOp"),
        ({"config": {"name": "add", "surprise": 3}}, "surprise"),
    ],
)
def test_unknown_ops_and_arguments_are_refused(change: dict[str, Any], said: str) -> None:
    config = model(kbridge, lambda K, x: x + 1.0).get_config()
    config["layers"][1].update(change)
    entry = {"module": "keras.src.models.functional", "class_name": "Functional", "config": config}
    with pytest.raises(kbridge.core.errors.LoadError, match=said):
        kbridge.saving.deserialize_keras_object(entry)
