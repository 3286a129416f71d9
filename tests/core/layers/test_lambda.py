"""Functions as layers: what they get, what shapes they tell, and that only names are saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kbridge import Input, Model, Sequential, activations, layers, ops, saving
from kbridge.core.errors import ArgumentError, LoadError, ShapeError

X = np.arange(6, dtype="float32").reshape(2, 3)


def doubled(x: Any) -> Any:
    return x * 2


def applied(x: Any, f: Any) -> Any:
    return f(x)


def both(x: Any) -> Any:
    return {"sum": ops.sum(x, -1), "whole": ops.cast(x, "int32")}


@pytest.mark.usefixtures("backend")
def test_the_function_gets_what_it_has_parameters_for() -> None:
    told = []

    def function(x: Any, by: Any, mask: Any, training: Any) -> Any:
        told.append((mask is not None, training))
        return x * by

    layer = layers.Lambda(function, arguments={"by": 3})
    embedded = layers.Embedding(4, 3, mask_zero=True)
    model = Sequential([embedded, layer])
    words = np.array([[1, 0]], "int32")
    model(words)
    told.clear()  # of what building asked
    y = model(words, training=True)
    np.testing.assert_allclose(ops.convert_to_numpy(y), 3 * ops.convert_to_numpy(embedded(words)), 1e-6)
    assert told == [(True, True)]
    layer(X)
    assert told[1:] == [(False, None)]


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(
    "mask", [np.array([[True, False, True]]), lambda x, mask: ops.greater(x[..., 0], 0)], ids=["array", "function"]
)
def test_the_mask_reaches_the_next_layer(mask: Any) -> None:
    x = np.array([[[1.0], [-2.0], [3.0]]], "float32")
    inputs = Input((3, 1))
    masked = layers.Lambda(doubled, mask=mask)
    model = Model(inputs, layers.GlobalAveragePooling1D()(masked(inputs)))
    assert masked.supports_masking
    for mean in (model(x), Sequential([masked, layers.GlobalAveragePooling1D()])(x)):
        np.testing.assert_allclose(ops.convert_to_numpy(mean), [[4.0]])


def test_no_mask_of_its_own_stops_the_inputs_one() -> None:
    steps = layers.Masking()(Input((3, 1)))
    assert steps._mask is not None
    assert layers.Lambda(doubled)(steps)._mask is None


# --- shapes ---------------------------------------------------------------------------------------


def test_shapes_and_dtypes_are_found_by_running_the_function_on_shapes() -> None:
    found = layers.Lambda(both)(Input((3,)))
    assert {name: (t.shape, t.dtype) for name, t in found.items()} == {
        "sum": ((None,), "float32"), "whole": ((None, 3), "int32"),
    }  # fmt: skip
    assert layers.Lambda(lambda x: x[:, None]).compute_output_shape((None, 3)) == (None, 1, 3)


@pytest.mark.parametrize(
    ("given", "shape", "found"),
    [
        ((6,), (None, 3), (None, 6)),
        ([6], (2, 3), (2, 6)),
        ((), (2, 3), (2,)),
        ((None, 4), (2, 3), (2, None, 4)),
        (lambda s: (s[0], s[1] * 2), (2, 3), (2, 6)),
        (((6,), (2, 2)), (None, 3), [(None, 6), (None, 2, 2)]),
        ({"a": (6,)}, (2, 3), {"a": (2, 6)}),
        ((6,), [(5, 3), (5, 4)], (5, 6)),
    ],
)
def test_a_given_output_shape(given: Any, shape: Any, found: Any) -> None:
    layer = layers.Lambda(doubled, output_shape=given)
    assert layer.compute_output_shape(shape) == found


def test_a_given_output_shape_stands_in_for_a_run_on_shapes() -> None:
    def foreign(x: Any) -> Any:
        return np.fft.fftshift(np.asarray(x))

    with pytest.raises(NotImplementedError, match="or give the layer an output_shape"):
        layers.Lambda(foreign)(Input((3,)))
    x = Input((3,))
    y = layers.Lambda(foreign, output_shape=(3,))(x)
    assert (y.shape, y.dtype) == ((None, 3), "float32")
    np.testing.assert_array_equal(np.asarray(Model(x, y)(X)), np.fft.fftshift(X))


def test_errors_of_ops_say_more_than_that_shapes_are_unknown() -> None:
    with pytest.raises(ShapeError, match=r"ops\.matmul"):
        layers.Lambda(lambda x: ops.matmul(x, ops.ones((4, 2))))(Input((3,)))


@pytest.mark.parametrize("wrong", ["6", 6, (2.5,), [("a",)], {"a": None}])
def test_what_is_no_shape_is_refused(wrong: Any) -> None:
    with pytest.raises(ArgumentError, match="output_shape holds sizes"):
        layers.Lambda(doubled, output_shape=wrong)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(ArgumentError, match="takes a function, got 'doubled'"):
        layers.Lambda("doubled")


# --- files ----------------------------------------------------------------------------------------


def test_a_file_holds_the_name_and_the_loader_brings_the_function(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model = Sequential([Input((3,)), layers.Lambda(doubled, lambda_shape, mask=X > 0)])
    model.save(path)
    with pytest.raises(LoadError, match="doubled"):
        saving.load_model(path)
    customs = {"doubled": doubled, "lambda_shape": lambda_shape}
    loaded = saving.load_model(path, custom_objects=customs)
    assert loaded.layers[0].function is doubled
    np.testing.assert_array_equal(loaded.layers[0].mask, X > 0)
    np.testing.assert_array_equal(np.asarray(loaded(X)), 2 * X)


def test_functions_among_the_arguments_are_stored_by_name_too() -> None:
    layer = layers.Lambda(applied, arguments={"f": activations.relu})
    loaded = layers.Lambda.from_config(layer.get_config(), {"applied": applied})
    assert loaded.arguments == {"f": activations.relu}


def lambda_shape(shape: Any) -> Any:
    return shape


class Callable:
    def __call__(self, x: Any) -> Any:
        return x

    def get_config(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Lambda(lambda x: x),
        lambda: layers.Lambda(doubled, output_shape=lambda s: s),
        lambda: layers.Lambda(doubled, mask=lambda x, mask: mask),
        lambda: layers.Lambda(applied, arguments={"f": lambda x: x}),
        lambda: layers.Lambda(Callable()),
    ],
    ids=["function", "shape", "mask", "argument", "object"],
)
def test_what_has_no_name_is_not_written(make: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"A lambda can't be saved|saved by the name of its function"):
        Sequential([Input((3,)), make()]).save(tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())
