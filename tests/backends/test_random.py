"""Draws: their distribution, that a seed repeats them, and that no two draws are alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats

from kbridge.core.context import framework_of, load_backend, running
from kbridge.core.ops.random import SeedGenerator, dropout, normal, uniform
from kbridge.core.ops.shape import convert_to_numpy, ones

COUNT = 20_000


def drawn(draw: Any, *args: Any, **kwargs: Any) -> np.ndarray:
    return convert_to_numpy(draw(*args, **kwargs))


def test_uniform(backend: str) -> None:
    numbers = drawn(uniform, (COUNT,), -1.0, 3.0, seed=5)
    assert numbers.dtype == "float32"
    assert numbers.min() >= -1
    assert numbers.max() < 3
    assert scipy.stats.kstest(numbers, scipy.stats.uniform(-1, 4).cdf).pvalue > 1e-4


def test_normal(backend: str) -> None:
    numbers = drawn(normal, (COUNT // 2, 2), 2.0, 0.5, seed=5)
    assert numbers.shape == (COUNT // 2, 2)
    assert scipy.stats.kstest(numbers.ravel(), scipy.stats.norm(2, 0.5).cdf).pvalue > 1e-4


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_dtype(dtype: str, backend: str) -> None:
    for draw in (uniform, normal):
        tensor = draw((3,), dtype=dtype, seed=1)
        assert load_backend(backend).dtype_of(tensor) == dtype
        assert framework_of(tensor) == (None if backend == "numpy" else backend)


@pytest.mark.parametrize("draw", [uniform, normal])
def test_seeds(draw: Any, backend: str) -> None:
    np.testing.assert_array_equal(drawn(draw, (5,), seed=3), drawn(draw, (5,), seed=3))
    assert not np.array_equal(drawn(draw, (5,), seed=3), drawn(draw, (5,), seed=4))
    assert not np.array_equal(drawn(draw, (5,)), drawn(draw, (5,)))


@pytest.mark.parametrize("draw", [uniform, normal])
def test_a_generator_moves_on_and_starts_again(draw: Any, backend: str) -> None:
    first, again = SeedGenerator(7), SeedGenerator(7)
    stream = [drawn(draw, (4,), seed=first) for _ in range(3)]
    assert len({numbers.tobytes() for numbers in stream}) == 3
    for numbers in stream:
        np.testing.assert_array_equal(numbers, drawn(draw, (4,), seed=again))
    np.testing.assert_array_equal(first.state.numpy(), [7, 3])


def test_the_largest_seed(backend: str) -> None:
    assert np.isfinite(drawn(uniform, (3,), seed=SeedGenerator(2**31 - 1))).all()


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
def test_dropout(rate: float, backend: str) -> None:
    kept = drawn(dropout, ones((COUNT,)), rate, seed=2)
    assert kept.dtype == "float32"
    np.testing.assert_allclose(np.unique(kept), [0, 1 / (1 - rate)], rtol=1e-6)
    assert scipy.stats.binomtest(int((kept == 0).sum()), COUNT, rate).pvalue > 1e-4


def test_dropout_shares_a_decision_along_an_axis(backend: str) -> None:
    kept = drawn(dropout, ones((50, 6, 3)), 0.5, noise_shape=(None, 1, 3), seed=2)
    np.testing.assert_array_equal(kept, np.broadcast_to(kept[:, :1], kept.shape))
    assert 0 < (kept == 0).mean() < 1


def test_dropout_of_nothing_and_in_half_precision(backend: str) -> None:
    x = ones((4,), "float16")
    assert dropout(x, 0.0) is x
    assert drawn(dropout, x, 0.5, seed=1).dtype == "float16"


def test_draws_inside_jit_move_with_the_state() -> None:
    import jax

    backend = load_backend("jax")

    @jax.jit
    def two(state: Any) -> Any:
        with running(backend):
            return backend.random_uniform((3,), "float32", state), backend.next_seed(state)

    first, state = two(np.array([3, 0], "int32"))
    second, state = two(state)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(state, [3, 2])
