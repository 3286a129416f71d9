"""Images of sizes that a graph doesn't know, random warps, and what crosses the files of ops on images."""

from __future__ import annotations

from typing import Any

import jax
import keras
import numpy as np
import pytest
import tensorflow as tf

from kbridge.core.context import backend_scope, load_backend
from kbridge.core.ops.random import SeedGenerator
from kbridge.core.ops.shape import convert_to_numpy
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.ops import image, psnr
from tests.backends.rows import floats

PICTURES = np.abs(floats(2, 13, 17, 3))
TURN = np.array([0.9, 0.1, 0.5, -0.2, 1.1, -0.3, 0, 0], "float32")

SIZELESS: dict[str, Any] = {
    **{f"resize-{m}": lambda x, m=m: image.resize(x, (6, 20), m) for m in ("bilinear", "nearest", "bicubic", "area")},
    "resize-antialias": lambda x: image.resize(x, (6, 20), "lanczos3", True),
    "resize-crop": lambda x: image.resize(x, (6, 20), crop_to_aspect_ratio=True),
    "resize-pad": lambda x: image.resize(x, (6, 20), pad_to_aspect_ratio=True, fill_value=1.0),
    "crop": lambda x: image.crop_images(x, None, 2, 1, None, 5, 6),
    "pad": lambda x: image.pad_images(x, None, 2, 1, None, 15, 26),
    "patches": lambda x: image.extract_patches(x, 4),
    "patches-same": lambda x: image.extract_patches(x, 3, 2, padding="same"),
    "affine": lambda x: image.affine_transform(x, TURN, fill_mode="reflect"),
    "blur": lambda x: image.gaussian_blur(x, (3, 5)),
    "ssim": lambda x: image.ssim(x, x * x),
    "sobel": image.sobel_edges,
    "hsv": image.rgb_to_hsv,
}


@pytest.mark.parametrize("name", SIZELESS)
def test_sizes_that_a_graph_does_not_know(name: str) -> None:
    traced = tf.function(SIZELESS[name], input_signature=[tf.TensorSpec((None, None, None, 3))], autograph=False)
    with backend_scope("tensorflow"):
        want = SIZELESS[name](tf.constant(PICTURES))
    np.testing.assert_allclose(traced(PICTURES), want, rtol=1e-5, atol=1e-5)
    promised = SIZELESS[name](KerasTensor((None, None, None, 3))) if name != "ssim" else KerasTensor((None,))
    found = traced.get_concrete_function().output_shapes
    assert found.rank == len(promised.shape)
    assert all(p is None or f == p for p, f in zip(promised.shape, found, strict=True))


@pytest.mark.parametrize("name", SIZELESS)
def test_only_plain_ops_in_a_graph(name: str) -> None:
    traced = tf.function(SIZELESS[name], input_signature=[tf.TensorSpec((None, 13, 17, 3))], autograph=False)
    types = {op.type for op in traced.get_concrete_function().graph.get_operations()}
    assert not types & {"PyFunc", "EagerPyFunc", "XlaCallModule", "ResizeArea", "ResizeBicubic", "ScaleAndTranslate"}


def test_resize_to_sizes_that_a_graph_computes() -> None:
    @tf.function(input_signature=[tf.TensorSpec((2, None, None, 3))], autograph=False)
    def doubled(x: Any) -> Any:
        sizes = tf.shape(x)
        return [image.resize(x, (2 * sizes[1], 2 * sizes[2]), m) for m in ("bilinear", "nearest", "bicubic", "area")]

    with backend_scope("tensorflow"):
        for method, result in zip(("bilinear", "nearest", "bicubic", "area"), doubled(PICTURES), strict=True):
            np.testing.assert_allclose(result, image.resize(PICTURES, (26, 34), method), rtol=1e-5, atol=1e-5)


def test_gradient_of_the_transform() -> None:
    """TensorFlow's own kernel has none; JAX's automatic one through a plain formula is the judge."""

    def plain(transform: Any) -> Any:
        down, across = jax.numpy.meshgrid(jax.numpy.arange(13.0), jax.numpy.arange(17.0), indexing="ij")
        a0, a1, a2, b0, b1, b2 = transform[:6]
        where = [b0 * across + b1 * down + b2, a0 * across + a1 * down + a2]
        found = [jax.scipy.ndimage.map_coordinates(PICTURES[0, ..., c], where, 1, "nearest") for c in range(3)]
        return sum((f**2).sum() for f in found)

    want = jax.grad(plain)(TURN)[:6]
    with backend_scope("tensorflow"), tf.GradientTape() as tape:
        transform = tf.Variable(TURN)
        warped = image.affine_transform(tf.constant(PICTURES[0]), transform.value(), fill_mode="nearest")
        total = tf.reduce_sum(warped**2)
    np.testing.assert_allclose(tape.gradient(total, transform)[:6], want, rtol=1e-3)


# --- random warps ---------------------------------------------------------------------------------


def test_elastic_transform_keeps_shape_type_and_range(backend: str) -> None:
    for pictures in (PICTURES, PICTURES[0], (PICTURES * 60).clip(0, 255).astype("uint8")):
        bent = image.elastic_transform(load_backend(backend).convert(pictures), alpha=3.0, sigma=2.0, seed=5)
        bent = convert_to_numpy(bent)
        assert (bent.shape, bent.dtype) == (pictures.shape, pictures.dtype)
        assert bent.min() >= pictures.min() - 1e-5
        assert bent.max() <= pictures.max() + 1e-5
        assert np.abs(bent.astype("float32") - pictures).mean() > 0.05


def test_elastic_transform_follows_its_seed(backend: str) -> None:
    first, again, other = (
        convert_to_numpy(image.elastic_transform(PICTURES, seed=seed, alpha=2.0, sigma=1.0)) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01
    stream = SeedGenerator(3)
    draws = [convert_to_numpy(image.elastic_transform(PICTURES, seed=stream, alpha=2.0)) for _ in range(2)]
    assert np.abs(draws[0] - draws[1]).max() > 0.01


def test_elastic_transform_moves_pixels_smoothly(backend: str) -> None:
    """A ramp across tells where each pixel came from; alpha says how far, both ways are drawn apart."""
    ramps = np.stack(np.meshgrid(np.arange(40.0), np.arange(50.0), indexing="ij"), -1)[None].astype("float32")
    moved = convert_to_numpy(image.elastic_transform(ramps, alpha=2.0, sigma=2.0, seed=1, fill_mode="nearest")) - ramps
    inside = moved[0, 8:-8, 8:-8]
    assert 0.1 < np.abs(inside).mean() < 2
    assert np.abs(np.diff(inside, axis=0)).max() < 1.5
    assert np.abs(np.corrcoef(inside[..., 0].ravel(), inside[..., 1].ravel())[0, 1]) < 0.9
    still = convert_to_numpy(image.elastic_transform(ramps, alpha=0.0, seed=1))
    np.testing.assert_allclose(still, ramps, atol=1e-5)


def test_elastic_transform_in_graphs() -> None:
    traced = tf.function(
        lambda x, s: image.elastic_transform(x, 2.0, s, seed=3),
        input_signature=[tf.TensorSpec((None, 13, 17, 3)), tf.TensorSpec(())],
        autograph=False,
    )
    with backend_scope("tensorflow"):
        want = image.elastic_transform(PICTURES, 2.0, 1.0, seed=3)
        # the window of a spread that a graph computes covers everything: the tails beyond 3 sigma make the difference
        np.testing.assert_allclose(traced(PICTURES, 1.0), want, atol=0.05)
    compiled = jax.jit(lambda x: image.elastic_transform(x, 2.0, 1.0, seed=3))
    with backend_scope("jax"):
        np.testing.assert_allclose(compiled(PICTURES), image.elastic_transform(PICTURES, 2.0, 1.0, seed=3), atol=1e-4)


def test_psnr_of_equal_images_is_infinite(backend: str) -> None:
    assert convert_to_numpy(psnr(PICTURES, PICTURES, 1.0)) == np.inf


def test_names_are_those_of_keras() -> None:
    theirs = {name for name in dir(keras.ops.image) if not name.startswith("_")}
    assert theirs <= set(dir(image))
