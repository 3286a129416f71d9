"""Ops on plain float tensors skip their bodies: what they then give and refuse is what the bodies give and refuse."""

from __future__ import annotations

from inspect import signature
from typing import Any

import numpy as np
import pytest
import torch

from kbridge import backend_scope, ops
from kbridge.core.context import load_backend, running
from kbridge.core.errors import ShapeError
from kbridge.core.ops.declare import OPS

FRAMEWORKS = ("torch", "jax", "tensorflow")
X = np.array([[0.25, -0.5, 2.0], [1.0, 0.75, -3.0]], "float32")
REFUSED = {
    "axis": lambda x: ops.sum(x, axis=2),
    "shapes": lambda x: ops.add(x, x[:, :2]),
    "product": lambda x: ops.matmul(x, x),
    "window": lambda x: ops.conv(x[None, :, :, None], ops.ones((4, 1, 1, 1)), 1, "valid", "channels_last"),
    "one more": lambda x: ops.conv(x[None, :, :, None], ops.ones((3, 1, 1, 1)), 1, "valid", "channels_last"),
    "channels": lambda x: ops.conv(x[None, :, None], ops.ones((1, 1, 2, 4)), 1, "valid", "channels_last"),
    "channels of its own": lambda x: ops.depthwise_conv(
        ops.ones_like(x[None, :, None, :]), ops.ones((1, 1, 1, 3)), 1, "valid", "channels_last"
    ),
    "no batch": lambda x: ops.conv(x[..., None], ops.ones((1, 1, 1, 1)), 1, "valid", "channels_last"),
}


def tensor(framework: str, array: Any) -> Any:
    return load_backend(framework).convert(array)


def arguments(framework: str, name: str, dtype: str) -> list[tuple[Any, ...]]:
    """Calls of the op that may go the express way."""
    x = tensor(framework, X.astype(dtype))
    if name.endswith("conv"):
        images, window = ops.reshape(x, (1, 2, 3, 1)), tensor(framework, np.ones((2, 1, 1, 2), dtype))
        return [(images, window), (images, window, 2, "same", "channels_last"), (images, window, 1, "valid", None, 1)]
    if name == "matmul":
        return [(x, ops.transpose(x)), (x, x[0]), (x[0], ops.transpose(x)), (ops.stack([x, x]), ops.transpose(x))]
    if OPS[name].arrays == 2:
        return [(x, x), (x, x[0]), (x, 2.0), (x, 3)]
    return [(x, -1), (x, 0, True)] if "axis" in signature(OPS[name].body).parameters else [(x,)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_express_way_leads_to_the_same_place(framework: str, dtype: str) -> None:
    backend = load_backend(framework)
    for name in backend.express:
        for args in arguments(framework, name, dtype):
            with running(backend):
                found, expected = OPS[name].call(*args), OPS[name].body(*args)
            assert backend.dtype_of(found) == backend.dtype_of(expected), name
            np.testing.assert_allclose(backend.to_numpy(found), backend.to_numpy(expected), 1e-6, err_msg=name)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("refused", REFUSED)
def test_what_fails_there_is_refused_in_our_words(framework: str, refused: str) -> None:
    with backend_scope(framework), pytest.raises(ShapeError, match=r"ops\."):
        REFUSED[refused](tensor(framework, X))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_scope_of_another_framework_decides(framework: str) -> None:
    other = FRAMEWORKS[FRAMEWORKS.index(framework) - 1]
    with backend_scope(other):
        assert load_backend(other).is_tensor_type(type(ops.exp(tensor(framework, X))))


def test_half_types_and_whole_numbers_go_the_long_way() -> None:
    for framework in FRAMEWORKS:
        backend = load_backend(framework)
        for dtype in ("bfloat16", "float16", "int32", "bool"):
            x = backend.convert(X, dtype)
            assert x.dtype not in backend.express_dtypes
            assert backend.dtype_of(ops.exp(x)) == (dtype if "float" in dtype else "float32")


def test_exceptions_by_which_code_steers_pass() -> None:
    calls = []

    class Enough(Exception):
        pass

    def keep(value: Any) -> Any:
        calls.append(value)
        raise Enough

    x = tensor("torch", X).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept), pytest.raises(Enough):
        ops.exp(x)
    assert len(calls) == 1
