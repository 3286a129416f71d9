"""Normalisation and cross-entropies. Activations, convolutions and pools have files of their own."""

from __future__ import annotations

import warnings
from typing import Any

from kbridge.core import settings
from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.activate import log_softmax
from kbridge.core.ops.arithmetic import add, divide, maximum, multiply, power, subtract
from kbridge.core.ops.conversions import as_real, ordered
from kbridge.core.ops.declare import as_float, kernel, op
from kbridge.core.ops.elementwise import absolute, clip, square
from kbridge.core.ops.math import log
from kbridge.core.ops.reduce import sum as sum_over
from kbridge.core.ops.shape import squeeze_axes
from kbridge.core.tensor.shapes import every_axis, one_axis
from kbridge.core.tensor.symbolic import KerasTensor

LARGEST_HALF = 65504.0  # of float16

# --- normalisation --------------------------------------------------------------------------------


def _small(epsilon: float | None) -> float:
    return settings.epsilon() if epsilon is None else epsilon


def _widened(x: Any) -> Any:
    """Half floats in single precision: squares leave float16 above 255."""
    return kernel.cast(x, "float32") if kernel.dtype_of(x) in ("float16", "bfloat16") else x


def _moments_rule(x: KerasTensor, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    return rules.reduced_float(x, axes, keepdims), rules.reduced_float(x, axes, keepdims)


@op(_moments_rule)
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """Mean and variance along `axes`, computed in float32 for half floats.

    What float16 can't hold becomes its largest number.

    Args:
        x: of any shape.
        axes: a number or several.
        keepdims: whether the axes stay, with size 1.
        synchronized: for Keras's sake; there is one replica, so nothing is to be shared.

    >>> moments([[1.0], [3.0]], 0)
    (array([2.], dtype=float32), array([1.], dtype=float32))
    """
    x, axes = as_float(x), every_axis(axes, len(x.shape))
    wide = _widened(x)
    average = kernel.reduce_mean(wide, axes, True)
    away = kernel.subtract(wide, average)
    spread = kernel.reduce_mean(kernel.multiply(away, away), axes, keepdims)
    average = average if keepdims else squeeze_axes(average, axes)
    return (average, spread) if wide is x else (_narrowed(average, x), _narrowed(spread, x))


def _as(value: Any, x: Any) -> Any:
    """The value in the type of `x`."""
    dtype = kernel.dtype_of(x)
    return value if kernel.dtype_of(value) == dtype else kernel.cast(value, dtype)


def _narrowed(value: Any, x: Any) -> Any:
    """The value in the type of `x`, half floats; what float16 can't hold becomes its largest number, as in Keras."""
    return _as(clip(value, -LARGEST_HALF, LARGEST_HALF) if kernel.dtype_of(x) == "float16" else value, x)


def _batch_norm_rule(
    x: KerasTensor, mean: Any, variance: Any, offset: Any = None, scale: Any = None, axis: int = -1,
    epsilon: float = 1e-3,
) -> KerasTensor:  # fmt: skip
    size = x.shape[one_axis(axis, x.ndim)]
    for name, vector in (("mean", mean), ("variance", variance), ("offset", offset), ("scale", scale)):
        if vector is not None and (
            vector.ndim != 1 or (vector.shape[0] != size and None not in (size, vector.shape[0]))
        ):
            raise ShapeError(
                f"`{name}` must be a vector of length {size}, the size of axis {axis} of {x.shape}; got {vector.shape}."
            )
    return rules.floating(x)


@op(_batch_norm_rule, arrays=5)
def batch_norm(
    x: Any, mean: Any, variance: Any, offset: Any = None, scale: Any = None, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    """`batch_normalization` with the arrays first, as ops have them."""
    return kernel.batch_normalization(as_float(x), mean, variance, offset, scale, one_axis(axis, len(x.shape)), epsilon)


def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, the vectors lying along `axis`.

    Args:
        x: of any shape.
        mean, variance, offset, scale: vectors of as many elements as `axis` has; the last two may be None.
        axis: where the features lie.
        epsilon: added to the variance.

    Source: https://arxiv.org/abs/1502.03167.

    >>> batch_normalization([[1.0, 5.0]], [1.0, 1.0], [1.0, 4.0], -1, epsilon=0.0)
    array([[0., 2.]], dtype=float32)
    """
    return batch_norm(x, mean, variance, offset, scale, axis, epsilon)


def _normalized_batch_rule(x: KerasTensor, offset: Any, scale: Any, axis: int, epsilon: float) -> Any:
    each = KerasTensor((x.shape[axis],), rules.floating(x).dtype)
    return rules.floating(x), each, KerasTensor(each.shape, each.dtype)


@op(_normalized_batch_rule, arrays=3)
def normalize_batch(x: Any, offset: Any, scale: Any, axis: int, epsilon: float) -> Any:
    """`batch_normalization` with the input's own mean and variance, which are returned too.

    Only the first of the three has a gradient.
    """
    return kernel.normalize_batch(as_float(x), offset, scale, one_axis(axis, len(x.shape)), epsilon)


def _along_rule(x: KerasTensor, axis: Any = -1) -> KerasTensor:
    every_axis(axis, x.ndim)
    return rules.floating(x)


@op(lambda x, gamma=None, beta=None, axis=-1, epsilon=None, rms_scaling=False: _along_rule(x, axis), arrays=3)
def layer_norm(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None, rms_scaling: bool = False
) -> Any:
    """`layer_normalization`; with `rms_scaling`, which Keras gives up, the mean stays in and `beta` out."""
    x, axes = as_float(x), every_axis(axis, len(x.shape))
    if not rms_scaling:
        return kernel.layer_normalization(x, gamma, beta, axes, _small(epsilon))
    wide = _widened(x)
    away = kernel.subtract(wide, kernel.reduce_mean(wide, axes, True))
    spread = kernel.reduce_mean(kernel.multiply(away, away), axes, True)
    y = kernel.multiply(wide, kernel.rsqrt(add(spread, _small(epsilon))))
    if gamma is not None:
        lie = [size if i in axes else 1 for i, size in enumerate(kernel.shape_of(x))]
        y = multiply(y, kernel.reshape(gamma, tuple(lie)))
    return _as(y, x)


def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None, **kwargs: Any
) -> Any:
    """The input with mean 0 and variance 1 along `axis`, times `gamma`, plus `beta`.

    Args:
        x: of any shape.
        gamma, beta: arrays of the sizes of those axes, or None.
        axis: a number or several.
        epsilon: added to the variance; `kbridge.config.epsilon()` if None.
        kwargs: Keras's older `rms_scaling`; see `rms_normalization`.

    Source: https://arxiv.org/abs/1607.06450.

    >>> layer_normalization([[1.0, 3.0]])
    array([[-1.,  1.]], dtype=float32)
    """
    if kwargs.get("rms_scaling"):
        warnings.warn(
            "You passed `rms_scaling=True`, which is deprecated: it divides by the standard deviation. "
            "`rms_normalization` divides by the root of the mean square.",
            stacklevel=2,
        )
    return layer_norm(x, gamma, beta, axis, epsilon, **kwargs)


@op(lambda x, scale=None, axis=-1, epsilon=None: _along_rule(x, axis), arrays=2)
def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    """The input over the root of its mean square along `axis`, times `scale`.

    Args:
        x: of any shape.
        scale: an array of the sizes of those axes, or None.
        axis: a number or several.
        epsilon: added to the mean square; `kbridge.config.epsilon()` if None.

    Source: https://arxiv.org/abs/1910.07467.

    >>> rms_normalization([[1.0, 7.0]])
    array([[0.2, 1.4]], dtype=float32)
    """
    return kernel.rms_normalization(as_float(x), scale, every_axis(axis, len(x.shape)), _small(epsilon))


_check_real = rules.ordered(rules.same)


def _normalize_rule(x: KerasTensor, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> KerasTensor:
    _check_order(order)
    every_axis(axis, x.ndim)
    return rules.floating(_check_real(x))


def _check_order(order: Any) -> None:
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(f"Argument `order` must be an int >= 1, got {order!r}.")


@op(_normalize_rule)
def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """The input over its norm along `axis`.

    Args:
        x: of any shape.
        axis: a number, several, or None for all elements.
        order: the norm is sum(|x|**order) ** (1 / order).
        epsilon: the least norm to divide by; `kbridge.config.epsilon()` if None.

    Raises:
        ArgumentError: `order` isn't a whole number from 1 on.

    >>> normalize([3.0, 4.0])
    array([0.6, 0.8], dtype=float32)
    """
    _check_order(order)
    x, axes, small = as_real(x), every_axis(axis, len(x.shape)), _small(epsilon)
    wide = _widened(x)
    size = wide if order == 2 else absolute(wide)
    raised = size if order == 1 else square(wide) if order == 2 else power(size, order)
    least = max(small**order, 1e-37)  # a root has no gradient at 0
    total = maximum(kernel.reduce_sum(raised, axes, True), least)
    if order == 2:
        return _as(multiply(wide, kernel.rsqrt(total)), x)
    return _as(divide(wide, total if order == 1 else power(total, 1 / order)), x)


# --- cross-entropies ------------------------------------------------------------------------------


def _check_same(target: Any, output: Any) -> None:
    theirs, ours = tuple(target.shape), tuple(output.shape)
    if theirs != ours and (
        len(theirs) != len(ours) or any(a != b and None not in (a, b) for a, b in zip(theirs, ours, strict=True))
    ):
        raise ShapeError(f"Targets {theirs} and outputs {ours} differ in shape.")


def _logarithm(output: Any, from_logits: bool, axis: int) -> Any:
    """Logarithms of probabilities that may not sum to 1 yet, or of the softmax of logits."""
    if from_logits:
        return log_softmax(output, axis)
    small = settings.epsilon()
    return log(clip(divide(output, sum_over(output, axis, True)), small, 1.0 - small))


def _categorical_rule(target: KerasTensor, output: KerasTensor, from_logits: bool = False, axis: int = -1) -> Any:
    _check_same(target, output)
    _check_real(target, output)
    return rules.reduced_float(output, one_axis(axis, output.ndim))


@op(_categorical_rule, arrays=2)
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """-sum(target * log(output)) along `axis`.

    Args:
        target: distributions, such as one-hot vectors, shaped like `output`.
        output: probabilities, which are scaled to sum to 1, or logits.
        from_logits: whether a softmax is still to be taken.
        axis: the axis of the classes.

    Raises:
        ShapeError: the shapes differ.

    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    array([0.6931472], dtype=float32)
    """
    _check_same(target, output)
    output = as_float(output)
    logs = _logarithm(output, from_logits, axis)
    return kernel.negative(sum_over(multiply(_as(ordered(target), output), logs), axis))


def _sparse_rule(target: KerasTensor, output: KerasTensor, from_logits: bool = False, axis: int = -1) -> Any:
    column = target.ndim == output.ndim and target.shape[-1] in (1, None)
    sizes = target.shape[:-1] if column else target.shape
    _check_real(output)
    result = rules.reduced_float(output, one_axis(axis, output.ndim))
    if len(sizes) != result.ndim or any(
        a != b and None not in (a, b) for a, b in zip(sizes, result.shape, strict=True)
    ):
        raise ShapeError(
            f"Class numbers of shape {target.shape} don't fit outputs of shape {output.shape}: "
            "they have the same sizes but for one axis less. For one-hot targets use categorical_crossentropy."
        )
    return result


@op(_sparse_rule, arrays=2)
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """-log(output[target]): like `categorical_crossentropy`, the classes given as whole numbers.

    Args:
        target: class numbers, shaped like `output` without `axis`; a last axis of size 1 may be there.
        output, from_logits, axis: as in `categorical_crossentropy`.

    Raises:
        ShapeError: `target` doesn't have the sizes of `output` without one axis.

    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]])
    array([0.6931472], dtype=float32)
    """
    if len(target.shape) == len(output.shape) and kernel.shape_of(target)[-1] == 1:
        target = kernel.squeeze(target, (len(target.shape) - 1,))
    if len(target.shape) != len(output.shape) - 1:
        raise ShapeError(
            f"Class numbers of shape {tuple(target.shape)} don't fit outputs of shape {tuple(output.shape)}: "
            "they need one axis less. For one-hot targets use categorical_crossentropy."
        )
    output, axis = as_float(output), one_axis(axis, len(output.shape))
    if from_logits:
        return kernel.sparse_crossentropy(target, output, axis)
    logs = _logarithm(output, False, axis)
    picked = kernel.take_along_axis(logs, kernel.expand_dims(kernel.cast(target, "int32"), (axis,)), axis)
    return kernel.negative(kernel.squeeze(picked, (axis,)))


def _binary_rule(target: KerasTensor, output: KerasTensor, from_logits: bool = False) -> KerasTensor:
    _check_same(target, output)
    _check_real(target, output)
    return rules.floating(output)


@op(_binary_rule, arrays=2)
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """-(t log(p) + (1 - t) log(1 - p)), element by element.

    Args:
        target: from 0 to 1, shaped like `output`.
        output: probabilities, or logits.
        from_logits: whether a sigmoid is still to be taken.

    Raises:
        ShapeError: the shapes differ.

    >>> binary_crossentropy([0.0, 1.0], [0.5, 0.5])
    array([0.6931472, 0.6931472], dtype=float32)
    """
    _check_same(target, output)
    output = as_float(output)
    target = _as(ordered(target), output)
    if from_logits:
        # log(1 + exp(-|x|)) + max(x, 0) - x t: the same, without overflow
        tail = kernel.softplus(kernel.negative(kernel.absolute(output)))
        return add(subtract(maximum(output, 0.0), multiply(output, target)), tail)
    small = settings.epsilon()
    output = clip(output, small, 1.0 - small)
    yes = multiply(target, log(output))
    no = multiply(subtract(1.0, target), log(subtract(1.0, output)))
    return kernel.negative(add(yes, no))
