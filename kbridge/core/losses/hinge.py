"""Losses that stop growing small once the margin is kept."""

from __future__ import annotations

from typing import Any

from kbridge.core.losses.loss import LossFunctionWrapper
from kbridge.core.ops.elementwise import add, equal, logical_or, maximum, multiply, square, subtract, where
from kbridge.core.ops.outermost import as_tensor, dtype_of, outermost
from kbridge.core.ops.reduce import all as all_over
from kbridge.core.ops.reduce import max as max_over
from kbridge.core.ops.reduce import mean
from kbridge.core.ops.reduce import sum as sum_over


def signed(y_true: Any) -> Any:
    """Targets -1 and 1: as they are, or made from 0 and 1."""
    binary = all_over(logical_or(equal(y_true, 0), equal(y_true, 1)))
    return where(binary, subtract(multiply(y_true, 2.0), 1.0), y_true)


def _short_of_margin(y_true: Any, y_pred: Any) -> Any:
    y_pred = as_tensor(y_pred)
    y_true = signed(as_tensor(y_true, dtype_of(y_pred)))
    return maximum(subtract(1.0, multiply(y_true, y_pred)), 0.0)


@outermost
def hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of `max(1 - t p, 0)` over the last axis; targets are -1 and 1, or 0 and 1."""
    return mean(_short_of_margin(y_true, y_pred), -1)


@outermost
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of `max(1 - t p, 0)**2` over the last axis; targets are -1 and 1, or 0 and 1."""
    return mean(square(_short_of_margin(y_true, y_pred)), -1)


@outermost
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """`max(best wrong score - right score + 1, 0)` over the last axis; targets are one-hot."""
    y_pred = as_tensor(y_pred)
    y_true = as_tensor(y_true, dtype_of(y_pred))
    right = sum_over(multiply(y_true, y_pred), -1)
    wrong = max_over(multiply(subtract(1.0, y_true), y_pred), -1)
    return maximum(add(subtract(wrong, right), 1.0), 0.0)


class Hinge(LossFunctionWrapper):
    """Mean of `max(1 - t p, 0)`. Arguments as in `Loss`."""

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """Mean of `max(1 - t p, 0)**2`. Arguments as in `Loss`."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "squared_hinge", dtype: Any = None
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """`max(best wrong score - right score + 1, 0)`. Arguments as in `Loss`."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "categorical_hinge", dtype: Any = None
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
