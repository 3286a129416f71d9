"""Ops that run functions: against Python's own loops, eager, compiled and on shapes."""

from __future__ import annotations

import operator
import pickle
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
import tensorflow as tf
import torch

import kbridge
from kbridge import Input, KerasTensor, Model, Variable, backend_scope, layers, ops
from kbridge.core.errors import ArgumentError, BackendError, DTypeError, KBridgeError, ShapeError
from kbridge.core.graph.node import leaves, map_leaves
from tests.backends.rows import floats, ints


class Case(NamedTuple):
    name: str  # the op's, with more behind a hyphen
    call: Callable[..., Any]
    arrays: tuple[np.ndarray, ...]
    want: Any  # a tree
    free: bool = True  # whether sizes may be unknown


def int32(value: Any) -> np.ndarray:
    return np.asarray(value, "int32")


def float32(value: Any) -> np.ndarray:
    return np.asarray(value, "float32")


X, Y, LONG = floats(3, 4), floats(3, 4), floats(7, 2)
YES, NO = np.asarray(True), np.asarray(False)
SMALL, DEEP = float32(0.3), floats(2, 5, 3)


def sums(carry: Any, x: Any) -> Any:
    return carry + x, carry + x


def by_hand(xs: np.ndarray, reverse: bool = False) -> np.ndarray:
    total, rows = np.zeros_like(xs[0]), []
    for x in xs[::-1] if reverse else xs:
        total = total + x
        rows.append(total)
    return np.array(rows[::-1] if reverse else rows)


def affine_steps(a: Any, b: Any) -> Any:
    """Two maps `h -> h * scale + shift` as one."""
    return {"scale": a["scale"] * b["scale"], "shift": b["scale"] * a["shift"] + b["shift"]}


def shifts_by_hand(scales: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    h, rows = np.zeros_like(shifts[0]), []
    for a, b in zip(scales, shifts, strict=True):
        h = h * a + b
        rows.append(h)
    return np.array(rows)


def halved(x: Any, most: int | None = None) -> Any:
    """How often until it is below 1."""
    return ops.while_loop(lambda n, v: v >= 1, lambda n, v: (n + 1, v / 2), (0, x), most)


BRANCHES = [lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y]

CASES = [
    Case("cond-true", lambda p, x: ops.cond(p, lambda: x * 2, lambda: x - 1), (YES, X), X * 2),
    Case("cond-false", lambda p, x: ops.cond(p, lambda: x * 2, lambda: x - 1), (NO, X), X - 1),
    Case("cond-as-given", lambda p, x: ops.cond(p, lambda: x, lambda: x - 1), (YES, X), X),
    Case("cond-number", lambda p, x: ops.cond(p, lambda: x, lambda: x - 1), (int32(3), X), X),
    Case("cond-tree", lambda p, x: ops.cond(p, lambda: {"a": (x, None)}, lambda: {"a": (x * 0, None)}), (YES, X),
         {"a": (X, None)}),
    Case("cond-nested", lambda p, q, x: ops.cond(p, lambda: ops.cond(q, lambda: x, lambda: x * 3), lambda: -x),
         (YES, NO, X), X * 3),
    *(Case(f"switch-{i}", lambda i, x, y: ops.switch(i, BRANCHES, x, y), (int32(i), X, Y), want)
      for i, want in ((-7, X + Y), (0, X + Y), (1, X - Y), (2, X * Y), (9, X * Y))),
    Case("switch-one", lambda i, x: ops.switch(i, [lambda t: t[0] + t[1]], (x, x)), (int32(0), X), X + X),
    Case("while_loop", halved, (float32(20),), (int32(5), float32(0.625))),
    Case("while_loop-no-round", halved, (SMALL,), (int32(0), SMALL)),
    Case("while_loop-most", lambda x: halved(x, 2), (float32(20),), (int32(2), float32(5))),
    Case("while_loop-one", lambda x: ops.while_loop(lambda v: ops.sum(v) < 100, lambda v: v * 2, x), (np.abs(X),),
         np.abs(X) * 2 ** max(0, int(np.ceil(np.log2(100 / np.abs(X).sum()))))),
    Case("while_loop-dict", lambda x: ops.while_loop(
         lambda d: d["n"] < 3, lambda d: {"n": d["n"] + 1, "x": d["x"] * 2}, {"n": 0, "x": x}), (X,),
         {"n": int32(3), "x": X * 8}),
    Case("while_loop-swap", lambda x, y: ops.while_loop(
         lambda n, a, b: n < 3, lambda n, a, b: (n + 1, b, a), (0, x, y)),
         (X, Y), (int32(3), Y, X)),
    Case("fori_loop", lambda x: ops.fori_loop(2, 5, lambda i, v: v * ops.cast(i, "float32"), x), (X,), X * 24),
    Case("fori_loop-index", lambda x: ops.fori_loop(0, 3, lambda i, v: v + ops.take(x, i, 0), x[0] * 0), (X,),
         X.sum(0)),
    Case("fori_loop-none", lambda x: ops.fori_loop(3, 3, lambda i, v: v * 2, x), (X,), X),
    Case("fori_loop-tree", lambda x: ops.fori_loop(0, 3, lambda i, v: {"a": v["b"], "b": v["a"] + 1}, {"a": x, "b": x}),
         (X,), {"a": X + 1, "b": X + 2}),
    Case("fori_loop-bounds", lambda n, x: ops.fori_loop(0, n, lambda i, v: v * 2, x), (int32(3), X), X * 8),
    Case("scan", lambda x: ops.scan(sums, x[0] * 0, x), (LONG,), (LONG.sum(0), by_hand(LONG))),
    Case("scan-reverse", lambda x: ops.scan(sums, x[0] * 0, x, reverse=True), (LONG,),
         (LONG.sum(0), by_hand(LONG, True))),
    Case("scan-unroll", lambda x: ops.scan(sums, x[0] * 0, x, unroll=True), (LONG,), (LONG.sum(0), by_hand(LONG)),
         False),
    Case("scan-length", lambda x: ops.scan(lambda c, _: ((c[1], c[0] + c[1]), None), (x, x), length=6), (float32(1),),
         ((float32(13), float32(21)), None)),
    Case("scan-trees", lambda x, y: ops.scan(
         lambda c, d: ({"s": c["s"] + d["a"]}, (d["a"] * d["b"], None)), {"s": x[0] * 0}, {"a": x, "b": y}), (X, Y),
         ({"s": X.sum(0)}, (X * Y, None))),
    Case("scan-other-output", lambda x: ops.scan(lambda c, v: (c + 1, ops.cast(v > 0, "int32")), 0, x), (LONG,),
         (int32(7), int32(LONG > 0))),
    Case("scan-empty", lambda x: ops.scan(sums, float32([0, 0]), x), (LONG[:0],), (float32([0, 0]), LONG[:0]), False),
    Case("map", lambda x: ops.map(lambda v: ops.sum(v * v), x), (X,), (X * X).sum(1)),
    Case("map-tree", lambda x, y: ops.map(lambda d: {"m": d[0] * d[1], "s": ops.sum(d[0])}, (x, y)), (X, Y),
         {"m": X * Y, "s": X.sum(1)}),
    Case("map-empty", lambda x: ops.map(lambda v: ops.sum(v), x), (X[:0],), float32([]), False),
    Case("vectorized_map", lambda x: ops.vectorized_map(lambda v: v * ops.sum(v), x), (X,),
         X * X.sum(1, keepdims=True)),
    Case("vectorized_map-tree", lambda x, y: ops.vectorized_map(lambda d: {"m": d[0] * d[1], "c": x[0]}, [x, y]),
         (X, Y), {"m": X * Y, "c": np.tile(X[0], (3, 1))}),
    Case("vectorized_map-matmul", lambda x, y: ops.vectorized_map(lambda v: ops.matmul(v, y), x), (DEEP, floats(3, 2)),
         None),
    Case("vectorize", lambda x, y: ops.vectorize(lambda a, b: ops.maximum(a, b) * 2)(x, y), (X, Y[0]),
         np.maximum(X, Y[0]) * 2, False),
    Case("vectorize-signature", lambda x, y: ops.vectorize(ops.matmul, signature="(m,n),(n)->(m)")(x, y),
         (DEEP, floats(3)), None, False),
    Case("vectorize-one-axis", lambda x: ops.vectorize(lambda v: v / ops.sum(v), signature="(n)->(n)")(x), (np.abs(X),),
         np.abs(X) / np.abs(X).sum(1, keepdims=True)),
    Case("vectorize-two-outputs", lambda x: ops.vectorize(lambda v: (ops.max(v), v), signature="(n)->(),(n)")(x),
         (DEEP,), (DEEP.max(-1), DEEP), False),
    Case("vectorize-excluded", lambda x: ops.vectorize(lambda a, how, k=1: a * (k if how == "times" else 0),
         excluded={1, "k"})(x, "times", k=3), (X,), X * 3, False),
    Case("vectorize-scalar", lambda x: ops.vectorize(lambda a: a + 1)(x), (float32(2),), float32(3)),
    *(Case(f"associative_scan-{n}", lambda x: ops.associative_scan(operator.add, x), (floats(n, 2),), None)
      for n in (1, 2, 3, 4, 5, 8, 13)),
    Case("associative_scan-reverse", lambda x: ops.associative_scan(ops.add, x, reverse=True), (LONG,),
         by_hand(LONG, True)),
    Case("associative_scan-axis", lambda x: ops.associative_scan(ops.maximum, x, axis=-2), (DEEP,),
         np.maximum.accumulate(DEEP, 1)),
    Case("associative_scan-tree", lambda a, b: ops.associative_scan(affine_steps, {"scale": a, "shift": b})["shift"],
         (floats(9, 2), floats(9, 2)), None),
]  # fmt: skip
WANTED = {
    "vectorized_map-matmul": lambda x, y: x @ y,
    "vectorize-signature": lambda x, y: x @ y,
    "associative_scan-tree": shifts_by_hand,
}


def wanted(case: Case) -> Any:
    if case.want is not None:
        return case.want
    return WANTED.get(case.name, lambda x: np.cumsum(x, 0, dtype="float32"))(*case.arrays)


# What torch.compile can't do (torch 2.13), and why.
GAPS = {
    "cond-tree": "torch.cond: branches return tensors and nothing else, not even None",
    "scan-empty": "Dynamo can't follow the rule that says what a loop without steps gives",
    "custom_gradient": "Dynamo would drop the rule of an autograd.Function inside torch.func.grad: we refuse",
    "gradient-cond": "torch.cond isn't traced inside torch.func.grad",
    "gradient-switch": "torch.cond isn't traced inside torch.func.grad",
}


def expected(key: str, name: str) -> Any:
    """Whether a compiled call is a known gap, which then has to fail."""
    return pytest.raises(Exception, match=r"torch|Dynamo|Fake") if name == "torch" and key in GAPS else nullcontext()


def for_cases(cases: Any) -> Any:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


def assert_tree(got: Any, want: Any) -> None:
    """Same structure, dtypes, shapes, and values near each other."""
    assert map_leaves(lambda _: 0, got) == map_leaves(lambda _: 0, want)
    for g, w in zip(leaves(got), leaves(want), strict=True):
        if w is None:
            assert g is None
            continue
        g = ops.convert_to_numpy(g)
        assert (g.dtype, g.shape) == (w.dtype, w.shape)
        np.testing.assert_allclose(g, w, rtol=2e-5, atol=2e-5)


COMPILED: dict[str, Callable[[Any], Any]] = {
    "jax": jax.jit,
    "torch": lambda f: torch.compile(f, backend="eager", fullgraph=True, dynamic=False),
    "tensorflow": lambda f: tf.function(f, autograph=False),
}


def tensors(name: str, arrays: Any) -> list[Any]:
    with backend_scope(name):
        return [ops.convert_to_tensor(a) for a in arrays]


@for_cases(CASES)
def test_eager(case: Case, backend: str) -> None:
    assert_tree(case.call(*tensors(backend, case.arrays)), wanted(case))


@for_cases(CASES)
@pytest.mark.parametrize("name", COMPILED)
def test_compiled(case: Case, name: str) -> None:
    torch._dynamo.reset()
    with expected(case.name, name):
        assert_tree(COMPILED[name](case.call)(*tensors(name, case.arrays)), wanted(case))


@for_cases([case for case in CASES if case.free])
def test_tensorflow_with_a_free_first_size(case: Case) -> None:
    signature = [tf.TensorSpec((None, *a.shape[1:]) if a.ndim else (), a.dtype) for a in case.arrays]
    traced = tf.function(case.call, input_signature=signature, autograph=False)
    assert_tree(traced(*tensors("tensorflow", case.arrays)), wanted(case))


@for_cases(CASES)
def test_shapes_are_what_comes_out(case: Case) -> None:
    for free in (False, True) if case.free else (False,):
        given = [KerasTensor((None if free else s, *a.shape[1:]) if a.ndim else (), a.dtype.name)
                 for a in case.arrays for s in a.shape[:1] or (0,)]  # fmt: skip
        promised, want = case.call(*given), wanted(case)
        assert map_leaves(lambda _: 0, promised) == map_leaves(lambda _: 0, want)
        for p, w in zip(leaves(promised), leaves(want), strict=True):
            if w is not None:
                assert p.dtype == w.dtype.name
                assert len(p.shape) == w.ndim
                assert all(a == b or (free and a is None) for a, b in zip(p.shape, w.shape, strict=True))


@for_cases(CASES)
def test_as_a_graph(case: Case, backend: str) -> None:
    """The same call on inputs of a model: tensors that functions take from around them become inputs of the op."""
    inputs = [Input(batch_shape=a.shape, dtype=a.dtype.name) for a in case.arrays]
    model = Model(inputs, [t for t in leaves(case.call(*inputs)) if t is not None])
    assert_tree(list(model(tensors(backend, case.arrays))), [w for w in leaves(wanted(case)) if w is not None])


# --- which backend, and what functions may use -----------------------------------------------------


def test_a_plain_condition_chooses_no_backend() -> None:
    x = torch.ones(2, requires_grad=True)
    assert ops.cond(True, lambda: x * 2, lambda: x).requires_grad
    assert isinstance(ops.cond(np.bool_(False), lambda: x, lambda: ops.exp(x)), torch.Tensor)
    assert isinstance(ops.switch(1, [ops.exp, ops.log], x), torch.Tensor)
    assert ops.cond(False, lambda: 1, lambda: None) is None


@pytest.mark.parametrize("name", COMPILED)
def test_tensors_decide_for_the_functions(name: str) -> None:
    (x,) = tensors(name, [X])
    _, ys = ops.scan(lambda carry, row: (carry, ops.concatenate([row, np.ones(2, "float32")])), 0.0, x)
    assert type(ys) is type(x)
    assert ys.shape[1] == 6


def test_variables_are_read(backend: str) -> None:
    w, start = Variable(np.full(4, 2, "float32")), Variable(np.zeros(4, "float32"))
    total, _ = ops.scan(lambda carry, x: (carry + x * w, None), start, X)
    assert_tree(total, 2 * X.sum(0))
    assert_tree(ops.cond(Variable(np.asarray(True)), lambda: w, lambda: w + 1), np.full(4, 2, "float32"))


@pytest.mark.parametrize("name", COMPILED)
def test_the_frameworks_own_functions_inside(name: str) -> None:
    square = {"jax": jax.numpy.square, "torch": torch.square, "tensorflow": tf.square}[name]
    (x,) = tensors(name, [X])
    for call in (ops.map, ops.vectorized_map):
        assert_tree(call(square, x), X * X)


def test_a_branch_not_taken_does_not_run(backend: str) -> None:
    ran = []
    (x, yes) = tensors(backend, [X, YES])
    ops.cond(yes, lambda: ran.append("yes") or x, lambda: ran.append("no") or x)
    assert ran == ["yes"]


# --- gradients through them ----------------------------------------------------------------------

DIFFERENTIABLE = [
    ("cond", lambda x: ops.cond(ops.sum(x) > 1e9, lambda: x, lambda: x * x)),
    ("switch", lambda x: ops.switch(ops.cast(x[0, 0] * 0 + 1, "int32"), [ops.exp, ops.sin], x)),
    ("scan", lambda x: ops.scan(lambda c, v: (c * 0.5 + v, ops.tanh(c * v)), x[0], x)[1]),
    ("fori_loop", lambda x: ops.fori_loop(0, 3, lambda i, v: ops.sin(v) + x, x)),
    ("map", lambda x: ops.map(lambda v: ops.exp(v) * v, x)),
    ("vectorized_map", lambda x: ops.vectorized_map(lambda v: v * ops.sum(v), x)),
    ("associative_scan", lambda x: ops.associative_scan(ops.multiply, x)),
]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize(("op", "call"), DIFFERENTIABLE, ids=[op for op, _ in DIFFERENTIABLE])
def test_gradients(op: str, call: Any, name: str, compiled: bool) -> None:
    weights = floats(3, 4)
    with backend_scope("jax"):
        want = jax.grad(lambda x: (call(x) * weights).sum())(X)
    (own,) = tensors(name, [weights])  # Dynamo's guards fail on NumPy arrays around torch.func.grad (torch 2.13)
    graded = kbridge.grad(lambda x: ops.sum(ops.multiply(call(x), own)))
    if compiled:
        torch._dynamo.reset()
        graded = COMPILED[name](graded)
    with expected(f"gradient-{op}" if compiled else "", name):
        assert_tree(graded(*tensors(name, [X])), np.asarray(want))


@pytest.mark.parametrize("name", ["torch", "tensorflow"])
def test_gradient_of_a_while_loop(name: str) -> None:
    """JAX has none: its reverse mode needs to know the number of rounds."""
    call = lambda x: halved(ops.sum(x))[1] * x[0, 0]  # noqa: E731
    total = float(np.float32(np.abs(X).sum()))
    rounds = int(np.floor(np.log2(total))) + 1
    want = np.full_like(X, abs(X[0, 0]) / 2**rounds)
    want[0, 0] += total / 2**rounds
    assert_tree(kbridge.grad(call)(*tensors(name, [np.abs(X)])), want)


# --- in models -----------------------------------------------------------------------------------


def test_a_layer_inside_a_function_is_refused_in_a_graph() -> None:
    dense = layers.Dense(3)
    x = Input((5, 4))
    with pytest.raises(ArgumentError, match=r"ops\.vectorized_map: the layer 'dense.*weights"):
        ops.vectorized_map(dense, x)
    flag = Input(batch_shape=(), dtype="bool")
    with pytest.raises(ArgumentError, match=r"ops\.cond"):
        ops.cond(flag, lambda: dense(x), lambda: dense(x))
    again = dense(x)
    assert ops.cond(flag, lambda: again, lambda: again * 2).shape == (None, 5, 3)


def test_inside_a_layer_anything_goes(backend: str) -> None:
    class Pondering(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(4)

        def call(self, x: Any) -> Any:
            x = ops.fori_loop(0, 2, lambda i, v: ops.tanh(self.dense(v)), x)
            return ops.cond(ops.any(x > 1e3), lambda: self.dense(x), lambda: x)

    layer = Pondering()
    inputs = Input((4,))
    model = Model(inputs, layer(inputs))
    kernel, bias = (w.numpy() for w in layer.dense.weights)
    assert_tree(model(X), np.tanh(np.tanh(X @ kernel + bias) @ kernel + bias))
    assert len(model.weights) == 2


def test_a_graph_with_functions_that_capture_tensors_can_be_copied() -> None:
    flag, x = Input(batch_shape=(), dtype="bool"), Input((4,))
    y = x * 3.0
    model = Model([flag, x], ops.cond(flag, lambda: y + x, lambda: ops.exp(y)))
    copied = pickle.loads(pickle.dumps(model))
    for p in (YES, NO):
        assert_tree(copied([p, X]), X * 4 if p else np.exp(X * 3))


# --- refusals ------------------------------------------------------------------------------------

BAD = [
    ("cond", lambda: ops.cond(np.ones(2), lambda: 1, lambda: 2), ShapeError),
    ("scan", lambda: ops.scan(sums, 0.0), ArgumentError),
    ("scan", lambda: ops.scan(sums, 0.0, X, unroll=0), ArgumentError),
    ("scan", lambda: ops.scan(lambda c, x: (ops.sum(x), x), X[0], X), ShapeError),
    ("scan", lambda: ops.scan(lambda c, x: (x, x), np.zeros(4, "int32"), X), ShapeError),
    ("scan", lambda: ops.scan(lambda c, x: (c, None), 0, (X, LONG)), ShapeError),
    ("scan", lambda: ops.scan(lambda c, x: (c, None), 0, X, length=2), ShapeError),
    ("scan", lambda: ops.scan(lambda c, x: (c, None), 0, SMALL), ShapeError),
    ("while_loop", lambda: ops.while_loop(lambda x: ops.sum(x) < 9, lambda x: ops.sum(x), X), ShapeError),
    ("while_loop", lambda: ops.while_loop(lambda x: x < 9, lambda x: x + 1, X), ShapeError),
    ("while_loop", lambda: ops.while_loop(lambda i, x: i < 2, lambda i, x: i + 1, (0, X)), ShapeError),
    ("fori_loop", lambda: ops.fori_loop(0, 2, lambda i, x: ops.sum(x), X), ShapeError),
    ("map", lambda: ops.map(lambda t: t[0], (X, LONG)), ShapeError),
    ("switch", lambda: ops.switch(X, [lambda: 1]), ShapeError),
    ("switch", lambda: ops.switch(0, []), ArgumentError),
    ("vectorized_map", lambda: ops.vectorized_map(lambda t: t[0], (X, LONG)), ShapeError),
    ("associative_scan", lambda: ops.associative_scan(lambda a, b: a, (X, LONG)), ShapeError),
    ("associative_scan", lambda: ops.associative_scan(lambda a, b: a, X, axis=2), ShapeError),
]


@pytest.mark.parametrize(("op", "call", "error"), BAD, ids=[f"{op}-{i}" for i, (op, *_) in enumerate(BAD)])
def test_refused_alike(op: str, call: Any, error: type[Exception], backend: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert isinstance(caught.value, KBridgeError)
    assert str(caught.value).startswith(f"ops.{op}")


def test_refused_on_shapes() -> None:
    flag, x = KerasTensor((), "bool"), KerasTensor((None, 4))
    with pytest.raises(ShapeError, match=r"ops\.cond: the branches return float32\[None, 4\] and float32\[4\]"):
        ops.cond(flag, lambda: x, lambda: x[0])
    with pytest.raises(ShapeError, match="structures"):
        ops.cond(flag, lambda: x, lambda: (x,))
    with pytest.raises(ShapeError, match=r"ops\.scan: the loop's state goes in as int32"):
        ops.scan(sums, KerasTensor((4,), "int32"), x)
    with pytest.raises(ShapeError, match=r"ops\.jvp"):
        ops.jvp(ops.sin, (x,), (x[0],))


def test_functions_must_be_functions(backend: str) -> None:
    for call in (lambda: ops.scan(3, 0.0, X), lambda: ops.map(X, X), lambda: ops.while_loop(True, None, X)):
        with pytest.raises(TypeError, match="Expected a function"):
            call()


def test_vectorize_refuses(backend: str) -> None:
    with pytest.raises(ArgumentError, match="signature"):
        ops.vectorize(ops.add, signature="(m,n->m")
    with pytest.raises(ShapeError, match="'n' has size 4 and size 3"):
        ops.vectorize(ops.matmul, signature="(n),(n)->()")(X, floats(3))
    with pytest.raises(ShapeError, match="results with the axes"):
        ops.vectorize(lambda v: v, signature="(n)->()")(X)
    with pytest.raises(ArgumentError, match="names 2 arrays and 1"):
        ops.vectorize(ops.matmul, signature="(n),(n)->()")(X)


# --- derivatives of one's own, and forward ----------------------------------------------------------


@ops.custom_gradient
def log1pexp(x: Any) -> Any:
    e = ops.exp(x)
    return ops.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))


@ops.custom_gradient
def clipped(x: Any, pair: Any, count: Any) -> Any:
    """Two outputs; gradients that can be told from the true ones."""
    return (x * pair["a"], x + pair["b"]), lambda up, over: (up * 10, {"a": over * 20, "b": None}, None)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", COMPILED)
def test_custom_gradient(name: str, compiled: bool) -> None:
    def total(x: Any, pair: Any, count: Any) -> Any:
        y, z = clipped(x, pair, count)
        return ops.sum(y) + ops.sum(z) * 3

    torch._dynamo.reset()
    graded, wave = kbridge.grad(log1pexp), kbridge.value_and_grad(total, (0, 1))
    if compiled:
        graded, wave = COMPILED[name](graded), COMPILED[name](wave)
    x, y, count = tensors(name, [X, Y, int32(3)])
    with expected("custom_gradient" if compiled else "", name):
        assert_tree(graded(*tensors(name, [float32(100)])), float32(1))
    with expected("custom_gradient" if compiled else "", name):
        value, grads = wave(x, {"a": y, "b": y}, count)
        assert_tree(value, float32((X * Y + 3 * (X + Y)).sum()))
        assert_tree(grads, (np.full_like(X, 10), {"a": np.full_like(X, 60), "b": np.zeros_like(X)}))


@pytest.mark.filterwarnings(
    "ignore:<class 'torch.autograd.function.Function'> should not:DeprecationWarning"
)  # Dynamo's
def test_custom_gradient_of_a_compiled_torch_function() -> None:
    torch._dynamo.reset()
    x = torch.tensor(100.0, requires_grad=True)
    torch.compile(log1pexp, backend="aot_eager", fullgraph=True)(x).backward()
    assert_tree(x.grad, float32(1))
    graded = kbridge.grad(torch.compile(log1pexp, backend="aot_eager", fullgraph=True))
    assert_tree(graded(torch.tensor(100.0)), float32(1))


@pytest.mark.parametrize("name", COMPILED)
def test_custom_gradient_can_be_differentiated_again(name: str) -> None:
    second = kbridge.grad(kbridge.grad(log1pexp))(*tensors(name, [SMALL]))
    sigmoid = 1 / (1 + np.exp(-SMALL))
    assert_tree(second, float32(sigmoid * (1 - sigmoid)))


def test_custom_gradient_as_a_plain_function(backend: str) -> None:
    assert_tree(log1pexp(X), np.log1p(np.exp(X)))
    assert_tree(log1pexp(Variable(X)), np.log1p(np.exp(X)))
    inputs = Input((4,))
    assert_tree(Model(inputs, log1pexp(inputs))(X), np.log1p(np.exp(X)))


@pytest.mark.parametrize("name", COMPILED)
def test_custom_gradient_in_the_frameworks_own_gradient(name: str) -> None:
    from tests.backends.test_gradients import GRADIENTS

    (found,) = GRADIENTS[name](log1pexp, (float32(100),), float32(2))
    assert found == 2.0
    inputs = Input(())
    with backend_scope(name):
        (found,) = GRADIENTS[name](Model(inputs, log1pexp(inputs)), (float32([100]),), float32([2]))
    assert found == [2.0]


def test_custom_gradient_counts_gradients() -> None:
    wrong = ops.custom_gradient(lambda x, y: (x * y, lambda up: up))
    with backend_scope("jax"), pytest.raises(ShapeError, match="returned 1 gradients for 2"):
        kbridge.grad(lambda x: ops.sum(wrong(x, x)))(X)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", COMPILED)
def test_jvp(name: str, compiled: bool) -> None:
    def call(x: Any, y: Any, dx: Any, dy: Any) -> Any:
        function = lambda x, d: ({"p": ops.sin(x) * d["y"]}, (x, None))  # noqa: E731
        return ops.jvp(function, (x, {"y": y}), (dx, {"y": dy}), has_aux=True)

    torch._dynamo.reset()
    dx, dy = floats(3, 4), floats(3, 4)
    call(*tensors(name, [X, Y, dx, dy]))  # torch warns when it does this for the first time
    value, slope, aux = (COMPILED[name](call) if compiled else call)(*tensors(name, [X, Y, dx, dy]))
    assert_tree(value, {"p": np.sin(X) * Y})
    assert_tree(slope, {"p": np.cos(X) * Y * dx + np.sin(X) * dy})
    assert_tree(aux, (X, None))


@pytest.mark.parametrize("name", COMPILED)
def test_jvp_of_a_function_that_holds_its_argument_as_a_constant(name: str) -> None:
    x, dx = tensors(name, [X, Y])
    assert_tree(ops.jvp(lambda v: v * x, (x,), (dx,))[1], X * Y)


def test_jvp_refuses() -> None:
    with backend_scope("numpy"), pytest.raises(BackendError, match="no derivatives"):
        ops.jvp(ops.sin, (X,), (X,))
    for name in COMPILED:
        with backend_scope(name):
            with pytest.raises(ShapeError, match=r"ops\.jvp"):
                ops.jvp(ops.sin, (X,), (X[0],))
            with pytest.raises(DTypeError, match=r"ops\.jvp"):
                ops.jvp(lambda x: x, (ints(0, 3, 2),), (floats(2),))
