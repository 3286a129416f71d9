"""How often predictions are right."""

from __future__ import annotations

from typing import Any

from kbridge.core import settings
from kbridge.core.losses.reduction import match_ranks
from kbridge.core.losses.regression import pair
from kbridge.core.metrics.reduction import MeanMetricWrapper
from kbridge.core.ops.elementwise import cast, equal, greater, isfinite, less, logical_and
from kbridge.core.ops.outermost import as_tensor, dtype_of, outermost
from kbridge.core.ops.reduce import any as any_over
from kbridge.core.ops.reduce import argmax, count_nonzero
from kbridge.core.ops.shape import expand_dims, get_item, squeeze, take_along_axis


def _as_share(right: Any) -> Any:
    return cast(right, settings.floatx())


@outermost
def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where prediction and target are equal, element by element, else 0."""
    return _as_share(equal(*pair(y_true, y_pred)))


@outermost
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where `p > threshold` agrees with a target of 0 or 1, element by element, else 0."""
    y_true, y_pred = match_ranks(as_tensor(y_true), as_tensor(y_pred))
    return _as_share(equal(y_true, cast(greater(y_pred, threshold), dtype_of(y_true))))


@outermost
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is where the largest target is: `(..., classes)` -> `(...)`."""
    return _as_share(equal(argmax(as_tensor(y_true), -1), argmax(as_tensor(y_pred), -1)))


@outermost
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is that of the target class: `(..., classes)` -> `(...)`.

    Args:
        y_true: class numbers, `(...)` or `(..., 1)`.
        y_pred: scores, `(..., classes)`.
    """
    y_true, y_pred = _classes(as_tensor(y_true), as_tensor(y_pred)), as_tensor(y_pred)
    return _as_share(equal(y_true, argmax(y_pred, -1)))


def _classes(y_true: Any, y_pred: Any) -> Any:
    """Class numbers without their last axis of size 1."""
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        return squeeze(y_true, -1)
    return y_true


@outermost
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the class with the largest target is among the `k` best predictions."""
    return sparse_top_k_categorical_accuracy(argmax(as_tensor(y_true), -1), y_pred, k)


@outermost
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """1 where the target class is among the `k` best predictions; equal scores share the better place.

    Args:
        y_true: class numbers, `(...)`.
        y_pred: scores, `(..., classes)`; with `from_sorted_ids`, class numbers, the best first.
    """
    y_pred = as_tensor(y_pred)
    y_true = expand_dims(_classes(as_tensor(y_true), y_pred), -1)
    if from_sorted_ids:
        return _as_share(any_over(equal(y_true, get_item(y_pred, (..., slice(0, k)))), -1))
    score = take_along_axis(y_pred, cast(y_true, "int32"), -1)
    better = count_nonzero(greater(y_pred, score), -1)
    return _as_share(logical_and(less(better, k), isfinite(squeeze(score, -1))))


class Accuracy(MeanMetricWrapper):
    """The share of predictions that equal their targets."""

    _direction = "up"

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """The share of predictions on the right side of `threshold`, for targets 0 and 1."""

    _direction = "up"

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


class CategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose best prediction is their class, for one-hot targets."""

    _direction = "up"

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose best prediction is their class, for class numbers.

    >>> metric = SparseCategoricalAccuracy()
    >>> metric.update_state([1, 0], [[0.1, 0.9], [0.2, 0.8]])
    >>> float(metric.result())
    0.5
    """

    _direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples with their class among the `k` best predictions, for one-hot targets."""

    _direction = "up"

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples with their class among the `k` best predictions, for class numbers."""

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
        self.k = k
        self.from_sorted_ids = from_sorted_ids
