"""Activation functions."""

from __future__ import annotations

import warnings
from typing import Any

from kbridge.core.errors import ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.arithmetic import add, divide, maximum, minimum, multiply, subtract
from kbridge.core.ops.compare import greater, less_equal
from kbridge.core.ops.conversions import as_real
from kbridge.core.ops.declare import as_float, kernel, op
from kbridge.core.ops.elementwise import absolute, clip, square, where
from kbridge.core.ops.math import exp, log
from kbridge.core.ops.shape import split
from kbridge.core.tensor.shapes import every_axis, one_axis
from kbridge.core.tensor.symbolic import KerasTensor

real_rule = rules.ordered(rules.floating)

# --- bent at zero ---------------------------------------------------------------------------------


@op(rules.signed(rules.ordered(rules.same)), direct=True)
def relu(x: Any) -> Any:
    """The input, or zero where it is negative.

    >>> relu([-1.0, 0.0, 2.0])
    array([0., 0., 2.], dtype=float32)
    """
    return kernel.relu(x)


@op(real_rule)
def relu6(x: Any) -> Any:
    """The input held between 0 and 6.

    >>> relu6([-1.0, 2.0, 8.0])
    array([0., 2., 6.], dtype=float32)
    """
    return minimum(kernel.relu(as_real(x)), 6.0)


@op(real_rule)
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """The input, times `negative_slope` where it is negative.

    >>> leaky_relu([-1.0, 2.0], negative_slope=0.5)
    array([-0.5,  2. ], dtype=float32)
    """
    x = as_real(x)
    return where(kernel.greater(x, 0), x, multiply(x, negative_slope))


@op(real_rule)
def elu(x: Any, alpha: float = 1.0) -> Any:
    """The input, or alpha * (exp(x) - 1) where it is negative (https://arxiv.org/abs/1511.07289).

    >>> elu([-100.0, 2.0])
    array([-1.,  2.], dtype=float32)
    """
    x = as_real(x)
    curve = kernel.elu(x)
    return curve if alpha == 1 else where(kernel.greater(x, 0), x, multiply(curve, alpha))


@op(real_rule)
def selu(x: Any) -> Any:
    """`elu` scaled so that it normalises itself (https://arxiv.org/abs/1706.02515).

    >>> selu([0.0, 1.0])
    array([0.      , 1.050701], dtype=float32)
    """
    return multiply(elu(x, 1.6732632423543772), 1.0507009873554805)


@op(real_rule)
def celu(x: Any, alpha: float = 1.0) -> Any:
    """The input, or alpha * (exp(x / alpha) - 1) where it is negative (https://arxiv.org/abs/1704.07483).

    >>> celu([-100.0, 2.0], alpha=0.5)
    array([-0.5,  2. ], dtype=float32)
    """
    x = as_real(x)
    if alpha == 1:
        return kernel.elu(x)
    return where(kernel.greater(x, 0), x, multiply(kernel.elu(divide(x, alpha)), alpha))


@op(lambda x, threshold, default_value: real_rule(x))
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """The input where it is above `threshold`, else `default_value`.

    Args:
        threshold: what the input has to exceed.
        default_value: what stands for the rest.

    >>> threshold([-1.0, 1.0, 3.0], 1, -5)
    array([-5., -5.,  3.], dtype=float32)
    """
    x = as_real(x)
    return where(greater(x, threshold), x, default_value)


# --- shrinking ------------------------------------------------------------------------------------


@op(rules.floating)
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """The input, or zero where it lies within `threshold` of zero.

    >>> hard_shrink([-1.0, 0.2, 2.0])
    array([-1.,  0.,  2.], dtype=float32)
    """
    x = as_float(x)
    return where(greater(absolute(x), threshold), x, 0.0)


@op(real_rule)
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """The input, moved by `threshold` towards zero and no further than that.

    >>> soft_shrink([-1.0, 0.2, 2.0])
    array([-0.5,  0. ,  1.5], dtype=float32)
    """
    x = as_real(x)
    return subtract(x, clip(x, -threshold, threshold))


@op(rules.floating)
def tanh_shrink(x: Any) -> Any:
    """x - tanh(x).

    >>> tanh_shrink([0.0, 100.0])
    array([ 0., 99.], dtype=float32)
    """
    x = as_float(x)
    return subtract(x, kernel.tanh(x))


# --- from 0 to 1, or from -1 to 1 -----------------------------------------------------------------


@op(rules.floating)
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)).

    >>> sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return kernel.sigmoid(as_float(x))


@op(real_rule)
def hard_sigmoid(x: Any) -> Any:
    """x / 6 + 1/2, held between 0 and 1.

    >>> hard_sigmoid([-4.0, 0.0, 4.0])
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return clip(add(multiply(as_real(x), 1 / 6), 0.5), 0.0, 1.0)


@op(real_rule)
def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2, held between 0 and 1.

    >>> sparse_sigmoid([-2.0, 0.5, 3.0])
    array([0.  , 0.75, 1.  ], dtype=float32)
    """
    return clip(multiply(add(as_real(x), 1.0), 0.5), 0.0, 1.0)


@op(real_rule)
def hard_tanh(x: Any) -> Any:
    """The input held between -1 and 1.

    >>> hard_tanh([-4.0, 0.25, 4.0])
    array([-1.  ,  0.25,  1.  ], dtype=float32)
    """
    return clip(as_real(x), -1.0, 1.0)


@op(rules.floating)
def softsign(x: Any) -> Any:
    """x / (1 + |x|).

    >>> softsign([-1.0, 0.0, 3.0])
    array([-0.5 ,  0.  ,  0.75], dtype=float32)
    """
    x = as_float(x)
    return divide(x, add(kernel.absolute(x), 1.0))


# --- smooth ---------------------------------------------------------------------------------------


@op(rules.floating)
def silu(x: Any) -> Any:
    """x * sigmoid(x), also called `swish` (https://arxiv.org/abs/1702.03118).

    >>> silu([-1000.0, 0.0, 1000.0])
    array([  -0.,    0., 1000.], dtype=float32)
    """
    return kernel.silu(as_float(x))


swish = silu


@op(real_rule)
def hard_silu(x: Any) -> Any:
    """x * `hard_sigmoid(x)`, also called `hard_swish` (https://arxiv.org/abs/1905.02244).

    >>> hard_silu([-3.0, 0.0, 3.0])
    array([-0.,  0.,  3.], dtype=float32)
    """
    x = as_real(x)
    return kernel.multiply(x, hard_sigmoid(x))


hard_swish = hard_silu


@op(real_rule)
def gelu(x: Any, approximate: bool = True) -> Any:
    """x * P(X <= x) for a standard normal X; `approximate` uses tanh (https://arxiv.org/abs/1606.08415).

    >>> gelu([-100.0, 0.0, 100.0])
    array([ -0.,   0., 100.], dtype=float32)
    """
    return kernel.gelu(as_real(x), bool(approximate))


@op(real_rule)
def softplus(x: Any) -> Any:
    """log(1 + exp(x)), without overflow.

    >>> softplus([0.0, 1000.0])
    array([6.931472e-01, 1.000000e+03], dtype=float32)
    """
    return kernel.softplus(as_real(x))


@op(real_rule)
def log_sigmoid(x: Any) -> Any:
    """Logarithm of `sigmoid`, without overflow.

    >>> log_sigmoid([-1000.0, 1000.0])
    array([-1000.,    -0.], dtype=float32)
    """
    return kernel.negative(kernel.softplus(kernel.negative(as_real(x))))


@op(rules.floating)
def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x**2 + b)) / 2 (https://arxiv.org/abs/2112.11687).

    >>> squareplus([0.0, 1.5])
    array([1., 2.], dtype=float32)
    """
    x = as_float(x)
    return multiply(add(x, kernel.sqrt(add(square(x), b))), 0.5)


@op(real_rule)
def sparse_plus(x: Any) -> Any:
    """Zero up to -1, the input from 1 on, (x + 1)**2 / 4 between them: the integral of `sparse_sigmoid`.

    >>> sparse_plus([-2.0, 0.0, 3.0])
    array([0.  , 0.25, 3.  ], dtype=float32)
    """
    x = as_real(x)
    curve = multiply(square(add(maximum(x, -1.0), 1.0)), 0.25)
    return where(less_equal(x, 1.0), curve, x)


# --- along an axis --------------------------------------------------------------------------------


def _glu_rule(x: KerasTensor, axis: int = -1) -> KerasTensor:
    sizes = list(x.shape)
    size = sizes[one_axis(axis, x.ndim)]
    if size is not None and size % 2:
        raise ShapeError(f"glu halves the axis {axis} of {x.shape}, so its size has to be even.")
    sizes[axis] = None if size is None else size // 2
    return rules.floating(KerasTensor(sizes, x.dtype))


@op(_glu_rule)
def glu(x: Any, axis: int = -1) -> Any:
    """The first half of `axis`, times the sigmoid of the second (https://arxiv.org/abs/1612.08083).

    Raises:
        ShapeError: the size of `axis` is odd.

    >>> glu([1.0, 2.0, 0.0, 100.0])
    array([0.5, 2. ], dtype=float32)
    """
    first, second = split(as_float(x), 2, axis)
    return kernel.multiply(first, kernel.sigmoid(second))


def _along_rule(x: KerasTensor, axis: Any = -1) -> KerasTensor:
    every_axis(axis, x.ndim)
    return real_rule(x)


def _softmax_rule(x: KerasTensor, axis: Any = -1) -> KerasTensor:
    axes = every_axis(axis, x.ndim)
    if len(axes) == 1 and x.shape[axes[0]] == 1:
        _warn_of_one(x, axis)
    return real_rule(x)


def _warn_of_one(x: Any, axis: Any) -> None:
    warnings.warn(
        f"You are using a softmax over axis {axis} of a tensor of shape {tuple(x.shape)}. Along an axis of size 1 "
        "every result is 1. For one probability on its own take `sigmoid`.",
        stacklevel=3,
    )


@op(_softmax_rule)
def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x), scaled to sum to 1 along `axis` (a number, several, or None for all elements).

    Warns of an axis of size 1: all its results are 1.

    >>> softmax([0.0, 0.0])
    array([0.5, 0.5], dtype=float32)
    """
    x = as_real(x)
    sizes = x.shape
    axes = every_axis(axis, len(sizes))
    if len(axes) == 1:
        if sizes[axes[0]] == 1 and not kernel.is_tracing():  # Dynamo follows no warning
            _warn_of_one(x, axis)
        return kernel.softmax(x, axes[0])
    raised = exp(_below_zero(x, axes))
    return kernel.divide(raised, kernel.reduce_sum(raised, axes, True))


@op(_along_rule)
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Logarithm of `softmax`, without overflow.

    >>> log_softmax([0.0, 1000.0])
    array([-1000.,     0.], dtype=float32)
    """
    x = as_real(x)
    axes = every_axis(axis, len(x.shape))
    if len(axes) == 1:
        return kernel.log_softmax(x, axes[0])
    below = _below_zero(x, axes)
    return kernel.subtract(below, log(kernel.reduce_sum(exp(below), axes, True)))


def _below_zero(x: Any, axes: Any) -> Any:
    """`x` moved so that its largest element is 0: exp then stays at or below 1."""
    return kernel.subtract(x, kernel.stop_gradient(kernel.reduce_max(x, axes, True)))


@op(lambda x, axis=-1: _along_rule(x, one_axis(axis, x.ndim)))
def sparsemax(x: Any, axis: int = -1) -> Any:
    """The nearest point to `x` whose elements are shares: none negative, their sum along `axis` 1.

    It is max(x - t, 0) with t = max over k of (the sum of the k largest elements - 1) / k: that quotient
    rises as long as the next element lies above it. Source: https://arxiv.org/abs/1602.02068.

    >>> sparsemax([0.0, 1.0, 1.5])
    array([0.  , 0.25, 0.75], dtype=float32)
    """
    x, axis = as_real(x), one_axis(axis, len(x.shape))
    x = _below_zero(x, (axis,))
    falling = kernel.negative(kernel.sort(kernel.negative(x), axis))
    counts = kernel.arange(1, kernel.shape_of(x)[axis] + 1, 1, kernel.dtype_of(x), like=x)
    counts = kernel.reshape(counts, (-1, *(1,) * (len(x.shape) - axis - 1)))
    quotients = kernel.divide(subtract(kernel.cumsum(falling, axis), 1.0), counts)
    return kernel.relu(kernel.subtract(x, kernel.reduce_max(quotients, (axis,), True)))
