"""Ops that unite the rows of a tensor by numbers that say which belong together."""

from __future__ import annotations

import math
from typing import Any

from kbridge.core.errors import ShapeError
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.index import whole_numbers
from kbridge.core.tensor.dtypes import is_float, limits
from kbridge.core.tensor.symbolic import KerasTensor


def _segment_rule(
    data: KerasTensor, segment_ids: KerasTensor, num_segments: int | None = None, sorted: bool = False
) -> KerasTensor:
    _check_segments(data, segment_ids)
    return KerasTensor((num_segments, *data.shape[1:]), data.dtype)


def _check_segments(data: Any, ids: Any) -> None:
    if len(ids.shape) != 1:
        raise ShapeError(f"segment_ids {tuple(ids.shape)} must hold one number for each row of data. Flatten both.")
    rows = data.shape[0] if len(data.shape) else 0
    if rows != ids.shape[0] and None not in (rows, ids.shape[0]):
        raise ShapeError(f"segment_ids {tuple(ids.shape)} and data {tuple(data.shape)} differ in their first size.")


def _segments(data: Any, ids: Any, count: Any, reduction: str) -> Any:
    _check_segments(data, ids)
    whole_numbers(ids, kernel.dtype_of(ids))
    dtype = kernel.dtype_of(data)
    if dtype == "bool":
        small = reduction in ("max", "min")
        return kernel.cast(_segments(kernel.cast(data, "uint8" if small else "int32"), ids, count, reduction), "bool")
    lowest, highest = (-math.inf, math.inf) if is_float(dtype) else limits(dtype)
    start = {"add": 0, "mul": 1, "max": lowest, "min": highest}[reduction]
    return kernel.segment_reduce(data, ids, kernel.segments_in(ids) if count is None else count, reduction, start)


@op(_segment_rule, arrays=2)
def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Sums of the rows that have the same number: `(n, ...), (n,) -> (num_segments, ...)`.

    Args:
        data: the rows.
        segment_ids: a whole number for each row. Rows whose number is negative, or not below `num_segments`, are
            left out.
        num_segments: how many sums; None for the largest number plus one, which a compiled step can't know on jax
            and torch.
        sorted: the numbers rise; nothing depends on it.

    Raises:
        ShapeError: `segment_ids` isn't one number for each row.

    >>> segment_sum([1, 2, 4, 8], [0, 2, 0, -1], 3)
    array([5, 0, 2], dtype=int32)
    """
    return _segments(data, segment_ids, num_segments, "add")


@op(_segment_rule, arrays=2)
def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Products of the rows that have the same number, 1 where there are none. See `segment_sum`.

    >>> segment_prod([1, 2, 4, 8], [0, 2, 0, 2], 3)
    array([ 4,  1, 16], dtype=int32)
    """
    return _segments(data, segment_ids, num_segments, "mul")


@op(_segment_rule, arrays=2)
def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Largest of the rows that have the same number; the type's smallest value (-inf) where there are none.

    The arguments are those of `segment_sum`.

    >>> segment_max([1.0, 2.0, 4.0, 8.0], [0, 2, 0, 2], 3)
    array([  4., -inf,   8.], dtype=float32)
    """
    return _segments(data, segment_ids, num_segments, "max")


@op(_segment_rule, arrays=2)
def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Smallest of the rows that have the same number; the type's largest value (inf) where there are none.

    The arguments are those of `segment_sum`.

    >>> segment_min([1.0, 2.0, 4.0, 8.0], [0, 2, 0, 2], 3)
    array([ 1., inf,  2.], dtype=float32)
    """
    return _segments(data, segment_ids, num_segments, "min")
