"""Running sums and means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbridge.core.context import local
from kbridge.core.layers.masks import mask_of
from kbridge.core.losses.find import function_of
from kbridge.core.losses.loss import given_mask
from kbridge.core.losses.reduction import masked_weight, match_ranks
from kbridge.core.metrics.metric import Metric
from kbridge.core.ops.elementwise import cast, divide_no_nan, multiply
from kbridge.core.ops.outermost import as_tensor
from kbridge.core.ops.reduce import mean
from kbridge.core.ops.reduce import sum as sum_over
from kbridge.core.ops.shape import broadcast_to, shape
from kbridge.core.saving.config import serialize_keras_object


def by_sample(values: Any, mask: Any, weight: Any, reduce: Callable[..., Any], dtype: str) -> Any:
    """One value and one weight per sample: axes behind the first are reduced.

    Weights of fewer axes than the values weigh what is left of those after the surplus axes are reduced.
    """
    if weight is not None:  # what a function masks counts only beside weights, as in Keras
        weight = masked_weight(weight, mask, dtype, "sum")
        values, weight = match_ranks(values, weight)
        rank, surplus = len(weight.shape), len(values.shape) - len(weight.shape)
        if surplus > 0:
            values = reduce(values, tuple(range(rank, rank + surplus)))
        weight = broadcast_to(weight, shape(values))
        values = multiply(values, weight)
        if rank > 1:
            weight = reduce(weight, tuple(range(1, rank)))
    if len(values.shape) > 1:
        values = reduce(values, tuple(range(1, len(values.shape))))
    return values, weight


class Sum(Metric):
    """The sum of all values, weighted.

    >>> total = Sum()
    >>> total.update_state([1.0, 3.0])
    >>> float(total.result())
    4.0
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values, `(batch, ...)`, times weights that broadcast to them."""
        mask = mask_of(values)
        values, _ = by_sample(as_tensor(values, self.dtype), mask, sample_weight, sum_over, self.dtype)
        self.total.assign_add(sum_over(values))

    def result(self) -> Any:
        return cast(self.total, self.dtype)


class Mean(Metric):
    """The weighted mean of all values; 0 before the first.

    >>> mean = Mean()
    >>> mean.update_state([1.0, 3.0], sample_weight=[3.0, 1.0])
    >>> float(mean.result())
    1.5
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), name="total")
        self.count = self.add_variable((), name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in values, `(batch, ...)`; the axes behind the first are averaged, then samples weighted."""
        mask = mask_of(values)
        values = as_tensor(values, self.dtype)
        if sample_weight is not None and not len(values.shape):
            number = isinstance(sample_weight, (int, float))
            weight = sample_weight if number else sum_over(as_tensor(sample_weight, self.dtype))
            self.total.assign_add(multiply(values, weight))
            self.count.assign_add(weight)
            return
        values, weight = by_sample(values, mask, sample_weight, mean, self.dtype)
        self.total.assign_add(sum_over(values))
        if weight is not None:
            self.count.assign_add(sum_over(weight))
        else:
            samples = local.running.shape_of(values)[0] if len(values.shape) else 1
            self.count.assign_add(samples if isinstance(samples, int) else cast(samples, self.dtype))

    def result(self) -> Any:
        return divide_no_nan(self.total, self.count)


class MeanMetricWrapper(Mean):
    """The mean of a function `fn(y_true, y_pred, **kwargs)` that gives a value for each sample."""

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Take in a batch of targets and predictions; masked and unweighted samples don't count."""
        before = local.masks
        local.masks = {} if before is None else before
        try:
            mask = given_mask(y_pred)
            values = self._fn(y_true, y_pred, **self._fn_kwargs)
            if mask is not None:
                sample_weight = masked_weight(sample_weight, mask, self.dtype, "sum")
            super().update_state(values, sample_weight)
        finally:
            local.masks = before

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if type(self) is MeanMetricWrapper:
            config.update(serialize_keras_object({"fn": self._fn, **self._fn_kwargs}))
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MeanMetricWrapper:
        """The metric of that config; a function's name is looked up among losses and metrics."""
        if "fn" in config:
            config = {**config, "fn": function_of(config["fn"])}
        return cls(**config)
