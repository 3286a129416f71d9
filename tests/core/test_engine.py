"""The engine: scopes, variables with one home, symbolic calls, pure calls, masks, mixed precision."""

from __future__ import annotations

import threading
from typing import Any

import jax
import numpy as np
import pytest
import tensorflow as tf
import torch

import kbridge as keras
from kbridge import Input, Model, Sequential, Variable, backend_scope, initializers, layers, ops
from kbridge.core.errors import BackendError, MixedFrameworksError, NotBuiltError, ShapeError
from tests.conftest import BACKENDS
from tests.rows.models import MODELS, call_inputs

KINDS = {"torch": torch.Tensor, "jax": jax.Array, "tensorflow": tf.Tensor, "numpy": np.ndarray}
MAKE = {"torch": torch.from_numpy, "jax": jax.numpy.asarray, "tensorflow": tf.constant}


def array(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=shape).astype("float32")


# --- who decides where a call runs ---------------------------------------------------------------


@pytest.mark.parametrize("framework", MAKE)
def test_tensors_decide(framework: str) -> None:
    x = MAKE[framework](array(2, 6))
    assert isinstance(ops.exp(x), KINDS[framework])
    assert isinstance(layers.Dense(3)(x), KINDS[framework])
    assert isinstance(MODELS["mlp"].build()(x), KINDS[framework])
    loss = keras.losses.MeanSquaredError()(x, x)
    assert isinstance(loss, KINDS[framework])
    assert float(loss) == 0


@pytest.mark.parametrize("name", BACKENDS)
def test_the_scope_decides_first(name: str) -> None:
    with backend_scope(name):
        assert keras.backend.backend() == name
        for given in (array(2, 6), [[1.0] * 6], torch.ones(1, 6), jax.numpy.ones((1, 6)), tf.ones((1, 6))):
            assert isinstance(ops.add(given, 1.0), KINDS[name])


def test_scopes_nest_and_end() -> None:
    before = keras.backend.backend()
    with backend_scope("torch"):
        with backend_scope("jax"):
            assert isinstance(ops.exp(array(2)), jax.Array)
        assert isinstance(ops.exp(array(2)), torch.Tensor)
    assert keras.backend.backend() == before


def test_two_frameworks_in_one_call_are_an_error() -> None:
    with pytest.raises(MixedFrameworksError, match=r'with kbridge.backend_scope\("torch"\)'):
        ops.add(torch.ones(2), jax.numpy.ones(2))
    with pytest.raises(MixedFrameworksError):
        layers.Add()([torch.ones(2, 2), tf.ones((2, 2))])


def test_unknown_backends_are_named() -> None:
    for call in (lambda: keras.set_backend("mxnet"), lambda: backend_scope("mxnet").__enter__()):
        with pytest.raises(BackendError, match=r"'mxnet'\. Choose one of jax, torch, tensorflow, numpy"):
            call()


def test_inside_a_dataset_map() -> None:
    model, dense = MODELS["mlp"].build(), layers.Dense(3)
    x = array(4, 6)
    data = tf.data.Dataset.from_tensor_slices(x).batch(2).map(lambda b: (model(b), dense(b), layers.Rescaling(2.0)(b)))
    shapes = [tuple(t.shape) for batch in data for t in batch]
    assert shapes == [(2, 3), (2, 3), (2, 6)] * 2


def test_threads_run_on_backends_of_their_own() -> None:
    model = MODELS["mlp"].build()
    x = array(3, 6)
    with backend_scope("numpy"):
        expected = model(x)
    weights = model.get_weights()
    meet = threading.Barrier(3, timeout=60)
    problems: list[BaseException] = []

    def work(name: str) -> None:
        try:
            mine = MODELS["mlp"].build()
            mine.set_weights(weights)
            with backend_scope(name):
                for _ in range(20):
                    meet.wait()
                    y = mine(x)
                    assert isinstance(y, KINDS[name])
                    y = y.detach().numpy() if name == "torch" else np.asarray(y)
                    np.testing.assert_allclose(y, expected, atol=1e-5)
        except BaseException as problem:
            meet.abort()
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("torch", "jax", "tensorflow")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert problems == []


# --- variables -----------------------------------------------------------------------------------


def test_a_variable_moves_whole_and_lives_in_the_frameworks_container() -> None:
    variable = Variable(array(3), name="w")
    kinds = {"torch": torch.nn.Parameter, "jax": jax.Array, "tensorflow": tf.Variable, "numpy": np.ndarray}
    for i, name in enumerate(("torch", "jax", "tensorflow", "numpy", "torch")):
        with backend_scope(name):
            variable.assign(np.full(3, float(i)))
            ops.add(variable, 1.0)
        assert variable.home == name
        assert isinstance(variable.value, kinds[name])
        np.testing.assert_array_equal(variable.numpy(), np.full(3, float(i)))


def test_moving_never_leaves_a_shared_buffer() -> None:
    variable = Variable(array(3))
    with backend_scope("jax"):
        ops.exp(variable)
        old = variable.value
    with backend_scope("torch"):
        ops.exp(variable)
        with torch.no_grad():
            variable.value.add_(1.0)
    assert not np.allclose(np.asarray(old), variable.numpy())


def test_assign_checks_the_shape() -> None:
    with pytest.raises(ShapeError, match=r"has shape \(3,\) and was assigned a value of shape \(4,\)"):
        Variable(array(3), name="w").assign(array(4))


def test_a_trace_reads_a_foreign_variable_without_moving_it() -> None:
    variable = Variable(array(3))
    with backend_scope("torch"):
        ops.exp(variable)
    value = jax.jit(lambda x: ops.add(x, variable))(jax.numpy.zeros(3))
    np.testing.assert_allclose(np.asarray(value), variable.numpy())
    assert variable.home == "torch"


def test_writing_inside_a_jax_trace_is_refused() -> None:
    variable = Variable(array(3), name="w")
    with backend_scope("jax"):
        ops.exp(variable)
    with backend_scope("jax"), pytest.raises(BackendError, match="stateless_call"):
        jax.jit(variable.assign)(jax.numpy.zeros(3))


# --- symbolic calls and models -------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_a_model_equals_its_layers_called_in_turn(name: str, backend: str) -> None:
    """The plan against the plain way: each layer through its own door."""
    model, given = MODELS[name].build(), call_inputs(MODELS[name], 2)
    values = dict(zip((id(t) for t in model._graph.inputs), given if isinstance(given, list) else [given], strict=True))

    def fill(leaf: Any) -> Any:
        return values[id(leaf)] if isinstance(leaf, keras.KerasTensor) else leaf

    from kbridge.core.graph.node import leaves, map_leaves

    for node in model._graph.nodes:
        args, kwargs = map_leaves(fill, (node.args, node.kwargs))
        call = getattr(node.operation, "call", None) if not isinstance(node.operation, layers.Layer) else node.operation
        outputs = call(*args, **kwargs)
        values.update({id(t): v for t, v in zip(node.outputs, leaves(outputs), strict=True)})
    for symbolic, output in zip(model.outputs, leaves(model(given)), strict=True):
        expected = values[id(symbolic)]
        if backend == "torch":
            expected, output = expected.detach(), output.detach()
        if name != "lstm":  # a mask set by hand-called layers travels on tensors that can carry it
            np.testing.assert_allclose(np.asarray(output), np.asarray(expected), atol=1e-6)


def test_disconnected_graphs_are_refused() -> None:
    a, b = Input((2,), name="a"), Input((2,), name="b")
    with pytest.raises(ShapeError, match="is not connected to `inputs`"):
        Model(a, layers.Add()([a, b]))


def test_symbolic_tensors_explain_themselves() -> None:
    x = Input((2,))
    for misuse in (lambda: np.asarray(x), lambda: bool(x), lambda: list(x), lambda: float(x)):
        with pytest.raises(TypeError, match="no values"):
            misuse()


def test_python_operators_and_indexing_make_graphs(backend: str) -> None:
    x = Input((4,))
    model = Model(x, (2.0 * x[:, 1:3] - 1.0) / 4.0 + ops.sum(x, axis=-1, keepdims=True))
    given = array(3, 4)
    y = model(given)
    expected = (2 * given[:, 1:3] - 1) / 4 + given.sum(-1, keepdims=True)
    np.testing.assert_allclose(np.asarray(y.detach() if backend == "torch" else y), expected, atol=1e-6)


def test_wrong_inputs_say_what_was_expected(backend: str) -> None:
    model = MODELS["mlp"].build()
    for given, message in (
        (array(2, 3, 6), r"Input 'features' has 2 axes, \(None, 6\), and got an array of shape \(2, 3, 6\)"),
        (array(6), "still needs the batch axis"),
        (array(2, 5), r"Input 'features' has shape \(None, 6\) and got an array of shape \(2, 5\)"),
        ("text", "takes an array"),
        (np.array([["a"] * 6]), "numbers"),
        (array(2, 6) + 1j, "complex64|complex128"),
    ):
        with pytest.raises((ShapeError, BackendError, TypeError, ValueError), match=message):
            model(given)


def test_missing_and_extra_inputs_are_counted() -> None:
    model = MODELS["two_ends"].build()
    with pytest.raises(ShapeError, match=r"has 2 inputs \(left, right\) and got 1"):
        model([array(2, 4)])
    with pytest.raises(ShapeError, match="lacks the input right"):
        model({"left": array(2, 4)})


def test_errors_name_the_layer() -> None:
    class Broken(layers.Layer):
        def call(self, inputs: Any) -> Any:
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside") as caught:
        Broken(name="culprit")(array(2, 3))
    assert any("'culprit' (Broken), called with shapes [(2, 3)]" in note for note in caught.value.__notes__)


def test_unbuilt_models_have_nothing_to_give() -> None:
    model = Sequential([layers.Dense(2)])
    with pytest.raises(NotBuiltError):
        model.count_params()
    with pytest.raises(ShapeError, match="has 0 weights and got 1"):
        model.set_weights([array(2)])


def test_weights_that_dont_fit_change_nothing() -> None:
    model = MODELS["mlp"].build()
    before = model.get_weights()
    wrong = [np.zeros_like(w) for w in before]
    wrong[-1] = np.zeros(7)
    with pytest.raises(ShapeError, match=r"has shape \(3,\) and got \(7,\)"):
        model.set_weights(wrong)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


# --- pure calls, mixed precision -----------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_stateless_call_equals_call_and_changes_nothing(name: str, backend: str) -> None:
    model, given = MODELS[name].build(), call_inputs(MODELS[name], 2)
    expected = model(given)
    before = [v.numpy() for v in model.variables]
    values = [[v.value for v in group] for group in (model.trainable_variables, model.non_trainable_variables)]
    outputs, after = model.stateless_call(*values, given)
    from kbridge.core.graph.node import leaves

    for a, b in zip(leaves(outputs), leaves(expected), strict=True):
        a, b = (t.detach() if backend == "torch" else t for t in (a, b))
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=1e-6)
    assert len(after) == len(model.non_trainable_variables)
    model.stateless_call(*values, given, training=True)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_stateless_call_returns_new_statistics(backend: str) -> None:
    norm = layers.BatchNormalization()
    norm.build((None, 3))
    values = [[v.numpy() for v in group] for group in (norm.trainable_variables, norm.non_trainable_variables)]
    _, after = norm.stateless_call(*values, array(8, 3) + 5, training=True)
    assert not np.allclose(np.asarray(after[0]), 0)
    assert np.allclose(norm.moving_mean.numpy(), 0)


def test_mixed_precision_computes_in_half_and_keeps_full_weights(backend: str) -> None:
    dense = layers.Dense(3, dtype="mixed_float16")
    y = dense(array(2, 4))
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    assert dense.kernel.dtype == "float32"


def test_masks_reach_the_next_layer_and_the_loss(backend: str) -> None:
    x = np.array([[1, 2, 0, 0], [3, 0, 0, 0]], "int32")
    table = layers.Embedding(5, 2, mask_zero=True)
    memory = layers.LSTM(3, kernel_initializer=initializers.GlorotUniform(1))
    inputs = Input((4,), dtype="int32")
    model = Model(inputs, memory(table(inputs)))
    masked = model(x)
    short = model(np.array([[1, 2, 0, 0]], "int32"))
    cut = memory(table(np.array([[1, 2]], "int32")))
    values = [np.asarray(t.detach() if backend == "torch" else t) for t in (masked[:1], short, cut)]
    np.testing.assert_allclose(values[0], values[1], atol=1e-6)
    np.testing.assert_allclose(values[0], values[2], atol=1e-6)


@pytest.mark.parametrize("name", ["jax", "torch", "tensorflow"])
def test_value_and_grad_is_one_function_for_all(name: str) -> None:
    w = Variable(np.array([1.0, 2.0], "float32"))
    unused = Variable(np.array([1.0], "float32"))
    with backend_scope(name):
        graded = keras.value_and_grad(lambda s: (ops.sum(w * w * s), "aux"), [w, unused], has_aux=True)
        (loss, aux), (dw, none) = graded(2.0)
        assert float(loss) == 10.0
        assert aux == "aux"
        np.testing.assert_allclose(ops.convert_to_numpy(dw), [4.0, 8.0])
        assert none is None or not np.any(ops.convert_to_numpy(none))


def test_value_and_grad_refuses_numpy() -> None:
    with backend_scope("numpy"), pytest.raises(BackendError, match="no gradients"):
        keras.value_and_grad(lambda: 1.0, [])()
