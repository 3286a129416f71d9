"""Products of matrices and tensors."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbridge.backends.tensorflow.arrays import reshape, shape_of

__all__ = ["affine", "einsum", "matmul"]

raw = tf.raw_ops


def matmul(x1: Any, x2: Any) -> Any:
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank1 == 2 and rank2 == 2:
        return raw.MatMul(a=x1, b=x2)
    if rank1 == 1:
        return tf.squeeze(matmul(tf.expand_dims(x1, 0), x2), -1 if rank2 == 1 else -2)
    if rank2 == 1:
        return tf.squeeze(matmul(x1, tf.expand_dims(x2, 1)), -1)
    return raw.BatchMatMulV2(x=x1, y=x2)


def affine(x: Any, weights: Any, bias: Any) -> Any:
    rank = len(x.shape)
    if rank == 2:
        y = raw.MatMul(a=x, b=weights)
    elif rank > 2 and list(x.shape).count(None) <= 1:
        # one big product; a batched one would make a gradient of the weights for each batch element
        sizes = (*shape_of(x)[:-1], weights.shape[-1])
        y = reshape(raw.MatMul(a=reshape(x, (-1, weights.shape[0])), b=weights), sizes)
    else:
        y = matmul(x, weights)
    return y if bias is None else raw.BiasAdd(value=y, bias=bias) if rank > 1 else y + bias


def einsum(equation: str, *operands: Any) -> Any:
    return tf.einsum(equation, *operands)
