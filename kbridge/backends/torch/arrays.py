"""Making, converting, moving and picking."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from kbridge.core.context import framework_of_type, load_backend
from kbridge.core.errors import BackendError, ForeignGradientError
from kbridge.core.settings import floatx

__all__ = [
    "arange", "broadcast_to", "cast", "concatenate", "convert", "copy_box", "dtype_of", "expand_dims",
    "flip", "full", "full_like", "get_item", "is_tensor_type", "is_tracing", "lend", "lookup", "pad",
    "repeat", "reshape", "scan_time", "shape_of", "split", "squeeze", "stack", "stop_gradient", "take",
    "take_along_axis", "tile", "to_numpy", "transpose", "weak_number",
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
NUMBERS = {bool: "bool", int: "int32", float: None}  # Python's, and what they become; None: the float type


def is_tensor_type(kind: type) -> bool:
    return issubclass(kind, torch.Tensor)


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
    if isinstance(value, torch.Tensor):
        return value if dtype is None or value.dtype == DTYPES[dtype] else value.to(DTYPES[dtype])
    if type(value) in NUMBERS:  # not through NumPy, where Dynamo can't follow
        return torch.tensor(value, dtype=DTYPES[dtype or NUMBERS[type(value)] or floatx()])
    if isinstance(value, np.ndarray) and torch.compiler.is_compiling():  # Dynamo has no ndarray.dtype
        return torch.as_tensor(value) if dtype is None else torch.as_tensor(value).to(DTYPES[dtype])
    framework = framework_of_type(type(value))
    if framework is not None:
        tensor = _borrow(load_backend(framework).lend(value), load_backend(framework))
        return tensor if dtype is None else tensor.to(DTYPES[dtype])
    if type(value) is np.ndarray and dtype is None and value.dtype in PLAIN and value.flags.carray:
        return torch.from_numpy(value)  # the batches of `fit`: no copy, no detour
    if isinstance(value, (list, tuple)) and any(isinstance(v, torch.Tensor) for v in value):
        return torch.stack([convert(v, dtype) for v in value])
    array = load_backend("numpy").convert(value, dtype)
    if array.dtype.name == "bfloat16":  # torch reads ml_dtypes only through its bits
        return torch.from_numpy(array.view("int16")).view(torch.bfloat16)
    if array.dtype.name not in DTYPES:
        raise BackendError(f"torch has no tensors of dtype {array.dtype}. Encode the values as numbers first.")
    if not array.flags.writeable or any(s < 0 for s in array.strides):
        array = array.copy()
    return torch.from_numpy(np.asarray(array))


def _borrow(value: Any, owner: Any) -> Any:
    try:
        return torch.from_dlpack(value)
    except (BufferError, RuntimeError, TypeError, ValueError):  # a layout or type that DLPack doesn't carry
        return convert(owner.to_numpy(value))


def to_numpy(value: Any) -> Any:
    value = value.detach().cpu().resolve_conj().resolve_neg()
    if value.dtype == torch.bfloat16:
        import ml_dtypes

        return value.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return value.numpy()


def dtype_of(value: Any) -> str:
    return NAMES[value.dtype]


def shape_of(value: Any) -> tuple[Any, ...]:
    return tuple(value.shape)


def cast(value: Any, dtype: str) -> Any:
    return value.to(DTYPES[dtype])


def weak_number(value: Any, dtype: str) -> Any:
    return value  # torch has the same rule, once the tensors have the common type


def full(shape: Any, value: Any, dtype: str) -> Any:
    return torch.full(shape, value, dtype=DTYPES[dtype])


def full_like(x: Any, value: Any, dtype: str) -> Any:
    return torch.full_like(x, value, dtype=DTYPES[dtype])


def arange(start: Any, stop: Any, step: Any, dtype: str, like: Any = None) -> Any:
    return torch.arange(start, stop, step, dtype=DTYPES[dtype], device=None if like is None else like.device)


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


broadcast_to, flip, tile = torch.broadcast_to, torch.flip, torch.tile


def repeat(x: Any, repeats: Any, axis: int) -> Any:
    return torch.repeat_interleave(x, repeats, axis)


def pad(x: Any, widths: Any, mode: Any, value: Any) -> Any:
    if mode == "constant":
        flat = [w for pair in reversed(widths) for w in pair]
        return torch.nn.functional.pad(x, flat, value=value)
    for axis, (before, after) in enumerate(widths):
        where = np.pad(np.arange(x.shape[axis]), (before, after), mode)
        x = torch.index_select(x, axis, torch.from_numpy(where).to(x.device))
    return x


def concatenate(xs: Any, axis: int) -> Any:
    return torch.cat(xs, axis)


def stack(xs: Any, axis: int) -> Any:
    return torch.stack(xs, axis)


def split(x: Any, sizes: Any, axis: int) -> Any:
    return list(torch.split(x, sizes, axis))


def _from_front(indices: Any, size: int) -> Any:
    indices = indices.long()
    return torch.where(indices < 0, indices + size, indices)


def take(x: Any, indices: Any, axis: int) -> Any:
    picked = torch.index_select(x, axis, _from_front(indices, x.shape[axis]).reshape(-1))
    return picked.reshape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


def take_along_axis(x: Any, indices: Any, axis: int) -> Any:
    return torch.take_along_dim(x, _from_front(indices, x.shape[axis]), axis)


def lookup(table: Any, indices: Any) -> Any:
    return torch.nn.functional.embedding(indices.long(), table)


def get_item(x: Any, key: Any) -> Any:
    keys = key if isinstance(key, tuple) else (key,)
    for k in keys:
        if isinstance(k, slice) and k.step is not None and k.step < 0:
            raise BackendError("torch has no slices with a negative step. Use kbridge.ops.flip.")
    return x[key]


def stop_gradient(x: Any) -> Any:
    return x.detach()


def scan_time(step: Any, carry: Any, xs: Any) -> Any:
    outputs = []
    for parts in zip(*(x.unbind(0) for x in xs), strict=True):
        carry, y = step(carry, parts)
        outputs.append(y)
    return carry, torch.stack(outputs)


def copy_box(box: dict[str, Any], memo: dict[int, Any]) -> dict[str, Any]:
    from copy import deepcopy

    return deepcopy(box, memo)
