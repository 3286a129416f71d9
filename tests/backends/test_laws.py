"""Laws that every row of the tables of ops keeps, beside its value (`test_kernels`) and its traces (`test_traced`)."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import torch

from kbridge.core.context import backend_scope
from kbridge.core.errors import KBridgeError
from kbridge.core.ops import reduce
from kbridge.core.ops.elementwise import add, multiply
from kbridge.core.ops.shape import convert_to_numpy
from kbridge.core.tensor.symbolic import KerasTensor
from tests.backends.rows import Bad, Row, narrow, pieces
from tests.backends.tables import BAD, ROWS, for_rows, some
from tests.backends.test_gradients import GRADIENTS, slopes
from tests.backends.test_traced import assert_gives


def spec(array: np.ndarray, free: Any = ()) -> KerasTensor:
    return KerasTensor(tuple(None if i in free else s for i, s in enumerate(array.shape)), narrow(array).dtype.name)


@for_rows([r for r in ROWS if not r.fixed])
def test_rule_with_free_sizes(each: Row) -> None:
    """Sizes that aren't known stay open or follow from others; those that are promised come true."""
    for free in ((0,), range(10)):
        promised = pieces(each.call(*(spec(a, free if i < each.data else ()) for i, a in enumerate(each.arrays))))
        wanted = pieces(each.want)
        assert [p.dtype for p in promised] == [w.dtype.name for w in wanted]
        for promise, want in zip(promised, wanted, strict=True):
            assert len(promise.shape) == want.ndim
            assert all(p in (None, w) for p, w in zip(promise.shape, want.shape, strict=True))


# Dynamo prints nothing and compiles nothing here: what counts is that it can follow.
@for_rows(some([r for r in ROWS if not r.eager]))
def test_dynamo_follows(each: Row) -> None:
    torch._dynamo.reset()
    tensors = [torch.from_numpy(np.array(narrow(a))) if a.dtype != "bfloat16" else None for a in each.arrays]
    if any(t is None for t in tensors):
        pytest.skip("torch takes no bfloat16 from NumPy")
    results = torch.compile(each.call, backend="eager", fullgraph=True, dynamic=False)(*tensors)
    assert_gives(each, [convert_to_numpy(r) for r in pieces(results)])


@for_rows(some([r for r in ROWS if r.gradient]))
@pytest.mark.parametrize("framework", GRADIENTS)
def test_gradients_equal_finite_differences(each: Row, framework: str) -> None:
    floats = [i for i, a in enumerate(each.arrays) if a.dtype == "float32"]
    weights = [np.random.default_rng(3).normal(size=w.shape).astype("float32") for w in pieces(each.want)]

    def total(*given: Any) -> Any:
        arrays = list(each.arrays)
        for i, array in zip(floats, given, strict=True):
            arrays[i] = array
        parts = [reduce.sum(multiply(r, w)) for r, w in zip(pieces(each.call(*arrays)), weights, strict=True)]
        return functools.reduce(add, parts)

    arrays = [each.arrays[i] for i in floats]
    with backend_scope(framework):
        gradients = GRADIENTS[framework](total, arrays, np.float32(1))
    directions = [np.random.default_rng(4).normal(size=a.shape) for a in arrays]
    got = sum(float(np.sum(g.astype("float64") * d)) for g, d in zip(gradients, directions, strict=True))
    want = slopes(total, arrays, 1.0, directions)
    np.testing.assert_allclose(got, want, rtol=2e-3, atol=2e-3 * max(1.0, abs(want)))


@for_rows(BAD)
def test_refused_alike(each: Bad, backend: str) -> None:
    name = each.name.partition("-")[0]
    with pytest.raises(each.error) as caught:
        each.call(*each.arrays)
    assert isinstance(caught.value, KBridgeError)
    assert str(caught.value).startswith(f"ops.{name}")


@for_rows([b for b in BAD if b.numbers])
def test_shapes_alone_pass(each: Bad) -> None:
    assert isinstance(each.call(*(spec(a) for a in each.arrays)), KerasTensor)


@for_rows([b for b in BAD if not b.numbers])
def test_refused_on_shapes_too(each: Bad) -> None:
    with pytest.raises(each.error):
        each.call(*(spec(a) for a in each.arrays))
