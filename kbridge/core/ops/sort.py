"""Ops that order elements and search in ordered ones."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.conversions import ordered
from kbridge.core.ops.declare import kernel, op, promote
from kbridge.core.tensor.shapes import one_axis, reshaped
from kbridge.core.tensor.symbolic import KerasTensor

# --- order ----------------------------------------------------------------------------------------


def _line(x: Any, axis: int | None) -> tuple[Any, int]:
    """The input and a settled axis; the flattened input for None."""
    if axis is None:
        x, axis = kernel.reshape(x, (-1,)), 0
    return sortable(x), one_axis(axis, len(x.shape))


def sortable(x: Any) -> Any:
    """Truth as bytes, which every framework can compare; complex numbers are refused."""
    return kernel.cast(x, "uint8") if kernel.dtype_of(ordered(x)) == "bool" else x


def as_before(result: Any, x: Any) -> Any:
    """What came of `sortable` in the type of `x`."""
    return result if result.dtype == x.dtype else kernel.cast(result, kernel.dtype_of(x))


@rules.ordered
def _sorted_shape(x: KerasTensor, axis: int | None) -> Any:
    if axis is None:
        return reshaped(x.shape, (-1,))
    one_axis(axis, x.ndim)
    return x.shape


@op(lambda x, axis=-1: KerasTensor(_sorted_shape(x, axis), x.dtype))
def sort(x: Any, axis: int | None = -1) -> Any:
    """The elements in rising order along `axis` (of the flattened input if None), NaN last.

    >>> sort([3.0, float("nan"), 1.0])
    array([ 1.,  3., nan], dtype=float32)
    """
    return as_before(kernel.sort(*_line(x, axis)), x)


@op(lambda x, axis=-1: KerasTensor(_sorted_shape(x, axis if x.ndim else None), "int32"))
def argsort(x: Any, axis: int | None = -1) -> Any:
    """The indices, int32, that `sort` would take the elements by; equal ones keep their order. One number gives `[0]`.

    >>> argsort([3, 1, 2, 1])
    array([1, 3, 2, 0], dtype=int32)
    """
    return kernel.argsort(*_line(x, axis if len(x.shape) else None))


def _kth(kth: int, size: Any = None) -> int:
    if not isinstance(kth, int):
        raise ArgumentError(f"kth is a whole number, got {kth!r}.")
    if isinstance(size, int) and not -size <= kth < size:
        raise ArgumentError(f"kth {kth} is out of range for {size} elements.")
    return kth


def _partition_rule(x: KerasTensor, kth: int, axis: int | None = -1) -> KerasTensor:
    _kth(kth)
    return KerasTensor(_sorted_shape(x, axis), x.dtype)


@op(_partition_rule)
def partition(x: Any, kth: int, axis: int | None = -1) -> Any:
    """The elements along `axis` so that number `kth` is where `sort` puts it, smaller ones before, larger ones after.

    Raises:
        ArgumentError: `kth` isn't a place along the axis.

    >>> float(partition([5.0, 1.0, 4.0, 2.0], 2)[2])
    4.0
    """
    line, at = _line(x, axis)
    return as_before(kernel.partition(line, _kth(kth, line.shape[at]), at), x)


@op(lambda x, kth, axis=-1: KerasTensor(_partition_rule(x, kth, axis).shape, "int32"))
def argpartition(x: Any, kth: int, axis: int | None = -1) -> Any:
    """The indices, int32, that `partition` would take the elements by.

    `kth` and `axis` are as in `partition`.

    >>> int(argpartition([5.0, 1.0, 4.0, 2.0], 2)[2])
    2
    """
    line, at = _line(x, axis)
    return kernel.argpartition(line, _kth(kth, line.shape[at]), at)


def _top_k_rule(x: KerasTensor, k: int, sorted: bool = True) -> tuple[KerasTensor, KerasTensor]:
    _check_k(x, k)
    shape = (*rules.ordered(rules.same)(x).shape[:-1], k)
    return KerasTensor(shape, x.dtype), KerasTensor(shape, "int32")


def _check_k(x: Any, k: int) -> None:
    if not len(x.shape):
        raise ShapeError("top_k looks along the last axis and the input has none. Reshape it to (1,).")
    if isinstance(x.shape[-1], int) and not 0 <= k <= x.shape[-1]:
        raise ArgumentError(f"k is {k} for a last axis of {x.shape[-1]} elements.")


@op(_top_k_rule)
def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Any]:
    """The k largest elements along the last axis, and where they are: `(..., n) -> (..., k)` twice.

    Of equal elements the first comes first, but not on torch. NaN counts as the largest; tensorflow leaves open where
    it goes.

    Args:
        x: tensor of at least one axis.
        k: how many, at most n.
        sorted: largest first; False leaves the order open.

    Raises:
        ShapeError: the input has no axes.
        ArgumentError: k is above n, or negative.

    >>> top_k([1.0, 5.0, 3.0], 2)
    (array([5., 3.], dtype=float32), array([1, 2], dtype=int32))
    """
    _check_k(x, k)
    values, indices = kernel.top_k(sortable(x), k, sorted)
    return as_before(values, x), indices


def _in_top_k_rule(targets: KerasTensor, predictions: KerasTensor, k: int) -> KerasTensor:
    _one_axis_more(targets, predictions)
    return rules.boolean(targets)


def _one_axis_more(targets: Any, predictions: Any) -> None:
    if len(predictions.shape) != len(targets.shape) + 1:
        raise ShapeError(
            f"Targets {tuple(targets.shape)} need predictions with one axis more, got {tuple(predictions.shape)}."
        )


@op(_in_top_k_rule, arrays=2)
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether fewer than k predictions are larger than the target's: `(...,), (..., classes) -> (...,)`, bool.

    A target outside of the classes, or whose prediction is NaN, is never among them; a NaN beside it counts as larger.

    Args:
        targets: class numbers.
        predictions: scores, with one axis more.
        k: how many count.

    Raises:
        ShapeError: `predictions` doesn't have one axis more.

    >>> in_top_k([1, 0], [[0.1, 0.7, 0.2], [0.1, 0.7, 0.2]], 2)
    array([ True, False])
    """
    _one_axis_more(targets, predictions)
    rank = len(predictions.shape)
    classes = kernel.shape_of(predictions)[-1]
    targets = kernel.expand_dims(kernel.cast(targets, "int32"), (rank - 1,))
    hit = kernel.equal(targets, kernel.arange(0, classes, 1, "int32", like=targets))
    nothing = kernel.full_like(predictions, 0, kernel.dtype_of(predictions))
    chosen = kernel.reduce_sum(kernel.where(hit, predictions, nothing), (rank - 1,), True)
    larger = kernel.logical_not(kernel.less_equal(predictions, chosen))
    count = kernel.reduce_sum(kernel.cast(larger, "int32"), (rank - 1,), False)
    valid = kernel.reduce_any(kernel.logical_and(hit, kernel.equal(predictions, predictions)), (rank - 1,), False)
    return kernel.logical_and(valid, kernel.less(count, k))


# --- search ---------------------------------------------------------------------------------------


def _search_rule(sorted_sequence: KerasTensor, values: KerasTensor, side: str = "left") -> KerasTensor:
    _check_search(sorted_sequence, side)
    rules.ordered(rules.same)(sorted_sequence, values)
    return KerasTensor(values.shape, "int32")


def _check_search(row: Any, side: str) -> None:
    if len(row.shape) != 1:
        raise ShapeError(f"The sorted numbers must form one row, got shape {tuple(row.shape)}. Use vectorized_map.")
    if side not in ("left", "right"):
        raise ArgumentError(f"side is 'left' or 'right', got {side!r}.")


@op(_search_rule, arrays=2)
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Where each value would have to go into a sorted row to keep it sorted, int32.

    Args:
        sorted_sequence: numbers that rise, `(n,)`.
        values: any shape.
        side: "left" of equal elements, or "right".

    Raises:
        ShapeError: the sorted numbers aren't one row.
        ArgumentError: `side` is another.

    >>> searchsorted([1, 3, 3, 5], [0, 3, 6], side="right")
    array([0, 3, 4], dtype=int32)
    """
    _check_search(sorted_sequence, side)
    row, values = promote(sortable(sorted_sequence), sortable(values))
    return kernel.searchsorted(row, values, side)


@op(lambda x, bins: _search_rule(bins, x), arrays=2)
def digitize(x: Any, bins: Any) -> Any:
    """The number of the bin of each element, int32: how many of the rising `bins` aren't above it.

    `bins` is a row of numbers, `(n,)`; see `searchsorted` for what is raised.

    >>> digitize([0.0, 1.0, 4.0], [1.0, 3.0])
    array([0, 1, 2], dtype=int32)
    """
    return searchsorted(bins, x, "right")


@op(rules.ordered(lambda x1, x2, assume_unique=False, invert=False: rules.boolean(x1)), arrays=2)
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Which elements of `x1` are somewhere in `x2`.

    Args:
        x1, x2: tensors of any shape. NaN is in nothing.
        assume_unique: no element comes twice; nothing depends on it.
        invert: which are not.

    >>> isin([1, 2, 3], [3, 1])
    array([ True, False,  True])
    """
    x1, x2 = promote(sortable(x1), sortable(x2))
    row = kernel.sort(kernel.reshape(x2, (-1,)), 0)
    found = kernel.less(kernel.searchsorted(row, x1, "left"), kernel.searchsorted(row, x1, "right"))
    found = kernel.logical_and(found, kernel.equal(x1, x1))
    return kernel.logical_not(found) if invert else found
