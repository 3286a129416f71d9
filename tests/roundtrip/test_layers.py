"""Laws that every layer keeps on every backend. The rows are in `tests/rows/layers.py`."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest

import kbridge
from kbridge import config, utils
from tests.conftest import BACKENDS, TOLERANCE
from tests.rows.layers import ROWS, Row
from tests.rows.running import built, gradients, host, leaves, restart, run, run_compiled, symbols

# A walk on which each backend hands its weights to each other one once.
WALK = [
    "numpy",
    "jax",
    "numpy",
    "torch",
    "numpy",
    "tensorflow",
    "jax",
    "torch",
    "jax",
    "tensorflow",
    "torch",
    "tensorflow",
    "numpy",
]
RANDOM = [row for row in ROWS if row.random]
DRAWS = 12  # two small masks may well be the same by chance, twelve won't: below 1e-9 for the smallest row


def for_rows(rows: list[Row]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


def test_the_walk_takes_each_pair_once() -> None:
    assert sorted(itertools.pairwise(WALK)) == sorted(itertools.permutations(BACKENDS, 2))


def assert_same(got: Any, expected: Any, within: float, where: str) -> None:
    assert len(got) == len(expected), where
    for position, (a, b) in enumerate(zip(got, expected, strict=True)):
        assert a.dtype == b.dtype, f"{where}, output {position}"
        np.testing.assert_allclose(a, b, within, within, err_msg=f"{where}, output {position}")


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@for_rows(ROWS)
def test_round_trip(row: Row, training: bool) -> None:
    """Weights that go from each backend to each other one give the same outputs and the same statistics."""
    if training and row.random:
        pytest.skip("training draws random numbers: see test_dropout_keeps_the_mean")
    layer = built(row)
    start = layer.get_weights()
    outputs = host(run(row, layer, WALK[0], training))
    after = layer.get_weights()
    for before, backend in itertools.pairwise(WALK):
        layer.set_weights(start)
        restart(layer)
        where = f"{before} -> {backend}"
        assert_same(host(run(row, layer, backend, training)), outputs, TOLERANCE["float32"], where)
        assert_same(layer.get_weights(), after, TOLERANCE["float32"], where + ", weights")


@for_rows(ROWS)
def test_same_seed_same_weights(row: Row) -> None:
    """To the bit, whichever backend builds the layer."""

    args, kwargs = symbols(row)

    def weights(backend: str) -> list[np.ndarray]:
        utils.set_random_seed(7)
        with config.backend_scope(backend):
            layer = row.make(kbridge)
            layer(*args, **kwargs)
            return layer.get_weights()

    for backend in BACKENDS[1:]:
        for a, b in zip(weights(backend), weights("numpy"), strict=True):
            np.testing.assert_array_equal(a, b)


@for_rows(ROWS)
def test_gradients(row: Row) -> None:
    """torch, JAX and TensorFlow, each by its own means, find the same gradients."""
    training = not row.random
    layer = built(row)
    start = layer.get_weights()
    found = {}
    for backend in ("torch", "jax", "tensorflow"):
        layer.set_weights(start)
        restart(layer)
        found[backend] = gradients(row, layer, backend, training)
    for backend in ("jax", "tensorflow"):
        for a, b in zip(found[backend], found["torch"], strict=True):
            np.testing.assert_allclose(a, b, 1e-4, 1e-4, err_msg=backend)


@for_rows(ROWS)
def test_symbolic_call_tells_shape_and_dtype(row: Row) -> None:
    args, kwargs = symbols(row)
    specs = leaves(row.make(kbridge)(*args, **kwargs))
    results = host(run(row, row.make(kbridge), "numpy"))
    assert [spec.dtype for spec in specs] == [str(result.dtype) for result in results]
    for spec, result in zip(specs, results, strict=True):
        assert len(spec.shape) == result.ndim
        assert all(s in (None, size) for s, size in zip(spec.shape, result.shape, strict=True))
        assert None not in spec.shape[1:]


@for_rows(ROWS)
def test_config_makes_the_same_layer(row: Row) -> None:
    layer = built(row)
    stored = json.loads(json.dumps(layer.get_config()))
    twin = type(layer).from_config(stored)
    assert json.loads(json.dumps(twin.get_config())) == stored
    run(row, twin, "numpy")
    twin.set_weights(layer.get_weights())
    restart(twin)
    assert_same(host(run(row, twin, "numpy")), host(run(row, layer, "numpy")), 0.0, "twin")


@for_rows(ROWS)
def test_mixed_precision(row: Row, backend: str) -> None:
    """Half-precision compute gives half-precision outputs near the full ones; the weights stay float32."""
    full = built(row)
    before = config.dtype_policy()
    config.set_dtype_policy("mixed_float16")
    try:
        half = built(row)
    finally:
        config.set_dtype_policy(before)
    assert {variable.dtype for variable in half.weights} <= {"float32"}
    results = host(run_compiled(row, half) if backend == "jax" else run(row, half, backend))
    expected = host(run(row, full, "numpy"))
    for result, exact in zip(results, expected, strict=True):
        assert result.dtype == "float16"
        np.testing.assert_allclose(result, exact, 3e-2, 3e-2)


@for_rows(RANDOM)
def test_dropout_differs_each_time_and_not_in_inference(row: Row, backend: str) -> None:
    layer = built(row)
    first, *others = (host(run(row, layer, backend, training=True)) for _ in range(DRAWS))
    assert any((a != b).any() for other in others for a, b in zip(first, other, strict=True))
    assert_same(host(run(row, layer, backend)), host(run(row, built(row), "numpy")), 1e-5, backend)


@pytest.mark.parametrize("shape", [None, (None, 1, 50)], ids=["each", "shared"])
def test_dropout_keeps_the_mean(backend: str, shape: Any) -> None:
    """The statistical law: the rate, the mean and the scale; `noise_shape` shares the draw."""
    x = np.ones((200, 40, 50), "float32")
    y = kbridge.ops.convert_to_numpy(kbridge.layers.Dropout(0.3, noise_shape=shape, seed=3)(x, training=True))
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.7], 1e-6)
    draws = y.size if shape is None else y[:, 0].size
    spread = 5 * np.sqrt(0.3 * 0.7 / draws)  # five standard deviations
    assert abs((y == 0).mean() - 0.3) < spread
    assert abs(y.mean() - 1) < spread / 0.7
    if shape is not None:
        assert (y == y[:, :1]).all()
