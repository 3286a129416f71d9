"""Kernels that treat each element alone: JAX's own."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from kbridge.backends.jax.arrays import compiled

__all__ = [
    "absolute", "add", "ceil", "cos", "divide", "elu", "equal", "erf", "exp", "expm1", "floor",
    "floor_divide", "greater", "greater_equal", "isfinite", "isinf", "isnan", "less", "less_equal", "log",
    "log1p", "logical_and", "logical_not", "logical_or", "maximum", "minimum", "mod", "multiply",
    "negative", "not_equal", "power", "relu", "round", "rsqrt", "sigmoid", "sign", "sin", "softplus",
    "sqrt", "subtract", "tanh", "where",
]  # fmt: skip

add, subtract, multiply, divide = jnp.add, jnp.subtract, jnp.multiply, jnp.divide
floor_divide, mod, power = jnp.floor_divide, jnp.mod, jnp.power
maximum, minimum = jnp.maximum, jnp.minimum
equal, not_equal, less, less_equal = jnp.equal, jnp.not_equal, jnp.less, jnp.less_equal
greater, greater_equal = jnp.greater, jnp.greater_equal
logical_and, logical_or, logical_not = jnp.logical_and, jnp.logical_or, jnp.logical_not
negative, absolute, sign, exp, expm1 = jnp.negative, jnp.absolute, jnp.sign, jnp.exp, jnp.expm1
log, log1p, sqrt, sin, cos, tanh = jnp.log, jnp.log1p, jnp.sqrt, jnp.sin, jnp.cos, jnp.tanh
floor, ceil, round = jnp.floor, jnp.ceil, compiled(jnp.round)
isnan, isinf, isfinite, where = jnp.isnan, jnp.isinf, jnp.isfinite, compiled(jnp.where)
rsqrt, erf, sigmoid = compiled(lax.rsqrt), compiled(lax.erf), compiled(lax.logistic)
elu, softplus = compiled(jax.nn.elu), compiled(jax.nn.softplus)
relu = compiled(jax.nn.relu)  # its gradient at 0 is 0, as in torch and TensorFlow; maximum's is a half
