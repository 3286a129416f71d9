"""Embedding, Masking, Rescaling, Dropout, activations and reshaping: beyond what the laws say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kbridge import Input, Sequential, config, layers
from kbridge.core.errors import ShapeError
from kbridge.ops import convert_to_numpy

X = np.random.default_rng(1).normal(size=(2, 3, 4)).astype("float32")


# --- embedding, masking, rescaling -----------------------------------------------------------------


def test_embedding_starts_from_given_weights() -> None:
    table = np.arange(6, dtype="float32").reshape(3, 2)
    for given in (table, [table]):
        np.testing.assert_array_equal(layers.Embedding(3, 2, weights=given)(np.array([2, 0])), table[[2, 0]])


def test_large_indices_survive_half_precision(backend: str) -> None:
    """float16 knows 2048 and 2050, but not 2049."""
    layer = layers.Embedding(3000, 1, dtype="mixed_float16")
    layer.build(())
    layer.set_weights([np.arange(3000, dtype="float32")[:, None] % 7])
    y = convert_to_numpy(layer(np.array([[2048.0, 2049.0, 2050.0]], "float32")))
    assert y.dtype == "float16"
    np.testing.assert_array_equal(y[0, :, 0], np.array([2048, 2049, 2050]) % 7)


def test_masking_masks_and_clears(backend: str) -> None:
    x = np.array([[[1.0, 2.0], [9.0, 9.0], [9.0, 1.0]]], "float32")
    np.testing.assert_array_equal(convert_to_numpy(layers.Masking(9.0)(x)), [[[1, 2], [0, 0], [9, 1]]])
    model = Sequential([Input((3, 2)), layers.Masking(9.0), layers.GlobalAveragePooling1D()])
    np.testing.assert_array_equal(convert_to_numpy(model(x)), [[5, 1.5]])


def test_rescaling_with_channels_first() -> None:
    before = config.image_data_format()
    config.set_image_data_format("channels_first")
    try:
        layer = layers.Rescaling([1.0, 2.0, 3.0])
    finally:
        config.set_image_data_format(before)
    y = layer(np.ones((1, 3, 2, 2), "float32"))
    np.testing.assert_array_equal(y[0, :, 1, 1], [1, 2, 3])


def test_rescaling_gives_the_compute_type(backend: str) -> None:
    pixels = np.array([[0, 255]], "uint8")
    y = convert_to_numpy(layers.Rescaling(1 / 255, dtype="mixed_bfloat16")(pixels))
    assert str(y.dtype) == "bfloat16"


# --- dropout ---------------------------------------------------------------------------------------


def test_dropout_of_everything_gives_zeros(backend: str) -> None:
    np.testing.assert_array_equal(convert_to_numpy(layers.Dropout(1.0)(X, training=True)), 0)


def test_one_seed_gives_one_stream(backend: str) -> None:
    first, second = layers.Dropout(0.5, seed=3), layers.Dropout(0.5, seed=3)
    draws = [convert_to_numpy(first(X, training=True)) for _ in range(6)]
    for draw in draws:
        np.testing.assert_array_equal(convert_to_numpy(second(X, training=True)), draw)
    for i, draw in enumerate(draws):  # and no draw comes back
        assert all((draw != other).any() for other in draws[i + 1 :])


def test_spatial_dropout_drops_whole_channels(backend: str) -> None:
    y = convert_to_numpy(layers.SpatialDropout1D(0.5, seed=1)(np.ones((8, 5, 16), "float32"), training=True))
    assert (y == y[:, :1]).all()
    assert set(np.unique(y)) == {0.0, 2.0}


# --- the rest --------------------------------------------------------------------------------------


def test_layers_may_be_called_with_free_sizes() -> None:
    x = Input((None, 4))
    assert layers.Flatten()(x).shape == (None, None)
    assert layers.Reshape((-1, 2))(x).shape == (None, None, 2)
    assert layers.UpSampling1D(2)(x).shape == (None, None, 4)
    assert layers.Flatten()(Input(())).shape == (None, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.Embedding(0, 3), "input_dim must be a positive whole number"),
        (lambda: layers.Embedding(3, True), "output_dim must be a positive whole number, got True"),
        (lambda: layers.Embedding(3, 2, lora_rank=4), "Embedding doesn't support lora_rank"),
        (lambda: layers.Dropout(1.5), "rate must be a number from 0 to 1, got 1.5"),
        (lambda: layers.Dropout(0.5, noise_shape=(None, 0)), "noise_shape holds positive whole numbers and None"),
        (lambda: layers.SpatialDropout2D(0.5)(X), "rank 4"),
        (lambda: layers.ReLU(max_value=-1), "max_value must be zero or more, got -1"),
        (lambda: layers.ReLU(negative_slope=None), "negative_slope must be zero or more, got None"),
        (lambda: layers.LeakyReLU(-0.1), "negative_slope must be zero or more"),
        (lambda: layers.PReLU()(Input((None, 3))), "sizes of the axes it doesn't share"),
        (lambda: layers.Softmax()(X, mask=np.ones((1, 2, 3, 4), bool)), "doesn't broadcast"),
        (lambda: layers.Activation("rellu"), "Did you mean"),
        (lambda: layers.Reshape((2, -1, -1)), "at most one of them -1"),
        (lambda: layers.Reshape((5, 5))(X), r"Can't reshape \(3, 4\) \(12 elements\) to \(5, 5\)"),
        (lambda: layers.Permute((1, 3)), "dims holds each of 1 to 2 once"),
        (lambda: layers.RepeatVector(2.0), "n must be a positive whole number"),
        (lambda: layers.RepeatVector(2)(X), r"takes inputs \(batch, features\)"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), "padding is a number, or a number or pair"),
        (lambda: layers.ZeroPadding2D(-1), "padding is a number"),
        (lambda: layers.Cropping1D((2, 1))(X), "leaves nothing of inputs"),
        (lambda: layers.UpSampling2D(interpolation="bicubic"), 'by "nearest" only'),
    ],
)  # fmt: skip
def test_what_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((ShapeError, ValueError), match=message):
        call()


# --- building by hand ------------------------------------------------------------------------------


class Block(layers.Layer):
    """Builds its inner layer itself, as Keras asks subclasses to."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = layers.Dense(3, name="inner")

    def build(self, input_shape: Any) -> None:
        self.inner.build(input_shape)
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        return self.inner(inputs)


def test_a_layer_built_by_hand_is_built_once_and_named() -> None:
    block = Block(name="block")
    block(X)
    assert [w.path for w in block.weights] == ["block/inner/kernel", "block/inner/bias"]
    alone = layers.Dense(2, name="alone")
    alone.build((None, 4))
    kernel = alone.kernel
    alone(X)
    assert alone.kernel is kernel
    assert kernel.path == "alone/kernel"
    assert alone.get_build_config() == {"input_shape": (None, 4)}
