"""Ops of statistics: weighted means, correlation, counting, differences. (`quantile` has those that sort.)"""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from kbridge.core.ops import sparse_places
from kbridge.core.ops.declare import as_float, kernel, op, promote
from kbridge.core.ops.elementwise import add, cast, clip, divide, multiply, not_equal, subtract, where
from kbridge.core.ops.reduce import as_wide, mean
from kbridge.core.ops.rules import kind_of, reduced
from kbridge.core.ops.shape import pad, positions
from kbridge.core.tensor.dtypes import COMPLEX, float_result, is_float, result_type
from kbridge.core.tensor.shapes import every_axis, one_axis, reduced_shape
from kbridge.core.tensor.symbolic import KerasTensor

# --- weighted means -------------------------------------------------------------------------------


def _check_weights(shape: Any, weights: Any, axis: Any) -> None:
    wanted = (shape[one_axis(axis, len(shape))],) if len(weights) == 1 and isinstance(axis, int) else tuple(shape)
    if len(weights) != len(wanted) or any(a != b and None not in (a, b) for a, b in zip(weights, wanted, strict=True)):
        raise ShapeError(
            f"weights of shape {tuple(weights)} for x of shape {tuple(shape)} and axis={axis}: give as many as x has "
            "elements, in its shape, or, with one axis, as many as there are along it."
        )


def _average_rule(x: KerasTensor, weights: KerasTensor, axis: Any = None) -> KerasTensor:
    _check_weights(x.shape, weights.shape, axis)
    return KerasTensor(reduced(x, axis).shape, result_type(x.dtype, weights.dtype, float))


@op(_average_rule, arrays=2)
def weighted_average(x: Any, weights: Any, axis: Any = None) -> Any:
    """`average` with the weights second, as ops have their arrays.

    >>> weighted_average([1.0, 2.0], [3.0, 1.0])
    np.float32(1.25)
    """
    _check_weights(x.shape, weights.shape, axis)
    dtype = result_type(kernel.dtype_of(x), kernel.dtype_of(weights), float)
    axes = every_axis(axis, len(x.shape))
    if len(weights.shape) < len(x.shape):
        weights = kernel.reshape(weights, tuple(-1 if i in axes else 1 for i in range(len(x.shape))))
    x, weights = as_wide(cast(x, dtype)), as_wide(cast(weights, dtype))
    total = kernel.reduce_sum(kernel.multiply(x, weights), axes, False)
    return cast(kernel.divide(total, kernel.reduce_sum(weights, axes, False)), dtype)


def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """Mean along `axis`, in which each element counts `weights` times.

    Args:
        x: the elements.
        axis: the axes to average over.
        weights: in the shape of `x`, or one for each position along the one axis; all alike if None.

    >>> average([[1.0, 2.0], [3.0, 5.0]], axis=0, weights=[3.0, 1.0])
    array([1.5 , 2.75], dtype=float32)
    """
    return mean(x, axis) if weights is None else weighted_average(x, weights, axis)


# --- correlation ----------------------------------------------------------------------------------


def _observations(m: Any, rowvar: bool) -> tuple[Any, ...]:
    if not 1 <= len(m.shape) <= 2:
        raise ShapeError(f"Variables come in 1 axis (observations) or 2 (variables and observations), got {m.shape}.")
    return (1, *m.shape) if len(m.shape) == 1 else tuple(m.shape) if rowvar else tuple(reversed(m.shape))


def _cov_rule(
    m: KerasTensor, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None
) -> KerasTensor:
    given = [each for each in (m, y) if each is not None]
    variables: list[Any] = [_observations(each, rowvar)[0] for each in given]
    number = None if None in variables else sum(variables)
    return KerasTensor(() if number == 1 else (number, number), _covariance_type(e.dtype for e in given))


def _covariance_type(dtypes: Any) -> str:
    dtype = float_result(result_type(*dtypes))
    if dtype in COMPLEX:
        raise DTypeError("Complex variables aren't supported. Take real and imaginary parts as two variables.")
    return dtype


@op(_cov_rule, arrays=2)
def cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None) -> Any:
    """Covariances of variables: `(variables, observations) -> (variables, variables)`, a scalar for one variable.

    Args:
        m: the variables, one in each row; a row alone is one variable.
        y: more of them, in the same form.
        rowvar: False for variables in columns.
        bias: whether to divide by the number of observations, instead of one less.
        ddof: what to divide by less than that number, over `bias`.

    Raises:
        DTypeError: the variables are complex.
        ShapeError: there are more than two axes.

    >>> cov([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    array([[ 1., -1.],
           [-1.,  1.]], dtype=float32)
    """
    parts = [_rows(each, rowvar) for each in (m, y) if each is not None]
    dtype = _covariance_type(kernel.dtype_of(each) for each in parts)
    x = as_wide(cast(parts[0] if y is None else kernel.concatenate(promote(*parts), 0), dtype))
    away = kernel.subtract(x, kernel.reduce_mean(x, (1,), True))
    less = (0 if bias else 1) if ddof is None else ddof
    products = divide(kernel.matmul(away, kernel.transpose(away, (1, 0))), subtract(kernel.shape_of(x)[1], less))
    return cast(kernel.reshape(products, ()) if products.shape[0] == 1 else products, dtype)


def _rows(m: Any, rowvar: bool) -> Any:
    _observations(m, rowvar)
    if len(m.shape) == 1:
        return kernel.expand_dims(m, (0,))
    return m if rowvar else kernel.transpose(m, (1, 0))


@op(_cov_rule)
def corrcoef(x: Any) -> Any:
    """Pearson's correlation of variables: `(variables, observations) -> (variables, variables)`, see `cov`.

    >>> corrcoef([[0.0, 2.0], [2.0, 0.0]])
    array([[ 1., -1.],
           [-1.,  1.]], dtype=float32)
    """
    products = cov(as_wide(x), bias=True)
    if not len(products.shape):
        return cast(kernel.divide(products, products), float_result(kernel.dtype_of(x)))
    places = positions(products, 0)
    spread = kernel.sqrt(kernel.reduce_sum(where(_diagonal(places), products, 0.0), (1,), False))
    scaled = kernel.divide(kernel.divide(products, kernel.expand_dims(spread, (0,))), kernel.expand_dims(spread, (1,)))
    return cast(clip(scaled, -1.0, 1.0), float_result(kernel.dtype_of(x)))


def _diagonal(places: Any) -> Any:
    return kernel.equal(kernel.expand_dims(places, (0,)), kernel.expand_dims(places, (1,)))


def _span(long: int, short: int, mode: str) -> tuple[int, int]:
    """Where the result starts among all overlaps, and how long it is, for `long` elements and a window of `short`."""
    if mode == "full":
        return 0, long + short - 1
    if short > long:  # the window turned around
        start = long - 1 if mode == "valid" else long // 2
    else:
        start = short - 1 if mode == "valid" else (short - 1) // 2
    return start, abs(long - short) + 1 if mode == "valid" else max(long, short)


def _correlate_rule(x1: KerasTensor, x2: KerasTensor, mode: str = "valid") -> KerasTensor:
    for each in (x1, x2):
        if len(each.shape) != 1:
            raise ShapeError(f"Both inputs have one axis, got shapes {x1.shape} and {x2.shape}.")
        if each.shape[0] == 0:
            raise ShapeError("Nothing correlates with nothing: both inputs need elements.")
        if each.dtype in COMPLEX:
            raise DTypeError("Complex inputs aren't supported. Correlate real and imaginary parts.")
    if mode not in ("valid", "same", "full"):
        raise ArgumentError(f"mode={mode!r}. Choose 'valid', 'same' or 'full'.")
    a, b = x1.shape[0], x2.shape[0]
    size = None if a is None or b is None else _span(a, b, mode)[1]
    return KerasTensor((size,), float_result(result_type(x1.dtype, x2.dtype)))


@op(_correlate_rule, arrays=2)
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """Sums of products of `x1` with `x2` moved along it, in a float type.

    Args:
        x1, x2: `(length,)`.
        mode: which places of `x2` count: where one input covers the other whole ("valid"), the middle ones, as many as
            the longer input has elements ("same"), or all with any overlap ("full").

    Raises:
        ArgumentError: `mode` is another.
        ShapeError: an input isn't a vector, or has no elements.
        DTypeError: an input is complex.

    >>> correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5], mode="full")
    array([0.5, 2. , 3.5, 3. , 0. ], dtype=float32)
    """
    if len(x1.shape) != 1 or len(x2.shape) != 1 or mode not in ("valid", "same", "full"):
        _correlate_rule(KerasTensor(x1.shape), KerasTensor(x2.shape), mode)
    dtype = float_result(result_type(kernel.dtype_of(x1), kernel.dtype_of(x2)))
    x1, x2 = as_wide(cast(x1, dtype)), as_wide(cast(x2, dtype))
    long, short = kernel.shape_of(x1)[0], kernel.shape_of(x2)[0]
    start, size = _span(long, short, mode)
    signal = pad(x1, ((short - 1 - start, size - long + start),))
    signal, window = kernel.expand_dims(signal, (0, 2)), kernel.expand_dims(x2, (1, 2))
    found = kernel.conv(signal, window, (1,), "valid", "channels_last", (1,))
    return cast(kernel.reshape(found, (-1,)), dtype)


# --- counting -------------------------------------------------------------------------------------


def _bincount_rule(
    x: KerasTensor, weights: KerasTensor | None = None, minlength: int = 0, sparse: bool = False
) -> KerasTensor:
    if not x.ndim or "int" not in x.dtype:
        raise DTypeError(f"Counts are of whole numbers along the last axis, got {x.dtype} of shape {x.shape}.")
    if weights is not None and len(weights.shape) != x.ndim:
        raise ShapeError(f"One weight for each element, got weights of shape {weights.shape} for x of {x.shape}.")
    dtype = "int32" if weights is None else result_type(x.dtype, weights.dtype)
    return KerasTensor((*x.shape[:-1], None), dtype, sparse or x.sparse)


@op(_bincount_rule, arrays=2)
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often 0, 1, 2, … occur along the last axis: `(..., n) -> (..., largest + 1)`.

    The length of the result depends on the values, so that only TensorFlow can compile it.

    Args:
        x: whole numbers from 0.
        weights: what each element counts, in the shape of `x`; 1 if None.
        minlength: the least length of the result.
        sparse: whether the result is a sparse tensor, as it is for a sparse `x`; NumPy has none.

    Raises:
        DTypeError: `x` isn't made of whole numbers.
        ShapeError: `weights` have another shape.

    >>> bincount([1, 1, 3], minlength=6)
    array([0, 2, 0, 1, 0, 0], dtype=int32)
    """
    specs = [None if each is None else KerasTensor(each.shape, kernel.dtype_of(each)) for each in (x, weights)]
    dtype = _bincount_rule(specs[0], specs[1], minlength, sparse).dtype  # type: ignore[arg-type]
    x = cast(x, "int64" if kernel.dtype_of(x) in ("int64", "uint32", "uint64") else "int32")
    if weights is None:
        counts = kernel.bincount(x, None, minlength)
    else:
        counts = cast(kernel.bincount(x, cast(weights, _counted(dtype)), minlength), dtype)
    return sparse_places.from_dense(counts) if sparse else counts


def _counted(dtype: str) -> str:
    """The type that weights are added up in, one of four."""
    if is_float(dtype):
        return "float64" if dtype == "float64" else "float32"
    return "int64" if dtype in ("int64", "uint32", "uint64") else "int32"


def _histogram_rule(x: KerasTensor, bins: int = 10, range: Any = None) -> tuple[KerasTensor, KerasTensor]:
    if not isinstance(bins, int) or bins < 1:
        raise ArgumentError(f"bins is a whole number from 1, got {bins!r}.")
    if range is not None and (not isinstance(range, tuple) or len(range) != 2):
        raise ArgumentError(f"range is a tuple (start, end), got {range!r}.")
    if range is not None and range[1] < range[0]:
        raise ArgumentError(f"range {range} ends before it starts.")
    if x.ndim != 1:
        raise ShapeError(f"Input tensor must be 1-dimensional, got shape {x.shape}. Reshape it to (-1,).")
    return KerasTensor((bins,), float_result(x.dtype)), KerasTensor((bins + 1,), float_result(x.dtype))


@op(_histogram_rule)
def histogram(x: Any, bins: int = 10, range: Any = None) -> Any:
    """How many elements fall into each of `bins` intervals of one width, and the edges of these.

    Args:
        x: `(n,)`.
        bins: the number of intervals; the last one holds its upper edge too.
        range: where the first one starts and the last one ends; from the least to the largest element if None. What
            lies outside isn't counted.

    Returns:
        The counts `(bins,)` and the edges `(bins + 1,)`, both in the float type of `x`.

    Raises:
        ArgumentError: `bins` or `range` is something else.
        ShapeError: `x` isn't a vector.

    >>> histogram([0.0, 1.0, 1.5, 4.0], bins=2)
    (array([3., 1.], dtype=float32), array([0., 2., 4.], dtype=float32))
    """
    _histogram_rule(KerasTensor(x.shape), bins, range)
    dtype = float_result(kernel.dtype_of(x))
    x = kernel.sort(as_wide(x), 0)
    low, high = _limits(x, range)
    steps = kernel.arange(0, bins + 1, 1, kernel.dtype_of(x), like=x)
    edges = add(low, multiply(steps, divide(subtract(high, low), bins)))
    edges = where(kernel.equal(steps, kernel.full_like(steps, bins, kernel.dtype_of(x))), high, edges)
    below = kernel.searchsorted(x, kernel.get_item(edges, slice(0, -1)), "left")
    whole = kernel.searchsorted(x, kernel.get_item(edges, slice(-1, None)), "right")
    counts = kernel.subtract(kernel.concatenate([kernel.get_item(below, slice(1, None)), whole], 0), below)
    return cast(counts, dtype), cast(edges, dtype)


def _limits(x: Any, range: Any) -> tuple[Any, Any]:
    """Where the bins begin and end, half a step out if that is one place; from 0 to 1 for no elements."""
    if range is None and 0 not in x.shape:
        low, high = kernel.get_item(x, slice(0, 1)), kernel.get_item(x, slice(-1, None))
        alone = kernel.equal(low, high)
        return where(alone, subtract(low, 0.5), low), where(alone, add(high, 0.5), high)
    start, end = (0.0, 1.0) if range is None else (float(range[0]), float(range[1]))
    return (start - 0.5, end + 0.5) if start == end else (start, end)


# --- differences and areas ------------------------------------------------------------------------


def _diff_rule(a: KerasTensor, n: int = 1, axis: int = -1) -> KerasTensor:
    if n < 0:
        raise ArgumentError(f"n={n}. Differences are taken 0 times or more.")
    sizes = list(a.shape)
    i = one_axis(axis, a.ndim)
    size = sizes[i]
    sizes[i] = None if size is None else max(size - n, 0)
    return KerasTensor(sizes, a.dtype)


def _neighbours(x: Any, i: int) -> tuple[Any, Any]:
    """Along one axis, all elements but the first, and all but the last."""
    before = (slice(None),) * i
    return kernel.get_item(x, (*before, slice(1, None))), kernel.get_item(x, (*before, slice(0, -1)))


@op(_diff_rule)
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Each element along `axis` less the one before, `n` times over; for bools, whether they differ.

    Args:
        a: the tensor.
        n: how often; 0 gives it back.
        axis: along which.

    Raises:
        ArgumentError: `n` is negative.

    >>> diff([1, 4, 9, 16]), diff([1, 4, 9, 16], n=2)
    (array([3, 5, 7], dtype=int32), array([2, 2], dtype=int32))
    """
    i = one_axis(axis, len(a.shape))
    if n < 0:
        _diff_rule(KerasTensor(a.shape), n, axis)
    for _ in range(n):
        after, before = _neighbours(a, i)
        a = not_equal(after, before) if kernel.dtype_of(a) == "bool" else kernel.subtract(after, before)
    return a


def _trapezoid_rule(y: KerasTensor, x: Any = None, dx: Any = 1.0, axis: int = -1) -> KerasTensor:
    shape = reduced_shape(y.shape, (one_axis(axis, y.ndim),), False)
    kinds = [kind_of(each) for each in (y, dx if x is None else x)]
    return KerasTensor(shape, result_type(*kinds, float))


@op(_trapezoid_rule, arrays=3, weak=True)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Area under `y` along `axis`, between its points by straight lines (the trapezoidal rule).

    Args:
        y: the heights.
        x: where they stand, in the shape of `y` or in one row for `axis`.
        dx: the distance between them if `x` is None.
        axis: along which to go.

    >>> trapezoid([0.0, 1.0, 4.0]), trapezoid([0.0, 1.0, 4.0], x=[0.0, 2.0, 3.0])
    (np.float32(3.0), np.float32(3.5))
    """
    i = one_axis(axis, len(y.shape))
    after, before = _neighbours(as_float(y), i)
    heights = multiply(add(after, before), 0.5)
    if x is None:
        return _area(multiply(heights, dx), i)
    steps = subtract(*_neighbours(as_float(x), 0 if len(x.shape) == 1 else i))
    if len(x.shape) == 1:
        steps = kernel.reshape(steps, tuple(-1 if j == i else 1 for j in range(len(y.shape))))
    return _area(multiply(heights, steps), i)


def _area(parts: Any, i: int) -> Any:
    return kernel.reduce_sum(parts, (i,), False)
