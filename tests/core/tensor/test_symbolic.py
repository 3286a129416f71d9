"""Symbolic tensors: what they tell, which operators they know, what they refuse."""

from __future__ import annotations

import copy
import operator
from typing import Any

import jax
import numpy as np
import pytest
import tensorflow as tf

from kbridge import Function, Input, KerasTensor, Model, ops
from kbridge.core.errors import ArgumentError, ShapeError, SymbolicError


def test_facts_that_stay() -> None:
    x = KerasTensor((3, None), "int32", sparse=True)
    assert (x.shape, x.dtype, x.ndim, x.sparse, x.ragged) == ((3, None), "int32", 2, True, False)
    for name in ("shape", "dtype", "sparse", "ragged"):
        with pytest.raises(AttributeError):
            setattr(x, name, getattr(x, name))
    with pytest.raises(ArgumentError, match="not both"):
        KerasTensor((3,), sparse=True, ragged=True)


def test_names() -> None:
    first, second = KerasTensor((1,)), KerasTensor((1,))
    assert first.name == first.name != second.name
    assert KerasTensor((1,), name="mine").name == "mine"
    first.name = "other"
    assert "name=other" in repr(first)
    assert "name" not in repr(KerasTensor((1,)))


def test_numpy_methods() -> None:
    x = KerasTensor((3, 2))
    assert x.reshape((6, 1)).shape == (6, 1)  # type: ignore[attr-defined]
    assert x.reshape((1, -1)).squeeze(axis=0).shape == (6,)  # type: ignore[attr-defined]
    assert KerasTensor((1, 3, 1)).squeeze().shape == (3,)  # type: ignore[attr-defined]
    with pytest.raises(ShapeError):
        x.reshape((5,))  # type: ignore[attr-defined]


A, B = np.array([7.0, -3.0, 2.0], "float32"), np.array([2.0, 2.0, 3.0], "float32")
BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow,
    operator.matmul, operator.lt, operator.le, operator.gt, operator.ge, operator.ne,
]  # fmt: skip
LOGIC = {operator.and_: np.logical_and, operator.or_: np.logical_or, operator.xor: np.logical_xor}


@pytest.mark.parametrize("function", [*BINARY, *LOGIC], ids=lambda f: f.__name__)
def test_operators_on_either_side(function: Any) -> None:
    x = KerasTensor((3,), "float32")
    expected = LOGIC.get(function, function)
    for call, result in ((lambda t: function(t, B), expected(A, B)), (lambda t: function(B, t), expected(B, A))):
        y = call(x)
        assert isinstance(y, KerasTensor)
        assert (y.shape, y.dtype) == (result.shape, str(result.dtype))
        np.testing.assert_allclose(_run(x, y), result, rtol=1e-6)


def _run(x: Any, y: Any) -> np.ndarray:
    return ops.convert_to_numpy(Function(x, y)(A))


def test_one_operand() -> None:
    x = KerasTensor((3,), "float32")
    for function in (operator.neg, operator.pos, operator.abs, round):
        np.testing.assert_allclose(_run(x, function(x)), np.vectorize(function)(A), rtol=1e-6)
    np.testing.assert_array_equal(_run(x, ~(x > 0)), A <= 0)
    np.testing.assert_array_equal(_run(x, x[1:]), A[1:])


def test_sameness_is_that_of_objects() -> None:
    x = KerasTensor((3,))
    assert x == x
    assert x != None  # noqa: E711
    assert x in [KerasTensor((3,)), x]
    assert len({x, KerasTensor((3,))}) == 2


@pytest.mark.parametrize(
    ("use", "error", "said"),
    [
        (np.array, ValueError, "NumPy array"),
        (float, ValueError, "a number"),
        (int, ValueError, "a number"),
        (bool, TypeError, "tested for truth"),
        (iter, NotImplementedError, "iterated over"),
        (jax.numpy.asarray, ValueError, "JAX function"),
        (tf.convert_to_tensor, ValueError, "TensorFlow function"),
        (tf.abs, ValueError, "TensorFlow function"),
    ],
)
def test_no_numbers(use: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said) as raised:
        use(KerasTensor((3,)))
    assert isinstance(raised.value, SymbolicError)


def test_copies() -> None:
    x = KerasTensor((3, None), "int8", ragged=True, name="x")
    twin = copy.deepcopy(x)
    assert (twin.shape, twin.dtype, twin.ragged, twin.name) == ((3, None), "int8", True, "x")


def test_an_unconnected_output_is_named() -> None:
    a, b = Input((2,), name="a"), Input((2,), name="b")
    with pytest.raises(ShapeError, match=r"Output <KerasTensor.* is not connected to `inputs`: it needs .*name=b"):
        Model(a, a + b)
