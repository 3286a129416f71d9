"""Losses between distributions."""

from __future__ import annotations

from typing import Any

from kbridge.core import settings
from kbridge.core.context import local
from kbridge.core.layers.masks import set_mask
from kbridge.core.losses.loss import LossFunctionWrapper
from kbridge.core.ops import nn
from kbridge.core.ops.elementwise import add, clip, divide, log, multiply, not_equal, subtract, where
from kbridge.core.ops.outermost import as_tensor, dtype_of, outermost
from kbridge.core.ops.reduce import mean
from kbridge.core.ops.reduce import sum as sum_over
from kbridge.core.ops.shape import expand_dims, squeeze
from kbridge.core.tensor.shapes import one_axis


def smoothed(y_true: Any, amount: float, classes: int) -> Any:
    """Targets drawn by `amount` towards the uniform distribution over `classes`."""
    return add(multiply(y_true, 1.0 - amount), amount / classes) if amount else y_true


@outermost
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Mean of `-(t log(p) + (1 - t) log(1 - p))` along `axis`.

    Args:
        y_true, y_pred: `(..., d)`; predictions are probabilities, or logits.
        from_logits: whether a sigmoid is still to be taken.
        label_smoothing: targets 0 and 1 become `s/2` and `1 - s/2`.
        axis: the axis to average over.
    """
    y_pred = as_tensor(y_pred)
    y_true = smoothed(as_tensor(y_true, dtype_of(y_pred)), label_smoothing, 2)
    return mean(nn.binary_crossentropy(y_true, y_pred, from_logits), axis)


@outermost
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """`-sum(t log(p))` along `axis`.

    Args:
        y_true: distributions, such as one-hot vectors, `(..., classes)`.
        y_pred: probabilities, or logits, of the same shape.
        from_logits: whether a softmax is still to be taken.
        label_smoothing: the share of each target that is spread over all classes.
        axis: the axis of the classes.
    """
    y_pred = as_tensor(y_pred)
    y_true = smoothed(as_tensor(y_true, dtype_of(y_pred)), label_smoothing, y_pred.shape[axis])
    return nn.categorical_crossentropy(y_true, y_pred, from_logits, axis)


@outermost
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """`-log(p[t])`: `categorical_crossentropy` for targets that are class numbers.

    Args:
        y_true: class numbers, `(...)` or `(..., 1)`.
        y_pred: probabilities, or logits, `(..., classes)`.
        from_logits: whether a softmax is still to be taken.
        ignore_class: samples of this class count as masked: their loss is 0.
        axis: the axis of the classes.
    """
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[axis] == 1:
        y_true = squeeze(y_true, axis)
    if ignore_class is None:
        return nn.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)
    valid = not_equal(y_true, ignore_class)
    y_true = where(valid, y_true, 0)
    y_pred = where(expand_dims(valid, one_axis(axis, len(y_pred.shape))), y_pred, 0.0)
    values = where(valid, nn.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis), 0.0)
    if local.masks is not None:
        set_mask(values, valid)
    return values


@outermost
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """`sum(t log(t / p))` over the last axis."""
    y_pred = as_tensor(y_pred)
    small = settings.epsilon()
    y_true, y_pred = clip(as_tensor(y_true, dtype_of(y_pred)), small, 1.0), clip(y_pred, small, 1.0)
    return sum_over(multiply(y_true, log(divide(y_true, y_pred))), -1)


@outermost
def poisson(y_true: Any, y_pred: Any) -> Any:
    """Mean of `p - t log(p)` over the last axis."""
    y_pred = as_tensor(y_pred)
    y_true = as_tensor(y_true, dtype_of(y_pred))
    return mean(subtract(y_pred, multiply(y_true, log(add(y_pred, settings.epsilon())))), -1)


class BinaryCrossentropy(LossFunctionWrapper):
    """Cross-entropy of targets 0 and 1. Arguments as in `binary_crossentropy` and `Loss`."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class CategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of distributions. Arguments as in `categorical_crossentropy` and `Loss`."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of class numbers. Arguments as in `sparse_categorical_crossentropy` and `Loss`.

    >>> import numpy as np
    >>> loss = SparseCategoricalCrossentropy(from_logits=True)
    >>> round(float(np.asarray(loss([1], [[0.0, 0.0]]))), 4)
    0.6931
    """

    casts_targets = False  # float32 holds whole numbers only up to 2**24

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip


class KLDivergence(LossFunctionWrapper):
    """Kullback-Leibler divergence of predictions from targets. Arguments as in `Loss`."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "kl_divergence", dtype: Any = None
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """Mean of `p - t log(p)`. Arguments as in `Loss`."""

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, reduction, name, dtype)
