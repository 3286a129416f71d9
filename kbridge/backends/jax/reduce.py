"""Reductions; `axes` is a sorted tuple."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kbridge.backends.jax.arrays import compiled

__all__ = [
    "argmax", "argmin", "cumprod", "cumsum", "logcumsumexp", "logsumexp", "reduce_all", "reduce_any", "reduce_max",
    "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum",
]  # fmt: skip


def _reduction(function: Any, keep_dtype: bool = False) -> Any:
    def reduce(x: Any, axes: Any, keepdims: bool) -> Any:
        return function(x, axes, keepdims=keepdims, **({"dtype": x.dtype} if keep_dtype else {}))

    return compiled(reduce, 1, 2)


reduce_sum, reduce_prod = _reduction(jnp.sum, keep_dtype=True), _reduction(jnp.prod, keep_dtype=True)
reduce_mean, reduce_max, reduce_min = _reduction(jnp.mean), _reduction(jnp.max), _reduction(jnp.min)
reduce_all, reduce_any, logsumexp = _reduction(jnp.all), _reduction(jnp.any), _reduction(jax.nn.logsumexp)


def _in_order(x: Any, unknown: int) -> Any:
    """Whole numbers that rise where the floats `x` do, and `unknown` times the largest one for NaN.

    XLA takes subnormal floats for zeros when it compares them.
    """
    if x.dtype.name not in ("float16", "bfloat16", "float32", "float64"):
        return x
    whole = jnp.dtype(f"int{8 * x.dtype.itemsize}")
    most = jnp.iinfo(whole).max
    bits = lax.bitcast_convert_type(x, whole)
    size = bits & most  # the sign is a bit of its own: both zeros become 0
    return jnp.where(jnp.isnan(x), unknown * most, jnp.where(bits < 0, -size, size))


argmax = compiled(lambda x, axis: lax.argmax(_in_order(x, 1), axis, jnp.int32), 1)
argmin = compiled(lambda x, axis: lax.argmin(_in_order(x, -1), axis, jnp.int32), 1)
cumsum = compiled(lambda x, axis: jnp.cumsum(x, axis, x.dtype), 1)
cumprod = compiled(lambda x, axis: jnp.cumprod(x, axis, x.dtype), 1)
logcumsumexp = compiled(lax.cumlogsumexp, 1)
