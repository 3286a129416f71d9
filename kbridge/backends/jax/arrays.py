"""Making, converting, moving and picking.

A jitted call with static arguments costs a third of the jnp function called bare, which checks and
canonicalises in Python first. `inline` leaves no trace of the inner jit in an outer one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes  # noqa: F401  registers bfloat16 and float8 with NumPy
from jax import lax
from jax._src.core import trace_state_clean  # jax.core no longer names it (seen in 0.10.2)

from kbridge.backends.jax.sparse import dense, is_sparse_type
from kbridge.core.context import framework_of_type, load_backend
from kbridge.core.errors import BackendError, ForeignGradientError
from kbridge.core.tensor.berth import Box

__all__ = [
    "arange", "broadcast_to", "cast", "concatenate", "convert", "copy", "copy_box", "dtype_of", "expand_dims",
    "flip", "full", "full_like", "get_item", "is_tensor_type", "is_tracing", "lend", "lookup", "pad",
    "repeat", "reshape", "roll", "shape_of", "split", "squeeze", "stack", "stop_gradient", "take",
    "take_along_axis", "tile", "to_numpy", "transpose", "unstack", "view",
    "view_as_complex", "view_as_real", "weak_number",
]  # fmt: skip

TENSORS = (jax.Array, jax.core.Tracer)
with jax.ensure_compile_time_eval():  # this module may be loaded in the middle of a trace
    READY: set[type] = {type(None), type(jnp.zeros(()))}
READY_OR_NUMBER: set[type] = READY | {bool, int, float, complex}
NAMES: dict[Any, str] = {}  # NumPy computes dtype.name anew each time, in 2 µs

# 64-bit types become 32-bit ones unless the user has switched on jax_enable_x64; without a warning.
native_dtype = jax.dtypes.canonicalize_dtype


def compiled(function: Callable[..., Any], *static: int) -> Any:
    """`function` as one jitted call; `static` are the positions of arguments that aren't arrays."""
    jitted = jax.jit(function, static_argnums=static, inline=True)
    if not static:
        return jitted

    def call(*args: Any) -> Any:
        try:
            return jitted(*args)
        except ValueError:  # JAX's word for static arguments without a hash: sizes and axes may be arrays
            if not any(_holds_tensors((args[i],)) for i in static):
                raise
        return jitted(*(_as_numbers(value) if i in static else value for i, value in enumerate(args)))

    return call


def _as_numbers(value: Any) -> Any:
    """A static argument with its arrays as numbers; a tracer refuses."""
    if isinstance(value, (list, tuple)):
        return tuple(_as_numbers(each) for each in value)
    return value.tolist() if isinstance(value, jax.Array) else value


def is_tensor_type(kind: type) -> bool:
    return issubclass(kind, TENSORS) or is_sparse_type(kind)


def is_tracing() -> bool:
    return not trace_state_clean()


def lend(value: Any) -> Any:
    """`value` for another framework; a gradient is never cut silently."""
    if isinstance(value, jax.core.Tracer):
        raise ForeignGradientError(
            "A value that JAX is tracing (jit, grad, vmap) can't be used in another framework: it has no "
            "numbers yet, and its gradient would be lost. Run this part in JAX: "
            "`with kbridge.backend_scope('jax'):`, or move it out of the traced function."
        )
    return dense(value) if is_sparse_type(type(value)) else value


def convert(value: Any, dtype: str | None = None) -> Any:
    kind = type(value)
    if issubclass(kind, TENSORS):
        READY.add(kind)
        READY_OR_NUMBER.add(kind)
        return value if dtype is None or dtype_of(value) == dtype else cast(value, dtype)
    if is_sparse_type(kind):
        return convert(dense(value), dtype)
    framework = framework_of_type(kind)
    if framework is not None:
        array = _borrow(load_backend(framework), value)
        return array if dtype is None else cast(array, dtype)
    if kind in (list, tuple) and _holds_tensors(value):
        return jnp.stack([convert(v, dtype) for v in value])
    host = load_backend("numpy").convert(value, dtype)
    if host.dtype.kind in "OSU":
        raise BackendError(f"JAX has no arrays of dtype {host.dtype}. Encode the values as numbers first.")
    return jnp.array(host)  # a copy: JAX computes later, when the caller may have refilled theirs


def _holds_tensors(values: Any) -> bool:
    return any(isinstance(v, TENSORS) or (isinstance(v, (list, tuple)) and _holds_tensors(v)) for v in values)


def _borrow(owner: Any, value: Any) -> Any:
    value = owner.lend(value)
    try:
        return jnp.from_dlpack(value)
    except (BufferError, RuntimeError, TypeError, ValueError):  # a layout or type that DLPack doesn't carry
        return jnp.array(owner.to_numpy(value))


def to_numpy(value: Any) -> Any:
    return jax.device_get(lend(value))


def dtype_of(value: Any) -> str:
    dtype = value.dtype
    try:
        return NAMES[dtype]
    except KeyError:
        return NAMES.setdefault(dtype, str(dtype))


def shape_of(value: Any) -> tuple[Any, ...]:
    return tuple(value.shape)


_cast = compiled(lax.convert_element_type, 1)


def cast(value: Any, dtype: str) -> Any:
    return _cast(value, native_dtype(dtype))


def weak_number(value: Any, dtype: str) -> Any:
    return value  # JAX has the same rule


def full(shape: Any, value: Any, dtype: str) -> Any:
    return jnp.full(shape, value, native_dtype(dtype))


def full_like(x: Any, value: Any, dtype: str) -> Any:
    return jnp.full(x.shape, value, native_dtype(dtype))


def arange(start: Any, stop: Any, step: Any, dtype: str, like: Any = None) -> Any:
    return jnp.arange(start, stop, step, native_dtype(dtype))


def _unstack(x: Any, axis: int, count: int) -> Any:
    return [lax.index_in_dim(x, i, axis, keepdims=False) for i in range(count)]


def _view(x: Any, dtype: str) -> Any:
    return x.view(native_dtype(dtype))


reshape, transpose = compiled(jnp.reshape, 1), compiled(jnp.transpose, 1)
broadcast_to, expand_dims = compiled(jnp.broadcast_to, 1), compiled(jnp.expand_dims, 1)
squeeze, flip, tile = compiled(jnp.squeeze, 1), compiled(jnp.flip, 1), compiled(jnp.tile, 1)
concatenate, stack, roll = compiled(jnp.concatenate, 1), compiled(jnp.stack, 1), compiled(jnp.roll, 1, 2)
take, take_along_axis, unstack = compiled(jnp.take, 2), compiled(jnp.take_along_axis, 2), compiled(_unstack, 1, 2)
copy, view = jnp.copy, compiled(_view, 1)
lookup = compiled(lambda table, indices: jnp.take(table, indices, 0))


_repeat = compiled(jnp.repeat, 1, 2)


def repeat(x: Any, repeats: Any, axis: int) -> Any:
    return (_repeat if isinstance(repeats, int) else jnp.repeat)(x, repeats, axis)


view_as_complex = compiled(lambda x: lax.complex(x[..., 0], x[..., 1]))
view_as_real = compiled(lambda x: jnp.stack([x.real, x.imag], -1))


def pad(x: Any, widths: Any, value: Any) -> Any:
    return jnp.pad(x, widths, constant_values=value)


_split = compiled(lax.split, 1, 2)


def split(x: Any, sizes: Any, axis: int) -> Any:
    return list(_split(x, tuple(sizes), axis))


def get_item(x: Any, key: Any) -> Any:
    return x[key]


stop_gradient = lax.stop_gradient


def copy_box(box: Box, key: Any, memo: dict[int, Any]) -> Box:
    return {key: box[key].copy()}  # a training step gives its buffers away
