"""Draws: their distribution, that a seed repeats them, and that no two draws are alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats

from kbridge.core.context import backend_scope, framework_of, load_backend, running
from kbridge.core.errors import ArgumentError
from kbridge.core.ops.random import SeedGenerator, dropout, normal, uniform
from kbridge.core.ops.shape import convert_to_numpy, convert_to_tensor, ones
from tests.backends.test_control import COMPILED

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


@pytest.mark.parametrize("seed", [2**31 - 1, 2**31, 2**32 - 1, -1, np.int64(7)])
def test_seeds_of_32_bits(seed: int, backend: str) -> None:
    for of_seed in (lambda number: number, SeedGenerator):
        first, again, other = (drawn(uniform, (3,), seed=of_seed(number)) for number in (seed, seed, seed - 5))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)


@pytest.mark.parametrize("seed", [2**32, 1.5, "7"])
def test_no_seeds(seed: Any, backend: str) -> None:
    with pytest.raises(ArgumentError, match="must be an integer of 32 bits"):
        uniform((3,), seed=seed)
    with pytest.raises(ArgumentError, match="must be an integer of 32 bits"):
        SeedGenerator(seed)


def test_a_key_is_a_seed(backend: str) -> None:
    key = convert_to_tensor(np.array([7, 0], "uint32"))
    np.testing.assert_array_equal(drawn(uniform, (3,), seed=key), drawn(uniform, (3,), seed=7))
    with pytest.raises(ArgumentError, match="one key"):
        uniform((3,), seed=convert_to_tensor([1, 2, 3]))


def test_keys_of_jax() -> None:
    import jax

    old, new, other = jax.random.PRNGKey(2**32 - 3), jax.random.key(2**32 - 3), jax.random.key(4)
    numbers = [drawn(uniform, (3,), seed=key) for key in (old, new, other)]
    assert framework_of(uniform((3,), seed=old)) == "jax"
    np.testing.assert_array_equal(numbers[0], numbers[1])
    assert not np.array_equal(numbers[0], numbers[2])
    np.testing.assert_array_equal(numbers[1], jax.jit(lambda key: uniform((3,), seed=key))(new))


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


@pytest.mark.parametrize("draw", [lambda: uniform((8,)), lambda: dropout(ones((64,)), 0.5)])
@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_without_a_seed_compiled_calls_draw_anew(framework: str, draw: Any) -> None:
    compiled = COMPILED[framework](draw)
    with backend_scope(framework):
        assert not np.array_equal(convert_to_numpy(compiled()), convert_to_numpy(compiled()))


def test_without_a_seed_jit_is_refused_and_grad_is_not() -> None:
    import jax

    with backend_scope("jax"):
        with pytest.raises(ArgumentError, match="Inside jit"):
            jax.jit(lambda: uniform((3,)))()
        slope = jax.grad(lambda x: (x * uniform(())).sum())
        assert slope(np.float32(1)) != slope(np.float32(1))


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
