"""Rows for attention: one head of one sample at a time, in float64."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy.special

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.ops import nn
from tests.backends.rows import Bad, Row, bad, floats, ints, narrow, row

QUERY, KEY, VALUE = floats(2, 3, 4, 5), floats(2, 6, 4, 5), floats(2, 6, 4, 5)
TWO_KEYS, TWO_VALUES = floats(2, 6, 2, 5), floats(2, 6, 2, 5)
ONE_KEY, ONE_VALUE = floats(2, 6, 1, 5), floats(2, 6, 1, 5)
BIAS = floats(2, 4, 3, 6)
MASK = ints(0, 2, 2, 4, 3, 6).astype(bool)
MASK[..., 2] = True
CLOSED = MASK.copy()
CLOSED[0, 1, 2] = False  # looks nowhere
CAUSAL = np.tril(np.ones((3, 6), bool))


def attended(
    query: Any, key: Any, value: Any, bias: Any = 0.0, mask: Any = True, scale: float = 5**-0.5, cap: float = 0.0
) -> np.ndarray:
    batch, queries, heads, _ = query.shape
    whole = (batch, heads, queries, key.shape[1])
    bias, mask = np.broadcast_to(bias, whole), np.broadcast_to(mask, whole)
    outputs = np.zeros((batch, queries, heads, value.shape[3]))
    for b, h in itertools.product(range(batch), range(heads)):
        k, v = (x[b, :, h * key.shape[2] // heads].astype("float64") for x in (key, value))
        logits = query[b, :, h].astype("float64") @ k.T * scale
        logits = logits / (1 + np.abs(logits) / cap) if cap else logits
        outputs[b, :, h] = scipy.special.softmax(np.where(mask[b, h], logits + bias[b, h], -1e9), -1) @ v
    return narrow(outputs)


def rows() -> list[Row]:
    attend, whole = nn.dot_product_attention, (QUERY, KEY, VALUE)
    sample, wide = ints(0, 2, 2, 3, 6), (ints(-3, 4, 1, 2, 1, 4), ints(-3, 4, 1, 3, 1, 4), ints(-3, 4, 1, 3, 1, 4))
    sample[..., 0] = 1
    half = tuple(x.astype("float16") for x in whole)
    return [
        row("dot_product_attention", attend, *whole, want=attended(*whole), gradient=True),
        row("dot_product_attention-bias", attend, *whole, BIAS, want=attended(*whole, BIAS), gradient=True),
        row(
            "dot_product_attention-mask",
            lambda q, k, v, m: attend(q, k, v, mask=m),
            *whole,
            MASK,
            want=attended(*whole, mask=MASK),
            gradient=True,
        ),
        row("dot_product_attention-both", attend, *whole, BIAS, MASK, want=attended(*whole, BIAS, MASK), gradient=True),
        row(
            "dot_product_attention-closed",
            lambda q, k, v, m: attend(q, k, v, mask=m),
            *whole,
            CLOSED,
            want=attended(*whole, mask=CLOSED),
        ),
        row(
            "dot_product_attention-causal",
            lambda q, k, v: attend(q, k, v, is_causal=True),
            *whole,
            want=attended(*whole, mask=CAUSAL),
            gradient=True,
        ),
        row(
            "dot_product_attention-causal-mask",
            lambda q, k, v, m: attend(q, k, v, mask=m, is_causal=True),
            *whole,
            MASK | (np.arange(6) == 0),
            want=attended(*whole, mask=(MASK | (np.arange(6) == 0)) & CAUSAL),
        ),
        row(
            "dot_product_attention-causal-bias",
            lambda q, k, v, b: attend(q, k, v, b, is_causal=True),
            *whole,
            BIAS,
            want=attended(*whole, BIAS, CAUSAL),
            gradient=True,
        ),
        row(
            "dot_product_attention-scale",
            lambda q, k, v: attend(q, k, v, scale=0.3),
            *whole,
            want=attended(*whole, scale=0.3),
        ),
        row(
            "dot_product_attention-cap",
            lambda q, k, v, b: attend(q, k, v, b, attn_logits_soft_cap=0.7),
            *whole,
            BIAS,
            want=attended(*whole, BIAS, cap=0.7),
            gradient=True,
        ),
        row(
            "dot_product_attention-no-flash",
            lambda q, k, v: attend(q, k, v, flash_attention=False),
            *whole,
            want=attended(*whole),
        ),
        row(
            "dot_product_attention-groups",
            attend,
            QUERY,
            TWO_KEYS,
            TWO_VALUES,
            want=attended(QUERY, TWO_KEYS, TWO_VALUES),
            gradient=True,
        ),
        row(
            "dot_product_attention-groups-cap",
            lambda *qkv: attend(*qkv, attn_logits_soft_cap=2.0),
            QUERY,
            TWO_KEYS,
            TWO_VALUES,
            want=attended(QUERY, TWO_KEYS, TWO_VALUES, cap=2.0),
        ),
        row(
            "dot_product_attention-one-group",
            attend,
            QUERY,
            ONE_KEY,
            ONE_VALUE,
            BIAS,
            MASK,
            want=attended(QUERY, ONE_KEY, ONE_VALUE, BIAS, MASK),
        ),
        row(
            "dot_product_attention-mask-of-samples",
            lambda q, k, v, m: attend(q, k, v, mask=m),
            *whole,
            sample,
            want=attended(*whole, mask=sample[:, None].astype(bool)),
        ),
        row(
            "dot_product_attention-mask-for-all",
            lambda q, k, v: attend(q, k, v, mask=CAUSAL[:, ::-1] | CAUSAL),
            *whole,
            want=attended(*whole, mask=CAUSAL[:, ::-1] | CAUSAL),
        ),
        row(
            "dot_product_attention-broadcast",
            attend,
            *whole,
            BIAS[:, :1, :1],
            MASK[:, :1, :1],
            want=attended(*whole, BIAS[:, :1, :1], MASK[:, :1, :1]),
        ),
        row("dot_product_attention-of-ints", attend, *wide, want=attended(*wide, scale=0.5)),
        row("dot_product_attention-half", attend, *half, want=attended(*half).astype("float16"), tolerance=5e-3),
    ]


ROWS: list[Row] = rows()
BAD: list[Bad] = [
    bad("dot_product_attention-rank", nn.dot_product_attention, QUERY[0], KEY[0], VALUE[0], error=ShapeError),
    bad("dot_product_attention-features", nn.dot_product_attention, QUERY, KEY[..., :4], VALUE, error=ShapeError),
    bad("dot_product_attention-keys", nn.dot_product_attention, QUERY, KEY, VALUE[:, :5], error=ShapeError),
    bad(
        "dot_product_attention-heads",
        nn.dot_product_attention,
        QUERY,
        floats(2, 6, 3, 5),
        floats(2, 6, 3, 5),
        error=ShapeError,
    ),
    bad(
        "dot_product_attention-mask",
        lambda *qkv: nn.dot_product_attention(*qkv, mask=np.ones((5, 6), bool)),
        QUERY,
        KEY,
        VALUE,
        error=ShapeError,
    ),
    bad(
        "dot_product_attention-flash-with-cap",
        lambda *qkv: nn.dot_product_attention(*qkv, flash_attention=True, attn_logits_soft_cap=1.0),
        QUERY,
        KEY,
        VALUE,
        error=ArgumentError,
    ),
]
