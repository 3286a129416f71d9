"""Ops that make tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbridge.core.context import SYMBOLIC, decide, local, running
from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.declare import NUMBERS, kernel, op
from kbridge.core.ops.elementwise import add, divide, equal, multiply, power, where
from kbridge.core.ops.join import broadcast_arrays, meshgrid
from kbridge.core.tensor.dtypes import check_fits, is_float, result_type, standardize_dtype
from kbridge.core.tensor.shapes import broadcast_shape, one_axis
from kbridge.core.tensor.symbolic import KerasTensor


def made(sources: Sequence[Any], make: Callable[[], Any], shape: Callable[[], Any], dtype: str) -> Any:
    """What `make` gives on the backend that `sources` live on; in a symbolic run, a shape and a dtype."""
    if local.running is SYMBOLIC:
        return KerasTensor(shape(), dtype)
    if local.running is not None:
        return make()
    with running(decide(sources)):
        return make()


def _sizes(shape: Any) -> tuple[Any, ...]:
    return (shape,) if isinstance(shape, int) or not hasattr(shape, "__len__") else tuple(shape)


def _filled(shape: Any, value: Any, dtype: Any) -> Any:
    dtype, sizes = standardize_dtype(dtype), _sizes(shape)
    check_fits(value, dtype)
    if any(s is None for s in sizes):
        return KerasTensor(sizes, dtype)
    return made(sizes, lambda: kernel.full(sizes, value, dtype), lambda: sizes, dtype)


def zeros(shape: Any, dtype: Any = None) -> Any:
    """A tensor of zeros, of the default float type if `dtype` is None.

    `shape` is a number or a tuple of sizes; a size may be None in a symbolic graph.

    >>> zeros((2, 3), "int32")
    array([[0, 0, 0],
           [0, 0, 0]], dtype=int32)
    """
    return _filled(shape, 0, dtype)


def ones(shape: Any, dtype: Any = None) -> Any:
    """A tensor of ones, of the default float type if `dtype` is None.

    `shape` is as in `zeros`.

    >>> ones(3)
    array([1., 1., 1.], dtype=float32)
    """
    return _filled(shape, 1, dtype)


def empty(shape: Any, dtype: Any = None) -> Any:
    """A tensor whose elements are whatever was there before; zeros where a framework knows no such thing.

    `shape` is as in `zeros`.

    >>> empty((2, 3)).shape
    (2, 3)
    """
    dtype, sizes = standardize_dtype(dtype), _sizes(shape)
    return made(sizes, lambda: kernel.empty(sizes, dtype), lambda: sizes, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """A tensor of one repeated number, or of an array that is broadcast to `shape`.

    `shape` is as in `zeros`, `fill_value` the number or the array.

    >>> full((2, 2), 7.0)
    array([[7., 7.],
           [7., 7.]], dtype=float32)
    """
    if isinstance(fill_value, NUMBERS):
        return _filled(shape, fill_value, dtype)
    dtype, sizes = standardize_dtype(dtype), _sizes(shape)
    return made((fill_value, *sizes), lambda: _spread(fill_value, sizes, dtype), lambda: sizes, dtype)


def _spread(value: Any, sizes: Any, dtype: str) -> Any:
    return kernel.copy(kernel.broadcast_to(kernel.convert(value, dtype), sizes))


def _like_rule(x: KerasTensor, dtype: Any = None) -> KerasTensor:
    return KerasTensor(x.shape, x.dtype if dtype is None else dtype)


def _like(x: Any, value: Any, dtype: Any) -> Any:
    dtype = kernel.dtype_of(x) if dtype is None else standardize_dtype(dtype)
    check_fits(value, dtype)
    return kernel.full_like(x, value, dtype)


@op(_like_rule)
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of `x`, and in its type if `dtype` is None.

    >>> zeros_like([[1, 2]])
    array([[0, 0]], dtype=int32)
    """
    return _like(x, 0, dtype)


@op(_like_rule)
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape of `x`, and in its type if `dtype` is None.

    >>> ones_like([[1, 2]], "float32")
    array([[1., 1.]], dtype=float32)
    """
    return _like(x, 1, dtype)


@op(_like_rule)
def empty_like(x: Any, dtype: Any = None) -> Any:
    """`empty` in the shape of `x`, and in its type if `dtype` is None.

    >>> empty_like([[1, 2]]).shape
    (1, 2)
    """
    return kernel.empty(kernel.shape_of(x), kernel.dtype_of(x) if dtype is None else standardize_dtype(dtype))


def _full_like_rule(x: KerasTensor, fill_value: Any, dtype: Any = None) -> KerasTensor:
    sizes = getattr(fill_value, "shape", ())
    wide = broadcast_shape(x.shape, sizes)
    if len(wide) != x.ndim or any(w != s for w, s in zip(wide, x.shape, strict=True) if s is not None):
        raise ShapeError(f"fill_value of shape {tuple(sizes)} doesn't broadcast to {x.shape}.")
    result = _like_rule(x, dtype)
    check_fits(fill_value, result.dtype)
    return result


@op(_full_like_rule)
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One repeated number, or an array broadcast, in the shape of `x`, and in its type if `dtype` is None.

    `fill_value` is the number or the array.

    Raises:
        ShapeError: an array `fill_value` doesn't broadcast to the shape of `x`.
        ArgumentError: the type can't hold the number.

    >>> full_like([[1, 2]], 7)
    array([[7, 7]], dtype=int32)
    """
    if isinstance(fill_value, NUMBERS):
        return _like(x, fill_value, dtype)
    return _spread(fill_value, kernel.shape_of(x), kernel.dtype_of(x) if dtype is None else standardize_dtype(dtype))


# --- rows of numbers ------------------------------------------------------------------------------


def _kind(number: Any) -> Any:
    """What the promotion table needs to know of a number; a size that a trace hands out is an int."""
    if type(number) in NUMBERS:
        return type(number)
    return standardize_dtype(number.dtype) if hasattr(number, "dtype") else int


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Numbers from `start` (0 if only one is given) up to, not including, `stop`, `step` apart.

    Args:
        start: the first number, or the end if `stop` is None.
        stop: the end.
        step: the distance; 1 if None.
        dtype: element type; by default the common one of the arguments, int32 for Python ints.

    Raises:
        ArgumentError: `step` is 0.

    >>> arange(1, 7, 2)
    array([1, 3, 5], dtype=int32)
    """
    dtype = (
        standardize_dtype(dtype) if dtype else result_type(*(_kind(n) for n in (start, stop, step) if n is not None))
    )
    if stop is None:
        start, stop = 0, start
    start, stop, step = (
        n.item() if isinstance(n, np.generic) else n for n in (start, stop, 1 if step is None else step)
    )
    if type(step) in NUMBERS and step == 0:
        raise ArgumentError("ops.arange: step can't be 0.")
    if isinstance(stop, float) and not is_float(dtype) and math.isfinite(stop):
        stop = math.ceil(stop) if step > 0 else math.floor(stop)
    known = all(type(n) in (int, float) for n in (start, stop, step))
    if known and (stop - start) * step <= 0:
        stop = start  # some frameworks refuse a range that runs the wrong way

    def sizes() -> tuple[int | None]:
        return (max(0, math.ceil((stop - start) / step)) if known else None,)

    return made((start, stop, step), lambda: kernel.arange(start, stop, step, dtype), sizes, dtype)


@op(lambda x, axis: KerasTensor((x.shape[one_axis(axis, x.ndim)],), "int32"))
def positions(x: Any, axis: int) -> Any:
    """0, 1, 2, … along one axis of `x`, where `x` is: `(size,)`, int32."""
    return kernel.arange(0, kernel.shape_of(x)[one_axis(axis, len(x.shape))], 1, "int32", like=x)


def indices(dimensions: Sequence[int], dtype: Any = "int32") -> Any:
    """The indices of every element of a tensor of these sizes: `(rank, *dimensions)`.

    >>> indices((2, 2))[1]
    array([[0, 1],
           [0, 1]], dtype=int32)
    """
    dtype = standardize_dtype(dtype)

    def make() -> Any:
        grid = meshgrid(*(kernel.arange(0, size, 1, dtype) for size in dimensions), indexing="ij")
        return kernel.stack(grid, 0) if grid else kernel.empty((0,), dtype)

    return made(tuple(dimensions), make, lambda: (len(dimensions), *dimensions), dtype)


def _spaced_rule(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> KerasTensor:
    if num < 0:
        raise ArgumentError(f"num counts the numbers to make, so it can't be negative; got {num}.")
    sizes = list(broadcast_shape(rules.shape_of(start), rules.shape_of(stop)))
    sizes.insert(one_axis(axis, len(sizes) + 1), num)
    kind = result_type(rules.kind_of(start), rules.kind_of(stop), float) if dtype is None else dtype
    return KerasTensor(sizes, kind)


def _linspace_rule(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    line = _spaced_rule(start, stop, num, endpoint, dtype, axis)
    if not retstep:
        return line
    kind = result_type(rules.kind_of(start), rules.kind_of(stop), float)
    return line, KerasTensor(broadcast_shape(rules.shape_of(start), rules.shape_of(stop)), kind)


def _kinds(start: Any, stop: Any, dtype: Any) -> tuple[str, str]:
    """The type to answer in, and one wide enough to compute in."""
    kinds = [type(v) if isinstance(v, NUMBERS) else kernel.dtype_of(v) for v in (start, stop)]
    kind = result_type(*kinds, float)
    wide = "float32" if kind in ("float16", "bfloat16") else kind
    if all(kind in (bool, int, float) for kind in kinds):
        wide = "float64"  # as NumPy computes; JAX has it only if asked to
    return kind if dtype is None else standardize_dtype(dtype), wide


def _line(start: Any, stop: Any, num: int, endpoint: bool, wide: str, log: bool = False) -> tuple[Any, Any]:
    """`num` numbers along a new first axis, equally far apart or, for `log`, by equal factors; and the distance."""
    start, stop = broadcast_arrays(kernel.convert(start, wide), kernel.convert(stop, wide))
    i = kernel.cast(kernel.arange(0, num, 1, "int32"), wide)
    i = kernel.reshape(i, (num,) + (1,) * len(start.shape))
    parts = max(num - 1 if endpoint else num, 1)
    if log:
        distance = kernel.subtract(kernel.log(kernel.absolute(stop)), kernel.log(kernel.absolute(start)))
        line = multiply(start, kernel.exp(divide(multiply(i, distance), parts)))
    else:
        distance = kernel.subtract(stop, start)
        line = add(start, divide(multiply(i, distance), parts))  # exact wherever the quotient is
    if endpoint and num > 1:
        line = where(equal(i, num - 1), stop, line)
    return line, divide(distance, parts) if num > 1 or not endpoint else multiply(distance, math.nan)


def _placed(line: Any, axis: int, dtype: str, down: bool = False) -> Any:
    axis = one_axis(axis, len(line.shape))
    if down and "int" in dtype:
        line = kernel.floor(line)
    if axis:
        line = kernel.transpose(line, (*range(1, axis + 1), 0, *range(axis + 1, len(line.shape))))
    return kernel.cast(line, dtype)


def _count_of(num: Any) -> None:
    if num < 0:
        raise ArgumentError(f"num counts the numbers to make, so it can't be negative; got {num}.")


@op(_linspace_rule, arrays=2, weak=True)
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """Numbers from `start` to `stop`, equally far apart, along a new axis.

    Args:
        start: where they start; a number or a tensor.
        stop: where they end.
        num: how many.
        endpoint: whether `stop` is the last one.
        retstep: whether to give the distance between two of them too.
        dtype: element type, by default a float type; whole numbers are rounded down.
        axis: where the new axis goes.

    Raises:
        ArgumentError: `num` is negative.

    >>> linspace(0, 1, 5)
    array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    _count_of(num)
    kind, wide = _kinds(start, stop, dtype)
    line, step = _line(start, stop, num, endpoint, wide)
    line = _placed(line, axis, kind, down=True)
    return (line, kernel.cast(step, _kinds(start, stop, None)[0])) if retstep else line


@op(lambda start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0: _spaced_rule(
    start, stop, num, endpoint, dtype, axis), arrays=2, weak=True)  # fmt: skip
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10, dtype: Any = None, axis: int = 0
) -> Any:
    """`base` to the powers `linspace(start, stop, num, endpoint)`.

    `base` is a number; the other arguments are those of `linspace`.

    >>> logspace(0, 2, 3)
    array([  1.,  10., 100.], dtype=float32)
    """
    _count_of(num)
    dtype, wide = _kinds(start, stop, dtype)
    return _placed(power(float(base), _line(start, stop, num, endpoint, wide)[0]), axis, dtype)


@op(_spaced_rule, arrays=2, weak=True)
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """Numbers from `start` to `stop`, each the same multiple of the one before, along a new axis.

    Both ends have the same sign and aren't 0. The arguments are those of `linspace`.

    >>> geomspace(1, 8, 4)
    array([1., 2., 4., 8.], dtype=float32)
    """
    _count_of(num)
    dtype, wide = _kinds(start, stop, dtype)
    return _placed(_line(start, stop, num, endpoint, wide, log=True)[0], axis, dtype)


def _vander_rule(x: KerasTensor, N: int | None = None, increasing: bool = False) -> KerasTensor:
    if x.ndim != 1:
        raise ShapeError(f"needs a vector, got shape {x.shape}.")
    return KerasTensor((x.shape[0], x.shape[0] if N is None else N), x.dtype)


@op(_vander_rule)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of a vector as the columns of a matrix, falling from `N - 1` to 0: `(n,) -> (n, N)`.

    Args:
        x: vector.
        N: how many powers; as many as `x` has elements if None.
        increasing: whether the powers rise from 0 instead.

    Raises:
        ShapeError: `x` isn't a vector.
        ArgumentError: `N` is left out while the size of `x` isn't known.

    >>> vander([1, 2, 3], increasing=True)
    array([[1, 1, 1],
           [1, 2, 4],
           [1, 3, 9]], dtype=int32)
    """
    if len(x.shape) != 1:
        raise ShapeError(f"needs a vector, got shape {tuple(x.shape)}.")
    count = x.shape[0] if N is None else N
    if count is None:
        raise ArgumentError("the size of the vector isn't known: say with N how many powers.")
    reach = kernel.expand_dims(x, (1,))
    powers = kernel.full_like(reach, 1, kernel.dtype_of(x))
    done = 1
    while done < count:  # 1 x | x² x³ | x⁴ … : twice as many columns with each round
        powers = kernel.concatenate([powers, kernel.multiply(powers, reach)], 1)
        reach, done = kernel.multiply(reach, reach), 2 * done
    powers = kernel.get_item(powers, (slice(None), slice(0, count)))
    return powers if increasing else kernel.flip(powers, (1,))
