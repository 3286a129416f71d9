"""Ops of neural networks: activations, convolution, pooling, normalisation, cross-entropies."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core import settings
from kbridge.core.errors import ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.declare import as_float, kernel, op, promote
from kbridge.core.ops.elementwise import (
    add,
    clip,
    divide,
    erf,
    exp,
    log,
    maximum,
    minimum,
    multiply,
    subtract,
    tanh,
    where,
)
from kbridge.core.ops.reduce import sum as sum_over
from kbridge.core.ops.shape import squeeze_axes
from kbridge.core.tensor.shapes import every_axis, one_axis, window_length
from kbridge.core.tensor.symbolic import KerasTensor

# --- activations ----------------------------------------------------------------------------------


@op(rules.same, direct=True)
def relu(x: Any) -> Any:
    """The input, or zero where it is negative."""
    return kernel.relu(x)


@op(rules.floating)
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return kernel.sigmoid(as_float(x))


@op(rules.floating)
def relu6(x: Any) -> Any:
    """The input held between 0 and 6."""
    return minimum(kernel.relu(as_float(x)), 6.0)


@op(rules.floating)
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """The input, times `negative_slope` where it is negative."""
    x = as_float(x)
    return where(kernel.greater(x, 0), x, multiply(x, negative_slope))


@op(rules.floating)
def elu(x: Any, alpha: float = 1.0) -> Any:
    """The input, or alpha * (exp(x) - 1) where it is negative (https://arxiv.org/abs/1511.07289)."""
    x = as_float(x)
    curve = kernel.elu(x)
    return curve if alpha == 1 else where(kernel.greater(x, 0), x, multiply(curve, alpha))


@op(rules.floating)
def selu(x: Any) -> Any:
    """`elu` scaled so that it normalises itself (https://arxiv.org/abs/1706.02515)."""
    return multiply(elu(x, 1.6732632423543772), 1.0507009873554805)


@op(rules.floating)
def silu(x: Any) -> Any:
    """x * sigmoid(x) (https://arxiv.org/abs/1702.03118)."""
    x = as_float(x)
    return kernel.multiply(x, kernel.sigmoid(x))


@op(rules.floating)
def softplus(x: Any) -> Any:
    """log(1 + exp(x)), without overflow."""
    return kernel.softplus(as_float(x))


@op(rules.floating)
def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    x = as_float(x)
    return divide(x, add(kernel.absolute(x), 1.0))


@op(rules.floating)
def hard_sigmoid(x: Any) -> Any:
    """x / 6 + 1/2, held between 0 and 1."""
    return clip(add(multiply(as_float(x), 1 / 6), 0.5), 0.0, 1.0)


@op(rules.floating)
def gelu(x: Any, approximate: bool = True) -> Any:
    """x * P(X <= x) for a standard normal X; `approximate` uses tanh (https://arxiv.org/abs/1606.08415)."""
    x = as_float(x)
    if approximate:
        inner = multiply(add(x, multiply(multiply(x, multiply(x, x)), 0.044715)), math.sqrt(2 / math.pi))
        return multiply(multiply(x, 0.5), add(tanh(inner), 1.0))
    return multiply(multiply(x, 0.5), add(erf(multiply(x, math.sqrt(0.5))), 1.0))


@op(rules.floating)
def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x), scaled to sum to 1 along `axis` (over all elements if None)."""
    x = as_float(x)
    axes = every_axis(axis, len(x.shape))
    if len(axes) == 1:
        return kernel.softmax(x, axes[0])
    raised = exp(kernel.subtract(x, kernel.reduce_max(x, axes, True)))
    return kernel.divide(raised, kernel.reduce_sum(raised, axes, True))


@op(rules.floating)
def log_softmax(x: Any, axis: int = -1) -> Any:
    """Logarithm of `softmax`, without overflow."""
    return kernel.log_softmax(as_float(x), one_axis(axis, len(x.shape)))


# --- convolution and pooling ----------------------------------------------------------------------


def sizes_of(value: Any, rank: int, name: str) -> tuple[int, ...]:
    """One number for every axis, or one for each."""
    sizes = (value,) * rank if isinstance(value, int) else tuple(value)
    fits = len(sizes) == rank
    for size in sizes:  # a loop: this runs in each call, and a generator costs several times as much
        fits = fits and isinstance(size, int) and size > 0
    if not fits:
        raise ShapeError(f"{name} takes a positive whole number, or {rank} of them; got {value!r}.")
    return sizes


def _spatial(x: Any, data_format: str) -> tuple[Any, ...]:
    return tuple(x.shape[1:-1]) if data_format == "channels_last" else tuple(x.shape[2:])


def _with_spatial(x: KerasTensor, spatial: Any, channels: Any, data_format: str) -> tuple[Any, ...]:
    if data_format == "channels_last":
        return (x.shape[0], *spatial, channels)
    return (x.shape[0], channels, *spatial)


def _conv_rule(
    x: KerasTensor, weights: KerasTensor, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> KerasTensor:  # fmt: skip
    rank = x.ndim - 2
    data_format = settings.check_data_format(data_format)
    strides, dilation = sizes_of(strides, rank, "strides"), sizes_of(dilation_rate, rank, "dilation_rate")
    windows: tuple[Any, ...] = weights.shape[:rank]
    spatial = [
        window_length(size, window, stride, padding, step)
        for size, window, stride, step in zip(_spatial(x, data_format), windows, strides, dilation, strict=False)
    ]
    return KerasTensor(_with_spatial(x, spatial, weights.shape[-1], data_format), x.dtype)


def convolve(*settled: Any) -> Any:
    """The backend's convolution; `conv` has Keras's parameter names, one of which is `kernel`."""
    return kernel.conv(*settled)


@op(_conv_rule, arrays=2)
def conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """Convolution of any rank.

    Args:
        inputs: `(batch, *space, channels)`, or `(batch, channels, *space)` for channels_first.
        kernel: `(*window, channels / groups, filters)`; fewer channels than the input has mean groups.
        strides, dilation_rate: a number, or one for each axis of space.
        padding: "valid" or "same".
        data_format: layout of the inputs; the default layout if None.
    """
    rank = len(inputs.shape) - 2
    return convolve(
        *promote(inputs, kernel),
        sizes_of(strides, rank, "strides"),
        padding,
        settings.check_data_format(data_format),
        sizes_of(dilation_rate, rank, "dilation_rate"),
    )


def _biased_conv_rule(x: KerasTensor, weights: KerasTensor, bias: Any, *settings: Any) -> KerasTensor:
    return _conv_rule(x, weights, *settings)


@op(_biased_conv_rule, arrays=3)
def biased_conv(
    x: Any, weights: Any, bias: Any, strides: Any, padding: str, data_format: str, dilation_rate: Any
) -> Any:
    """`conv` plus one number for each filter: what a convolution layer computes, fused where a backend can.

    `strides` and `dilation_rate` are tuples; `bias` may be None.
    """
    x, weights = promote(x, weights)
    return kernel.conv(x, weights, strides, padding, data_format, dilation_rate, bias)


def _pool_rule(
    x: KerasTensor, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> KerasTensor:
    rank = x.ndim - 2
    data_format = settings.check_data_format(data_format)
    window = sizes_of(pool_size, rank, "pool_size")
    steps = window if strides is None else sizes_of(strides, rank, "strides")
    spatial = [
        window_length(size, w, s, padding) for size, w, s in zip(_spatial(x, data_format), window, steps, strict=True)
    ]
    channels = x.shape[-1] if data_format == "channels_last" else x.shape[1]
    return KerasTensor(_with_spatial(x, spatial, channels, data_format), x.dtype)


def _pooled(verb: Any, inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: Any) -> Any:
    rank = len(inputs.shape) - 2
    window = sizes_of(pool_size, rank, "pool_size")
    steps = window if strides is None else sizes_of(strides, rank, "strides")
    return verb(inputs, window, steps, padding, settings.check_data_format(data_format))


@op(_pool_rule)
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """Largest value of each window; `strides` defaults to the window."""
    return _pooled(kernel.max_pool, inputs, pool_size, strides, padding, data_format)


@op(lambda inputs, *args, **kwargs: rules.floating(_pool_rule(inputs, *args, **kwargs)))
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """Mean of each window, padding not counted; `strides` defaults to the window."""
    return _pooled(kernel.average_pool, as_float(inputs), pool_size, strides, padding, data_format)


# --- normalisation --------------------------------------------------------------------------------


def _moments_rule(x: KerasTensor, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    return rules.reduced_float(x, axes, keepdims), rules.reduced_float(x, axes, keepdims)


@op(_moments_rule)
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """Mean and variance along `axes`."""
    if kernel.dtype_of(x) == "float16":  # squares leave float16 above 255
        average, spread = moments(kernel.cast(x, "float32"), axes, keepdims)
        return kernel.cast(average, "float16"), kernel.cast(spread, "float16")
    x, axes = as_float(x), every_axis(axes, len(x.shape))
    average = kernel.reduce_mean(x, axes, True)
    away = kernel.subtract(x, average)
    spread = kernel.reduce_mean(kernel.multiply(away, away), axes, keepdims)
    return average if keepdims else squeeze_axes(average, axes), spread


def _normalized_rule(x: KerasTensor, *_: Any, **__: Any) -> KerasTensor:
    return rules.floating(x)


@op(_normalized_rule, arrays=5)
def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any = None, scale: Any = None, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, the vectors lying along `axis`.

    Source: https://arxiv.org/abs/1502.03167.
    """
    return kernel.batch_normalization(as_float(x), mean, variance, offset, scale, one_axis(axis, len(x.shape)), epsilon)


def _normalized_batch_rule(x: KerasTensor, offset: Any, scale: Any, axis: int, epsilon: float) -> Any:
    each = KerasTensor((x.shape[axis],), rules.floating(x).dtype)
    return rules.floating(x), each, KerasTensor(each.shape, each.dtype)


@op(_normalized_batch_rule, arrays=3)
def normalize_batch(x: Any, offset: Any, scale: Any, axis: int, epsilon: float) -> Any:
    """`batch_normalization` with the input's own mean and variance, which are returned too.

    Only the first of the three has a gradient.
    """
    return kernel.normalize_batch(as_float(x), offset, scale, one_axis(axis, len(x.shape)), epsilon)


@op(lambda x, scale=None, offset=None, axis=-1, epsilon=1e-3: rules.floating(x), arrays=3)
def layer_normalization(x: Any, scale: Any = None, offset: Any = None, axis: Any = -1, epsilon: float = 1e-3) -> Any:
    """The input with mean 0 and variance 1 along `axis`, times `scale`, plus `offset`.

    `scale` and `offset` have the sizes of those axes. Source: https://arxiv.org/abs/1607.06450.
    """
    return kernel.layer_normalization(as_float(x), scale, offset, every_axis(axis, len(x.shape)), epsilon)


# --- cross-entropies ------------------------------------------------------------------------------


@op(lambda target, output, from_logits=False, axis=-1: rules.reduced_float(output, axis), arrays=2)
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """-sum(target * log(output)) along `axis`; outputs are probabilities, or logits."""
    target = kernel.cast(target, kernel.dtype_of(output))
    if len(target.shape) != len(output.shape):
        raise ShapeError(f"Targets {tuple(target.shape)} and outputs {tuple(output.shape)} differ in rank.")
    if from_logits:
        logs = log_softmax(output, axis)
    else:
        small = settings.epsilon()
        scaled = divide(output, sum_over(output, axis, True))
        logs = log(clip(scaled, small, 1.0 - small))
    return kernel.negative(sum_over(multiply(target, logs), axis))


@op(lambda target, output, from_logits=False, axis=-1: rules.reduced_float(output, axis), arrays=2)
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """-log(output[target]): like `categorical_crossentropy`, the classes given as whole numbers."""
    if len(target.shape) == len(output.shape) and kernel.shape_of(target)[-1] == 1:
        target = kernel.squeeze(target, (len(target.shape) - 1,))
    if len(target.shape) != len(output.shape) - 1:
        raise ShapeError(
            f"Class numbers of shape {tuple(target.shape)} don't fit outputs of shape {tuple(output.shape)}: "
            "they need one axis less. For one-hot targets use categorical_crossentropy."
        )
    axis = one_axis(axis, len(output.shape))
    if from_logits:
        return kernel.sparse_crossentropy(target, output, axis)
    small = settings.epsilon()
    scaled = divide(output, sum_over(output, axis, True))
    logs = log(clip(scaled, small, 1.0 - small))
    picked = kernel.take_along_axis(logs, kernel.expand_dims(kernel.cast(target, "int32"), (axis,)), axis)
    return kernel.negative(kernel.squeeze(picked, (axis,)))


@op(lambda target, output, from_logits=False: rules.together(target, output), arrays=2)
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """-(t log(p) + (1 - t) log(1 - p)), element by element."""
    target = kernel.cast(target, kernel.dtype_of(output))
    if from_logits:
        # log(1 + exp(-|x|)) + max(x, 0) - x t: the same, without overflow
        tail = kernel.softplus(kernel.negative(kernel.absolute(output)))
        return add(subtract(maximum(output, 0.0), multiply(output, target)), tail)
    small = settings.epsilon()
    output = clip(output, small, 1.0 - small)
    yes = multiply(target, log(output))
    no = multiply(subtract(1.0, target), log(subtract(1.0, output)))
    return kernel.negative(add(yes, no))
