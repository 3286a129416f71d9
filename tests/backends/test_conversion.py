"""What becomes of lists, NumPy arrays and other frameworks' tensors, and what is refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
import torch

from kbridge.core.context import backend_scope, framework_of, load_backend, running
from kbridge.core.errors import BackendError, ForeignGradientError
from kbridge.core.ops import operators  # noqa: F401  gives variables their operators
from kbridge.core.ops.elementwise import exp, multiply
from kbridge.core.ops.shape import convert_to_numpy, convert_to_tensor
from kbridge.core.tensor.variable import Variable

FRAMEWORKS = ("jax", "torch", "tensorflow")
PAIRS = list(itertools.permutations(FRAMEWORKS, 2))
NATIVE: dict[str, Callable[[np.ndarray], Any]] = {
    "jax": jnp.array, "torch": lambda a: load_backend("torch").convert(a).clone(), "tensorflow": tf.constant,
}  # fmt: skip

LISTS = {
    "number": (1.5, "float32"),
    "whole number": (3, "int32"),
    "truth": (True, "bool"),
    "list": ([[1, 2], [3, 4]], "int32"),
    "list of fractions": ([1, 2.5], "float32"),
    "tuple": ((1.0, 2.0), "float32"),
    "list of arrays": ([np.ones(2, "float16"), np.zeros(2, "float16")], "float16"),
    "float16 array": (np.ones((2, 3), "float16"), "float16"),
    "bfloat16 array": (np.arange(3).astype(ml_dtypes.bfloat16), "bfloat16"),
    "bool array": (np.array([True, False]), "bool"),
    "bytes": (np.arange(3, dtype="uint8"), "uint8"),
    "NumPy number": (np.float32(2.5), "float32"),
    "nothing": (np.zeros((0, 3), "float32"), "float32"),
    "read-only": (np.broadcast_to(np.float32(1), (3, 2)), "float32"),
    "backwards": (np.arange(4, dtype="float32")[::-1], "float32"),
    "big-endian": (np.arange(4, dtype=">f4"), "float32"),
}


@pytest.mark.parametrize("name", LISTS)
def test_host_values(name: str, backend: str) -> None:
    value, dtype = LISTS[name]
    tensor = convert_to_tensor(value)
    assert framework_of(tensor) == (None if backend == "numpy" else backend)
    assert load_backend(backend).dtype_of(tensor) == dtype
    got = convert_to_numpy(tensor)
    assert got.shape == np.shape(value)
    np.testing.assert_array_equal(got.astype("float64"), np.asarray(value, "float64"))


@pytest.mark.parametrize("dtype", ["float64", "int64", "uint64"])
def test_64_bits_stay_but_in_jax(dtype: str, backend: str) -> None:
    narrow = {"float64": "float32", "int64": "int32", "uint64": "uint32"}[dtype]
    want = narrow if backend == "jax" else dtype
    module = load_backend(backend)
    assert module.dtype_of(convert_to_tensor(np.arange(3).astype(dtype))) == want
    assert module.dtype_of(convert_to_tensor([1, 2], dtype)) == want
    assert module.dtype_of(module.cast(convert_to_tensor([1, 2]), dtype)) == want


def test_jax_keeps_64_bits_when_told_to() -> None:
    with jax.enable_x64(True), backend_scope("jax"):
        assert convert_to_tensor([1.5], "float64").dtype == "float64"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int32", "bool", "uint8"])
def test_dtype_asked_for(dtype: str, backend: str) -> None:
    for value in ([0, 1, 2], np.array([0.0, 1.0, 2.0]), convert_to_tensor([0, 1, 2])):
        tensor = convert_to_tensor(value, dtype)
        assert load_backend(backend).dtype_of(tensor) == dtype
        want = np.array([0, 1, 2]).astype(bool if dtype == "bool" else "float64")
        np.testing.assert_array_equal(convert_to_numpy(tensor).astype("float64"), want)


def test_list_of_tensors(backend: str) -> None:
    one = convert_to_tensor([1.0, 2.0])
    tensor = convert_to_tensor([[one, one], [one, one]])
    assert tuple(tensor.shape) == (2, 2, 2)
    assert framework_of(tensor) == (None if backend == "numpy" else backend)


def test_native_tensors_pass_untouched(backend: str) -> None:
    tensor = convert_to_tensor([1.0])
    assert convert_to_tensor(tensor) is tensor
    assert convert_to_tensor(tensor, "float32") is tensor


def test_what_is_no_number_is_refused(backend: str) -> None:
    with pytest.raises(BackendError, match="Expected numbers, got"):
        convert_to_tensor(object())
    with pytest.raises(BackendError, match="Expected numbers, got"):
        convert_to_tensor(None)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_words_are_refused(backend: str) -> None:
    with backend_scope(backend), pytest.raises(BackendError, match="Encode the values as numbers first"):
        convert_to_tensor(["a", "b"])


def test_words_in_tensorflow() -> None:
    with backend_scope("tensorflow"):
        assert convert_to_tensor(["a", "b"]).dtype == tf.string


def test_an_array_that_changes_later_changes_no_jax_or_tensorflow_tensor() -> None:
    for backend in ("jax", "tensorflow"):
        array = np.zeros(4096, "float32")
        with backend_scope(backend):
            tensor = convert_to_tensor(array)
            array[:] = 7
            assert not convert_to_numpy(tensor).any()


# --- from framework to framework ------------------------------------------------------------------

ARRAYS = {
    "float32": np.arange(6, dtype="float32").reshape(2, 3),
    "float64": np.arange(3, dtype="float64"),
    "float16": np.arange(3).astype("float16"),
    "bfloat16": np.arange(3).astype(ml_dtypes.bfloat16),
    "int32": np.arange(3, dtype="int32"),
    "int64": np.arange(3),
    "uint8": np.arange(3, dtype="uint8"),
    "bool": np.array([True, False]),
    "scalar": np.float32(2),
    "nothing": np.zeros((2, 0), "float32"),
}


def address(tensor: Any) -> int:
    """Where the numbers lie in memory."""
    if isinstance(tensor, torch.Tensor):
        return tensor.data_ptr()
    if isinstance(tensor, jax.Array):
        return tensor.unsafe_buffer_pointer()
    return np.asarray(memoryview(tensor)).ctypes.data


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("name", ARRAYS)
def test_foreign_tensor(name: str, source: str, target: str) -> None:
    tensor = NATIVE[source](np.asarray(ARRAYS[name]))
    with backend_scope(target):
        taken = convert_to_tensor(tensor)
    assert framework_of(taken) == target
    want = load_backend(source).to_numpy(tensor)
    got = load_backend(target).to_numpy(taken)
    narrow = {"float64": "float32", "int64": "int32"} if target == "jax" else {}
    assert (got.shape, got.dtype.name) == (want.shape, narrow.get(want.dtype.name, want.dtype.name))
    np.testing.assert_array_equal(got.astype("float64"), want.astype("float64"))


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_foreign_tensor_without_a_copy(source: str, target: str) -> None:
    tensor = NATIVE[source](np.zeros(1024, "float32"))
    with backend_scope(target):
        assert address(convert_to_tensor(tensor)) == address(tensor)


@pytest.mark.parametrize("source", FRAMEWORKS)
def test_foreign_tensor_in_numpy(source: str) -> None:
    with backend_scope("numpy"):
        result = exp(NATIVE[source](np.zeros((2, 2), "float32")))
    assert type(result) is np.ndarray
    np.testing.assert_array_equal(result, np.ones((2, 2)))


@pytest.mark.parametrize("target", ["jax", "tensorflow"])
def test_layouts_that_dlpack_does_not_carry(target: str) -> None:
    base = torch.arange(24.0).reshape(4, 6)
    for view in (base.t(), base[:, ::2], base[1:, 1:], base[0].expand(3, 6), base.reshape(-1)[1:]):
        with backend_scope(target):
            np.testing.assert_array_equal(convert_to_numpy(convert_to_tensor(view)), view.numpy())
            np.testing.assert_allclose(convert_to_numpy(exp(view)), np.exp(view.numpy()), 1e-5)


@pytest.mark.parametrize("target", [*FRAMEWORKS, "numpy"])
@pytest.mark.parametrize("source", FRAMEWORKS)
def test_a_variable_never_shares_memory_with_what_it_was_given(source: str, target: str) -> None:
    tensor = NATIVE[source](np.zeros(1024, "float32"))
    variable = Variable(np.ones(1024, "float32"))
    with running(load_backend(target)):
        variable.assign(tensor)
        if source == "torch" != target:
            tensor.fill_(5)
            np.testing.assert_array_equal(variable.numpy(), np.zeros(1024))
            tensor.fill_(0)
        variable.assign_add(convert_to_tensor(np.ones(1024, "float32")))
    assert variable.home == target
    np.testing.assert_array_equal(variable.numpy(), np.ones(1024))
    np.testing.assert_array_equal(load_backend(source).to_numpy(tensor), np.zeros(1024))


def test_a_jax_array_outlives_the_variable_it_was_assigned_to() -> None:
    given = jnp.zeros(1024)
    variable = Variable(np.ones(1024, "float32"))
    variable.settle(load_backend("jax"))
    variable.assign(given)
    jax.jit(lambda x: x + 1, donate_argnums=0)(variable.home_value)  # as a training step does
    np.testing.assert_array_equal(given, np.zeros(1024))


# --- gradients are never cut silently -------------------------------------------------------------


@pytest.mark.parametrize("target", ["jax", "tensorflow", "numpy"])
def test_torch_gradient_is_refused(target: str) -> None:
    x = torch.ones(3, requires_grad=True)
    with backend_scope(target):
        for tensor in (x, torch.nn.Parameter(torch.ones(3)), x * 2):
            with pytest.raises(ForeignGradientError, match="detach"):
                exp(tensor)
        exp(x.detach())
        with torch.no_grad():
            exp(x)


@pytest.mark.parametrize("target", ["torch", "tensorflow", "numpy"])
@pytest.mark.parametrize("transform", [jax.jit, jax.grad, jax.vmap, jax.linearize], ids=lambda f: f.__name__)
def test_jax_tracer_is_refused(transform: Any, target: str) -> None:
    def function(x: Any) -> Any:
        with backend_scope(target):
            return exp(x)

    x = jnp.ones(3) if transform is jax.vmap else jnp.ones(())
    with pytest.raises(ForeignGradientError, match="JAX is tracing"):
        transform(function, x) if transform is jax.linearize else transform(function)(x)


@pytest.mark.parametrize("target", ["torch", "jax", "numpy"])
def test_tensorflow_gradient_is_refused(target: str) -> None:
    variable = tf.Variable([1.0, 2.0])
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape, backend_scope(target):
        exp(x)  # nobody watches it
        tape.watch(x)
        for tensor in (x, x * 2, variable, variable * 2):
            with pytest.raises(ForeignGradientError, match="GradientTape watches"):
                exp(tensor)
        exp(tf.stop_gradient(x))
    with backend_scope(target):
        exp(x), exp(variable)


@pytest.mark.parametrize("target", ["torch", "jax", "numpy"])
def test_tensorflow_graph_tensor_is_refused(target: str) -> None:
    @tf.function(autograph=False)
    def function(x: Any) -> Any:
        with backend_scope(target):
            return exp(x)

    with pytest.raises(ForeignGradientError, match="TensorFlow is tracing"):
        function(tf.ones(3))


def test_gradients_flow_at_home() -> None:
    x = torch.ones(3, requires_grad=True)
    multiply(x, x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.full(3, 2.0))
    np.testing.assert_array_equal(jax.grad(lambda x: multiply(x, x).sum())(jnp.ones(3)), np.full(3, 2.0))
    y = tf.ones(3)
    with tf.GradientTape() as tape:
        tape.watch(y)
        squared = multiply(y, y)
    np.testing.assert_array_equal(tape.gradient(squared, y).numpy(), np.full(3, 2.0))
