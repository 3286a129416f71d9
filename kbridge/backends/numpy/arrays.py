"""Making, converting, moving and picking."""

from __future__ import annotations

from typing import Any

import ml_dtypes  # noqa: F401  registers bfloat16 and float8 with NumPy
import numpy as np

from kbridge.core.context import framework_of_type, load_backend
from kbridge.core.errors import BackendError
from kbridge.core.settings import floatx
from kbridge.core.tensor.berth import Box
from kbridge.core.tensor.dtypes import complex_default

__all__ = [
    "arange", "broadcast_to", "cast", "concatenate", "convert", "copy", "copy_box", "dtype_of", "expand_dims",
    "flip", "full", "full_like", "get_item", "is_tensor_type", "is_tracing", "lend", "lookup", "pad",
    "repeat", "reshape", "roll", "shape_of", "split", "squeeze", "stack", "stop_gradient", "take",
    "take_along_axis", "tile", "to_numpy", "transpose", "unstack", "view",
    "view_as_complex", "view_as_real", "weak_number",
]  # fmt: skip


def is_tensor_type(kind: type) -> bool:
    return False  # NumPy arrays belong to whoever gets them


def is_tracing() -> bool:
    return False


def lend(value: Any) -> Any:
    return value


def convert(value: Any, dtype: str | None = None) -> Any:
    framework = framework_of_type(type(value))
    if framework is not None:
        owner = load_backend(framework)
        value = owner.to_numpy(owner.lend(value))
    given = type(value)
    array = np.asarray(value)
    if array.dtype == object or array.dtype.kind in "SU":
        if dtype == "string" or array.dtype.kind in "SU":
            return array
        raise BackendError(f"Expected numbers, got {value!r} of type {given.__name__}.")
    if dtype is None and not hasattr(value, "dtype"):
        # Python numbers and lists: 64-bit types are NumPy's habit, not the user's wish
        dtype = {"float64": floatx(), "int64": "int32", "complex128": complex_default()}.get(array.dtype.name)
    elif dtype is None and not array.dtype.isnative:
        dtype = array.dtype.name  # read from a file in another byte order, which no framework knows
    return array if dtype is None or array.dtype == dtype else array.astype(dtype)


def to_numpy(value: Any) -> Any:
    return np.asarray(value)


def dtype_of(value: Any) -> str:
    return "string" if value.dtype.kind in "SUO" else str(value.dtype.name)


def shape_of(value: Any) -> tuple[int, ...]:
    return tuple(value.shape)


def cast(value: Any, dtype: str) -> Any:
    with np.errstate(all="ignore"):  # what doesn't fit becomes infinite in silence, as in the frameworks
        return value.astype(dtype)


def weak_number(value: Any, dtype: str) -> Any:
    return np.asarray(value, dtype)


def full(shape: Any, value: Any, dtype: str) -> Any:
    return np.full(shape, value, dtype)


def full_like(x: Any, value: Any, dtype: str) -> Any:
    return np.full_like(x, value, dtype)


def arange(start: Any, stop: Any, step: Any, dtype: str, like: Any = None) -> Any:
    return np.arange(start, stop, step, dtype=dtype)


reshape, transpose, broadcast_to = np.reshape, np.transpose, np.broadcast_to
expand_dims, squeeze, flip, tile, repeat = np.expand_dims, np.squeeze, np.flip, np.tile, np.repeat
roll, copy = np.roll, np.copy


def view_as_complex(x: Any) -> Any:
    return view(x, "complex64" if x.dtype == "float32" else "complex128")[..., 0]


def view_as_real(x: Any) -> Any:
    return np.stack([x.real, x.imag], -1)


def pad(x: Any, widths: Any, value: Any) -> Any:
    return np.pad(x, widths, constant_values=value)


def view(x: Any, dtype: str) -> Any:
    return np.ascontiguousarray(x).reshape(x.shape).view(dtype)


def concatenate(xs: Any, axis: int) -> Any:
    return np.concatenate(xs, axis)


def stack(xs: Any, axis: int) -> Any:
    return np.stack(xs, axis)


def split(x: Any, sizes: Any, axis: int) -> Any:
    return np.split(x, np.cumsum(sizes)[:-1], axis)


def unstack(x: Any, axis: int, count: int) -> Any:
    return list(np.moveaxis(x, axis, 0))


def take(x: Any, indices: Any, axis: int) -> Any:
    return np.take(x, indices, axis)


def lookup(table: Any, indices: Any) -> Any:
    return table[indices]


take_along_axis = np.take_along_axis


def get_item(x: Any, key: Any) -> Any:
    return x[key]


def stop_gradient(x: Any) -> Any:
    return x


def copy_box(box: Box, key: Any, memo: dict[int, Any]) -> Box:
    return {key: box[key].copy()}
