"""The same rows inside tf.function with free sizes, and inside jax.jit: traced equals eager."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
import tensorflow as tf

from kbridge.core.context import load_backend, running
from kbridge.core.ops import elementwise, linalg, shape
from kbridge.core.ops.control import scan_time
from kbridge.ops import nn
from tests.backends.rows import Row, assert_near, floats, narrow, pieces
from tests.backends.tables import ROWS, for_rows, some


def assert_gives(each: Row, results: Any) -> None:
    for result, want in zip(pieces(results), pieces(each.want), strict=True):
        assert_near(np.asarray(result), np.asarray(want), each.tolerance)


def free_signature(each: Row) -> list[tf.TensorSpec]:
    """The row's inputs with a free first axis."""
    return [tf.TensorSpec((None, *a.shape[1:]) if a.ndim else (), narrow(a).dtype) for a in each.arrays[: each.data]]


@for_rows(some([r for r in ROWS if not r.fixed]))
def test_tensorflow_with_a_free_first_size(each: Row) -> None:
    signature = free_signature(each)
    inputs = [tf.constant(narrow(a)) for a in each.arrays]
    weights = inputs[len(signature) :]
    traced = tf.function(lambda *xs: each.call(*xs, *weights), input_signature=signature, autograph=False)
    assert_gives(each, traced(*inputs[: len(signature)]))


@for_rows(some([r for r in ROWS if not r.eager]))
def test_jax_jit(each: Row) -> None:
    assert_gives(each, jax.jit(each.call)(*each.arrays))


# --- shapes that a call reads ---------------------------------------------------------------------


def graph_of(function: Any, *sizes: Any) -> Any:
    signature = [tf.TensorSpec(s, "float32") for s in sizes]
    return tf.function(function, input_signature=signature, autograph=False).get_concrete_function().graph


def test_sizes_read_and_used_again() -> None:
    @tf.function(input_signature=[tf.TensorSpec((None, None, 4), "float32")], autograph=False)
    def function(x: Any) -> Any:
        batch, steps, features = shape.shape(x)
        assert features == 4
        with running(load_backend("tensorflow")):
            return (
                shape.reshape(x, (batch, steps * features)),
                shape.reshape(x, (batch, -1)),
                shape.broadcast_to(shape.zeros((1, 1, 4)), (batch, steps, 4)),
                shape.zeros((batch, 2)),
                shape.arange(steps),
                shape.ones_like(x),
                shape.stack(shape.split(x, 2, 1)),
            )

    x = floats(2, 6, 4)
    flat, same, wide, zeros, steps, ones, halves = (t.numpy() for t in function(x))
    np.testing.assert_array_equal(flat, x.reshape(2, 24))
    np.testing.assert_array_equal(same, flat)
    assert (wide.shape, zeros.shape, ones.sum()) == ((2, 6, 4), (2, 2), 48)
    np.testing.assert_array_equal(steps, np.arange(6))
    np.testing.assert_array_equal(halves, np.stack(np.split(x, 2, 1)))


def test_one_free_size_leaves_no_arithmetic_on_shapes() -> None:
    graph = graph_of(lambda x: shape.reshape(x, (shape.shape(x)[0], 6)), (None, 2, 3))
    (reshape,) = [op for op in graph.get_operations() if op.type == "Reshape"]
    assert reshape.inputs[1].op.type == "Const"
    graph = graph_of(lambda x: linalg.affine(x, np.ones((3, 2), "float32")), (None, 5, 3))
    assert [op.inputs[1].op.type for op in graph.get_operations() if op.type == "Reshape"] == ["Const"] * 2


def test_new_axes_are_expand_dims() -> None:
    """LiteRT has a slice with new axes only through Flex."""
    graph = graph_of(lambda x: shape.get_item(x, (slice(None), None, 0)), (None, 3))
    assert "ExpandDims" in {op.type for op in graph.get_operations()}
    slices = [op for op in graph.get_operations() if op.type == "StridedSlice"]
    assert all(op.get_attr("new_axis_mask") == 0 for op in slices)


def test_channels_last_needs_no_transpose() -> None:
    def function(x: Any) -> Any:
        y = nn.conv(x, np.ones((3, 3, 4, 8), "float32"), 1, "same", "channels_last")
        y = nn.max_pool(elementwise.add(y, 1.0), 2, None, "valid", "channels_last")
        return nn.average_pool(y, 2, None, "same", "channels_last")

    types = {op.type for op in graph_of(function, (None, 8, 8, 4)).get_operations()}
    assert {"Conv2D", "MaxPool", "AvgPool"} <= types
    assert not types & {"Transpose", "PyFunc", "EagerPyFunc", "XlaCallModule"}


# --- over time ------------------------------------------------------------------------------------

DECAY = floats(3, 3) / 2


def decayed(carry: Any, parts: Any) -> Any:
    """A step that mixes its state and counts."""
    state, count = carry
    state = elementwise.add(linalg.matmul(state, DECAY), parts[0])
    return (state, elementwise.add(count, 1)), elementwise.multiply(state, 2.0)


def by_hand(xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    state, outputs = np.zeros_like(xs[0]), []
    for x in xs:
        state = state @ DECAY + x
        outputs.append(2 * state)
    return state, np.array(outputs)


def run_over_time(xs: Any) -> Any:
    start = (elementwise.multiply(shape.get_item(xs, 0), 0.0), shape.zeros((), "int32"))
    return scan_time(decayed, start, (xs,))


def assert_over_time(results: Any, xs: np.ndarray) -> None:
    (state, count), outputs = results
    want_state, want_outputs = by_hand(xs)
    np.testing.assert_allclose(np.asarray(state), want_state, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.asarray(outputs), want_outputs, rtol=1e-4, atol=1e-5)
    assert int(count) == len(xs)


def test_scan_time(backend: str) -> None:
    xs = floats(7, 2, 3)
    with running(load_backend(backend)):
        (state, count), outputs = run_over_time(shape.convert_to_tensor(xs))
    to_numpy = load_backend(backend).to_numpy
    assert_over_time(((to_numpy(state), to_numpy(count)), to_numpy(outputs)), xs)


@pytest.mark.parametrize("sizes", [(7, 2, 3), (None, 2, 3), (7, None, 3), (None, None, 3)])
def test_scan_time_in_a_tensorflow_graph(sizes: Any) -> None:
    @tf.function(input_signature=[tf.TensorSpec(sizes, "float32")], autograph=False)
    def function(xs: Any) -> Any:
        with running(load_backend("tensorflow")):
            return run_over_time(xs)

    traced = function.get_concrete_function()
    assert traced.structured_outputs[1].shape[0] == sizes[0]
    lists = {op.type for op in traced.graph.get_operations() if op.type.startswith("TensorList")}
    assert bool(lists) == (sizes[1] is not None)  # LiteRT knows none whose elements have a free size
    for steps in (7, 7 if sizes[0] else 1):
        xs = floats(steps, 2, 3)
        assert_over_time(function(xs), xs)


@pytest.mark.parametrize("sizes", [(5, 2, 3), (5, None, 3)])
def test_gradient_through_time_in_a_tensorflow_graph(sizes: Any) -> None:
    """With the tape inside the graph and outside of it: two forms of the loop."""

    def total(xs: Any) -> Any:
        with running(load_backend("tensorflow")):
            return tf.reduce_sum(run_over_time(xs)[1] ** 2)

    def inside(xs: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(xs)
            result = total(xs)
        return tape.gradient(result, xs)

    xs = tf.constant(floats(5, 2, 3))
    signature = [tf.TensorSpec(sizes, "float32")]
    with tf.GradientTape() as tape:
        tape.watch(xs)
        result = tf.function(total, input_signature=signature, autograph=False)(xs)
    outside = tape.gradient(result, xs).numpy()
    np.testing.assert_allclose(tf.function(inside, input_signature=signature, autograph=False)(xs), outside, rtol=1e-4)
    with running(load_backend("jax")):
        want = jax.grad(lambda x: (run_over_time(x)[1] ** 2).sum())(xs.numpy())
    np.testing.assert_allclose(outside, want, rtol=1e-4)
