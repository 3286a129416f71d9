"""Making, converting, moving and picking, by ops that LiteRT, TF.js and ONNX know.

Raw ops, because they cost a third of their tf.* functions in an eager call. A free size is a scalar
tensor in `shape_of` and -1 again in `reshape`, so that no arithmetic on shapes is left in the graph.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager.record import should_record_backprop

from kbridge.backends.tensorflow.keys import pick_by_arrays
from kbridge.backends.tensorflow.sparse import dense
from kbridge.core.context import framework_of_type, load_backend
from kbridge.core.errors import ForeignGradientError, ShapeError
from kbridge.core.tensor.berth import Box

__all__ = [
    "arange", "broadcast_to", "cast", "concatenate", "convert", "copy", "copy_box", "dtype_of", "expand_dims",
    "flip", "full", "full_like", "get_item", "is_tensor_type", "is_tracing", "lend", "lookup", "pad",
    "repeat", "reshape", "roll", "shape_of", "split", "squeeze", "stack", "stop_gradient", "take",
    "take_along_axis", "tile", "to_numpy", "transpose", "unstack", "view",
    "view_as_complex", "view_as_real", "weak_number",
]  # fmt: skip

raw = tf.raw_ops
with tf.init_scope():  # this module may be loaded in the middle of a trace
    EAGER = type(tf.zeros(()))
NATIVE = (tf.Tensor, tf.Variable)
TENSORS = (*NATIVE, tf.SparseTensor, tf.IndexedSlices, tf.RaggedTensor)
ALIGNED = 64  # bytes: TensorFlow ends the process when a kernel meets borrowed memory that starts elsewhere (2.21)
EIGHTS = frozenset(map(tf.as_dtype, ("float8_e4m3fn", "float8_e5m2")))
READY: set[type] = {type(None), EAGER}
READY_OR_NUMBER: set[type] = READY | {bool, int, float, complex}


def is_tensor_type(kind: type) -> bool:
    return issubclass(kind, TENSORS)


def is_tracing() -> bool:
    return not tf.executing_eagerly()


def lend(value: Any) -> Any:
    """`value` for another framework; a gradient is never cut silently."""
    if isinstance(value, tf.Variable):
        value = tf.convert_to_tensor(value)
    elif not isinstance(value, tf.Tensor):
        value = dense(value)
    if type(value) is not EAGER:
        raise ForeignGradientError(
            "A tensor that TensorFlow is tracing (tf.function, Dataset.map) can't be used in another "
            "framework: it has no numbers yet. Run this part in TensorFlow: "
            "`with kbridge.backend_scope('tensorflow'):`, or move it out of the traced function."
        )
    if should_record_backprop([value]):
        raise ForeignGradientError(
            "A tensor that a tf.GradientTape watches can't be used in another framework: the gradient would "
            "be lost. Use tf.stop_gradient(x), or run the model in TensorFlow: "
            "`with kbridge.backend_scope('tensorflow'):`."
        )
    return value


def convert(value: Any, dtype: str | None = None) -> Any:
    kind = type(value)
    if issubclass(kind, TENSORS):
        if not issubclass(kind, NATIVE):
            value = dense(value)
        READY.add(type(value))
        READY_OR_NUMBER.add(type(value))
        return value if dtype is None or value.dtype == dtype else cast(value, dtype)
    framework = framework_of_type(kind)
    if framework is not None:
        tensor = _borrow(load_backend(framework), value)
        return tensor if dtype is None or tensor.dtype == dtype else cast(tensor, dtype)
    if kind in (list, tuple) and _holds_tensors(value):
        return tf.stack([convert(v, dtype) for v in value])
    return tf.constant(load_backend("numpy").convert(value, dtype))


def _holds_tensors(values: Any) -> bool:
    return any(isinstance(v, TENSORS) or (isinstance(v, (list, tuple)) and _holds_tensors(v)) for v in values)


def _borrow(owner: Any, value: Any) -> Any:
    value = owner.lend(value)
    try:
        if np.from_dlpack(value).ctypes.data % ALIGNED:
            return tf.constant(owner.to_numpy(value))
        return tf.experimental.dlpack.from_dlpack(value.__dlpack__())
    except (BufferError, RuntimeError, ValueError, tf.errors.InvalidArgumentError):
        return tf.constant(owner.to_numpy(value))  # a layout or type that DLPack doesn't carry


def to_numpy(value: Any) -> Any:
    if isinstance(value, tf.Variable):
        with tf.init_scope():  # its numbers are there inside a trace too
            return value.numpy()
    if type(value) is EAGER:
        return value.numpy()
    return lend(value).numpy()


def dtype_of(value: Any) -> str:
    return value.dtype.name


def shape_of(value: Any) -> tuple[Any, ...]:
    sizes = tuple(value.shape)
    if None not in sizes:
        return sizes
    free = raw.Shape(input=value)
    return tuple(free[i] if size is None else size for i, size in enumerate(sizes))


def known(size: Any) -> bool:
    """Whether a size from `shape_of` is a number."""
    return not isinstance(size, tf.Tensor)


def settled(sizes: Any) -> Any:
    """Sizes from `shape_of` as what a TF op takes for a shape."""
    return numbers(sizes) if all(map(known, sizes)) else tf.stack(sizes)


def numbers(values: Any) -> Any:
    """Sizes or axes for an op: as an array they cost an eager call 9 µs, as a list or tuple 22."""
    return np.array(values, "int32")


def cast(value: Any, dtype: str) -> Any:
    if value.dtype in EIGHTS or "float8" in dtype:  # which TensorFlow casts to and from floats alone
        value = raw.Cast(x=value, DstT=tf.float32)
    return raw.Cast(x=value, DstT=dtype)


def weak_number(value: Any, dtype: str) -> Any:
    if type(value) is bool and dtype != "bool":
        value = int(value)
    return tf.constant(value, dtype)


def full(shape: Any, value: Any, dtype: str) -> Any:
    return raw.Fill(dims=settled(shape), value=convert(value, dtype))


def full_like(x: Any, value: Any, dtype: str) -> Any:
    if value == 0 and x.dtype.name == dtype:
        return raw.ZerosLike(x=x)
    return full(shape_of(x), value, dtype)


def arange(start: Any, stop: Any, step: Any, dtype: str, like: Any = None) -> Any:
    if dtype in ("int32", "int64", "float32", "float64"):  # Range knows no others everywhere
        return tf.range(start, stop, step, dtype)
    return cast(tf.range(start, stop, step), dtype)


def reshape(x: Any, shape: Any) -> Any:
    sizes = [s if known(s) else -1 for s in shape]
    if sizes.count(-1) > 1 or (0 in sizes and -1 in sizes):
        if 0 in sizes and any(known(s) and s == -1 for s in shape):
            raise ShapeError(f"Can't reshape {tuple(x.shape)} to {tuple(shape)}: a size of 0 leaves that of -1 open.")
        return raw.Reshape(tensor=x, shape=settled(shape))
    return raw.Reshape(tensor=x, shape=numbers(sizes))


def transpose(x: Any, axes: Any) -> Any:
    return x if tuple(axes) == tuple(range(len(axes))) else raw.Transpose(x=x, perm=numbers(axes))


def broadcast_to(x: Any, shape: Any) -> Any:
    return raw.BroadcastTo(input=x, shape=settled(shape))


def expand_dims(x: Any, axes: Any) -> Any:
    for axis in axes:
        x = raw.ExpandDims(input=x, axis=axis)
    return x


def squeeze(x: Any, axes: Any) -> Any:
    return raw.Squeeze(input=x, axis=list(axes))


def flip(x: Any, axes: Any) -> Any:
    return raw.ReverseV2(tensor=x, axis=numbers(axes))


def tile(x: Any, times: Any) -> Any:
    x = expand_dims(x, (0,) * (len(times) - len(x.shape)))
    if x.dtype is tf.uint16:  # the one type that Tile has no kernel for
        return raw.Cast(x=raw.Tile(input=raw.Cast(x=x, DstT=tf.int32), multiples=times), DstT=tf.uint16)
    return raw.Tile(input=x, multiples=times)


def repeat(x: Any, repeats: Any, axis: int) -> Any:
    if not isinstance(repeats, int):
        return tf.repeat(x, repeats, axis)
    sizes = list(shape_of(x))
    sizes[axis] = sizes[axis] * repeats
    times = [1] * (len(sizes) + 1)
    times[axis + 1] = repeats
    return reshape(tile(raw.ExpandDims(input=x, axis=axis + 1), times), sizes)


def roll(x: Any, shifts: Any, axes: Any) -> Any:
    return raw.Roll(input=x, shift=shifts, axis=axes)


def copy(x: Any) -> Any:
    return tf.identity(x)


def view(x: Any, dtype: str) -> Any:
    old, new = x.dtype.size, tf.as_dtype(dtype).size
    if x.dtype == tf.bool:  # Bitcast knows none
        x = cast(x, "uint8")
    sizes = shape_of(x)
    if new > old:
        x = reshape(x, (*sizes[:-1], sizes[-1] * old // new, new // old))
    x = tf.not_equal(raw.Bitcast(input=x, type=tf.uint8), 0) if dtype == "bool" else raw.Bitcast(input=x, type=dtype)
    return reshape(x, (*sizes[:-1], sizes[-1] * (old // new))) if new < old else x


def view_as_complex(x: Any) -> Any:
    return tf.complex(x[..., 0], x[..., 1])


def view_as_real(x: Any) -> Any:
    return tf.stack([tf.math.real(x), tf.math.imag(x)], -1)


def pad(x: Any, widths: Any, value: Any) -> Any:
    return tf.pad(x, widths, "constant", bool(value) if x.dtype is tf.bool else value)


def concatenate(xs: Any, axis: int) -> Any:
    return raw.ConcatV2(values=list(xs), axis=axis) if len(xs) > 1 else xs[0]


def stack(xs: Any, axis: int) -> Any:
    return raw.Pack(values=list(xs), axis=axis)


def split(x: Any, sizes: Any, axis: int) -> Any:
    if all(size is sizes[0] or (known(size) and size == sizes[0]) for size in sizes):
        return tf.split(x, len(sizes), axis)
    return tf.split(x, settled(sizes), axis)


def unstack(x: Any, axis: int, count: int) -> Any:
    return tf.unstack(x, count, axis)


def _from_front(indices: Any, size: Any) -> Any:
    """Indices as `Gather` takes them: counted from the front, in a type that it knows."""
    if indices.dtype not in (tf.int32, tf.int64):
        indices = raw.Cast(x=indices, DstT=tf.int32)
    size = tf.cast(size, indices.dtype)
    return tf.where(raw.Less(x=indices, y=tf.zeros((), indices.dtype)), indices + size, indices)


def take(x: Any, indices: Any, axis: int) -> Any:
    return raw.GatherV2(params=x, indices=_from_front(indices, shape_of(x)[axis]), axis=axis)


def lookup(table: Any, indices: Any) -> Any:
    if indices.dtype not in (tf.int32, tf.int64):
        indices = raw.Cast(x=indices, DstT=tf.int32)
    return raw.GatherV2(params=table, indices=indices, axis=0)


def take_along_axis(x: Any, indices: Any, axis: int) -> Any:
    last = len(x.shape) - 1
    x, indices = _alike_beside(x, indices, axis)
    order = list(range(last + 1))
    order[axis], order[last] = last, axis
    indices = _from_front(indices, shape_of(x)[axis])
    picked = raw.GatherV2(params=transpose(x, order), indices=transpose(indices, order), axis=last, batch_dims=last)
    return transpose(picked, order)


def _alike_beside(x: Any, indices: Any, axis: int) -> Any:
    """Both broadcast along the other axes, where that is asked for."""
    if all(i == axis or a == b for i, (a, b) in enumerate(zip(x.shape, indices.shape, strict=True))):
        return x, indices
    sizes = [b if known(a) and a == 1 else a for a, b in zip(shape_of(x), shape_of(indices), strict=True)]
    return tuple(broadcast_to(y, (*sizes[:axis], shape_of(y)[axis], *sizes[axis + 1 :])) for y in (x, indices))


def get_item(x: Any, key: Any) -> Any:
    keys = key if isinstance(key, tuple) else (key,)
    if any(isinstance(k, NATIVE) and (k.shape.rank or k.dtype == tf.bool) for k in keys):
        return pick_by_arrays(x, keys)
    if all(k is not None for k in keys):
        return x[key]
    # LiteRT has no slice with new axes; slice first and put them in afterwards
    picked = x[tuple(k for k in keys if k is not None)]
    named = sum(1 for k in keys if k is not None and k is not Ellipsis)
    position = 0
    for k in keys:
        if k is None:
            picked = raw.ExpandDims(input=picked, axis=position)
        position += len(x.shape) - named if k is Ellipsis else int(k is None or isinstance(k, slice))
    return picked


stop_gradient = tf.stop_gradient


def copy_box(box: Box, key: Any, memo: dict[int, Any]) -> Box:
    from copy import deepcopy

    return deepcopy(box, memo)
