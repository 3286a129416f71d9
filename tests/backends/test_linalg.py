"""What rows can't say of linear algebra and Fourier transforms: refusals of values, functions without arrays."""

from __future__ import annotations

import jax
import numpy as np
import pytest
import tensorflow as tf

from kbridge.core.errors import ArgumentError
from kbridge.core.ops import decompose, equations, fft, linalg, products, sequences
from kbridge.core.ops.shape import convert_to_numpy, convert_to_tensor
from tests.backends.rows import floats
from tests.backends.test_gradients import GRADIENTS

INDEFINITE = np.array([np.eye(2), [[1.0, 2.0], [2.0, 1.0]]], "float32")


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("upper", [False, True])
def test_cholesky_of_an_indefinite_matrix(upper: bool) -> None:
    with pytest.raises(ArgumentError, match=r"ops\.cholesky: .*positive definite"):
        decompose.cholesky(INDEFINITE, upper)


def test_cholesky_where_nobody_can_look() -> None:
    traced = tf.function(decompose.cholesky, autograph=False)
    for result in (jax.jit(decompose.cholesky)(INDEFINITE), traced(tf.constant(INDEFINITE))):
        factors = np.asarray(result)
        np.testing.assert_array_equal(factors[0], np.eye(2))
        assert np.isnan(factors[1]).any()


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frequencies(backend: str, n: int) -> None:
    for ours, oracle in ((fft.fftfreq, np.fft.fftfreq), (fft.rfftfreq, np.fft.rfftfreq)):
        got = convert_to_numpy(ours(n, 0.25))
        assert got.dtype == "float32"
        np.testing.assert_allclose(got, oracle(n, 0.25), rtol=1e-6)
        assert convert_to_numpy(ours(n, dtype="float16")).dtype == "float16"


@pytest.mark.parametrize("framework", GRADIENTS)
def test_distances_of_a_vector_from_itself_have_a_gradient(framework: str) -> None:
    x = floats(3, 2)
    (gradient,) = GRADIENTS[framework](lambda x: products.cdist(x, x), [x], np.float32(1))
    away = x[:, None] - x[None]
    lengths = np.linalg.norm(away, axis=-1, keepdims=True) + np.eye(3)[..., None]
    np.testing.assert_allclose(gradient, 2 * (away / lengths).sum(1), rtol=1e-4)


@pytest.mark.usefixtures("backend")
def test_a_window_may_be_a_tensor() -> None:
    x, window = floats(20), np.abs(floats(4)) + 0.5
    given = convert_to_tensor(window)
    for part, want in zip(sequences.stft(x, 4, 2, 4, given), sequences.stft(x, 4, 2, 4, window), strict=True):
        np.testing.assert_array_equal(convert_to_numpy(part), convert_to_numpy(want))


@pytest.mark.usefixtures("backend")
def test_a_tolerance_for_each_matrix() -> None:
    x = np.stack([np.diag([3.0, 1.0]), np.diag([3.0, 1.0])]).astype("float32")
    rank = equations.matrix_rank(x, tol=np.array([2.0, 0.5], "float32"))
    np.testing.assert_array_equal(convert_to_numpy(rank), [1, 2])


@pytest.mark.usefixtures("backend")
def test_transforms_of_nothing_are_refused() -> None:
    one = np.ones((2, 1), "float32")
    for call in (lambda: fft.rfft(one[:, :0]), lambda: fft.irfft((one, one)), lambda: fft.irfft((one, one), 0)):
        with pytest.raises(ArgumentError, match="1 element or more"):
            call()


def test_einsum_takes_a_hint_and_nothing_else() -> None:
    with pytest.raises(ArgumentError, match="precision"):
        linalg.einsum("ij->j", floats(2, 2), precision="highest")
