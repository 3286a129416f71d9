"""Reductions: the rule's shape and dtype are the run's, whatever the dtype, the axis and keepdims. And `bincount`."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import numpy as np
import pytest
import tensorflow as tf

from kbridge.core.context import backend_scope, load_backend
from kbridge.core.errors import ArgumentError
from kbridge.core.ops import nan, quantile, reduce, statistics
from kbridge.core.ops.convert import convert_to_numpy
from kbridge.core.ops.pick import get_item
from kbridge.core.tensor.symbolic import KerasTensor

DTYPES = ("bool", "int8", "uint8", "int32", "float16", "bfloat16", "float32")
AXES = (None, 0, -2, (0, -1), (), (2, 1, 0))
DATA = np.random.default_rng(5).integers(0, 4, (2, 3, 4))


def over_axes(op: Any) -> list[Any]:
    """Calls of an op for all axes and both keepdims."""
    return [lambda x, a=a, k=k: op(x, axis=a, keepdims=k) for a, k in itertools.product(AXES, (False, True))]


def over_one(op: Any) -> list[Any]:
    return [lambda x, a=a, k=k: op(x, axis=a, keepdims=k) for a, k in itertools.product((None, 0, -2), (False, True))]


def along(op: Any, *axes: Any) -> list[Any]:
    return [lambda x, a=a: op(x, axis=a) for a in axes]


PLAIN = ("sum", "prod", "mean", "var", "std", "max", "min", "amax", "amin", "all", "any", "logsumexp", "ptp")
PAST_NAN = ("nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin")
CALLS: dict[str, list[Any]] = {
    **{name: over_axes(getattr(reduce, name)) for name in PLAIN},
    **{name: over_axes(getattr(nan, name)) for name in PAST_NAN},
    **{name: over_one(getattr(reduce, name)) for name in ("argmax", "argmin")},
    **{name: over_one(getattr(nan, name)) for name in ("nanargmax", "nanargmin")},
    **{name: along(getattr(reduce, name), None, 0, -1) for name in ("cumsum", "cumprod", "logcumsumexp")},
    **{name: along(getattr(nan, name), None, 0, -1) for name in ("nancumsum", "nancumprod")},
    **{name: along(getattr(reduce, name), 0, -1) for name in ("cumulative_sum", "cumulative_prod")},
    **{name: over_axes(getattr(quantile, name)) for name in ("median", "nanmedian")},
    "quantile": over_axes(lambda x, **more: quantile.quantile(x, [0.25, 0.5], **more)),
    "nanpercentile": over_axes(lambda x, **more: quantile.nanpercentile(x, 40, **more)),
    "count_nonzero": along(reduce.count_nonzero, *AXES),
    "average": along(statistics.average, *AXES),
    "average-weights": along(lambda x, axis: statistics.average(x, axis, x), *AXES),
    "diff": along(statistics.diff, 0, -1),
    "trapezoid": along(statistics.trapezoid, 0, -1),
    "cov": [lambda x: statistics.cov(get_item(x, 0))],
    "corrcoef": [lambda x: statistics.corrcoef(get_item(x, 0))],
    "correlate": [lambda x: statistics.correlate(get_item(x, (0, 0)), get_item(x, (0, 1)), "full")],
    "histogram": [lambda x: statistics.histogram(get_item(x, (0, 0)), 3)],
}
NO_BOOL = ("ptp",)


def facts(results: Any) -> list[tuple[Any, str]]:
    found = results if isinstance(results, (list, tuple)) else [results]
    return [(tuple(f.shape), str(getattr(f.dtype, "name", f.dtype)).rpartition(".")[2]) for f in found]


@pytest.mark.parametrize("name", CALLS)
def test_rule_is_the_run(name: str, backend: str) -> None:
    convert = load_backend(backend).convert
    for dtype in DTYPES[name in NO_BOOL :]:
        tensor = convert(DATA.astype(dtype if dtype != "bfloat16" else "float32"), dtype)
        for position, call in enumerate(CALLS[name]):
            promised = facts(call(KerasTensor(DATA.shape, dtype)))
            given = facts(jax.eval_shape(call, tensor) if backend == "jax" else call(tensor))
            assert (dtype, position, given) == (dtype, position, promised)


# --- bincount: how long its result is depends on the values, which no row of the tables may ---------


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32"])
def test_bincount(dtype: str, backend: str) -> None:
    x, weights = np.array([1, 1, 5, 2, 0, 1], dtype), np.array([2, 0, 1, 7, 1, 1], "float32")
    for minlength in (0, 3, 9):
        got = convert_to_numpy(statistics.bincount(x, minlength=minlength))
        np.testing.assert_array_equal(got, np.bincount(x, minlength=minlength))
        assert got.dtype == "int32"
        got = convert_to_numpy(statistics.bincount(x, weights, minlength))
        np.testing.assert_array_equal(got, np.bincount(x, weights, minlength))
        assert got.dtype == "float32"
    assert convert_to_numpy(statistics.bincount(x.astype("int64"))).dtype == "int32"
    for kind in ("float16", "int16", "int32"):
        promise = statistics.bincount(KerasTensor((6,), dtype), KerasTensor((6,), kind))
        assert convert_to_numpy(statistics.bincount(x, weights.astype(kind))).dtype.name == promise.dtype


def test_bincount_of_rows(backend: str) -> None:
    x = np.array([[[0, 1, 1], [2, 2, 2]], [[4, 0, 0], [1, 1, 3]]], "int32")
    want = np.array([[np.bincount(row, minlength=5) for row in rows] for rows in x])
    np.testing.assert_array_equal(convert_to_numpy(statistics.bincount(x)), want)
    np.testing.assert_array_equal(convert_to_numpy(statistics.bincount(x, 2 * np.ones_like(x))), 2 * want)
    assert statistics.bincount(KerasTensor((None, 2, 3), "int32")).shape == (None, 2, None)
    assert convert_to_numpy(statistics.bincount(x[:, :0], minlength=2)).shape == (2, 0, 2)
    np.testing.assert_array_equal(convert_to_numpy(statistics.bincount(x[0, 0, :0], minlength=2)), [0, 0])


def test_bincount_refuses_negative_numbers(backend: str) -> None:
    with pytest.raises(ArgumentError, match=r"ops\.bincount.*-3"):
        statistics.bincount(np.array([1, -3]))


def test_bincount_in_a_tensorflow_graph() -> None:
    @tf.function(input_signature=[tf.TensorSpec((None, None), "int32")], autograph=False)
    def count(x: Any) -> Any:
        return statistics.bincount(x, minlength=2)

    np.testing.assert_array_equal(count(tf.constant([[0, 3], [1, 1]])), [[1, 0, 0, 1], [0, 2, 0, 0]])
    np.testing.assert_array_equal(count(tf.constant([[0, 0]])), [[2, 0]])


# --- more than the tables ask ---------------------------------------------------------------------


def test_unsigned_numbers_reduce(backend: str) -> None:
    """torch itself adds up and compares none of these."""
    for dtype in ("uint16", "uint32"):
        x = np.array([[60000, 3], [5, 40000]], dtype)
        for op, oracle in ((reduce.max, np.max), (reduce.min, np.min), (reduce.ptp, np.ptp)):
            np.testing.assert_array_equal(convert_to_numpy(op(x, 0)), oracle(x, 0))
        for op, oracle in ((reduce.sum, np.sum), (reduce.argmax, np.argmax), (reduce.argmin, np.argmin)):
            np.testing.assert_array_equal(convert_to_numpy(op(x, 1)), oracle(x, 1))
        got = convert_to_numpy(reduce.cumsum(x, 0))
        np.testing.assert_array_equal(got, np.cumsum(x, 0, dtype))
        assert got.dtype == dtype


FLUSHES = pytest.param("tensorflow", marks=pytest.mark.xfail(strict=True, reason="its kernels take them for zeros"))


@pytest.mark.parametrize("framework", ["numpy", "jax", "torch", FLUSHES])
def test_subnormal_numbers_are_told_from_zeros(framework: str) -> None:
    tiny = 1e-45
    with backend_scope(framework):
        assert int(reduce.argmax(np.array([-1, -0.0, tiny], "float32"))) == 2
        assert int(reduce.argmin(np.array([0, 1.2e-38, -tiny, 0, 5], "float32"))) == 2


def test_zeros_are_equal_and_nan_comes_first(backend: str) -> None:
    for dtype in ("float16", "float32"):
        for row in (
            [0.0, -0.0],
            [-0.0, 0.0],
            [np.inf, -np.inf, np.inf],
            [1, np.nan, np.inf, -np.nan],
            [-np.inf, np.nan],
        ):
            x = np.array(row, dtype)
            assert (int(reduce.argmax(x)), int(reduce.argmin(x))) == (x.argmax(), x.argmin())
