"""Attention: torch as oracle, masks, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kbridge import Input, Model, layers
from kbridge.core.errors import ShapeError
from kbridge.ops import convert_to_numpy

X = np.random.default_rng(1).normal(size=(2, 5, 6)).astype("float32")
IMAGE = np.random.default_rng(2).normal(size=(2, 3, 4, 6)).astype("float32")


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_that_of_torch(causal: bool, backend: str) -> None:
    import torch

    native = torch.nn.MultiheadAttention(6, 2, batch_first=True)
    layer = layers.MultiHeadAttention(2, 3)
    layer.build(X.shape, X.shape)
    weights = []
    for w, b in zip(native.in_proj_weight.chunk(3), native.in_proj_bias.chunk(3), strict=True):
        weights += [w.detach().numpy().T.reshape(6, 2, 3), b.detach().numpy().reshape(2, 3)]
    weights += [native.out_proj.weight.detach().numpy().T.reshape(2, 3, 6), native.out_proj.bias.detach().numpy()]
    layer.set_weights(weights)
    x = torch.from_numpy(X)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(5) if causal else None
    with torch.no_grad():
        expected, scores = native(x, x, x, attn_mask=mask, average_attn_weights=False)
    outputs = layer(X, X, use_causal_mask=causal, return_attention_scores=True)
    for ours, theirs in zip(outputs, (expected, scores), strict=True):
        np.testing.assert_allclose(convert_to_numpy(ours), theirs.numpy(), 1e-4, 1e-5)


def test_masked_keys_get_no_weight_and_blind_queries_get_the_bias() -> None:
    layer = layers.MultiHeadAttention(2, 3)
    allowed = np.ones((2, 5, 5), bool)
    allowed[:, :, 3:] = False
    allowed[0, 1] = False
    y, scores = layer(X, X, attention_mask=allowed, return_attention_scores=True)
    assert (scores[..., 3:] == 0).all()
    assert (scores[0, :, 1] == 0).all()
    np.testing.assert_array_equal(y[0, 1], layer.output_dense.bias.numpy())
    np.testing.assert_allclose(scores[1].sum(-1), 1, 1e-6)


def test_masks_of_the_inputs_are_kept_to() -> None:
    words = np.array([[1, 2, 3, 0, 0], [1, 2, 3, 4, 5]], "int32")
    embedding, layer = layers.Embedding(6, 6, mask_zero=True), layers.MultiHeadAttention(2, 3)
    x = Input((5,), dtype="int32")
    y = embedding(x)
    model = Model(x, layer(y, y))
    table = embedding(words)
    expected = layer(table[:1, :3], table[:1, :3])
    np.testing.assert_allclose(model(words)[:1, :3], expected, 1e-5, 1e-6)


def test_a_layer_over_two_axes_sees_what_one_over_their_product_sees(backend: str) -> None:
    both, flat = layers.MultiHeadAttention(2, 3), layers.MultiHeadAttention(2, 3)
    both.build(IMAGE.shape, IMAGE.shape)
    flat.build((2, 12, 6), (2, 12, 6))
    flat.set_weights(both.get_weights())
    rows = IMAGE.reshape(2, 12, 6)
    allowed = np.random.default_rng(3).random((2, 12, 12)) < 0.7
    expected = convert_to_numpy(flat(rows, rows, attention_mask=allowed))
    got = convert_to_numpy(both(IMAGE, IMAGE, attention_mask=allowed.reshape(2, 3, 4, 3, 4)))
    np.testing.assert_allclose(got.reshape(2, 12, 6), expected, 1e-5, 1e-5)


def test_a_causal_mask_goes_along_the_attended_axis() -> None:
    layer = layers.MultiHeadAttention(2, 3, attention_axes=2)
    expected = layer(IMAGE[:, :, :2], IMAGE[:, :, :2], use_causal_mask=True)
    got = layer(IMAGE, IMAGE, use_causal_mask=True)
    np.testing.assert_allclose(got[:, :, :2], expected, 1e-5, 1e-6)


def test_each_projection_starts_differently_and_shares_a_given_seed() -> None:
    layer = layers.MultiHeadAttention(2, 3)
    layer(X, X)
    query, _, key, *_ = layer.get_weights()
    assert (query != key).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.MultiHeadAttention(0, 3), "num_heads must be a positive whole number"),
        (lambda: layers.MultiHeadAttention(2, 3, value_dim=-1), "value_dim must be a positive whole number"),
        (lambda: layers.MultiHeadAttention(2, 3, dropout=1.5), "dropout must be a number from 0 to 1"),
        (lambda: layers.MultiHeadAttention(2, 3, sliding_window=0), "sliding_window must be a positive"),
        (lambda: layers.MultiHeadAttention(2, 3)(X, X, X[:, :2]), "may differ in the last axis only"),
        (lambda: layers.MultiHeadAttention(2, 3)(IMAGE, IMAGE, use_causal_mask=True), "need one axis to attend"),
    ],
)  # fmt: skip
def test_what_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((ShapeError, ValueError), match=message):
        call()
