"""The portable generator: the same numbers on every backend, eagerly and compiled; and what all generators draw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats

import kbridge
from kbridge import Sequential, config, layers, losses, random
from kbridge.core.context import load_backend, running
from kbridge.core.errors import ArgumentError, DTypeError
from kbridge.core.ops import philox
from kbridge.core.ops.shape import convert_to_numpy
from tests.conftest import BACKENDS

COUNT = 20_000
LOGITS = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]], "float32"))

# what is made of uniform numbers by comparing, moving and powers of two alone
TO_THE_BIT = {
    "uniform": lambda: random.uniform((3, 5), seed=1),
    "uniform half": lambda: random.uniform((9,), dtype="float16", seed=1),
    "randint": lambda: random.randint((9,), -3, 1_000_000, seed=1),
    "randint bytes": lambda: random.randint((9,), 0, 255, dtype="uint8", seed=1),
    "binomial": lambda: random.binomial((5,), 20, 0.3, seed=1),
    "shuffle": lambda: random.shuffle(np.arange(100, dtype="int32"), seed=1),
    "dropout": lambda: random.dropout(np.ones(50, "float32"), 0.5, seed=1),
    "generator": lambda: random.uniform((4,), seed=random.SeedGenerator(3)),
}
# what rounds: logarithms and roots differ in their last bit
TO_ROUNDING = {
    "normal": lambda: random.normal((7, 2), seed=1),
    "truncated_normal": lambda: random.truncated_normal((70,), seed=1),
    "gamma": lambda: random.gamma((5,), [0.3, 1.0, 2.0, 10.0, 100.0], seed=1),
    "beta": lambda: random.beta((3,), 2.0, 0.5, seed=1),
    "categorical": lambda: random.categorical(LOGITS, 50, seed=1),
}


@pytest.fixture
def portable() -> Iterator[None]:
    config.set_rng("portable")
    yield
    config.set_rng("native")


@pytest.fixture(params=["native", "portable"])
def rng(request: Any) -> Iterator[str]:
    config.set_rng(request.param)
    yield request.param
    config.set_rng("native")


def words(backend: Any, *values: int) -> Any:
    return backend.convert(np.array([philox.signed(value) for value in values], "int32"))


# Known answers that come with the authors' own code (Random123).
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "want"), KNOWN)
def test_known_answers(counter: Any, key: Any, want: Any, backend: str) -> None:
    native = load_backend(backend)
    found = native.to_numpy(native.philox(1, words(native, *counter), words(native, *key)))
    assert [int(word) % 2**32 for word in found] == list(want)


def test_blocks_follow_their_counters(backend: str) -> None:
    native, many = load_backend(backend), 40_000  # more than any backend takes at once
    key = words(native, 5, 6)
    found = native.to_numpy(native.philox(many, words(native, 0, 1, 2, 3), key)).reshape(many, 4)
    for place in (1, 16_384, many - 1):
        np.testing.assert_array_equal(
            found[place], native.to_numpy(native.philox(1, words(native, place, 1, 2, 3), key))
        )


def test_the_upper_half_of_a_product(backend: str) -> None:
    native = load_backend(backend)
    numbers = np.array([0, 1, 7, 2**16, 2**31 - 1, 2**31, 2**32 - 1], "uint32")
    for span in (1, 255, 2**16, 2**31, 2**32 - 1):
        found = native.upper_product(native.convert(numbers.view("int32")), words(native, span))
        np.testing.assert_array_equal(native.to_numpy(found).view("uint32"), numbers.astype("uint64") * span >> 32)


def test_the_upper_half_on_a_jax_that_has_no_such_op() -> None:
    from kbridge.backends.jax.philox import _upper_by_halves

    x, y = np.random.default_rng(0).integers(0, 2**32, (2, 1000), "uint32")
    np.testing.assert_array_equal(_upper_by_halves(x, y), x.astype("uint64") * y >> 32)


@pytest.mark.usefixtures("portable")
@pytest.mark.parametrize("name", [*TO_THE_BIT, *TO_ROUNDING])
def test_the_same_on_every_backend(name: str) -> None:
    results = []
    for backend in BACKENDS:
        with config.backend_scope(backend):
            results.append(convert_to_numpy({**TO_THE_BIT, **TO_ROUNDING}[name]()))
    for result in results[1:]:
        assert result.dtype == results[0].dtype
        if name in TO_THE_BIT:
            np.testing.assert_array_equal(result, results[0])
        else:
            np.testing.assert_allclose(result, results[0], rtol=2e-5, atol=1e-6)


@pytest.mark.usefixtures("portable")
@pytest.mark.parametrize("framework", ["jax", "torch", "tensorflow"])
def test_compiled_equals_eager(framework: str) -> None:
    x = np.ones((4, 6), "float32")
    native = load_backend(framework)

    def draw(state: Any, x: Any) -> Any:
        with running(native):
            return philox.uniform((4, 6), "float32", state), native.multiply(x, philox.normal((4, 6), "float32", state))

    state, inputs = native.convert(np.array([5, 2], "int32")), native.convert(x)
    eager = [native.to_numpy(part) for part in draw(state, inputs)]
    if framework == "jax":
        import jax

        compiled: Any = jax.jit(draw)
    elif framework == "torch":
        import torch

        torch._dynamo.reset()
        compiled = torch.compile(draw, fullgraph=True, backend="aot_eager")
    else:
        import tensorflow as tf

        compiled = tf.function(draw, autograph=False)
    uniform, normal = (native.to_numpy(part) for part in compiled(state, inputs))
    np.testing.assert_array_equal(uniform, eager[0])
    np.testing.assert_allclose(normal, eager[1], rtol=2e-5, atol=1e-6)


def test_a_free_batch_in_a_tensorflow_graph(portable: None) -> None:
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, 3), "float32")], autograph=False)
    def dropped(x: Any) -> Any:
        return random.dropout(x, 0.5, seed=4)

    for rows in (2, 5):
        x = np.ones((rows, 3), "float32")
        np.testing.assert_array_equal(dropped(x), convert_to_numpy(random.dropout(x, 0.5, seed=4)))


@pytest.mark.usefixtures("portable")
def test_training_with_dropout_repeats_across_frameworks() -> None:
    x = np.random.default_rng(0).normal(size=(32, 6)).astype("float32")
    y = (x.sum(1) > 0).astype("int32")
    history = {}
    for framework in ("jax", "torch", "tensorflow"):
        kbridge.utils.set_random_seed(3)
        model = Sequential([layers.Input((6,)), layers.Dense(16, "relu"), layers.Dropout(0.5, seed=9), layers.Dense(2)])
        model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
        with config.backend_scope(framework):
            history[framework] = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(history["torch"], history["jax"], rtol=1e-5)
    np.testing.assert_allclose(history["tensorflow"], history["jax"], rtol=1e-5)


# --- distributions, of both generators -----------------------------------------------------------

CONTINUOUS = {
    "uniform": (lambda n: random.uniform(n, -1.0, 3.0, seed=5), scipy.stats.uniform(-1, 4)),
    "normal": (lambda n: random.normal(n, 2.0, 0.5, seed=5), scipy.stats.norm(2, 0.5)),
    "truncated_normal": (lambda n: random.truncated_normal(n, 1.0, 2.0, seed=5), scipy.stats.truncnorm(-2, 2, 1, 2)),
    "gamma": (lambda n: random.gamma(n, 3.5, seed=5), scipy.stats.gamma(3.5)),
    "gamma small": (lambda n: random.gamma(n, 0.4, seed=5), scipy.stats.gamma(0.4)),
    "beta": (lambda n: random.beta(n, 2.0, 0.7, seed=5), scipy.stats.beta(2.0, 0.7)),
}
DISCRETE = {
    "randint": (lambda n: random.randint(n, -2, 5, seed=5), scipy.stats.randint(-2, 5)),
    "binomial": (lambda n: random.binomial(n, 6, 0.3, seed=5), scipy.stats.binom(6, 0.3)),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_distributions(name: str, backend: str, rng: str) -> None:
    draw, law = CONTINUOUS[name]
    numbers = convert_to_numpy(draw((COUNT // 2, 2)))
    assert (numbers.dtype, numbers.shape) == ("float32", (COUNT // 2, 2))
    assert scipy.stats.kstest(numbers.ravel(), law.cdf).pvalue > 1e-4


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_distributions(name: str, backend: str, rng: str) -> None:
    draw, law = DISCRETE[name]
    found, counts = np.unique(convert_to_numpy(draw((COUNT,))), return_counts=True)
    assert scipy.stats.chisquare(counts, COUNT * law.pmf(found) / law.pmf(found).sum()).pvalue > 1e-4


def test_categorical(backend: str, rng: str) -> None:
    classes = convert_to_numpy(random.categorical(LOGITS, COUNT, seed=5))
    assert (classes.dtype, classes.shape) == ("int32", (2, COUNT))
    for row, logits in zip(classes, LOGITS, strict=True):
        shares = scipy.special.softmax(logits.astype("float64"))
        assert scipy.stats.chisquare(np.bincount(row, minlength=3), COUNT * shares).pvalue > 1e-4


def test_shuffle_keeps_slices_together(backend: str, rng: str) -> None:
    x = np.arange(60).reshape(3, 20).astype("int32")
    mixed = convert_to_numpy(random.shuffle(x, axis=1, seed=5))
    assert not np.array_equal(mixed, x)
    np.testing.assert_array_equal(mixed[:, np.argsort(mixed[0])], x)


def test_ends_may_be_tensors(backend: str, rng: str) -> None:
    low, high = np.array([[0.0], [10.0]], "float32"), np.array([[1.0], [20.0]], "float32")
    numbers = convert_to_numpy(random.uniform((2, 500), low, high, seed=1))
    assert ((numbers >= low) & (numbers < high)).all()
    whole = convert_to_numpy(random.randint((2, 500), low.astype("int32"), high.astype("int32"), seed=1))
    assert ((whole >= low) & (whole < high)).all()
    assert whole[1].max() == 19


def test_refusals(backend: str) -> None:
    with pytest.raises(DTypeError, match="int32"):
        random.normal((2,), dtype="int32")
    with pytest.raises(DTypeError, match="float32"):
        random.randint((2,), 0, 3, dtype="float32")
    with pytest.raises(ValueError, match="portable"):
        config.set_rng("fast")


@pytest.mark.usefixtures("portable")
def test_the_portable_generator_draws_each_trial(backend: str) -> None:
    with pytest.raises(ArgumentError, match="native"):
        random.binomial((2,), np.array([3.0, 4.0], "float32"), 0.5)
