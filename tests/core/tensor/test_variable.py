"""Variables as Keras has them: how they are made, what Python can do with them, what they refuse."""

from __future__ import annotations

import copy
import operator
import weakref
from typing import Any

import jax
import numpy as np
import pytest
import tensorflow as tf
import torch

from kbridge import StatelessScope, Variable, backend_scope, initializers, layers, ops, set_backend
from kbridge.core import context
from kbridge.core.errors import ArgumentError, BackendError, DTypeError, ShapeError


def host(value: Any) -> np.ndarray:
    return ops.convert_to_numpy(value)


# --- making ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "shape", "dtype", "expected"),
    [
        ("ones", (2, 2), None, np.ones((2, 2), "float32")),
        ("Zeros", (), "int32", np.zeros((), "int32")),
        (initializers.Constant(3), (2,), "int8", np.full(2, 3, "int8")),
        (lambda shape, dtype: 1.0, (), "float32", np.float32(1)),
        (lambda shape, dtype: [1.0], (1,), "float32", np.ones(1, "float32")),
        ([[1, 2]], None, None, np.array([[1, 2]], "int32")),
        ([1.0, 2.0], None, None, np.array([1, 2], "float32")),
        (np.ones(2, "int64"), None, "float16", np.ones(2, "float16")),
        (True, None, None, np.array(True)),
        (1.5, (), None, np.float32(1.5)),
    ],
)
def test_what_it_is_made_of(backend: str, given: Any, shape: Any, dtype: Any, expected: np.ndarray) -> None:
    variable = Variable(given, shape=shape, dtype=dtype)
    assert (variable.shape, variable.dtype, variable.ndim) == (expected.shape, str(expected.dtype), expected.ndim)
    np.testing.assert_array_equal(host(variable), expected)


def test_names() -> None:
    first, second = Variable(0), Variable(0)
    assert first.name != second.name
    assert first.name.startswith("variable")
    assert Variable(0, name="mine").path == "mine"


def test_text_where_the_framework_has_it() -> None:
    variable = Variable(["a", "bc"])
    assert variable.dtype == "string"
    with backend_scope("tensorflow"):
        assert list(variable.value.numpy()) == [b"a", b"bc"]
        variable.assign(["d", "e"])
        assert list(variable.numpy()) == [b"d", b"e"]
    for name in ("jax", "torch"):
        with backend_scope(name), pytest.raises((BackendError, TypeError)):
            ops.add(Variable(["a"]), 1)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: Variable(0, name="a/b"), ArgumentError, "'a/b'"),
        (lambda: Variable(0, name=3), ArgumentError, "got 3"),  # type: ignore[arg-type]
        (lambda: Variable("ones"), ShapeError, "needs `shape`"),
        (lambda: Variable(np.ones, shape=(None, 2)), ShapeError, "fully known"),  # type: ignore[list-item]
        (lambda: Variable(0.0, shape=(3,)), ShapeError, r"shape \(\) where \(3,\)"),
        (lambda: Variable("nothing", shape=()), ValueError, "Unknown name 'nothing'"),
        (lambda: Variable(0, aggregation="min"), ArgumentError, "one of none, mean, sum"),
        (lambda: Variable(0, synchronization="never"), ArgumentError, "on_read"),
    ],
)
def test_what_it_can_not_be_made_of(make: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        make()


def test_notes_for_replicas() -> None:
    variable = Variable(0, aggregation=None, synchronization=None)
    assert (variable.aggregation, variable.synchronization) == ("none", "none")
    assert (Variable(0).aggregation, Variable(0).synchronization) == ("none", "auto")
    assert Variable(0, aggregation="mean").aggregation == "mean"


# --- operators -------------------------------------------------------------------------------------

A, B = np.array([7.0, -3.0, 2.0], "float32"), np.array([2.0, 2.0, 3.0], "float32")
ARITHMETIC = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow,
    operator.matmul, operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne,
]  # fmt: skip
LOGIC = {operator.and_: np.logical_and, operator.or_: np.logical_or, operator.xor: np.logical_xor}
OTHERS = {"variable": Variable, "array": lambda a: a, "list": lambda a: a.tolist(), "tensor": ops.convert_to_tensor}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("function", ARITHMETIC, ids=lambda f: f.__name__)
def test_arithmetic_on_either_side(backend: str, function: Any, other: str) -> None:
    expected, reflected = function(A, B), function(B, A)
    make = OTHERS[other]
    np.testing.assert_allclose(host(function(Variable(A), make(B))), expected, rtol=1e-6)
    if other != "tensor" or backend != "tensorflow":  # a tensor's own operators come first: TensorFlow's take no list
        np.testing.assert_allclose(host(function(make(B), Variable(A))), reflected, rtol=1e-6)


@pytest.mark.parametrize("function", LOGIC, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
def test_logic(backend: str, function: Any, dtype: str) -> None:
    a, b = np.array([0, 0, 1, 1], dtype), np.array([0, 1, 0, 1], dtype)
    expected = LOGIC[function](a, b)
    for left, right in ((Variable(a), Variable(b)), (Variable(a), b), (a, Variable(b))):
        result = host(function(left, right))
        assert result.dtype == bool
        np.testing.assert_array_equal(result, expected)


def test_one_operand(backend: str) -> None:
    variable = Variable(np.array([-1.26, 2.5, 3.5], "float32"))
    np.testing.assert_array_equal(host(-variable), -variable.numpy())
    np.testing.assert_array_equal(host(+variable), variable.numpy())
    np.testing.assert_array_equal(host(abs(variable)), abs(variable.numpy()))
    np.testing.assert_array_equal(host(round(variable)), [-1, 2, 4])
    np.testing.assert_allclose(host(round(variable, 1)), [-1.3, 2.5, 3.5], rtol=1e-6)
    np.testing.assert_array_equal(host(~Variable([True, False])), [False, True])
    np.testing.assert_array_equal(host(~Variable([0, 5])), [-1, -6])


def test_numbers_keep_their_place(backend: str) -> None:
    for dtype in ("float16", "float32", "int32"):
        assert ops.dtype(2 * Variable(np.ones(2, dtype)) + 1) == dtype


# --- parts and conversions -------------------------------------------------------------------------


def test_parts(backend: str) -> None:
    variable = Variable(np.arange(6, dtype="float32").reshape(2, 3))
    np.testing.assert_array_equal(host(variable[1]), [3, 4, 5])
    np.testing.assert_array_equal(host(variable[:, -1]), [2, 5])
    assert [list(host(row)) for row in variable] == [[0, 1, 2], [3, 4, 5]]
    np.testing.assert_array_equal(np.asarray(variable), variable.numpy())
    assert np.asarray(variable, "int64").dtype == "int64"
    with pytest.raises(DTypeError, match="nothing to iterate"):
        iter(Variable(1.0))


def test_numbers(backend: str) -> None:
    assert float(Variable(-1.5)) == -1.5
    assert int(Variable(-1.5)) == -1
    assert int(Variable(np.array(3, "uint8"))) == 3
    assert [10, 20, 30][Variable(1)] == 20
    assert float(Variable(np.array(1.5, "float32"), dtype="bfloat16")) == 1.5
    with pytest.raises(DTypeError, match="only one whole number"):
        range(Variable(1.0))
    for convert in (int, float):
        with pytest.raises(TypeError, match=r"has shape \(2, 2\)"):
            convert(Variable(np.ones((2, 2))))


def test_truth_is_refused(backend: str) -> None:
    for variable in (Variable(True), Variable(np.ones(2))):
        with pytest.raises(TypeError, match="cannot be used as a boolean"):
            bool(variable)


def test_a_key_of_its_own() -> None:
    one, twin = Variable(1.0), Variable(1.0)
    assert {one: "a", twin: "b"}[one] == "a"
    assert len({one, twin, one}) == 2
    assert (one == None, one != None, one == "text") == (False, True, False)  # noqa: E711
    assert hash(one) == hash(one)


def test_repr(backend: str) -> None:
    variable = Variable(np.array([1.0, 2.0, 3.0], "float32"), name="v")
    assert repr(variable) == "<Variable path=v, shape=(3,), dtype=float32, value=[1. 2. 3.]>"


def test_repr_in_a_trace() -> None:
    seen = []
    variable = Variable(np.ones(2, "float32"), name="v")

    def call(values: Any) -> Any:
        with StatelessScope([(variable, values)]):
            seen.append(repr(variable))
        return values

    jax.jit(call)(jax.numpy.ones(2))
    assert seen == ["<Variable path=v, shape=(2,), dtype=float32, value unavailable (ForeignGradientError)>"]


# --- writing ---------------------------------------------------------------------------------------


def test_assigning_returns_what_was_written(backend: str) -> None:
    variable = Variable(np.array([1.0, 2.0], "float32"))
    given = variable.assign(np.array([4, 5]))
    assert ops.dtype(given) == "float32"
    variable.assign([7.0, 8.0])
    np.testing.assert_array_equal(host(given), [4, 5])
    np.testing.assert_array_equal(host(variable.assign_add([1.0, 1.0])), [8, 9])
    np.testing.assert_array_equal(host(variable.assign_sub([8.0, 8.0])), [0, 1])
    variable.assign(Variable([3.0, 3.0]))
    np.testing.assert_array_equal(host(variable), [3, 3])


def test_assigning_another_shape(backend: str) -> None:
    variable = Variable(np.ones(2))
    for value in (1.0, [1.0], np.ones((2, 1)), Variable(1.0)):
        with pytest.raises(ShapeError, match="was assigned a value of shape"):
            variable.assign(value)


# --- attributes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["regularizer", "constraint"])
def test_functions_of_the_value(name: str) -> None:
    variable = Variable(1.0)
    assert getattr(variable, name) is None
    for value in (abs, None):
        setattr(variable, name, value)
        assert getattr(variable, name) is value
    with pytest.raises(ArgumentError, match=f"`{name}` is a function"):
        setattr(variable, name, "l2")


def test_overwriting_by_gradients() -> None:
    variable = Variable(1.0)
    assert variable.overwrite_with_gradient is False
    variable.overwrite_with_gradient = True
    assert variable.overwrite_with_gradient is True
    with pytest.raises(TypeError, match="must be a boolean"):
        variable.overwrite_with_gradient = "yes"  # type: ignore[assignment]


def test_freezing_reaches_the_container() -> None:
    variable = Variable(1.0)
    with backend_scope("torch"):
        for trainable in (False, True):
            variable.trainable = trainable
            assert variable.value.requires_grad is trainable


# --- where it lies ---------------------------------------------------------------------------------

KINDS = {"torch": torch.nn.Parameter, "jax": jax.Array, "tensorflow": tf.Variable, "numpy": np.ndarray}


@pytest.mark.parametrize("name", KINDS)
def test_a_value_that_nobody_has_had_goes_to_the_default(name: str) -> None:
    before = context.default_backend()
    try:
        set_backend(name)
        dense = layers.Dense(2)
        dense.build((None, 3))
        assert isinstance(dense.kernel.value, KINDS[name])
        assert dense.kernel.home == name
    finally:
        set_backend(before)
    assert dense.kernel.home == name
    with backend_scope("jax"):
        assert isinstance(dense.kernel.value, jax.Array)


def test_torch_functions_take_variables() -> None:
    weight, x = Variable(np.full((2, 3), 2.0, "float32")), torch.ones(4, 3)
    y = torch.nn.functional.linear(x, weight)  # type: ignore[arg-type]
    assert y.shape == (4, 2)
    y.sum().backward()
    np.testing.assert_array_equal(weight.value.grad, np.full((2, 3), 4.0))
    assert torch.equal(torch.stack([weight, weight])[1], weight.value)  # type: ignore[list-item]


def test_jax_takes_variables_inside_a_trace() -> None:
    class Custom(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight((3, 2), "ones")

        def call(self, inputs: Any) -> Any:
            return jax.numpy.dot(inputs, jax.numpy.asarray(self.kernel))

    layer, x = Custom(), jax.numpy.ones((4, 3))
    layer(x)
    slope = jax.grad(lambda kernel: layer.stateless_call([kernel], [], x)[0].sum())(layer.kernel.value)
    np.testing.assert_array_equal(slope, np.full((3, 2), 4.0))


def test_a_traced_function_finds_the_variable_when_it_comes_back() -> None:
    variable = Variable(np.ones(2, "float32"))
    with backend_scope("tensorflow"):
        function = tf.function(lambda: variable.value * 2.0)
        np.testing.assert_array_equal(function(), [2, 2])
    with backend_scope("jax"):
        assert isinstance(variable.value, jax.Array)
        variable.assign([3.0, 4.0])
    with backend_scope("tensorflow"):
        np.testing.assert_array_equal(variable.value, [3, 4])
        np.testing.assert_array_equal(function(), [6, 8])


def test_what_no_function_holds_is_gone_when_it_leaves() -> None:
    variable = Variable(np.ones(2, "float32"))
    with backend_scope("tensorflow"):
        left = weakref.ref(variable.value)
    with backend_scope("torch"):
        assert isinstance(variable.value, torch.Tensor)
    assert left() is None


def test_copies_are_apart(backend: str) -> None:
    variable = Variable(np.ones(2, "float32"))
    variable.constraint = abs
    twin = copy.deepcopy(variable)
    twin.assign([5.0, 5.0])
    np.testing.assert_array_equal(host(variable), [1, 1])
    assert twin.constraint is abs


def test_numbers_can_be_read_in_a_stateless_scope(backend: str) -> None:
    free, given = Variable(np.ones(2, "float32")), Variable(np.ones(2, "float32"))
    ops.exp(free)
    with StatelessScope([(given, np.zeros(2))]):
        np.testing.assert_array_equal(free.numpy(), [1, 1])
        np.testing.assert_array_equal(given.numpy(), [0, 0])


def test_arrays_on_the_host_can_be_written_to(backend: str) -> None:
    found = ops.convert_to_numpy(ops.add(np.ones(2, "float32"), 1.0))
    found[0] = 5.0
    np.testing.assert_array_equal(found, [5, 2])
