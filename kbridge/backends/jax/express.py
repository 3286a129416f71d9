"""The express ways of JAX, each one compiled call: see `Backend.express`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from kbridge.backends.jax import nn
from kbridge.backends.jax.arrays import compiled
from kbridge.core.settings import check_data_format

__all__: list[str] = []

DTYPES, LAYOUT = frozenset({np.dtype("float32"), np.dtype("float64")}), None


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    return compiled(lambda x, axis, keepdims: function(x, axis, keepdims=keepdims), 1, 2)


def _checked_conv(x: Any, weights: Any, strides: Any, padding: str, data_format: str, dilation: Any) -> Any:
    """Looked at once for each shape, while it is traced."""
    rank = x.ndim - 2
    strides, dilation = ((s,) * rank if isinstance(s, int) else s for s in (strides, dilation))
    if padding not in ("valid", "same") or weights.ndim != x.ndim or min(*strides, *dilation) < 1:
        raise ValueError
    y = nn.conv(x, weights, strides, padding, data_format, dilation)
    if 0 in y.shape and 0 not in x.shape:
        raise ValueError  # a window larger than the inputs, of which JAX says nothing
    return y


_conv = compiled(_checked_conv, 2, 3, 4, 5)


def _any_conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Any:
    return _conv(inputs, kernel, strides, padding, check_data_format(data_format), dilation_rate)


EXPRESS = {
    "add": compiled(jnp.add), "subtract": compiled(jnp.subtract), "multiply": compiled(jnp.multiply),
    "divide": compiled(jnp.divide), "true_divide": compiled(jnp.divide), "equal": compiled(jnp.equal),
    "not_equal": compiled(jnp.not_equal), "less": compiled(jnp.less), "less_equal": compiled(jnp.less_equal),
    "greater": compiled(jnp.greater), "greater_equal": compiled(jnp.greater_equal), "matmul": jnp.matmul,
    "sum": _reduction(jnp.sum), "mean": _reduction(jnp.mean), "absolute": jnp.absolute, "abs": jnp.absolute,
    "negative": jnp.negative, "exp": jnp.exp, "expm1": jnp.expm1, "log": jnp.log, "log1p": jnp.log1p,
    "log2": jnp.log2, "log10": jnp.log10, "sqrt": jnp.sqrt, "rsqrt": compiled(lax.rsqrt), "sin": jnp.sin,
    "cos": jnp.cos, "tan": jnp.tan, "tanh": jnp.tanh, "sigmoid": compiled(lax.logistic), "erf": compiled(lax.erf),
    "floor": jnp.floor, "ceil": jnp.ceil, "square": jnp.square, "isnan": jnp.isnan, "isinf": jnp.isinf,
    "isfinite": jnp.isfinite, "conv": _any_conv,
}  # fmt: skip
