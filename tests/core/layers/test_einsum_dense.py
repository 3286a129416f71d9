"""EinsumDense: the product of matrices it becomes, its starting weights, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from kbridge import Input, initializers, layers
from kbridge.core.errors import ShapeError

X = np.random.default_rng(1).normal(size=(2, 3, 4)).astype("float32")

EQUATIONS = [
    ("abc,cd->abd", (3, 5), "d", True),
    ("abc,cde->abde", (3, 5, 2), "de", True),
    ("abc,bcd->ad", (5,), "d", True),
    ("...c,cd->...d", (5,), None, True),
    ("abc,cde->abde", (3, 5, 2), "e", False),  # a bias of one of two new axes
    ("abc,dc->abd", (3, 5), "d", False),  # a transposed kernel
    ("abc,cd->adb", (5, 3), "d", False),
    ("ab...,bd->ad...", (5,), "d", False),
]


@pytest.mark.parametrize(("equation", "output_shape", "bias_axes", "flat"), EQUATIONS)
def test_outputs_are_those_of_einsum(equation: str, output_shape: tuple[int, ...], bias_axes: str, flat: bool) -> None:
    layer = layers.EinsumDense(equation, output_shape, bias_axes=bias_axes, bias_initializer="ones")
    y = layer(X)
    assert layer._flat is flat
    bias = 0 if layer.bias is None else layer.bias.numpy()
    np.testing.assert_allclose(y, np.einsum(equation, X, layer.kernel.numpy()) + bias, 1e-5, 1e-5)


def test_the_kernel_starts_as_that_of_the_dense_layer_it_amounts_to() -> None:
    """Variance scaling counts how many values are summed; the axes of the kernel alone don't tell."""
    wide = layers.EinsumDense("ab,bcd->acd", (8, 8), kernel_initializer=initializers.GlorotUniform(3))
    dense = layers.Dense(64, kernel_initializer=initializers.GlorotUniform(3))
    x = np.ones((2, 5), "float32")
    wide(x), dense(x)
    np.testing.assert_array_equal(wide.kernel.numpy().reshape(5, 64), dense.kernel.numpy())


def test_the_same_kernel_in_another_order_starts_alike() -> None:
    turned = layers.EinsumDense("ab,cb->ac", 8, kernel_initializer=initializers.HeNormal(3))
    plain = layers.EinsumDense("ab,bc->ac", 8, kernel_initializer=initializers.HeNormal(3))
    x = np.ones((2, 5), "float32")
    turned(x), plain(x)
    np.testing.assert_array_equal(turned.kernel.numpy().T, plain.kernel.numpy())


@pytest.mark.parametrize(
    ("equation", "output_shape", "bias_axes", "message"),
    [
        ("abc->abd", 4, None, "An equation looks like"),
        ("...c,cd->d", 4, None, "An equation looks like"),
        ("ab,bc->ac", 4, None, "doesn't fit inputs of shape"),
        ("abc,cd->abd", 4, None, "has to give sizes for b, d"),
        ("abc,cd->abd", (7, 4), None, "b of .* is 3 in the inputs and 7 in output_shape"),
        ("abc,cde->abd", (3, 4), None, "The sizes of e in .* aren't known"),
        ("abc,cd->abd", (3, 4), "x", "bias_axes 'x' has to name axes of the outputs"),
    ],
)
def test_what_is_refused(equation: str, output_shape: object, bias_axes: str, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        layers.EinsumDense(equation, output_shape, bias_axes=bias_axes)(X)


def test_an_unknown_summed_axis_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"sizes of c in .* aren't known"):
        layers.EinsumDense("abc,cd->abd", (None, 4))(Input((3, None)))
