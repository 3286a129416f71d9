"""Losses against the installed Keras and against the frameworks' own."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import kbridge
from kbridge import losses
from kbridge.core.context import framework_of
from kbridge.core.errors import MixedFrameworksError
from kbridge.core.ops.shape import convert_to_numpy, convert_to_tensor
from tests.rows.losses import CLASSES, HOT, NUMBERS, ROWS, SCORES, SHARES, Row

TRAINING = ("jax", "torch", "tensorflow")
WEIGHTS = np.array([0.5, 2.0, 0.0, 1.0, 3.0], "float32")


def make(module: Any, row: Row, **more: Any) -> Any:
    return getattr(module, row.name)(**row.arguments, **more)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_sample_as_keras(row: Row, backend: str) -> None:
    wanted = np.asarray(make(keras.losses, row, reduction="none")(row.y_true, row.y_pred))
    got = convert_to_numpy(make(losses, row, reduction="none")(row.y_true, row.y_pred))
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_function_as_keras(row: Row, backend: str) -> None:
    y_true = row.y_true if row.name.startswith("Sparse") else row.y_true.astype("float32")
    wanted = np.asarray(getattr(keras.losses, row.function)(y_true, row.y_pred, **row.arguments))
    got = convert_to_numpy(getattr(losses, row.function)(y_true, row.y_pred, **row.arguments))
    np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None])
def test_reduction_as_keras(reduction: str | None, weighted: bool, backend: str) -> None:
    weight = WEIGHTS if weighted else None
    wanted = keras.losses.MeanSquaredError(reduction=reduction)(NUMBERS, SCORES, sample_weight=weight)
    got = losses.MeanSquaredError(reduction=reduction)(NUMBERS, SCORES, sample_weight=weight)
    np.testing.assert_allclose(convert_to_numpy(got), np.asarray(wanted), rtol=1e-6)


@pytest.mark.parametrize("shape", [(2,), (2, 1), (2, 3), ()])
def test_weights_of_other_ranks_as_keras(shape: tuple[int, ...], backend: str) -> None:
    random = np.random.default_rng(0)
    y_true, y_pred = random.normal(size=(2, 2, 3, 4)).astype("float32")
    weight = random.uniform(size=shape).astype("float32")
    if shape == (2,):
        y_true, y_pred = y_true[:, 0], y_pred[:, 0]
    wanted = keras.losses.MeanAbsoluteError()(y_true, y_pred, sample_weight=weight)
    got = losses.MeanAbsoluteError()(y_true, y_pred, sample_weight=weight)
    np.testing.assert_allclose(convert_to_numpy(got), np.asarray(wanted), rtol=1e-6)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kept", [[[1, 1, 0], [0, 1, 0]], [[0, 0, 0], [0, 0, 0]]])
@pytest.mark.parametrize("framework", TRAINING)  # a NumPy array can't carry a mask
def test_mask_as_keras(framework: str, kept: Any, weighted: bool, reduction: str) -> None:
    random = np.random.default_rng(1)
    y_true, y_pred = random.normal(size=(2, 2, 3, 4)).astype("float32")
    weight = random.uniform(size=(2, 3)).astype("float32") if weighted else None
    mask = np.array(kept, bool)
    theirs = keras.ops.convert_to_tensor(y_pred)
    theirs._keras_mask = keras.ops.convert_to_tensor(mask)
    with kbridge.backend_scope(framework):
        ours = convert_to_tensor(y_pred)
        ours._keras_mask = convert_to_tensor(mask)
    wanted = keras.losses.MeanSquaredError(reduction=reduction)(y_true, theirs, sample_weight=weight)
    got = losses.MeanSquaredError(reduction=reduction)(y_true, ours, sample_weight=weight)
    np.testing.assert_allclose(convert_to_numpy(got), np.asarray(wanted), rtol=1e-6)


def test_ignored_class_does_not_count_in_the_mean(backend: str) -> None:
    loss = losses.SparseCategoricalCrossentropy(ignore_class=2)
    wanted = -np.log(SHARES[np.arange(5), CLASSES])[CLASSES != 2].mean()
    np.testing.assert_allclose(float(loss(CLASSES, SHARES)), wanted, rtol=1e-6)


def test_class_numbers_stay_whole(backend: str) -> None:
    """2**24 + 1 is no float32: cast, it would become its neighbour."""
    loss = losses.SparseCategoricalCrossentropy(reduction="none")
    loss.fn = lambda y_true, y_pred, **_: y_true - 2**24
    loss.dtype = "float64"
    np.testing.assert_array_equal(convert_to_numpy(loss(np.array([2**24 + 1]), SHARES[:1])), [1])


# --- which framework runs --------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS[::4], ids=str)
@pytest.mark.parametrize("framework", TRAINING)
def test_native_tensors_decide(row: Row, framework: str) -> None:
    with kbridge.backend_scope(framework):
        y_true, y_pred = convert_to_tensor(row.y_true), convert_to_tensor(row.y_pred)
    for result in (
        make(losses, row)(y_true, y_pred),
        getattr(losses, row.function)(row.y_true, y_pred, **row.arguments),
    ):
        assert framework_of(result) == framework


def test_two_frameworks_are_refused() -> None:
    import jax.numpy as jnp
    import torch

    with pytest.raises(MixedFrameworksError, match="torch"):
        losses.MeanSquaredError()(jnp.zeros((2, 3)), torch.zeros((2, 3)))


# --- gradients -------------------------------------------------------------------------------------


def gradient(framework: str, loss: Any, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """The gradient with respect to the predictions, by the framework's own means, with no scope open."""
    if framework == "torch":
        import torch

        x = torch.tensor(y_pred, requires_grad=True)
        return torch.autograd.grad(loss(torch.from_numpy(y_true), x), x)[0].numpy()
    if framework == "jax":
        import jax

        return np.asarray(jax.jit(jax.grad(lambda x: loss(y_true, x)))(y_pred))
    import tensorflow as tf

    x = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.function(loss)(tf.constant(y_true), x)
    return tape.gradient(value, x).numpy()


@pytest.mark.parametrize("framework", TRAINING)
def test_gradient_of_squares(framework: str) -> None:
    got = gradient(framework, losses.MeanSquaredError(), NUMBERS, SCORES)
    np.testing.assert_allclose(got, 2 * (SCORES - NUMBERS) / SCORES.size, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("framework", TRAINING)
def test_gradient_of_crossentropy(framework: str) -> None:
    """softmax(x) - target, over the batch (Bridle 1990)."""
    got = gradient(framework, losses.SparseCategoricalCrossentropy(from_logits=True), CLASSES, SCORES)
    np.testing.assert_allclose(got, (SHARES - HOT) / 5, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("framework", TRAINING)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_gradient_is_finite(row: Row, framework: str) -> None:
    assert np.isfinite(gradient(framework, make(losses, row), row.y_true, row.y_pred)).all()


def test_against_torch() -> None:
    import torch
    from torch.nn import functional

    x, t = torch.from_numpy(SCORES), torch.from_numpy(CLASSES)
    ours = losses.SparseCategoricalCrossentropy(from_logits=True)(t, x)
    torch.testing.assert_close(ours, functional.cross_entropy(x, t))
    ours = losses.BinaryCrossentropy(from_logits=True)(torch.from_numpy(HOT), x)
    torch.testing.assert_close(ours, functional.binary_cross_entropy_with_logits(x, torch.from_numpy(HOT)))
    ours = losses.Huber(delta=0.5)(torch.from_numpy(NUMBERS), x)
    torch.testing.assert_close(ours, functional.huber_loss(x, torch.from_numpy(NUMBERS), delta=0.5))


# --- types, names, configs -------------------------------------------------------------------------


def test_dtype(backend: str) -> None:
    half = losses.MeanSquaredError(dtype="float16")(NUMBERS, SCORES)
    assert kbridge.backend.standardize_dtype(half.dtype) == "float16"
    mixed = losses.MeanSquaredError(dtype="mixed_bfloat16")
    assert mixed.dtype == "bfloat16"


def test_policy_for_layers_leaves_losses_alone() -> None:
    kbridge.config.set_dtype_policy("mixed_float16")
    try:
        assert losses.MeanSquaredError().dtype == "float32"
    finally:
        kbridge.config.set_dtype_policy("float32")


@pytest.mark.parametrize("short", ["mse", "MSE", "mae", "MAE", "mape", "msle", "bce", "BCE", "kld", "KLD"])
def test_alias_as_keras(short: str) -> None:
    assert losses.get(short).__name__ == keras.losses.get(short).__name__


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_config_goes_both_ways(row: Row) -> None:
    ours, theirs = (
        make(losses, row, name="mine", reduction="sum"),
        make(keras.losses, row, name="mine", reduction="sum"),
    )
    wanted = convert_to_numpy(ours(row.y_true, row.y_pred))
    here = losses.deserialize(keras.losses.serialize(theirs))
    there = keras.losses.deserialize(losses.serialize(ours))
    again = losses.deserialize(losses.serialize(ours))
    for other in (here, again):
        assert (other.name, other.reduction) == ("mine", "sum")
        if other is again or row.name not in ("Huber", "CosineSimilarity"):  # Keras forgets their arguments
            np.testing.assert_allclose(convert_to_numpy(other(row.y_true, row.y_pred)), wanted, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(there(row.y_true, row.y_pred)), wanted, rtol=2e-5)


def test_wrapped_function_is_found_again() -> None:
    from kbridge.core.losses.loss import LossFunctionWrapper

    loss = LossFunctionWrapper(losses.binary_crossentropy, from_logits=True)
    again = LossFunctionWrapper.from_config(loss.get_config())
    assert again.fn is losses.binary_crossentropy
    assert again.fn_kwargs == {"from_logits": True}
    assert (
        losses.get({"module": "builtins", "class_name": "function", "config": "huber", "registered_name": "function"})
        is losses.huber
    )


def test_own_loss() -> None:
    class Cubed(losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            assert kbridge.backend.standardize_dtype(y_true.dtype) == "float32"
            return kbridge.ops.mean(kbridge.ops.abs(y_true - y_pred) ** 3, axis=-1)

    value = Cubed()(np.array([[1, 2]]), np.array([[0.0, 0.0]]), sample_weight=[2.0])
    assert float(value) == pytest.approx(9.0)
    assert float(Cubed()([[1, 2]], [[0.0, 0.0]])) == pytest.approx(4.5)


def test_symbolic_tensors_give_symbolic_losses() -> None:
    y_pred = kbridge.Input((4,))
    assert losses.mean_squared_error(kbridge.Input((4,)), y_pred).shape == (None,)
    assert losses.MeanSquaredError()(kbridge.Input((4,)), y_pred).shape == ()


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (lambda: losses.MeanSquaredError(reduction="average"), "sum_over_batch_size"),
        (lambda: losses.get("mean_squared_eror"), "Did you mean"),
        (lambda: losses.get(3), "A loss is a name"),
        (lambda: losses.Loss()([1.0], [1.0]), "needs a call"),
        (lambda: losses.SparseCategoricalCrossentropy()(HOT, SHARES), "categorical_crossentropy"),
    ],
)
def test_errors_say_what_to_do(bad: Any, said: str) -> None:
    with pytest.raises((ValueError, NotImplementedError), match=said):
        bad()


def test_empty_batch_has_no_loss(backend: str) -> None:
    empty = np.zeros((0, 3), "float32")
    assert convert_to_numpy(losses.MeanSquaredError()(empty, empty)).sum() == 0
