"""Calling a model eagerly: what the library adds to the framework's own ops, 3 and 500 layers.

The native side is the framework's own ops on bare tensors, in the quickest way to run them one by
one, so what a library adds is all of its dispatch, checks, bookkeeping and needless ops.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.api import BACKENDS, finished, inference_only, keras_like, to_framework
from benchmarks.table import Figure, Row, quotient
from benchmarks.turns import Options, side_by_side
from benchmarks.worker import Prepared, Spec, per_call

CASES = {"3 Dense": 1 / 15, "500 layers": 1 / 20}
WIDTHS = (64, 128, 128, 10)
BLOCKS, DENSE_PER_BLOCK, WIDTH, BATCH = 50, 9, 32, 32

Pair = tuple[Any, Any]


def model(keras: Any, case: str) -> Any:
    """The case in the Keras API."""
    dense = keras.layers.Dense
    if case == "3 Dense":
        hidden = [dense(width, activation="relu") for width in WIDTHS[1:-1]]
        return keras.Sequential([keras.Input((WIDTHS[0],)), *hidden, dense(WIDTHS[-1])])
    inputs = x = keras.Input((WIDTH,))
    for _ in range(BLOCKS):
        y = x
        for _ in range(DENSE_PER_BLOCK):
            y = dense(WIDTH, activation="relu")(y)
        x = keras.layers.Add()([x, y])
    return keras.Model(inputs, x)


def native_dense(backend: str) -> tuple[Callable[..., Any], Callable[[Any], Any]]:
    """`affine(x, kernel, bias)` and `relu(x)` of the framework."""
    if backend == "torch":
        import torch

        return lambda x, kernel, bias: torch.addmm(bias, x, kernel), torch.relu
    if backend == "jax":
        import jax

        # Jitted one by one: `jax.nn.relu` alone takes some 200 µs of Python, being a custom_jvp.
        return jax.jit(lambda x, kernel, bias: x @ kernel + bias), jax.jit(jax.nn.relu)
    import tensorflow as tf

    return lambda x, kernel, bias: tf.matmul(x, kernel) + bias, tf.nn.relu


def native_call(backend: str, case: str) -> Callable[[Any], Any]:
    """The case as bare ops on weights held in a list."""
    affine, relu = native_dense(backend)
    random = np.random.default_rng(0)

    def weights(rows: int, columns: int) -> Pair:
        kernel = random.normal(0, (2 / rows) ** 0.5, (rows, columns)).astype("float32")
        return to_framework(backend, kernel), to_framework(backend, np.zeros(columns, "float32"))

    def three(x: Any) -> Any:
        for kernel, bias in stack[:-1]:
            x = relu(affine(x, kernel, bias))
        return affine(x, *stack[-1])

    def deep(x: Any) -> Any:
        for block in blocks:
            y = x
            for kernel, bias in block:
                y = relu(affine(y, kernel, bias))
            x = x + y
        return x

    if case == "3 Dense":
        stack = [weights(*pair) for pair in pairwise(WIDTHS)]
        return three
    blocks = [[weights(WIDTH, WIDTH) for _ in range(DENSE_PER_BLOCK)] for _ in range(BLOCKS)]
    return deep


def prepare(spec: Spec) -> Prepared:
    """Worker: one forward pass, the result waited for."""
    inference_only(spec.backend)
    if spec.side.startswith("native"):
        call = native_call(spec.backend, spec.case)
    else:
        keras, scope = keras_like(spec.side, spec.backend)
        with scope():
            call = model(keras, spec.case)
    features = WIDTHS[0] if spec.case == "3 Dense" else WIDTH
    x = np.random.default_rng(1).normal(size=(BATCH, features)).astype("float32")
    tensor, wait = to_framework(spec.backend, x), finished(spec.backend)
    return Prepared(per_call(lambda: wait(call(tensor)), spec.duration))


def figure(options: Options) -> Figure:
    """Time of the raw ops, what Keras and kbridge add to it, and the ratio of the two."""
    result = Figure(
        "eager_call",
        "Eager call, batch 32: time over the raw framework",
        ["raw", "Keras adds", "kbridge adds"],
        "kbridge / Keras",
    )
    for case, bar in CASES.items():
        for backend in BACKENDS:
            outcome = side_by_side("eager_call", backend, case, options, keras_beside="native beside Keras")
            keras = outcome.difference("keras", "native beside Keras")
            kbridge = outcome.difference("kbridge", "native")
            cells = [outcome["native"], keras, kbridge]
            result.rows.append(Row(f"{case}, {backend}", cells, quotient(kbridge, keras), bar))
            result.notes += outcome.errors
    return result
