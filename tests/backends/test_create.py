"""Ops that make tensors out of numbers: value, dtype and shape on every backend, traced, and with sizes only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
import scipy.signal.windows
import tensorflow as tf
import torch

from kbridge.core.context import SYMBOLIC, backend_scope, framework_of, running
from kbridge.core.errors import ArgumentError, DTypeError
from kbridge.core.ops import convert, create, diagonal, windows
from kbridge.core.tensor.symbolic import KerasTensor
from tests.backends.rows import assert_near, narrow, pieces

c, d, w = create, diagonal, windows
CASES: dict[str, tuple[Callable[[], Any], Any]] = {
    "zeros": (lambda: c.zeros((2, 3)), np.zeros((2, 3))),
    "zeros-number": (lambda: c.zeros(3, "bool"), np.zeros(3, bool)),
    "zeros-scalar": (lambda: c.zeros((), "uint8"), np.zeros((), "uint8")),
    "ones": (lambda: c.ones([2, 1], "int8"), np.ones((2, 1), "int8")),
    "ones-numpy-size": (lambda: c.ones(np.int64(2), "float16"), np.ones(2, "float16")),
    "full": (lambda: c.full((2, 2), 7), np.full((2, 2), 7.0)),
    "full-array": (lambda: c.full((2, 2), np.array([1, 2]), "int32"), np.array([[1, 2]] * 2)),
    "full-bool": (lambda: c.full((2,), True, "bool"), np.full(2, True)),
    "empty": (lambda: c.zeros_like(c.empty((2, 0, 3), "int32")), np.zeros((2, 0, 3), "int32")),
    "arange": (lambda: c.arange(5), np.arange(5)),
    "arange-float": (lambda: c.arange(1.0, 3, 0.5), np.arange(1.0, 3, 0.5)),
    "arange-down": (lambda: c.arange(5, -2, -3), np.arange(5, -2, -3)),
    "arange-nothing": (lambda: c.arange(3, 3), np.arange(3, 3)),
    "arange-backwards": (lambda: c.arange(3, 0), np.arange(3, 0)),
    "arange-to-int": (lambda: c.arange(0, 2.5, dtype="int32"), np.arange(0, 2.5, dtype="int32")),
    **{
        f"arange-{kind}": (lambda kind=kind: c.arange(1, 6, 2, kind), np.arange(1, 6, 2).astype(kind))
        for kind in ("uint8", "uint16", "uint32", "int8", "int16", "float16", "float32")
    },
    "arange-typed": (lambda: c.arange(np.int16(3)), np.arange(3, dtype="int16")),
    "eye": (lambda: d.eye(3), np.eye(3)),
    "eye-wide": (lambda: d.eye(2, 4, 1, "int32"), np.eye(2, 4, 1, "int32")),
    "eye-tall": (lambda: d.eye(4, 2, -2, bool), np.eye(4, 2, -2, bool)),
    "identity": (lambda: d.identity(3, "int8"), np.identity(3, "int8")),
    "tri": (lambda: d.tri(3), np.tri(3)),
    "tri-wide": (lambda: d.tri(3, 5, 2, "int32"), np.tri(3, 5, 2, "int32")),
    "tri-low": (lambda: d.tri(4, 2, -1), np.tri(4, 2, -1)),
    "tril_indices": (lambda: list(d.tril_indices(3, 1, 4)), list(np.tril_indices(3, 1, 4))),
    "tril_indices-low": (lambda: list(d.tril_indices(4, -2)), list(np.tril_indices(4, -2))),
    "triu_indices": (lambda: list(d.triu_indices(3)), list(np.triu_indices(3))),
    "triu_indices-low": (lambda: list(d.triu_indices(4, -1, 2)), list(np.triu_indices(4, -1, 2))),
    "indices": (lambda: c.indices((2, 3)), np.indices((2, 3))),
    "indices-one": (lambda: c.indices((4,), "float32"), np.indices((4,), "float32")),
    "linspace": (lambda: c.linspace(0, 1, 7), np.linspace(0, 1, 7)),
    "linspace-int": (lambda: c.linspace(-3, 17, 11, dtype="int32"), np.linspace(-3, 17, 11, dtype="int32")),
    "linspace-step": (lambda: list(c.linspace(0, 5, 4, False, True)), list(np.linspace(0, 5, 4, False, True))),
    "linspace-one": (lambda: c.linspace(2, 5, 1), np.linspace(2, 5, 1)),
    "linspace-many": (lambda: c.linspace(0, 1), np.linspace(0, 1)),
    "logspace": (lambda: c.logspace(-1, 2, 4), np.logspace(-1, 2, 4)),
    "geomspace": (lambda: c.geomspace(1, 1000, 4), np.geomspace(1, 1000, 4)),
    "geomspace-negative": (lambda: c.geomspace(-1, -8, 4, endpoint=False), np.geomspace(-1, -8, 4, endpoint=False)),
    **{
        f"{ours.__name__}-{n}": (lambda ours=ours, n=n: ours(n), getattr(np, ours.__name__)(n))
        for ours in (w.bartlett, w.blackman, w.hamming, w.hanning)
        for n in (0, 1, 2, 8, 51)
    },
    **{
        f"kaiser-{n}-{beta}": (lambda n=n, beta=beta: w.kaiser(n, beta), scipy.signal.windows.kaiser(n, beta))
        for n, beta in ((0, 1.0), (1, 3.0), (6, 0.0), (9, 8.6), (30, 14.0), (5, 200.0))
    },
}  # fmt: skip
each_case = pytest.mark.parametrize("name", CASES)


def assert_case(name: str, results: Any) -> None:
    wanted = [narrow(want) for want in pieces(CASES[name][1])]
    for result, want in zip(pieces(results), wanted, strict=True):
        assert_near(convert.convert_to_numpy(result), want, 1e-3 if want.dtype == "float16" else 2e-6)


@each_case
def test_value(name: str, backend: str) -> None:
    results = pieces(CASES[name][0]())
    assert all(framework_of(r) == (None if backend == "numpy" else backend) for r in results)
    assert_case(name, results)


@each_case
def test_sizes_only(name: str) -> None:
    with running(SYMBOLIC):
        promised = pieces(CASES[name][0]())
    wanted = [narrow(want) for want in pieces(CASES[name][1])]
    assert all(isinstance(p, KerasTensor) for p in promised)
    assert [(p.shape, p.dtype) for p in promised] == [(want.shape, want.dtype.name) for want in wanted]


@each_case
def test_jax_jit(name: str) -> None:
    with backend_scope("jax"):
        assert_case(name, jax.jit(CASES[name][0])())


@each_case
def test_tensorflow_graph(name: str) -> None:
    with backend_scope("tensorflow"):
        assert_case(name, tf.function(CASES[name][0], autograph=False)())


@pytest.mark.parametrize(
    "name", [name for name in CASES if "numpy" not in name and name not in ("full-array", "arange-typed")]
)
def test_dynamo_follows(name: str) -> None:
    torch._dynamo.reset()
    with backend_scope("torch"):
        assert_case(name, torch.compile(CASES[name][0], backend="eager", fullgraph=True)())


def test_sizes_of_a_traced_tensor() -> None:
    @tf.function(input_signature=[tf.TensorSpec((None, None), "float32")], autograph=False)
    def function(x: Any) -> Any:
        rows, columns = convert.shape(x)
        return d.eye(rows), d.tri(rows, columns, 1), c.full((rows, 2), 3.0), c.arange(columns), c.zeros((columns,))

    eye, tri, full, steps, zeros = (t.numpy() for t in function(np.zeros((2, 4), "float32")))
    np.testing.assert_array_equal(eye, np.eye(2))
    np.testing.assert_array_equal(tri, np.tri(2, 4, 1))
    np.testing.assert_array_equal(full, np.full((2, 2), 3.0))
    np.testing.assert_array_equal(steps, np.arange(4))
    assert zeros.shape == (4,)


@pytest.mark.usefixtures("backend")
def test_facts() -> None:
    x = convert.convert_to_tensor(np.zeros((2, 3), "int8"))
    assert (convert.shape(x), convert.ndim(x), convert.size(x), convert.dtype(x)) == ((2, 3), 2, 6, "int8")
    assert convert.is_tensor(x)
    assert not convert.is_tensor([1.0])
    assert not convert.is_tensor(None)


def test_facts_of_a_symbolic_tensor() -> None:
    x = KerasTensor((None, 3), "int8")
    assert (convert.shape(x), convert.ndim(x), convert.dtype(x)) == ((None, 3), 2, "int8")
    assert (convert.size(x).shape, convert.size(x).dtype) == ((), "int32")
    assert convert.size(KerasTensor((2, 3))) == 6
    assert not convert.is_tensor(x)


def test_refusals() -> None:
    with pytest.raises(ArgumentError, match=r"ops\.arange: step can't be 0"):
        c.arange(3, step=0, stop=5)
    with pytest.raises(TypeError):
        w.hanning(2.5)
    with pytest.raises(DTypeError):
        d.eye(3, 2.0)


@pytest.mark.usefixtures("backend")
def test_length_of_a_window_as_a_tensor() -> None:
    assert_near(convert.convert_to_numpy(w.hamming(convert.array(7))), np.hamming(7).astype("float32"), 2e-6)
