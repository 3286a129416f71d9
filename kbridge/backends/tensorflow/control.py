"""Kernels that run functions: TensorFlow's own, and Python's loops in eager calls."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.eager.record import could_possibly_record

from kbridge.backends.tensorflow.arrays import full, known, shape_of

__all__ = ["cond", "custom_gradient", "jvp", "remat", "scan", "vectorized_map", "while_loop"]

cond = tf.cond


def while_loop(cond: Any, body: Any, state: Any) -> Any:
    return tf.while_loop(cond, body, state)


def vectorized_map(function: Any, xs: Any) -> Any:
    return tf.vectorized_map(lambda parts: function(*parts), tuple(xs))


def custom_gradient(function: Any, args: Any) -> Any:
    outputs, rule = function(*args)  # recorded: what the rule uses has gradients of its own
    return tf.custom_gradient(lambda *_: (outputs, rule))(*args)


def jvp(function: Any, primals: Any, tangents: Any) -> Any:
    primals = tuple(tf.identity(p) for p in primals)  # not what the function may also hold
    with tf.autodiff.ForwardAccumulator(primals, tangents) as forward:
        outputs, aux = function(*primals)
    return outputs, forward.jvp(outputs, tf.UnconnectedGradients.ZERO), aux


def scan(step: Any, carry: Any, xs: Any, length: Any, reverse: bool, unroll: Any) -> Any:
    if not tf.executing_eagerly():
        return _scan_in_graph(step, tuple(carry), xs, length, reverse)
    rows = [tf.unstack(x) for x in xs]
    outputs: list[Any] = [()] * length
    for t in reversed(range(length)) if reverse else range(length):
        carry, outputs[t] = step(carry, tuple(row[t] for row in rows))
    return carry, tuple(tf.stack(ys) for ys in zip(*outputs, strict=True))


def _scan_in_graph(step: Any, carry: Any, xs: Any, length: Any, reverse: bool) -> Any:
    y = _output_specs(step, carry, xs)
    sized = all(x.shape[1:].is_fully_defined() for x in xs)
    if sized or could_possibly_record() or any(None in each.shape[1:] for each in y):
        sources = [tf.TensorArray(x.dtype, length, element_shape=x.shape[1:]).unstack(x) for x in xs]
        sinks = tuple(tf.TensorArray(each.dtype, length, element_shape=each.shape) for each in y)
        read, write, stacked = tf.TensorArray.read, tf.TensorArray.write, tf.TensorArray.stack
    else:  # LiteRT has no TensorArray of elements with a free size; the gradient of this form is slow
        sources = xs
        batch = shape_of(xs[0])[1]
        sizes = [(length, *(batch if s is None else s for s in each.shape)) for each in y]
        sinks = tuple(full(size, 0, each.dtype.name) for size, each in zip(sizes, y, strict=True))
        read, write, stacked = tf.gather, _put, tf.identity

    def body(t: Any, carry: Any, sinks: Any) -> Any:
        at = length - 1 - t if reverse else t
        carry, ys = step(carry, tuple(read(source, at) for source in sources))
        return t + 1, tuple(carry), tuple(write(sink, at, each) for sink, each in zip(sinks, ys, strict=True))

    most = length if known(length) else None
    _, carry, sinks = tf.while_loop(lambda t, *_: t < length, body, (0, carry, sinks), maximum_iterations=most)
    ys = tuple(stacked(sink) for sink in sinks)
    for stack, each in zip(ys, y, strict=True):
        stack.set_shape((length if known(length) else None, *each.shape))
    return carry, ys


def _put(sink: Any, t: Any, y: Any) -> Any:
    return tf.tensor_scatter_nd_update(sink, tf.reshape(t, [1, 1]), tf.expand_dims(y, 0))


def _output_specs(step: Any, carry: Any, xs: Any) -> list[tf.TensorSpec]:
    """Types and shapes of what `step` puts out, from a trace into a graph that is thrown away."""
    with tf.__internal__.FuncGraph("scan_step").as_default():
        _, ys = step(carry, tuple(x[0] for x in xs))
        return [tf.TensorSpec(y.shape, y.dtype) for y in ys]


def remat(function: Any, inputs: Any) -> Any:
    if not could_possibly_record():  # an exported graph shall hold nothing but the ops
        return function(*inputs)
    floats = [i for i, x in enumerate(inputs) if x.dtype.is_floating or x.dtype.is_complex]
    given = [tf.convert_to_tensor(x) for x in inputs]

    def of_floats(*values: Any) -> Any:
        for i, value in zip(floats, values, strict=True):
            given[i] = value
        return function(*given)

    return tf.recompute_grad(of_floats)(*(given[i] for i in floats))
