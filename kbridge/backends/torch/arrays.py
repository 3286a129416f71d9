"""Making, converting, moving and picking."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from kbridge.backends.torch.device import placed
from kbridge.backends.torch.sparse import SparseTensor, dense
from kbridge.backends.torch.unsigned import moved
from kbridge.core.context import framework_of_type, load_backend
from kbridge.core.errors import BackendError, ForeignGradientError
from kbridge.core.settings import floatx
from kbridge.core.tensor.berth import Box

__all__ = [
    "arange", "broadcast_to", "cast", "concatenate", "convert", "copy", "copy_box", "dtype_of", "expand_dims",
    "flip", "full", "full_like", "get_item", "is_tensor_type", "is_tracing", "lend", "lookup", "pad",
    "repeat", "reshape", "roll", "shape_of", "split", "squeeze", "stack", "stop_gradient", "take",
    "take_along_axis", "tile", "to_numpy", "transpose", "unstack", "view",
    "view_as_complex", "view_as_real", "weak_number",
]  # fmt: skip

DTYPES = {
    name: getattr(torch, name)
    for name in (
        "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16",
        "bfloat16", "float32", "float64", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2",
    )
}  # fmt: skip
# NumPy's dtypes that torch has too; the rest (bfloat16, text) takes more care
PLAIN = frozenset(np.dtype(name) for name in DTYPES if "bfloat" not in name and "float8" not in name)
NAMES = {dtype: name for name, dtype in DTYPES.items()}
# types of ml_dtypes, which torch reads only through their bits
BITS = {"bfloat16": "int16", "float8_e4m3fn": "uint8", "float8_e5m2": "uint8"}
RANGES = frozenset(("uint8", "int8", "int16", "int32", "int64", "bfloat16", "float16", "float32", "float64"))
NUMBERS = {bool: "bool", int: "int32", float: None}  # Python's, and what they become; None: the float type


def is_tensor_type(kind: type) -> bool:
    return issubclass(kind, (torch.Tensor, SparseTensor))


def is_tracing() -> bool:
    # Dynamo runs our Python once per trace; torch.export without Dynamo runs it on fake tensors
    return torch.compiler.is_compiling()


def lend(value: Any) -> Any:
    """`value` for another framework; a gradient is never cut silently."""
    if value.requires_grad and torch.is_grad_enabled():
        raise ForeignGradientError(
            "A torch tensor that requires a gradient can't be used in another framework: the gradient "
            "would be lost. Call .detach() on it, or run the model in torch: `with kbridge.backend_scope('torch'):`."
        )
    if torch._subclasses.fake_tensor.is_fake(value):
        raise ForeignGradientError(
            "A tensor that torch is tracing (torch.compile, torch.export) can't be used in another framework. "
            "Run this part in torch, or outside of the trace."
        )
    return value.detach()


def convert(value: Any, dtype: str | None = None) -> Any:
    if type(value) is SparseTensor:
        value = dense(value)
    if isinstance(value, torch.Tensor):
        return value if dtype is None or value.dtype == DTYPES[dtype] else value.to(DTYPES[dtype])
    if type(value) in NUMBERS:  # not through NumPy, where Dynamo can't follow
        return torch.tensor(value, dtype=DTYPES[dtype or NUMBERS[type(value)] or floatx()])
    if torch.compiler.is_compiling() and (found := _traced(value)) is not None:
        return found if dtype is None else found.to(DTYPES[dtype])
    framework = framework_of_type(type(value))
    if framework is not None:
        tensor = _borrow(load_backend(framework).lend(value), load_backend(framework))
        return tensor if dtype is None else tensor.to(DTYPES[dtype])
    if type(value) is np.ndarray and dtype is None and value.dtype in PLAIN and value.flags.carray:
        return placed(torch.from_numpy(value))  # the batches of `fit`: no copy, no detour
    if isinstance(value, (list, tuple)) and any(isinstance(v, torch.Tensor) for v in value):
        return torch.stack([convert(v, dtype) for v in value])
    array = load_backend("numpy").convert(value, dtype)
    if array.dtype.name in BITS:
        return placed(torch.from_numpy(array.view(BITS[array.dtype.name])).view(DTYPES[array.dtype.name]))
    if array.dtype.name not in DTYPES:
        raise BackendError(f"torch has no tensors of dtype {array.dtype}. Encode the values as numbers first.")
    if not array.flags.writeable or any(s < 0 for s in array.strides):
        array = array.copy()
    return placed(torch.from_numpy(np.asarray(array)))


def _traced(value: Any) -> Any:
    """Arrays and lists of numbers under Dynamo, which has no ndarray.dtype."""
    if isinstance(value, np.ndarray):
        return torch.as_tensor(value)
    if not isinstance(value, (list, tuple)) or not _only_numbers(value):
        return None
    tensor = torch.tensor(value)
    return tensor.to(DTYPES[{torch.int64: "int32", torch.float32: floatx()}.get(tensor.dtype, "bool")])


def _only_numbers(values: Any) -> bool:
    return all(_only_numbers(v) if isinstance(v, (list, tuple)) else type(v) in NUMBERS for v in values)


def _borrow(value: Any, owner: Any) -> Any:
    try:
        return torch.from_dlpack(value)
    except (BufferError, RuntimeError, TypeError, ValueError):  # a layout or type that DLPack doesn't carry
        return convert(owner.to_numpy(value))


def to_numpy(value: Any) -> Any:
    value = value.detach().cpu().resolve_conj().resolve_neg()
    name = NAMES[value.dtype]
    if name in BITS:
        import ml_dtypes

        return value.view(DTYPES[BITS[name]]).numpy().view(getattr(ml_dtypes, name))
    return value.numpy()


def dtype_of(value: Any) -> str:
    return NAMES[value.dtype]


def shape_of(value: Any) -> tuple[Any, ...]:
    return tuple(value.shape)


def cast(value: Any, dtype: str) -> Any:
    return value.to(DTYPES[dtype])


def weak_number(value: Any, dtype: str) -> Any:
    # torch has the same rule, once the tensors have the common type, but for truth values
    return int(value) if type(value) is bool and dtype != "bool" else value


def full(shape: Any, value: Any, dtype: str) -> Any:
    return torch.full(shape, value, dtype=DTYPES[dtype])


def full_like(x: Any, value: Any, dtype: str) -> Any:
    return torch.full_like(x, value, dtype=DTYPES[dtype])


def arange(start: Any, stop: Any, step: Any, dtype: str, like: Any = None) -> Any:
    device = None if like is None else like.device
    if dtype in RANGES:  # those that torch.arange knows
        return torch.arange(start, stop, step, dtype=DTYPES[dtype], device=device)
    return torch.arange(start, stop, step, device=device).to(DTYPES[dtype])


def reshape(x: Any, shape: Any) -> Any:
    return x.reshape(shape)


def transpose(x: Any, axes: Any) -> Any:
    return x.permute(axes)


def expand_dims(x: Any, axes: Any) -> Any:
    for axis in axes:
        x = x.unsqueeze(axis)
    return x


def squeeze(x: Any, axes: Any) -> Any:
    return x.squeeze(axes)


broadcast_to, flip, tile = torch.broadcast_to, moved(torch.flip), torch.tile


def repeat(x: Any, repeats: Any, axis: int) -> Any:
    return torch.repeat_interleave(x, repeats, axis)


def roll(x: Any, shifts: Any, axes: Any) -> Any:
    return torch.roll(x, shifts, axes)


def copy(x: Any) -> Any:
    return x.clone()


def view(x: Any, dtype: str) -> Any:
    return x.contiguous().view(DTYPES[dtype])


def view_as_complex(x: Any) -> Any:
    return torch.complex(x[..., 0], x[..., 1])  # torch.view_as_complex takes some strides only


view_as_real = torch.view_as_real


def pad(x: Any, widths: Any, value: Any) -> Any:
    return torch.nn.functional.pad(x, [w for pair in reversed(widths) for w in pair], value=value)


def concatenate(xs: Any, axis: int) -> Any:
    return torch.cat(xs, axis)


def stack(xs: Any, axis: int) -> Any:
    return torch.stack(xs, axis)


def split(x: Any, sizes: Any, axis: int) -> Any:
    return list(torch.split(x, sizes, axis))


def unstack(x: Any, axis: int, count: int) -> Any:
    return list(torch.unbind(x, axis))


def _from_front(indices: Any, size: int) -> Any:
    indices = indices.long()
    return torch.where(indices < 0, indices + size, indices)


@moved
def take(x: Any, indices: Any, axis: int) -> Any:
    if indices.dim() == 1:
        return _picked(x, axis, indices)
    return _picked(x, axis, indices.reshape(-1)).reshape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


def _picked(x: Any, axis: int, places: Any) -> Any:
    """On a CPU torch looks at each index itself, so none is touched before it finds one that counts from the back."""
    if x.device.type == "cpu" and places.dtype in (torch.int32, torch.int64) and not torch.compiler.is_compiling():
        try:
            return torch.index_select(x, axis, places)
        except (IndexError, RuntimeError):
            pass  # from the back it may be in range
    return torch.index_select(x, axis, _from_front(places, x.shape[axis]))


@moved
def take_along_axis(x: Any, indices: Any, axis: int) -> Any:
    return torch.take_along_dim(x, _from_front(indices, x.shape[axis]), axis)


def lookup(table: Any, indices: Any) -> Any:
    return torch.nn.functional.embedding(indices.long(), table)


def get_item(x: Any, key: Any) -> Any:
    keys: Any = key if isinstance(key, tuple) else (key,)
    for k in keys:
        if isinstance(k, torch.Tensor) or _backwards(k):
            break
    else:
        return x[key]
    if any(isinstance(k, torch.Tensor) for k in keys):
        keys = tuple([_as_index(k, x.device) for k in keys])
    keys = list(keys)
    for position, k in enumerate(keys):
        if _backwards(k):  # torch has none: slice forwards and turn
            axis = _taken(keys[:position]) if Ellipsis not in keys[:position] else -_taken(keys[position:])
            places = range(*k.indices(x.shape[axis]))
            forwards = slice(places[-1], places[0] + 1, -k.step) if places else slice(0, 0)
            before = axis if axis >= 0 else x.ndim + axis
            x = flip(x[(slice(None),) * before + (forwards,)], (axis,))
            keys[position] = slice(None)
    return x[tuple(keys)]


def _backwards(k: Any) -> bool:
    return isinstance(k, slice) and isinstance(k.step, int) and k.step < 0


def _as_index(k: Any, device: Any) -> Any:
    """A key beside index arrays: torch reads bytes as a mask, and lets a number take its axis away too early."""
    if isinstance(k, torch.Tensor):
        return k.long() if k.dtype != torch.bool else k
    return torch.tensor([k], device=device) if isinstance(k, int) else k


def _taken(keys: Any) -> int:
    """How many axes these keys use up."""
    return sum(k.ndim if isinstance(k, torch.Tensor) and k.dtype == torch.bool else k is not None for k in keys)


def stop_gradient(x: Any) -> Any:
    return x.detach()


def copy_box(box: Box, key: Any, memo: dict[int, Any]) -> Box:
    from copy import deepcopy

    return deepcopy(box, memo)
