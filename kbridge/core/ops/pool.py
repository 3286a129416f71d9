"""Pools: one number for each window."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.arithmetic import add, divide, floor_divide, minimum, multiply, subtract
from kbridge.core.ops.conv import channels_of, check_windows, laid_out, padding_of, sizes_of, space_of, spatial
from kbridge.core.ops.declare import as_float, kernel, op
from kbridge.core.ops.elementwise import where
from kbridge.core.settings import check_data_format
from kbridge.core.tensor.shapes import window_length
from kbridge.core.tensor.symbolic import KerasTensor


def _pool_rule(
    x: KerasTensor, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> KerasTensor:
    rank, padding, layout = space_of(x), padding_of(padding), check_data_format(data_format)
    window = sizes_of(pool_size, rank, "pool_size")
    steps = window if strides is None else sizes_of(strides, rank, "strides")
    space = [window_length(*each, padding) for each in zip(spatial(x, layout), window, steps, strict=True)]
    return KerasTensor(laid_out(x.shape[0], space, channels_of(x, layout), layout), x.dtype)


def _pooled(verb: Any, x: Any, pool_size: Any, strides: Any, padding: str, data_format: Any) -> Any:
    rank = space_of(x)
    window = sizes_of(pool_size, rank, "pool_size")
    steps = window if strides is None else sizes_of(strides, rank, "strides")
    padding, layout = padding_of(padding), check_data_format(data_format)
    check_windows(x, layout, window, padding)
    return verb(x, window, steps, padding, layout)


@op(_pool_rule)
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """Largest element of each window.

    Args:
        inputs: `(batch, *space, channels)`, or `(batch, channels, *space)` for channels_first; 1 to 3 axes of space.
        pool_size: the window, a number or one for each axis of space.
        strides: steps of the window; the window itself if None.
        padding: "valid" for whole windows only, "same" for windows that reach over the edges.
        data_format: layout of the inputs; the default layout if None.

    >>> import numpy as np
    >>> max_pool(np.arange(5.0).reshape(1, 5, 1), 2, padding="same")[0, :, 0]
    array([1., 3., 4.])
    """
    return _pooled(kernel.max_pool, inputs, pool_size, strides, padding, data_format)


@op(lambda inputs, *args, **kwargs: rules.floating(_pool_rule(inputs, *args, **kwargs)))
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """Mean of each window; what lies over the edges isn't counted. Arguments as in `max_pool`.

    >>> import numpy as np
    >>> average_pool(np.arange(5.0).reshape(1, 5, 1), 2, padding="same")[0, :, 0]
    array([0.5, 2.5, 4. ])
    """
    return _pooled(kernel.average_pool, as_float(inputs), pool_size, strides, padding, data_format)


# --- windows that adapt ---------------------------------------------------------------------------


def _adaptive_rule(x: KerasTensor, output_size: Any, data_format: str | None = None) -> KerasTensor:
    rank, layout = space_of(x), check_data_format(data_format)
    space = sizes_of(output_size, rank, "output_size")
    return KerasTensor(laid_out(x.shape[0], space, channels_of(x, layout), layout), x.dtype)


def _adapted(verb: str, x: Any, output_size: Any, data_format: str | None) -> Any:
    rank, layout = space_of(x), check_data_format(data_format)
    counts, sizes = sizes_of(output_size, rank, "output_size"), spatial(x, layout)
    if None in sizes:
        raise ShapeError(f"The windows follow from the sizes of space, which have to be known; got {tuple(x.shape)}.")
    if all(size % count == 0 for size, count in zip(sizes, counts, strict=True)):
        window = tuple(size // count for size, count in zip(sizes, counts, strict=True))
        return getattr(kernel, verb)(x, window, window, "valid", layout)
    for axis, (size, count) in enumerate(zip(sizes, counts, strict=True), 1 if layout == "channels_last" else 2):
        x = x if size == count else _adapted_along(verb, x, axis, size, count)
    return x


def _adapted_along(verb: str, x: Any, axis: int, size: int, count: int) -> Any:
    """One axis after the other: windows are boxes, so a mean of means, all of one size, is the mean."""
    longest = max(-(-(i + 1) * size // count) - i * size // count for i in range(count))
    number = kernel.arange(0, count, 1, "int32", like=x)
    start = floor_divide(multiply(number, size), count)
    end = floor_divide(add(multiply(add(number, 1), size), count - 1), count)
    places = add(kernel.expand_dims(start, (1,)), kernel.arange(0, longest, 1, "int32", like=x))
    last = kernel.expand_dims(subtract(end, 1), (1,))
    windows = kernel.take(x, minimum(places, last), axis)  # shorter ones end in their last element again
    if verb == "max_pool":
        return kernel.reduce_max(windows, (axis + 1,), False)
    more = (1,) * (len(x.shape) - axis - 1)
    inside = kernel.reshape(kernel.less_equal(places, last), (count, longest, *more))
    total = kernel.reduce_sum(where(inside, windows, 0.0), (axis + 1,), False)
    return divide(total, kernel.cast(kernel.reshape(subtract(end, start), (count, *more)), kernel.dtype_of(x)))


@op(_adaptive_rule)
def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
    """Largest element of each of `output_size` windows, which cover the inputs evenly.

    Args:
        inputs: as in `max_pool`, the sizes of space known.
        output_size: how many windows: a number, or one for each axis of space. Window i of n over
            `size` elements goes from floor(i * size / n) to ceil((i + 1) * size / n).
        data_format: layout of the inputs; the default layout if None.

    Raises:
        ShapeError: a size of space isn't known.

    >>> import numpy as np
    >>> adaptive_max_pool(np.arange(5.0).reshape(1, 5, 1), 3)[0, :, 0]
    array([1., 3., 4.])
    """
    return _adapted("max_pool", inputs, output_size, data_format)


@op(lambda inputs, *args, **kwargs: rules.floating(_adaptive_rule(inputs, *args, **kwargs)))
def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
    """Mean of each of `output_size` windows, which cover the inputs evenly. Arguments as in `adaptive_max_pool`.

    >>> import numpy as np
    >>> adaptive_average_pool(np.arange(5.0).reshape(1, 5, 1), 3)[0, :, 0]
    array([0.5, 2. , 3.5])
    """
    return _adapted("average_pool", as_float(inputs), output_size, data_format)
