"""`value_and_grad` and `grad`: by arguments and by variables, eager, compiled and nested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
import tensorflow as tf
import torch

import kbridge
from kbridge import Input, KerasTensor, Model, Variable, backend_scope, layers, ops
from kbridge.core.errors import ArgumentError, BackendError, DTypeError, ShapeError
from kbridge.core.graph.node import leaves, map_leaves

COMPILED: dict[str, Callable[[Any], Any]] = {
    "jax": jax.jit,
    "torch": lambda f: torch.compile(f, backend="eager", fullgraph=True, dynamic=False),
    "tensorflow": lambda f: tf.function(f, autograph=False),
}
HOW = {**{f"{name}": (name, lambda f: f) for name in COMPILED},
       **{f"{name}-compiled": (name, compile) for name, compile in COMPILED.items()}}  # fmt: skip
draws = np.random.default_rng(3)
X, Y, V = (draws.normal(size=size).astype("float32") for size in ((3, 4), (3, 4), (4,)))
everywhere = pytest.mark.parametrize(("name", "how"), HOW.values(), ids=HOW)


def tensors(name: str, tree: Any) -> Any:
    torch._dynamo.reset()
    with backend_scope(name):
        return map_leaves(lambda a: a if isinstance(a, Variable) else ops.convert_to_tensor(a), tree)


def assert_tree(got: Any, want: Any) -> None:
    assert map_leaves(lambda _: 0, got) == map_leaves(lambda _: 0, want)
    for g, w in zip(leaves(got), leaves(want), strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(g), w, rtol=1e-5, atol=1e-5)


def wave(x: Any, y: Any) -> Any:
    return ops.sum(ops.multiply(ops.sin(x), ops.square(y)))


DX, DY = np.cos(X) * Y * Y, 2 * np.sin(X) * Y
TOTAL = (np.sin(X) * Y * Y).sum()


@everywhere
@pytest.mark.parametrize(
    ("argnums", "want"),
    [(0, DX), (1, DY), (-1, DY), ((1, 0), (DY, DX)), ([0], [DX]), ((), ())],
    ids=["first", "second", "last", "both", "list", "none"],
)
def test_by_position(argnums: Any, want: Any, name: str, how: Any) -> None:
    x, y = tensors(name, [X, Y])
    value, found = how(kbridge.value_and_grad(wave, argnums))(x, y)
    assert_tree((value, found), (TOTAL, want))
    assert_tree(how(kbridge.grad(wave, argnums))(x, y), want)


@everywhere
def test_by_a_tree_with_aux(name: str, how: Any) -> None:
    def loss(tree: Any, scale: Any = 1.0) -> Any:
        return wave(tree["x"], tree["ys"][0]) * scale, {"x": tree["x"] * 2, "note": None}

    tree = tensors(name, {"x": X, "ys": (Y, V)})
    (value, aux), found = how(kbridge.value_and_grad(loss, has_aux=True))(tree, scale=3.0)
    assert_tree(value, TOTAL * 3)
    assert_tree(aux["x"], X * 2)
    assert_tree(found, {"x": DX * 3, "ys": (DY * 3, V * 0)})
    found, aux = how(kbridge.grad(loss, 0, True))(tree)
    assert_tree(found["x"], DX)


@everywhere
def test_by_variables(name: str, how: Any) -> None:
    w, unused, frozen = Variable(X), Variable(V), Variable(Y, trainable=False)
    for variable in (w, unused, frozen):
        variable.settle(kbridge.core.context.load_backend(name))
    graded = kbridge.value_and_grad(lambda s: wave(w, frozen) * s, [w, unused, frozen])
    assert_tree(how(graded)(*tensors(name, [np.float32(2)])), (TOTAL * 2, [DX * 2, V * 0, DY * 2]))
    assert not frozen.trainable
    value, (dx, dw) = how(kbridge.value_and_grad(lambda y: wave(w, y), (0, w)))(*tensors(name, [Y]))
    assert_tree((value, dx, dw), (TOTAL, DY, DX))


@pytest.mark.parametrize("name", COMPILED)
def test_by_variables_among_the_arguments(name: str) -> None:
    """They are differentiated like tensors, wherever the function reads them."""
    w, b = Variable(X), Variable(Y)
    with backend_scope(name):
        value, found = kbridge.value_and_grad(lambda held, t: wave(w, held["y"]) * t)({"w": w, "y": b, "t": V}, 1.0)
    assert_tree((value, found), (TOTAL, {"w": DX, "y": DY, "t": V * 0}))


@everywhere
def test_second_derivatives(name: str, how: Any) -> None:
    third = lambda x: ops.sum(ops.sin(x) * x)  # noqa: E731
    twice = kbridge.grad(lambda x: ops.sum(kbridge.grad(third)(x) * x))
    slope, bend = np.sin(X) + X * np.cos(X), 2 * np.cos(X) - X * np.sin(X)
    assert_tree(how(twice)(*tensors(name, [X])), slope + X * bend)


@everywhere
def test_a_gradient_penalty(name: str, how: Any) -> None:
    """The inner gradient is by the inputs, the outer by a variable that the inner function reads."""
    w = Variable(V)
    w.settle(kbridge.core.context.load_backend(name))
    critic = lambda x: ops.sum(ops.tanh(ops.matmul(x, w)))  # noqa: E731

    def penalty(x: Any) -> Any:
        return ops.sum(ops.square(kbridge.grad(critic)(x)))

    def by_hand(w: Any) -> Any:
        with backend_scope("jax"):
            return (jax.grad(lambda x: jax.numpy.tanh(x @ w).sum())(X) ** 2).sum()

    assert_tree(how(kbridge.grad(penalty, w))(*tensors(name, [X])), np.asarray(jax.grad(by_hand)(V)))


@pytest.mark.parametrize("name", COMPILED)
def test_inside_the_frameworks_own_gradient(name: str) -> None:
    inner = kbridge.grad(lambda x: ops.sum(ops.sin(x)))
    (x,) = tensors(name, [X])
    if name == "jax":
        found = jax.grad(lambda x: inner(x).sum())(x)
    elif name == "torch":
        x.requires_grad_()
        inner(x).sum().backward()
        found = x.grad
    else:
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(inner(x))
        found = tape.gradient(total, x)
    assert_tree(found, -np.sin(X))


@everywhere
def test_of_each_row(name: str, how: Any) -> None:
    """A gradient for each example, all at once."""
    each = how(lambda x: ops.vectorized_map(kbridge.grad(lambda v: ops.sum(v * v * v)), x))
    assert_tree(each(*tensors(name, [X])), 3 * X * X)


@pytest.mark.parametrize("name", COMPILED)
def test_the_same_tensor_as_argument_and_constant(name: str) -> None:
    x, y = tensors(name, [X, Y])
    assert_tree(kbridge.grad(lambda v: ops.sum(v * x * y))(x), X * Y)


@pytest.mark.parametrize("name", COMPILED)
def test_results_are_plain(name: str) -> None:
    w = Variable(X)
    with backend_scope(name):
        value, (found,) = kbridge.value_and_grad(lambda y: wave(w, y), [w])(Y)
        _, (table,) = kbridge.value_and_grad(lambda: ops.sum(ops.take(w, [0, 0], 0)), [w])()
    assert np.asarray(value).dtype == np.asarray(found).dtype == "float32"
    assert type(table) is type(found)  # no IndexedSlices
    assert_tree(table, np.array([[2.0] * 4, [0.0] * 4, [0.0] * 4]))


@everywhere
def test_states_that_the_function_writes(name: str, how: Any) -> None:
    w, seen = Variable(V), Variable(np.zeros((), "float32"), trainable=False)
    for variable in (w, seen):
        variable.settle(kbridge.core.context.load_backend(name))
    if name == "jax" and how is jax.jit:
        pytest.skip("writes inside jax.jit go through stateless_call")

    def loss(x: Any) -> Any:
        seen.assign(ops.add(seen, ops.sum(x)))
        return ops.sum(ops.matmul(x, w))

    value, (found,) = how(kbridge.value_and_grad(loss, [w], states=[seen]))(*tensors(name, [X]))
    assert_tree((value, found), ((X @ V).sum(), X.sum(0)))
    assert_tree(seen, X.sum())


@pytest.mark.parametrize("name", COMPILED)
def test_a_model_by_hand(name: str) -> None:
    inputs = Input((4,))
    with backend_scope(name):
        model = Model(inputs, layers.Dense(1)(layers.BatchNormalization()(inputs)))
        graded = kbridge.value_and_grad(
            lambda _, x, y: ops.mean(ops.square(model(x, training=True) - y)), states=model.non_trainable_variables
        )
        losses = []
        for _ in range(30):
            loss, gradients = graded(model.trainable_variables, X, Y[:, :1])
            losses.append(float(loss))
            for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
                variable.assign_sub(0.1 * gradient)
    assert losses[-1] < 0.5 * losses[0]
    assert np.abs(model.layers[1].moving_mean.numpy()).max() > 0


def test_in_a_layer_that_is_followed_for_shapes() -> None:
    class Slope(layers.Layer):
        def call(self, x: Any) -> Any:
            return kbridge.grad(lambda v: ops.sum(v * v))(x)

    inputs = Input((4,))
    model = Model(inputs, Slope()(inputs))
    assert model.output_shape == (None, 4)
    with backend_scope("jax"):
        assert_tree(model(X), 2 * X)


def test_refusals() -> None:
    with backend_scope("numpy"), pytest.raises(BackendError, match="no gradients"):
        kbridge.grad(wave)(X, Y)
    with pytest.raises(BackendError, match="Layer"):
        kbridge.grad(wave)(KerasTensor((2,)), Y)
    for name in COMPILED:
        with backend_scope(name):
            with pytest.raises(ShapeError, match=r"shape \(3, 4\)"):
                kbridge.grad(lambda x: x * 2)(X)
            with pytest.raises(DTypeError, match="int32"):
                kbridge.grad(lambda n: ops.sum(n) * 1.0)(np.arange(3, dtype="int32"))
            with pytest.raises(DTypeError, match="loss is int32"):
                kbridge.grad(lambda x: ops.sum(ops.cast(x, "int32")))(X)
            with pytest.raises(ArgumentError, match="positions among the 1"):
                kbridge.grad(wave, 1)(X)
            with pytest.raises(ArgumentError, match="'x'"):
                kbridge.grad(wave, ["x"])(X)
