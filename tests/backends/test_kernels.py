"""Each op on each backend against NumPy and SciPy: value, dtype and shape, as the symbolic rule promised."""

from __future__ import annotations

import numpy as np
import pytest

from kbridge.core.context import framework_of, load_backend
from kbridge.core.ops.shape import convert_to_numpy
from kbridge.core.tensor.symbolic import KerasTensor
from tests.backends.rows import Row, assert_near, narrow, pieces
from tests.backends.tables import ROWS, for_rows, some


def test_rows_have_names_of_their_own() -> None:
    assert len({each.name for each in ROWS}) == len(ROWS)


@pytest.mark.parametrize("name", ["jax", "torch", "tensorflow"])
def test_every_backend_has_every_kernel(name: str) -> None:
    assert set(vars(load_backend("numpy"))) - set(vars(load_backend(name))) == set()


@for_rows(ROWS)
def test_value_dtype_and_shape(each: Row, backend: str) -> None:
    results = pieces(each.call(*each.arrays))
    wanted = pieces(each.want)
    assert len(results) == len(wanted)
    for result, want in zip(results, wanted, strict=True):
        assert framework_of(result) == (None if backend == "numpy" else backend)
        assert_near(convert_to_numpy(result), np.asarray(want), each.tolerance)


@for_rows(ROWS)
def test_rule_promises_what_the_kernel_gives(each: Row) -> None:
    promised = pieces(each.call(*(KerasTensor(a.shape, narrow(a).dtype.name) for a in each.arrays)))
    wanted = pieces(each.want)
    assert [p.dtype for p in promised] == [w.dtype.name for w in wanted]
    for promise, want in zip(promised, wanted, strict=True):
        # only a shape that depends on values may stay open
        sizes = [w if p is None and each.eager else p for p, w in zip(promise.shape, want.shape, strict=True)]
        assert tuple(sizes) == want.shape


JUMP_WITH_THE_LAST_BIT = (
    "mod", "floor_divide", "trunc-flat", "sparsemax-large", "histogram", "matrix_rank", "pinv-low", "lstsq-low",
    "slogdet-large", "tensorinv", "tensorsolve",
)  # fmt: skip
HALF_ROWS = [
    r
    for r in some(ROWS)
    if any(a.dtype == "float32" for a in r.arrays)
    and not r.name.startswith(JUMP_WITH_THE_LAST_BIT)
    and not r.name.startswith("view")  # these read the bytes of another width
    and "limits" not in r.name
    and not any(w.dtype.kind == "c" for w in pieces(r.want))
]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_stays_what_it_is(dtype: str, backend: str) -> None:
    for each in HALF_ROWS:
        arrays = [a.astype(dtype) if a.dtype == "float32" else a for a in each.arrays]
        promised = pieces(each.call(*(KerasTensor(a.shape, narrow(a).dtype.name) for a in arrays)))
        for result, promise, want in zip(pieces(each.call(*arrays)), promised, pieces(each.want), strict=True):
            got = convert_to_numpy(result)
            assert (each.name, got.dtype.name) == (each.name, promise.dtype)
            size = np.abs(want, dtype="float64")
            scale = max(1.0, size[np.isfinite(size)].max(initial=0))
            np.testing.assert_allclose(got.astype("float64"), want, rtol=0, atol=0.03 * scale, err_msg=each.name)


@pytest.mark.usefixtures("backend")
def test_inputs_stay_as_they_are() -> None:
    before = [[a.copy() for a in each.arrays] for each in ROWS]
    for each in ROWS[::7]:
        each.call(*each.arrays)
    for each, copies in zip(ROWS, before, strict=True):
        for array, copy in zip(each.arrays, copies, strict=True):
            assert array.tobytes() == copy.tobytes(), each.name
