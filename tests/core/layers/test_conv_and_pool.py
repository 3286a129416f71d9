"""Convolution and pooling: what is refused, and what the message says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kbridge import Input, layers
from kbridge.core.errors import ShapeError

IMAGE = np.ones((2, 6, 6, 4), "float32")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(0, 3), "filters must be a positive whole number, got 0"),
        (lambda: layers.Conv2D(2.5, 3), "filters must be a positive whole number, got 2.5"),
        (lambda: layers.Conv2D(4, 3, groups=3), "filters must be a multiple of groups, got 4 and 3"),
        (lambda: layers.Conv2D(4, (3, 3, 3)), "kernel_size takes a positive whole number, or 2 of them"),
        (lambda: layers.Conv2D(4, 3, strides=0), "strides takes a positive whole number"),
        (lambda: layers.Conv2D(4, 3, strides=2, dilation_rate=2), "Either strides or dilation_rate"),
        (lambda: layers.Conv2D(4, 3, padding="causal"), "padding must be one of valid, same, got 'causal'"),
        (lambda: layers.Conv2D(4, 3, data_format="channels"), "Unknown data_format 'channels'"),
        (lambda: layers.Conv2DTranspose(4, 3, strides=2, dilation_rate=2), "Either strides or dilation_rate"),
        (lambda: layers.Conv1DTranspose(4, 3, padding="causal"), "padding must be one of valid, same, got 'causal'"),
        (lambda: layers.Conv2DTranspose(4, 3, (2, 1), output_padding=1), "output_padding must be below strides"),
        (lambda: layers.Conv1DTranspose(4, 3, 2, output_padding=-1), "output_padding takes a whole number from 0 on"),
        (lambda: layers.MaxPooling2D(0), "pool_size takes a positive whole number"),
        (lambda: layers.AveragePooling1D(2, padding="full"), "padding must be one of valid, same, got 'full'"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "inputs", "message"),
    [
        (lambda: layers.Conv2D(4, 3), IMAGE[0], "rank 4 with a known number of channels"),
        (lambda: layers.Conv2D(4, 3, groups=4), IMAGE[..., :3], "a multiple of groups=4"),
        (lambda: layers.Conv1D(4, 3), IMAGE, "rank 3"),
        (lambda: layers.Conv2DTranspose(4, 3), IMAGE[0], "rank 4 with a known number of channels"),
        (lambda: layers.MaxPooling2D(), IMAGE[0], "MaxPooling2D takes inputs of rank 4: batch, height, width and"),
        (lambda: layers.GlobalMaxPooling1D(), IMAGE, "rank 3: batch, length and channels"),
        (lambda: layers.GlobalAveragePooling3D(), IMAGE, "rank 5: batch, depth, height, width"),
    ],
)  # fmt: skip
def test_wrong_inputs_are_refused(make: Callable[[], Any], inputs: np.ndarray, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        make()(inputs)


def test_a_built_convolution_refuses_other_channels() -> None:
    """Twice as many channels would fit the kernel as two groups, and give nonsense."""
    layer = layers.Conv2D(4, 3)
    layer(IMAGE)
    with pytest.raises(ShapeError, match=r"was built for 4 channels and got inputs of shape \(2, 6, 6, 8\)"):
        layer(np.ones((2, 6, 6, 8), "float32"))
    with pytest.raises(ShapeError, match="takes inputs of rank 4"):
        layer(IMAGE[0])
    turned = layers.Conv2DTranspose(4, 3)
    turned(IMAGE)
    with pytest.raises(ShapeError, match="was built for 4 channels"):
        turned(np.ones((2, 6, 6, 8), "float32"))


def test_unknown_channels_are_refused() -> None:
    with pytest.raises(ShapeError, match="known number of channels"):
        layers.Conv2D(4, 3)(Input((6, 6, None)))


def test_a_window_larger_than_the_input_is_refused_symbolically() -> None:
    with pytest.raises(ShapeError, match="A window of 7 doesn't fit into an axis of size 6"):
        layers.Conv2D(4, 7)(Input((6, 6, 4)))


def test_space_may_be_free() -> None:
    x = Input((None, 8, 4))
    assert layers.Conv2D(3, 3, strides=2, padding="same")(x).shape == (None, None, 4, 3)
    assert layers.Conv2DTranspose(3, 3, strides=2)(x).shape == (None, None, 17, 3)
    assert layers.MaxPooling2D()(x).shape == (None, None, 4, 4)
    assert layers.GlobalAveragePooling2D()(x).shape == (None, 4)


def test_a_window_of_average_pooling_does_not_count_padding(backend: str) -> None:
    y = layers.AveragePooling1D(2, padding="same")(np.ones((1, 3, 1), "float32"))
    np.testing.assert_array_equal(np.asarray(y), np.ones((1, 2, 1)))


def test_aliases_are_the_same_classes() -> None:
    assert layers.MaxPool2D is layers.MaxPooling2D
    assert layers.AvgPool3D is layers.AveragePooling3D
    assert layers.GlobalAvgPool1D is layers.GlobalAveragePooling1D
    assert layers.GlobalMaxPool2D is layers.GlobalMaxPooling2D
    assert layers.Convolution2D is layers.Conv2D
    assert layers.Convolution2DTranspose is layers.Conv2DTranspose


def test_files_say_the_first_name_of_an_alias() -> None:
    from kbridge.saving import serialize_keras_object

    assert serialize_keras_object(layers.MaxPool1D())["class_name"] == "MaxPooling1D"
