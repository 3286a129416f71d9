"""Losses between numbers."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core import settings
from kbridge.core.losses.loss import LossFunctionWrapper
from kbridge.core.losses.reduction import match_ranks
from kbridge.core.ops.activate import softplus
from kbridge.core.ops.elementwise import (
    absolute,
    add,
    divide,
    less_equal,
    log,
    maximum,
    multiply,
    rsqrt,
    square,
    subtract,
    where,
)
from kbridge.core.ops.outermost import as_tensor, dtype_of, outermost
from kbridge.core.ops.reduce import mean
from kbridge.core.ops.reduce import sum as sum_over


def pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions as tensors of the predictions' type and of one rank."""
    y_pred = as_tensor(y_pred)
    return match_ranks(as_tensor(y_true, dtype_of(y_pred)), y_pred)


@outermost
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean squared difference over the last axis: `(..., d)` -> `(...)`.

    >>> import numpy as np
    >>> np.asarray(mean_squared_error([[0.0, 2.0]], [[0.0, 0.0]]))
    array([2.], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred)
    return mean(square(subtract(y_true, y_pred)), -1)


@outermost
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Mean absolute difference over the last axis: `(..., d)` -> `(...)`."""
    y_true, y_pred = pair(y_true, y_pred)
    return mean(absolute(subtract(y_true, y_pred)), -1)


@outermost
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of `100 |t - p| / |t|` over the last axis: `(..., d)` -> `(...)`."""
    y_true, y_pred = pair(y_true, y_pred)
    share = absolute(divide(subtract(y_true, y_pred), maximum(absolute(y_true), settings.epsilon())))
    return multiply(mean(share, -1), 100.0)


@outermost
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of `(log(t + 1) - log(p + 1))**2` over the last axis: `(..., d)` -> `(...)`."""
    y_true, y_pred = pair(y_true, y_pred)
    small = settings.epsilon()
    logs = [log(add(maximum(y, small), 1.0)) for y in (y_true, y_pred)]
    return mean(square(subtract(*logs)), -1)


@outermost
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Mean over the last axis of e²/2 where |e| <= delta, else delta |e| - delta²/2.

    Source: Huber 1964, https://doi.org/10.1214/aoms/1177703732.
    """
    y_true, y_pred = pair(y_true, y_pred)
    error = subtract(y_pred, y_true)
    size = absolute(error)
    near = multiply(square(error), 0.5)
    far = subtract(multiply(size, delta), 0.5 * delta**2)
    return mean(where(less_equal(size, delta), near, far), -1)


@outermost
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Mean of `log(cosh(p - t))` over the last axis, without overflow."""
    y_true, y_pred = pair(y_true, y_pred)
    error = subtract(y_pred, y_true)
    return mean(subtract(add(error, softplus(multiply(error, -2.0))), math.log(2.0)), -1)


def normalized(x: Any, axis: int) -> Any:
    """`x` scaled to length 1 along `axis`."""
    length = maximum(sum_over(square(x), axis, True), settings.epsilon() ** 2)
    return multiply(x, rsqrt(length))


@outermost
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between targets and predictions along `axis`: -1 is the same direction."""
    y_true, y_pred = pair(y_true, y_pred)
    return multiply(sum_over(multiply(normalized(y_true, axis), normalized(y_pred, axis)), axis), -1.0)


class MeanSquaredError(LossFunctionWrapper):
    """Mean of `(t - p)**2`. Arguments as in `Loss`."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """Mean of `|t - p|`. Arguments as in `Loss`."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "mean_absolute_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """Mean of `100 |t - p| / |t|`. Arguments as in `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """Mean of `(log(t + 1) - log(p + 1))**2`. Arguments as in `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(LossFunctionWrapper):
    """Quadratic for errors up to `delta`, linear beyond. Other arguments as in `Loss`."""

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """Mean of `log(cosh(p - t))`. Arguments as in `Loss`."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "log_cosh", dtype: Any = None
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine between targets and predictions along `axis`. Other arguments as in `Loss`."""

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)
