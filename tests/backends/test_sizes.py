"""Sizes, counts and axes that are tensors or NumPy's numbers instead of Python's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import kbridge
from kbridge import ops, random
from kbridge.core.ops.convert import convert_to_numpy, convert_to_tensor

X = np.arange(6, dtype="float32")
TWO_THREE, THREE = np.array([2, 3], "int32"), np.array(3, "int32")
SIZED: dict[str, tuple[Callable[..., Any], Any, Any]] = {
    "reshape": (lambda n: ops.reshape(X, n), TWO_THREE, X.reshape(2, 3)),
    "reshape-one": (lambda n: ops.reshape(X, (2, n)), THREE, X.reshape(2, 3)),
    "broadcast_to": (lambda n: ops.broadcast_to(X[:3], n), TWO_THREE, np.broadcast_to(X[:3], (2, 3))),
    "tile": (lambda n: ops.tile(X, n), TWO_THREE, np.tile(X, (2, 3))),
    "roll": (lambda n: ops.roll(X, n), THREE, np.roll(X, 3)),
    "slice": (lambda n: ops.slice(X, np.array([1]), n), np.array([3], "int32"), X[1:4]),
    "linspace": (lambda n: ops.linspace(0, 1, n), THREE, np.linspace(0, 1, 3, dtype="float32")),
    "logspace": (lambda n: ops.logspace(0, 1, n), THREE, np.logspace(0, 1, 3, dtype="float32")),
    "zeros": (ops.zeros, TWO_THREE, np.zeros((2, 3), "float32")),
    "diag": (lambda n: ops.diag(X[:1], n), THREE, np.diag(X[:1], 3)),
    "top_k": (lambda n: ops.top_k(X, n)[0], THREE, X[:2:-1]),
    "segment_sum": (lambda n: ops.segment_sum(X, [0, 0, 1, 1, 2, 2], n), THREE, X.reshape(3, 2).sum(1)),
    "take-axis": (lambda n: ops.take(X, TWO_THREE, n), np.array(0), X[2:4]),
    "sum-axis": (lambda n: ops.sum(X.reshape(2, 3), n), np.array(1), X.reshape(2, 3).sum(1)),
    "expand_dims-axis": (lambda n: ops.expand_dims(X, n), np.array(0), X[None]),
    "uniform": (lambda n: ops.shape(random.uniform(n)), TWO_THREE, (2, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", SIZED)
def test_sizes_may_be_tensors(name: str, backend: str) -> None:
    call, size, want = SIZED[name]
    for given in (convert_to_tensor(size), size[()]):  # the latter of a scalar is one of NumPy's numbers
        np.testing.assert_allclose(convert_to_numpy(call(given)), want, rtol=1e-6)


def test_a_symbolic_size_of_a_known_array(backend: str) -> None:
    size = kbridge.Input(batch_shape=(2,), dtype="int32")
    reshaped = ops.reshape(X, size)
    assert reshaped.shape == (None, None)
    got = kbridge.Model(size, reshaped)(convert_to_tensor(TWO_THREE))
    np.testing.assert_array_equal(convert_to_numpy(got), X.reshape(2, 3))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_split_at_positions_of_a_graph(jit_compile: bool) -> None:
    split = tf.function(lambda x, at: ops.split(x, at, axis=1), jit_compile=jit_compile)
    x = X.reshape(2, 3)
    for got, want in zip(split(tf.constant(x), tf.constant([1, 2])), np.split(x, [1, 2], 1), strict=True):
        np.testing.assert_array_equal(got, want)
