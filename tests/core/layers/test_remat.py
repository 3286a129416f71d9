"""What is computed anew in the backward pass: same results, same gradients, no effect done twice."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
import torch

from kbridge import (
    Input,
    Model,
    RematScope,
    Sequential,
    SymbolicScope,
    backend_scope,
    layers,
    ops,
    remat,
    value_and_grad,
)
from kbridge.core.errors import ArgumentError

TRAINED = ("jax", "torch", "tensorflow")


def array(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).normal(size=shape).astype("float32")


def host(value: Any) -> np.ndarray:
    return ops.convert_to_numpy(value)


def gradients(model: Any, x: Any, training: bool = True) -> tuple[Any, list[np.ndarray]]:
    """The loss and the gradients of a model's weights and of its input."""
    weights = model.trainable_variables
    fn = value_and_grad(
        lambda given, _: ops.sum(model(given, training=training) ** 2), (0, 1), states=model.non_trainable_variables
    )
    loss, (found, more) = fn(x, weights)
    return float(loss), [host(found), *map(host, more)]


@pytest.mark.parametrize("name", TRAINED)
def test_a_function_has_the_same_value_and_gradient(name: str) -> None:

    def function(x: Any, scale: float = 1.0, shift: Any = None) -> Any:
        return ops.sum(ops.sin(x["a"] * scale) * x["b"]) + (0.0 if shift is None else ops.sum(shift))

    tree = {"a": array(3), "b": array(3)}
    with backend_scope(name):
        expected, slopes = value_and_grad(function)(tree, scale=2.0, shift=array(2))
        got, found = value_and_grad(remat(function))(tree, scale=2.0, shift=array(2))
    assert float(got) == float(expected)
    for key in tree:
        np.testing.assert_allclose(host(found[key]), host(slopes[key]), rtol=1e-6)


def test_nothing_is_kept_in_jax() -> None:
    jaxpr = str(jax.make_jaxpr(jax.grad(remat(lambda x: ops.sum(ops.sin(x)))))(jax.numpy.ones(3)))
    assert "remat" in jaxpr or "checkpoint" in jaxpr


@pytest.mark.parametrize("name", ["torch", "tensorflow"])
def test_the_function_runs_again(name: str) -> None:

    runs = []

    def function(x: Any) -> Any:
        runs.append(1)
        return ops.sum(x * x)

    with backend_scope(name):
        remat(function)(array(3))
        assert len(runs) == 1  # no gradient is wanted
        value_and_grad(remat(function))(array(3))
    assert len(runs) == 3


def test_nothing_is_kept_in_torch() -> None:
    kept: list[int] = []
    x = torch.ones(1000, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):  # type: ignore[func-returns-value]
        remat(lambda x: ops.sum(ops.sin(ops.exp(x)) * ops.cos(x)))(x).backward()
    assert sum(kept) == 1000  # its argument


def test_the_second_run_ends_in_torch_when_it_has_what_the_gradient_needs() -> None:
    ends = []

    def function(x: Any) -> Any:
        result = ops.sum(ops.sin(ops.exp(x)))
        ends.append(result)
        return result

    remat(function)(torch.ones(3, requires_grad=True)).backward()
    assert len(ends) == 1


@pytest.mark.parametrize("mode", ["full", "activations", "larger_than", "list_of_layers"])
def test_layers_made_in_a_scope(backend: str, mode: str) -> None:
    def build(scope: Any) -> Any:
        with scope:
            stack = [layers.Dense(8, activation="tanh", name="first"), layers.Dense(3, name="last")]
        model = Sequential([Input((4,)), *stack])
        model.set_weights([array(4, 8), array(8), array(8, 3), array(3)])
        return model

    plain = build(RematScope(mode=None))
    light = build(RematScope(mode, output_size_threshold=4, layer_names=["first"]))
    x = array(5, 4)
    np.testing.assert_allclose(host(light(x)), host(plain(x)), rtol=1e-6)
    if backend != "numpy":
        (loss, found), (expected, slopes) = gradients(light, x), gradients(plain, x)
        assert loss == pytest.approx(expected)
        for got, slope in zip(found, slopes, strict=True):
            np.testing.assert_allclose(got, slope, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("mode", "counted"),
    [("full", 2), ("larger_than", 1), ("list_of_layers", 1), ("activations", 0), (None, 0)],
)
def test_which_layers_run_again(mode: Any, counted: int) -> None:
    runs: list[str] = []

    class Noted(layers.Dense):
        def call(self, inputs: Any) -> Any:
            if not SymbolicScope.active():
                runs.append(self.name)
            return super().call(inputs)

    with RematScope("full"), RematScope(mode, output_size_threshold=20, layer_names=["wide"]):
        stack = [Noted(8, name="wide"), Noted(3, name="narrow")]
    model = Sequential([Input((4,)), *stack])
    runs.clear()
    x = torch.ones(5, 4)
    model(x).sum().backward()
    assert len(runs) == 2 + counted
    assert runs.count("wide") == 1 + (counted > 0)


@pytest.mark.parametrize("name", TRAINED)
def test_random_numbers_are_drawn_once(name: str) -> None:

    with RematScope():
        dropout = layers.Dropout(0.5, seed=3)
    with backend_scope(name):
        x = ops.ones((64,))
        seen: list[Any] = []

        def loss(x: Any) -> Any:
            y = dropout(x, training=True)
            seen.append(y)
            return ops.sum(y * x), y

        for draws in (1, 2):
            (_, y), slope = value_and_grad(loss, has_aux=True, states=dropout.variables)(x)
            np.testing.assert_allclose(host(slope), 2 * host(y))  # y = mask * x, so each slope is 2 * mask
            assert host(dropout.variables[0])[1] == draws
    assert 0 < np.count_nonzero(host(y)) < 64


@pytest.mark.parametrize("name", TRAINED)
def test_statistics_move_once(name: str) -> None:

    x = array(16, 3) + 2
    states = []
    for scope in (RematScope(None), RematScope("full")):
        with scope:
            model = Sequential([Input((3,)), layers.BatchNormalization()])
        with backend_scope(name):
            gradients(model, x)
        states.append([v.numpy() for v in model.non_trainable_variables])
    for plain, light in zip(*states, strict=True):
        np.testing.assert_allclose(light, plain, rtol=1e-5)


@pytest.mark.parametrize("name", TRAINED)
def test_fit(name: str) -> None:

    results = []
    for scope in (RematScope(None), RematScope("full")):
        with scope:
            model = Sequential(
                [
                    Input((4,)),
                    layers.Dense(8, activation="relu", kernel_regularizer="l2", activity_regularizer="l2"),
                    layers.BatchNormalization(),
                    layers.Dropout(0.0),
                    layers.Dense(1),
                ]
            )
        model.set_weights([np.full(w.shape, 0.1, "float32") for w in model.weights])
        with backend_scope(name):
            model.compile("sgd", "mse")
            history = model.fit(array(32, 4), array(32, 1), epochs=2, batch_size=16, shuffle=False, verbose=0)
        results.append((history.history["loss"], model.get_weights()))
    np.testing.assert_allclose(results[1][0], results[0][0], rtol=1e-5)
    for light, plain in zip(results[1][1], results[0][1], strict=True):
        np.testing.assert_allclose(light, plain, rtol=1e-4, atol=1e-6)


def test_masks_pass_through(backend: str) -> None:
    class Block(layers.Layer):
        supports_masking = True

        def __init__(self) -> None:
            super().__init__()
            self.inner = layers.LSTM(3)

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    tokens = np.array([[1, 2, 0, 0], [3, 1, 2, 0]])

    def run(scope: Any) -> np.ndarray:
        with scope:
            block = Block()
        model = Sequential([Input((4,)), layers.Embedding(5, 6, mask_zero=True), block])
        model.set_weights([array(*w.shape) for w in model.weights])
        return host(model(tokens))

    np.testing.assert_allclose(run(RematScope("full")), run(RematScope(None)), rtol=1e-5)


def test_losses_that_layers_add(backend: str) -> None:
    class Adding(layers.Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss(ops.sum(inputs))
            return inputs

    with RematScope():
        layer = Adding()
    layer(np.ones(3, "float32"))
    assert [float(loss) for loss in layer.losses] == [3.0]


def test_on_symbolic_tensors(backend: str) -> None:
    x = Input((3,))
    model = Model(x, remat(lambda x: ops.sin(x) * 2.0)(x))
    given = array(2, 3)
    np.testing.assert_allclose(host(model(given)), 2 * np.sin(given), rtol=1e-5)


def test_what_is_refused() -> None:
    with pytest.raises(ArgumentError, match="'wild'"):
        RematScope("wild")
    with pytest.raises(TypeError, match="a function or a layer"):
        remat(3)  # type: ignore[arg-type]
