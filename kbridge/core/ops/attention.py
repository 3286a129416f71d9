"""Attention."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.arithmetic import add, divide, multiply
from kbridge.core.ops.compare import greater_equal
from kbridge.core.ops.conversions import as_bool
from kbridge.core.ops.declare import as_float, kernel, op, promote
from kbridge.core.ops.elementwise import absolute, where
from kbridge.core.settings import is_flash_attention_enabled
from kbridge.core.tensor.dtypes import float_result, result_type
from kbridge.core.tensor.shapes import broadcast_shape
from kbridge.core.tensor.symbolic import KerasTensor

LOWEST = -0.7 * 3.4028234663852886e38  # swallows any logit, and leaves room for a bias


def _attention_rule(
    query: KerasTensor, key: KerasTensor, value: KerasTensor, bias: Any = None, mask: Any = None, scale: Any = None,
    is_causal: bool = False, flash_attention: bool | None = None, attn_logits_soft_cap: float | None = None,
) -> KerasTensor:  # fmt: skip
    _check_sizes(query, key, value)
    _check_flash(flash_attention and attn_logits_soft_cap)
    heads, groups = query.shape[2], key.shape[2]
    if heads is not None and groups is not None and heads % groups:
        raise ShapeError(f"The {heads} heads of the query have to be a multiple of the {groups} of the key.")
    whole = (query.shape[0], heads, query.shape[1], key.shape[1])
    for name, extra in (("bias", bias), ("mask", mask)):
        if extra is not None and len(broadcast_shape(_four(extra.shape), whole)) != 4:
            raise ShapeError(f"{name} {extra.shape} doesn't broadcast to (batch, heads, queries, keys) {whole}.")
    dtype = float_result(result_type(query.dtype, key.dtype, value.dtype))
    return KerasTensor((*query.shape[:3], value.shape[3]), dtype)


def _check_sizes(query: Any, key: Any, value: Any) -> None:
    q, k, v = tuple(query.shape), tuple(key.shape), tuple(value.shape)
    if len(q) != 4 or len(k) != 4 or len(v) != 4:
        raise ShapeError(f"query, key and value are (batch, length, heads, features); got {q}, {k} and {v}.")
    for name, first, second in (
        ("batches", q[0], k[0]), ("lengths", k[1], v[1]), ("heads", k[2], v[2]), ("features", q[3], k[3]),
    ):  # fmt: skip
        if first != second and None not in (first, second):
            raise ShapeError(f"query {q}, key {k}, value {v}: {name} of {first} and of {second} meet.")


def _check_flash(missing: Any) -> None:
    if missing:
        raise ArgumentError(
            "Flash attention isn't there on this backend, or with a soft cap. Leave flash_attention=None."
        )


def _four(sizes: Any) -> tuple[Any, ...]:
    """Sizes for (batch, heads, queries, keys): of fewer, the first is the batch where there are three."""
    return (sizes[0], 1, *sizes[1:]) if len(sizes) == 3 else (1,) * (4 - len(sizes)) + tuple(sizes)


def _with_heads(x: Any) -> Any:
    return x if x is None or len(x.shape) == 4 else kernel.reshape(x, _four(kernel.shape_of(x)))


@op(_attention_rule, arrays=5)
def dot_product_attention(
    query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, scale: Any = None,
    is_causal: bool = False, flash_attention: bool | None = None, attn_logits_soft_cap: float | None = None,
) -> Any:  # fmt: skip
    """softmax(query @ key * scale + bias) @ value for each head, by the framework's fused kernel where it has one.

    Args:
        query: `(batch, queries, heads, features)`.
        key: `(batch, keys, groups, features)`; heads are a multiple of groups, and share them in order.
        value: `(batch, keys, groups, outputs)`.
        bias: added to the logits; broadcasts to `(batch, heads, queries, keys)`.
        mask: False where a query mustn't look at a key; broadcasts likewise, three axes being
            `(batch, queries, keys)`. A query that may look nowhere looks evenly at all keys.
        scale: a number; 1 / sqrt(features) if None.
        is_causal: whether query i sees only the keys up to i.
        flash_attention: True insists on the framework's flash attention, False keeps it out; None does as
            `kbridge.config.is_flash_attention_enabled` says.
        attn_logits_soft_cap: logits become logits / (1 + |logits| / cap) before the bias.

    Returns:
        `(batch, queries, heads, outputs)`.

    Raises:
        ArgumentError: flash attention was asked for, and the backend has none, or none with a soft cap.
        ShapeError: the sizes or axes of the inputs don't fit.

    Source: https://arxiv.org/abs/1706.03762, and https://arxiv.org/abs/2305.13245 for groups.

    >>> import numpy as np
    >>> q, k = np.zeros((1, 1, 1, 2)), np.zeros((1, 2, 1, 2))
    >>> dot_product_attention(q, k, np.array([1.0, 3.0]).reshape(1, 2, 1, 1)).item()
    2.0
    """
    _check_sizes(query, key, value)
    query, key, value = (as_float(each) for each in promote(query, key, value))
    mask = _with_heads(mask if mask is None else as_bool(mask))
    bias = _with_heads(bias if bias is None else kernel.cast(bias, kernel.dtype_of(query)))
    scale = 1 / math.sqrt(query.shape[3]) if scale is None else scale
    flash_attention = is_flash_attention_enabled() if flash_attention is None else flash_attention
    options = (bool(is_causal), flash_attention)
    done = None if attn_logits_soft_cap else kernel.fused_attention(query, key, value, bias, mask, scale, *options)
    if done is not None:
        return done
    _check_flash(flash_attention)
    return _attended(query, key, value, bias, mask, scale, is_causal, attn_logits_soft_cap)


def _heads_first(x: Any) -> Any:
    return kernel.transpose(x, (0, 2, 1, 3))


def _attended(
    query: Any, key: Any, value: Any, bias: Any, mask: Any, scale: Any, is_causal: bool, cap: float | None
) -> Any:
    dtype = kernel.dtype_of(query)
    queries, heads = kernel.shape_of(query)[1:3]
    keys, groups = kernel.shape_of(key)[1:3]
    if groups is not heads and groups != heads:
        key, value = kernel.repeat(key, heads // groups, 2), kernel.repeat(value, heads // groups, 2)
    # matrix products, whose gradients are such again: those of an einsum take more transposing
    logits = kernel.matmul(_heads_first(query), kernel.transpose(key, (0, 2, 3, 1)))
    logits = kernel.cast(logits, "float32") if dtype in ("float16", "bfloat16") else logits
    logits = multiply(logits, scale)
    if cap:
        logits = divide(logits, add(divide(absolute(logits), cap), 1.0))
    if bias is not None:
        logits = add(logits, bias)
    if is_causal:
        earlier = greater_equal(
            kernel.expand_dims(kernel.arange(0, queries, 1, "int32", like=query), (1,)),
            kernel.arange(0, keys, 1, "int32", like=query),
        )
        mask = earlier if mask is None else kernel.logical_and(mask, earlier)
    if mask is not None:
        logits = where(mask, logits, LOWEST)
    shares = kernel.softmax(logits, 3)
    shares = shares if kernel.dtype_of(shares) == dtype else kernel.cast(shares, dtype)
    return _heads_first(kernel.matmul(shares, _heads_first(value)))
