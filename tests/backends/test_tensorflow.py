"""What is TensorFlow's own: graphs, AutoGraph, tapes that meet kbridge's variables."""

from __future__ import annotations

import warnings
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from kbridge.core.context import load_backend, running
from kbridge.core.errors import BackendError
from kbridge.core.ops.elementwise import add, exp, multiply
from kbridge.core.ops.linalg import matmul
from kbridge.core.ops.shape import convert_to_numpy, convert_to_tensor, take
from kbridge.core.tensor.variable import Variable

TF = load_backend("tensorflow")


def variable_of(*sizes: int, name: str = "kernel", **options: Any) -> Variable:
    return Variable(np.full(sizes, 2.0, "float32"), name=name, **options)


# --- graphs ---------------------------------------------------------------------------------------


def test_dataset_map_runs_in_tensorflow_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    weight = variable_of(3)

    def scale(t: Any) -> Any:
        return multiply(exp(t), weight)

    data = tf.data.Dataset.from_tensor_slices(np.zeros((4, 3), "float32"))
    tf.get_logger().addHandler(caplog.handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rows = list(data.map(scale).batch(2).as_numpy_iterator())
    finally:
        tf.get_logger().removeHandler(caplog.handler)
    np.testing.assert_array_equal(np.concatenate(rows), np.full((4, 3), 2.0))
    assert not caplog.records


def test_autograph_leaves_us_alone() -> None:
    from tensorflow.python.autograph.impl import conversion

    from kbridge.core.tensor.shapes import one_axis

    assert conversion.is_allowlisted(one_axis)
    assert conversion.is_allowlisted(TF.convert)
    assert not conversion.is_allowlisted(variable_of)


def test_users_own_autograph_goes_on_working() -> None:
    @tf.function
    def function(x: Any) -> Any:
        total = exp(x)
        for _ in tf.range(3):
            if tf.reduce_sum(total) > 0:
                total = add(total, 1.0)
        return total

    np.testing.assert_allclose(function(tf.zeros(2)), np.full(2, 4.0))


def test_is_tracing() -> None:
    answers = [TF.is_tracing()]
    tf.function(lambda x: (answers.append(TF.is_tracing()), x)[1], autograph=False)(tf.ones(1))
    with tf.GradientTape():
        answers.append(TF.is_tracing())
    assert answers == [False, True, False]


@pytest.mark.parametrize("jit_compile", [False, True])
def test_inside_a_tf_function(jit_compile: bool) -> None:
    weight = variable_of(3, 2)
    function = tf.function(lambda x: matmul(exp(x), weight), jit_compile=jit_compile, autograph=False)
    np.testing.assert_allclose(function(tf.zeros((4, 3))), np.full((4, 2), 6.0))
    assert weight.home == "tensorflow"


# --- variables ------------------------------------------------------------------------------------


def test_a_variable_made_while_tracing_lives_on() -> None:
    weight = variable_of(3)
    for _ in range(2):
        function = tf.function(lambda x: multiply(x, weight), autograph=False)
        np.testing.assert_array_equal(function(tf.ones(3)), np.full(3, 2.0))
    assert isinstance(weight.home_value, tf.Variable)
    np.testing.assert_array_equal(weight.numpy(), np.full(3, 2.0))


def test_the_name_is_the_path() -> None:
    weight = variable_of(3)
    weight.path = "block.0/dense/kernel"
    assert weight.settle(TF).name == "block.0/dense/kernel:0"


def test_a_write_inside_a_function_happens_at_each_call() -> None:
    count = Variable(np.zeros((), "int32"), trainable=False)

    @tf.function(autograph=False)
    def step() -> Any:
        with running(TF):
            return tf.identity(count.assign(add(count, 1)))

    assert [int(step()) for _ in range(3)] == [1, 2, 3]
    assert count.numpy() == 3


def test_a_move_while_tracing_happens_once() -> None:
    """Back from NumPy, into the tf.Variable it had left, in the middle of a trace."""
    weight = variable_of(3)
    held = weight.settle(TF)
    with running(load_backend("numpy")):
        weight.assign(np.full(3, 5.0))
    assert weight.home == "numpy"
    function = tf.function(lambda x: multiply(x, weight), autograph=False)
    np.testing.assert_array_equal(function(tf.ones(3)), np.full(3, 5.0))
    assert weight.home_value is held
    held.assign(np.full(3, 7.0))
    np.testing.assert_array_equal(function(tf.ones(3)), np.full(3, 7.0))


def test_a_variable_of_torch_is_captured_in_a_trace_and_stays() -> None:
    weight = variable_of(3)
    weight.settle(load_backend("torch"))
    result = tf.function(lambda x: multiply(x, weight), autograph=False)(tf.ones(3))
    np.testing.assert_array_equal(result, np.full(3, 2.0))
    assert weight.home == "torch"

    @tf.function(autograph=False)
    def write(x: Any) -> Any:
        with running(TF):
            return weight.assign(x)

    with pytest.raises(BackendError, match="another framework holds it"):
        write(tf.ones(3))


def test_trainable_is_what_tapes_look_at() -> None:
    frozen = variable_of(3, trainable=False)
    weight = variable_of(3)
    x = tf.ones(3)
    with tf.GradientTape() as tape:
        multiply(multiply(x, frozen), weight)
    assert [v.ref() for v in tape.watched_variables()] == [weight.home_value.ref()]
    weight.trainable = False
    with tf.GradientTape() as tape:
        multiply(x, weight)
    assert tape.watched_variables() == ()


def test_a_copy_has_a_container_of_its_own() -> None:
    weight = variable_of(3)
    weight.settle(TF)
    twin = deepcopy(weight)
    with running(TF):
        twin.assign(np.zeros(3))
    np.testing.assert_array_equal(weight.numpy(), np.full(3, 2.0))
    assert twin.home == "tensorflow"


# --- kbridge's variables in TensorFlow's hands ----------------------------------------------------


@pytest.mark.parametrize("traced", [False, True])
def test_tape_gives_gradients_of_kbridge_variables(traced: bool) -> None:
    kernel, bias = variable_of(3, 2), variable_of(2, name="bias")

    def gradients(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(add(matmul(x, kernel), bias) ** 2)
        return tape.gradient(loss, {"kernel": kernel, "bias": bias})

    found = (tf.function(gradients, autograph=False) if traced else gradients)(tf.ones((1, 3)))
    np.testing.assert_allclose(found["bias"], np.full(2, 16.0))
    np.testing.assert_allclose(found["kernel"], np.full((3, 2), 16.0))


def test_tape_and_variables_it_did_not_see() -> None:
    weight, unused = variable_of(3), variable_of(2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(multiply(tf.ones(3), weight))
    first, second = tape.gradient(loss, [weight, unused])
    np.testing.assert_array_equal(first, np.ones(3))
    assert second is None


def test_rows_of_a_table_have_a_sparse_gradient_that_we_take() -> None:
    table = variable_of(4, 2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(take(table, tf.constant([1, 1, -1]), 0))
    gradient = tape.gradient(loss, table)
    assert isinstance(gradient, tf.IndexedSlices)
    scaled = multiply(gradient, 1.0)
    assert isinstance(scaled, tf.IndexedSlices)
    np.testing.assert_array_equal(convert_to_numpy(scaled), [[0, 0], [2, 2], [0, 0], [1, 1]])


def test_tensorflows_functions_take_kbridge_variables() -> None:
    weight = variable_of(3)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.multiply(weight, [1.0, 2.0, 3.0])) + tf.reduce_sum(tf.ones(3) * weight)
    np.testing.assert_array_equal(tape.gradient(loss, weight), [2.0, 3.0, 4.0])
    np.testing.assert_array_equal(tf.convert_to_tensor(weight), np.full(3, 2.0))
    with pytest.raises(ValueError, match="float32"):
        tf.convert_to_tensor(weight, tf.int32)


def test_ragged_lists_are_refused() -> None:
    with running(TF), pytest.raises(ValueError, match="inhomogeneous"):
        convert_to_tensor([[1], [1, 2]])
