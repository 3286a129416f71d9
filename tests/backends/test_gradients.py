"""Each framework's own gradient through our kernels, against finite differences in NumPy's float64."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from kbridge.core.context import backend_scope
from kbridge.core.ops import elementwise, linalg, reduce, shape
from kbridge.ops import nn
from tests.backends.rows import floats
from tests.backends.window_rows import CONV_CASES, POOL_CASES, pooled


def torch_gradients(call: Any, arrays: Any, weights: Any) -> list[np.ndarray]:
    import torch

    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    (call(*tensors) * torch.tensor(weights)).sum().backward()
    return [t.grad.numpy() for t in tensors]


def jax_gradients(call: Any, arrays: Any, weights: Any) -> list[np.ndarray]:
    import jax

    total = lambda *tensors: (call(*tensors) * weights).sum()  # noqa: E731
    return [np.asarray(g) for g in jax.grad(total, tuple(range(len(arrays))))(*arrays)]


def tensorflow_gradients(call: Any, arrays: Any, weights: Any) -> list[np.ndarray]:
    import tensorflow as tf

    tensors = [tf.constant(a) for a in arrays]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        total = tf.reduce_sum(call(*tensors) * weights)
    return [tf.convert_to_tensor(g).numpy() for g in tape.gradient(total, tensors)]


GRADIENTS = {"jax": jax_gradients, "torch": torch_gradients, "tensorflow": tensorflow_gradients}


def slopes(call: Any, arrays: Any, weights: Any, directions: Any, step: float = 1e-6) -> float:
    """How fast the weighted sum of the outputs changes along the directions."""
    ends = []
    with backend_scope("numpy"):
        for sign in (1, -1):
            moved = [a.astype("float64") + sign * step * d for a, d in zip(arrays, directions, strict=True)]
            ends.append(np.sum(np.asarray(call(*moved), "float64") * weights))
    return float(ends[0] - ends[1]) / (2 * step)


X, Y, CUBE, POSITIVE = floats(3, 4), floats(3, 4), floats(2, 3, 4), np.abs(floats(3, 4)) + 0.3
IMAGE, VECTOR = floats(2, 5, 4, 3), floats(3)
CONDITION = np.array([[True, False, True, True]])


def batch_statistics(x: Any, offset: Any, scale: Any, axis: int) -> Any:
    axes = [i for i in range(4) if i != axis % 4]
    mean, variance = nn.moments(x, axes)
    return nn.batch_normalization(x, mean, variance, axis, offset, scale)


def along_axis_1(op: Any, x: Any) -> Any:
    return op(x, 1)


CASES: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = {
    **{
        name: (getattr(elementwise, name), (POSITIVE,))
        for name in (
            "exp",
            "expm1",
            "log",
            "log1p",
            "sqrt",
            "rsqrt",
            "reciprocal",
            "sin",
            "cos",
            "tanh",
            "erf",
            "absolute",
        )
    },
    **{
        name: (getattr(elementwise, name), (POSITIVE, floats(4)))
        for name in (
            "add",
            "subtract",
            "multiply",
            "divide",
            "power",
            "maximum",
            "minimum",
        )
    },
    **{
        name: (getattr(nn, name), (X,))
        for name in (
            "relu",
            "sigmoid",
            "relu6",
            "leaky_relu",
            "elu",
            "selu",
            "silu",
            "softplus",
            "softsign",
            "gelu",
            "softmax",
            "log_softmax",
        )
    },
    **{
        name: (partial(along_axis_1, getattr(reduce, name)), (CUBE,))
        for name in (
            "sum",
            "prod",
            "mean",
            "var",
            "std",
            "max",
            "min",
            "logsumexp",
            "cumsum",
        )
    },
    "softmax-axis": (lambda x: nn.softmax(x, (0, 2)), (CUBE,)),
    "where": (lambda a, b: elementwise.where(CONDITION, a, b), (X, Y)),
    "clip": (lambda x: elementwise.clip(x, -0.5, 0.5), (X,)),
    "take": (lambda x: shape.take(x, np.array([[0, 2], [-1, 0]]), 0), (X,)),
    "lookup": (lambda x: shape.lookup(x, np.array([[0, 2], [1, 0]])), (X,)),
    "take_along_axis": (lambda x: shape.take_along_axis(x, np.array([[0, -1], [1, 1], [2, 2]]), 1), (X,)),
    "get_item": (lambda x: shape.get_item(x, (slice(None), None, -1)), (CUBE,)),
    "pad": (lambda x: shape.pad(x, ((1, 2), (2, 1)), "reflect"), (X,)),
    "repeat": (lambda x: shape.repeat(x, 2, 1), (CUBE,)),
    "concatenate": (lambda a, b: shape.concatenate([a, b], 1), (X, Y)),
    "split": (lambda x: shape.split(x, (1, 3), -1)[1], (X,)),
    "matmul": (linalg.matmul, (CUBE, floats(4, 2))),
    "affine": (linalg.affine, (X, floats(4, 5), floats(5))),
    "affine-rank-3": (linalg.affine, (CUBE, floats(4, 5), floats(5))),
    "einsum": (lambda a, b: linalg.einsum("bij,kj->bki", a, b), (CUBE, floats(5, 4))),
    "layer_normalization": (nn.layer_normalization, (IMAGE, VECTOR, floats(3))),
    "layer_normalization-axes": (lambda x: nn.layer_normalization(x, axis=(1, 2)), (IMAGE,)),
    "batch_normalization": (
        lambda x, o, s: nn.batch_normalization(x, VECTOR, VECTOR**2, -1, o, s),
        (IMAGE, VECTOR, floats(3)),
    ),
    "batch_normalization-statistics": (lambda x, o, s: batch_statistics(x, o, s, -1), (IMAGE, VECTOR, floats(3))),
    "batch_normalization-statistics-axis-1": (
        lambda x, o, s: batch_statistics(x, o, s, 1),
        (IMAGE, floats(5), floats(5)),
    ),
    "categorical_crossentropy": (lambda x: nn.categorical_crossentropy(np.eye(4, dtype="float32")[:3], x, True), (X,)),
    "sparse_categorical_crossentropy": (
        lambda x: nn.sparse_categorical_crossentropy(np.array([3, 0, 1]), x),
        (POSITIVE,),
    ),
    "binary_crossentropy": (lambda x: nn.binary_crossentropy(np.ones((3, 4), "float32"), x, True), (X,)),
}

for _rank, _sizes, _window, _strides, _dilation, _groups in CONV_CASES:
    CASES[f"conv{_rank}-{_window}-{_strides}-{_dilation}-{_groups}"] = (
        lambda x, w, s=_strides, d=_dilation: nn.conv(x, w, s, "same", "channels_last", d),
        (floats(2, *_sizes, 4), floats(*_window, 4 // _groups, 8)),
    )
for _sizes, _window, _strides in POOL_CASES:
    for _name in ("max_pool", "average_pool"):
        CASES[f"{_name}-{_sizes}-{_window}-{_strides}"] = (
            partial(pooled, _name, (_window, _strides, "same", "channels_last")),
            (floats(2, *_sizes, 3),),
        )


@pytest.mark.parametrize("backend", GRADIENTS)
@pytest.mark.parametrize("name", CASES)
def test_gradient(name: str, backend: str) -> None:
    call, arrays = CASES[name]
    random = np.random.default_rng(3)
    with backend_scope("numpy"):
        weights = random.normal(size=np.shape(call(*arrays))).astype("float32")
    directions = [random.normal(size=a.shape) for a in arrays]
    found = GRADIENTS[backend](call, arrays, weights)
    assert [g.shape for g in found] == [a.shape for a in arrays]
    along = sum(np.sum(g * d) for g, d in zip(found, directions, strict=True))
    scale = sum(np.sum(np.abs(g * d)) for g, d in zip(found, directions, strict=True))
    assert along == pytest.approx(slopes(call, arrays, weights, directions), abs=1e-4 * scale + 1e-5)


@pytest.mark.parametrize("backend", GRADIENTS)
def test_relu_has_no_slope_at_zero(backend: str) -> None:
    (found,) = GRADIENTS[backend](nn.relu, (np.zeros(3, "float32"),), np.ones(3, "float32"))
    np.testing.assert_array_equal(found, np.zeros(3))


@pytest.mark.parametrize("backend", GRADIENTS)
def test_stop_gradient_is_a_constant(backend: str) -> None:
    call = lambda x: elementwise.multiply(x, elementwise.stop_gradient(x))  # noqa: E731
    (found,) = GRADIENTS[backend](call, (np.full(3, 5.0, "float32"),), np.ones(3, "float32"))
    np.testing.assert_array_equal(found, np.full(3, 5.0))


@pytest.mark.parametrize("backend", GRADIENTS)
def test_activations_have_finite_gradients_far_out(backend: str) -> None:
    far = np.array([-1e4, 1e4], "float32")
    for name in ("sigmoid", "elu", "selu", "silu", "softplus", "softmax", "log_softmax", "gelu", "tanh"):
        op = getattr(nn, name, None) or getattr(elementwise, name)
        (found,) = GRADIENTS[backend](op, (far,), np.ones(2, "float32"))
        assert np.isfinite(found).all(), name
