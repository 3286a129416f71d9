"""Elements added around a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.elementwise import maximum, minimum, mod, subtract
from kbridge.core.tensor.dtypes import check_fits
from kbridge.core.tensor.symbolic import KerasTensor


def _widths(pad_width: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """How many elements before and after each axis, from any of the ways NumPy has to say it."""
    given = pad_width.tolist() if isinstance(pad_width, (np.ndarray, np.integer)) else pad_width
    if isinstance(given, int) or all(isinstance(width, int) for width in given):
        given = [given]
    pairs = [(pair, pair) if isinstance(pair, int) else (pair[0], pair[-1]) for pair in given]
    if len(pairs) == 1:
        pairs *= rank
    if len(pairs) != rank:
        raise ShapeError(f"pad_width {pad_width} is for {len(pairs)} axes, the tensor has {rank}.")
    if any(width < 0 for pair in pairs for width in pair):
        raise ArgumentError(f"pad_width can't be negative, got {pad_width}. Use a slice to take elements away.")
    return tuple(pairs)


def _check_mode(mode: str, constant_values: Any) -> None:
    if mode not in PAD_MODES:
        raise ArgumentError(f"mode {mode!r} isn't one of {', '.join(sorted(PAD_MODES))}.")
    if mode != "constant" and constant_values is not None:
        raise ArgumentError(f"`constant_values` goes with `mode == 'constant'` only, got `mode == {mode!r}`.")


def _filling(number: Any, dtype: str) -> Any:
    """What to fill with, without a fraction where the type has none."""
    if number is None:
        return 0
    number = int(number) if isinstance(number, float) and "int" in dtype else number
    check_fits(number, dtype)
    return number


def _pad_rule(x: KerasTensor, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> KerasTensor:
    _check_mode(mode, constant_values)
    _filling(constant_values, x.dtype)
    pairs = _widths(pad_width, x.ndim)
    if 0 in [s for s, pair in zip(x.shape, pairs, strict=True) if pair != (0, 0)] and mode not in ("constant", "empty"):
        raise ShapeError(f"nothing to repeat along an empty axis of {x.shape}. Use mode='constant'.")
    return KerasTensor([None if s is None else s + a + b for s, (a, b) in zip(x.shape, pairs, strict=True)], x.dtype)


@op(_pad_rule)
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """Elements added around the input.

    Args:
        x: the input.
        pad_width: how many: a number, one pair (before, after), or a pair for each axis.
        mode: "constant", "edge" (the outermost element again), "reflect" (mirrored in the outermost element),
            "symmetric" (mirrored behind it), "wrap" or "circular" (from the other end), "empty" (anything).
        constant_values: what "constant" adds, 0 if None.

    Raises:
        ArgumentError: the mode is another, a width is negative, or the type can't hold the value.
        ShapeError: there are other axes, or nothing to repeat along one.

    >>> pad([1, 2, 3], (2, 1), "reflect")
    array([3, 2, 1, 2, 3, 2], dtype=int32)
    """
    _check_mode(mode, constant_values)
    pairs = _widths(pad_width, len(x.shape))
    if mode in ("constant", "empty"):
        return kernel.pad(x, pairs, _filling(constant_values, kernel.dtype_of(x)))
    for axis, (before, after) in enumerate(pairs):
        if before or after:
            size = kernel.shape_of(x)[axis]
            x = kernel.take(x, PAD_MODES[mode](kernel.arange(-before, size + after, 1, "int32", like=x), size), axis)
    return x


def _edge(at: Any, size: Any) -> Any:
    return minimum(maximum(at, 0), size - 1)


def _wrap(at: Any, size: Any) -> Any:
    return mod(at, size)


def _symmetric(at: Any, size: Any) -> Any:
    at = mod(at, 2 * size)
    return minimum(at, subtract(2 * size - 1, at))


def _reflect(at: Any, size: Any) -> Any:
    period = max(2 * size - 2, 1) if isinstance(size, int) else maximum(2 * size - 2, 1)
    at = mod(at, period)
    return minimum(at, subtract(period, at))


# where an element outside is found inside
PAD_MODES: dict[str, Any] = {
    "constant": None, "empty": None, "edge": _edge, "wrap": _wrap, "circular": _wrap, "symmetric": _symmetric,
    "reflect": _reflect,
}  # fmt: skip
