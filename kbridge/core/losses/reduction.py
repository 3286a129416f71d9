"""From one value per sample to one number: ranks, masks, weights, sums. Metrics use it too."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core.context import local
from kbridge.core.ops.elementwise import cast, divide, divide_no_nan, maximum, multiply
from kbridge.core.ops.outermost import as_tensor, dtype_of
from kbridge.core.ops.reduce import mean
from kbridge.core.ops.reduce import sum as sum_over
from kbridge.core.ops.shape import expand_dims, squeeze
from kbridge.core.tensor.symbolic import KerasTensor

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def check_reduction(reduction: str | None) -> str | None:
    """`reduction` if it is one, else an error that lists them."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"Unknown reduction {reduction!r}. Choose one of {', '.join(map(repr, REDUCTIONS))}.")
    return reduction


def match_ranks(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Tensors whose ranks differ by one, where the larger ends in an axis of size 1, get the same rank.

    `(n,)` beside `(n, 1)` grows to `(n, 1)`; otherwise the axis of size 1 goes.
    """
    first, second = len(x1.shape), len(x2.shape)
    if first == second + 1 and x1.shape[-1] == 1:
        if second == 1 and expand_rank_1:
            return x1, expand_dims(x2, -1)
        return squeeze(x1, -1), x2
    if second == first + 1 and x2.shape[-1] == 1:
        if first == 1 and expand_rank_1:
            return expand_dims(x1, -1), x2
        return x1, squeeze(x2, -1)
    return x1, x2


def count_elements(x: Any, dtype: str) -> Any:
    """How many elements `x` has: a number, or a tensor of `dtype` where a size is free."""
    sizes = local.running.shape_of(x)
    known = math.prod(size for size in sizes if isinstance(size, int))
    free = [size for size in sizes if not isinstance(size, int)]
    if not free:
        return known
    total = cast(as_tensor(free[0]), dtype)
    for size in free[1:]:
        total = multiply(total, cast(as_tensor(size), dtype))
    return multiply(total, known)


def reduce_values(values: Any, sample_weight: Any = None, reduction: str | None = "sum_over_batch_size") -> Any:
    """Weighted values, reduced; `sample_weight` matters to "mean_with_sample_weight" only."""
    if reduction in (None, "none") or not len(values.shape):
        return values
    if reduction == "sum":
        return sum_over(values)
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return divide_no_nan(sum_over(values), sum_over(sample_weight))
    if isinstance(values, KerasTensor):
        return mean(values)
    count = count_elements(values, dtype_of(values))
    if isinstance(count, int):
        return mean(values) if count else sum_over(values)
    return divide(sum_over(values), maximum(count, 1.0))  # the sum of an empty batch is 0 already


def reduce_weighted_values(
    values: Any,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: str | None = None,
) -> Any:
    """The values of samples, weighted, without the masked ones, reduced."""
    values = as_tensor(values, dtype)
    weight = masked_weight(sample_weight, mask, dtype_of(values), reduction)
    if weight is not None:
        values, weight = match_ranks(values, weight)
        values = multiply(values, weight)
    return reduce_values(values, weight, reduction)


def masked_weight(sample_weight: Any, mask: Any, dtype: str, reduction: str | None) -> Any:
    """Sample weights that are 0 where the mask is False, or None if there is neither.

    For a mean over all values, what is left weighs `all / valid`, so that the sum divided by the
    number of values is the mean of the valid ones.
    """
    weight = None if sample_weight is None else as_tensor(sample_weight, dtype)
    if mask is None:
        return weight
    mask = as_tensor(mask)
    kept = cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        kept = multiply(kept, divide_no_nan(count_elements(mask, dtype), sum_over(kept)))
    if weight is None:
        return kept
    kept, weight = match_ranks(kept, weight)
    return multiply(weight, kept)
