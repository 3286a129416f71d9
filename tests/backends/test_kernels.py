"""Each op on each backend against NumPy and SciPy: value, dtype and shape, as the symbolic rule promised."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.backends.kernel_rows import ROWS, Row, narrow

from kbridge.core.context import backend_scope, framework_of
from kbridge.core.ops.shape import convert_to_numpy
from kbridge.core.tensor.symbolic import KerasTensor

BACKENDS = ("numpy", "jax", "torch", "tensorflow")


def pieces(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def test_rows_have_names_of_their_own() -> None:
    assert len({each.name for each in ROWS}) == len(ROWS)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("each", ROWS, ids=lambda each: each.name)
def test_value_dtype_and_shape(each: Row, backend: str) -> None:
    with backend_scope(backend):
        results = pieces(each.call(*each.arrays))
    wanted = pieces(each.want)
    assert len(results) == len(wanted)
    for result, want in zip(results, wanted, strict=True):
        assert framework_of(result) == (None if backend == "numpy" else backend)
        got = convert_to_numpy(result)
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        np.testing.assert_allclose(
            got.astype("float64"), np.asarray(want, "float64"), rtol=each.tolerance, atol=each.tolerance
        )


@pytest.mark.parametrize("each", ROWS, ids=lambda each: each.name)
def test_rule_promises_what_the_kernel_gives(each: Row) -> None:
    promised = pieces(each.call(*(KerasTensor(a.shape, narrow(a).dtype.name) for a in each.arrays)))
    assert [(p.shape, p.dtype) for p in promised] == [(w.shape, w.dtype.name) for w in pieces(each.want)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_inputs_stay_as_they_are(backend: str) -> None:
    before = [[a.copy() for a in each.arrays] for each in ROWS]
    with backend_scope(backend):
        for each in ROWS[::7]:
            each.call(*each.arrays)
    for each, copies in zip(ROWS, before, strict=True):
        for array, copy in zip(each.arrays, copies, strict=True):
            np.testing.assert_array_equal(array, copy)
