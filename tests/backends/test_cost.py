"""Heavy ops cost what the hand-written calls beside them in the benchmark cost, counted and not by the clock."""

from __future__ import annotations

from collections import Counter
from typing import Any

import jax
import numpy as np
import pytest
import tensorflow as tf
import torch

import kbridge
from benchmarks import op_heavy

WAYS = pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])


def call_of(name: str, backend: str) -> Any:
    with kbridge.backend_scope(backend):
        return op_heavy.CASES[name].make(kbridge)


def moving(tensors: Any) -> list[int]:
    return [i for i, t in enumerate(tensors) if "float" in str(t.dtype)]


# --- JAX: what XLA says of the compiled call -------------------------------------------------------

# Otherwise than native code on purpose: a sum of moved copies counts more operations and takes a tenth of the time.
OTHERWISE = ("depthwise",)


def cost(call: Any, tensors: Any, backward: bool) -> tuple[float, float]:
    """Floating-point operations, and bytes read and written."""
    function = jax.grad(lambda *xs: (call(*xs) ** 2).sum(), tuple(moving(tensors))) if backward else call
    found = jax.jit(function).lower(*tensors).compile().cost_analysis()
    return found["flops"], found["bytes accessed"]


@WAYS
@pytest.mark.parametrize("name", [name for name in op_heavy.CASES if name not in OTHERWISE])
def test_jax_compiles_to_no_more_than_native(name: str, backward: bool) -> None:
    tensors = [jax.numpy.asarray(array) for array in op_heavy.CASES[name].arrays]
    ours = cost(call_of(name, "jax"), tensors, backward)
    native = cost(op_heavy.jax_calls()[name], tensors, backward)
    for mine, theirs in zip(ours, native, strict=True):
        assert mine <= 1.01 * theirs if theirs > 0 else mine == theirs  # -1: XLA doesn't know


# --- torch: copies --------------------------------------------------------------------------------

COPIES = ("aten::copy_", "aten::clone", "aten::contiguous", "aten::_to_copy")
MORE = {"top_k": 2}  # indices come in 32 bits


def copies(call: Any, tensors: Any, backward: bool) -> int:
    """How often torch copies a tensor in one call."""
    leaves = [t.clone().requires_grad_(backward and t.is_floating_point()) for t in tensors]

    def run() -> None:
        with torch.set_grad_enabled(backward):
            y = call(*leaves)
            if backward:
                torch.autograd.grad(y.square().sum(), [leaves[i] for i in moving(leaves)])

    run()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        run()
    seen = Counter(event.name for event in profile.events())
    return sum(seen[name] for name in COPIES)


@WAYS
@pytest.mark.parametrize("name", [name for name in op_heavy.CASES if name != "LSTM scan"])
def test_torch_copies_no_more_than_native(name: str, backward: bool) -> None:
    tensors = [torch.from_numpy(array) for array in op_heavy.CASES[name].arrays]
    ours = copies(call_of(name, "torch"), tensors, backward)
    assert ours <= copies(op_heavy.torch_calls()[name], tensors, backward) + MORE.get(name, 0)


# --- TensorFlow: the nodes that move or multiply --------------------------------------------------

NODES = ("Transpose", "Einsum", "MatMul", "BatchMatMulV2", "Conv2D", "DepthwiseConv2dNative", "TopKV2", "Cast")


def nodes(call: Any, tensors: Any, backward: bool) -> dict[str, int]:
    """How many of them are in the graph of one call."""

    def traced(*xs: Any) -> Any:
        if not backward:
            return call(*xs)
        with tf.GradientTape() as tape:
            tape.watch([xs[i] for i in moving(xs)])
            total = tf.reduce_sum(tf.square(call(*xs)))
        return tape.gradient(total, [xs[i] for i in moving(xs)])

    graph = tf.function(traced, autograph=False).get_concrete_function(*tensors).graph
    seen = Counter(node.type for node in graph.get_operations())
    return {name: seen[name] for name in NODES if seen[name]}


# TensorFlow's own sort leaves NaN anywhere; an LSTM needs the layer's variables
WITHOUT = ("sort", "LSTM scan")


@WAYS
@pytest.mark.parametrize(
    "name",
    [name for name, case in op_heavy.CASES.items() if "tensorflow" not in case.without and name not in WITHOUT],
)
def test_tensorflow_traces_no_more_than_native(name: str, backward: bool) -> None:
    tensors = [tf.convert_to_tensor(array) for array in op_heavy.CASES[name].arrays]
    ours = nodes(call_of(name, "tensorflow"), tensors, backward)
    native = nodes(op_heavy.tensorflow_calls()[name], tensors, backward)
    assert all(count <= native.get(node, 0) for node, count in ours.items())


def test_the_calls_beside_each_other_compute_the_same() -> None:
    for name, case in op_heavy.CASES.items():
        if name == "LSTM scan":
            continue  # torch's own has its weights the other way round
        native = op_heavy.torch_calls()[name](*map(torch.from_numpy, case.arrays))
        for backend in ("torch", "jax"):
            with kbridge.backend_scope(backend):
                ours = kbridge.ops.convert_to_numpy(case.make(kbridge)(*case.arrays))
            np.testing.assert_allclose(ours, native, 1e-4, 1e-3, err_msg=f"{name}, {backend}")
