"""Making, converting, moving and picking, by ops that LiteRT, TF.js and ONNX know.

Raw ops, because they cost a third of their tf.* functions in an eager call. A free size is a scalar
tensor in `shape_of` and -1 again in `reshape`, so that no arithmetic on shapes is left in the graph.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.eager.record import could_possibly_record, should_record_backprop

from kbridge.core.context import framework_of_type, load_backend
from kbridge.core.errors import ForeignGradientError

__all__ = [
    "arange", "broadcast_to", "cast", "concatenate", "convert", "copy_box", "dtype_of", "expand_dims",
    "flip", "full", "full_like", "get_item", "is_tensor_type", "is_tracing", "lend", "lookup", "pad",
    "repeat", "reshape", "scan_time", "shape_of", "split", "squeeze", "stack", "stop_gradient", "take",
    "take_along_axis", "tile", "to_numpy", "transpose", "weak_number",
]  # fmt: skip

raw = tf.raw_ops
with tf.init_scope():  # this module may be loaded in the middle of a trace
    EAGER = type(tf.zeros(()))
NATIVE = (tf.Tensor, tf.Variable)
TENSORS = (*NATIVE, tf.IndexedSlices)  # what a gradient of `take` may be
READY: set[type] = {type(None), EAGER}
READY_OR_NUMBER: set[type] = READY | {bool, int, float}


def is_tensor_type(kind: type) -> bool:
    return issubclass(kind, TENSORS)


def is_tracing() -> bool:
    return not tf.executing_eagerly()


def lend(value: Any) -> Any:
    """`value` for another framework; a gradient is never cut silently."""
    if isinstance(value, (tf.Variable, tf.IndexedSlices)):
        value = tf.convert_to_tensor(value)
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
            value = tf.convert_to_tensor(value)
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
    return list(sizes) if all(map(known, sizes)) else tf.stack(sizes)


def cast(value: Any, dtype: str) -> Any:
    return raw.Cast(x=value, DstT=dtype)


def weak_number(value: Any, dtype: str) -> Any:
    return tf.constant(value, dtype)


def full(shape: Any, value: Any, dtype: str) -> Any:
    return raw.Fill(dims=settled(shape), value=convert(value, dtype))


def full_like(x: Any, value: Any, dtype: str) -> Any:
    if value == 0 and x.dtype.name == dtype:
        return raw.ZerosLike(x=x)
    return full(shape_of(x), value, dtype)


def arange(start: Any, stop: Any, step: Any, dtype: str, like: Any = None) -> Any:
    if dtype in ("uint8", "bool"):  # Range knows neither
        return cast(tf.range(start, stop, step, "int32"), dtype)
    return tf.range(start, stop, step, dtype)


def reshape(x: Any, shape: Any) -> Any:
    sizes = [s if known(s) else -1 for s in shape]
    if sizes.count(-1) > 1 or (0 in sizes and -1 in sizes):
        return raw.Reshape(tensor=x, shape=settled(shape))
    return raw.Reshape(tensor=x, shape=sizes)


def transpose(x: Any, axes: Any) -> Any:
    return x if tuple(axes) == tuple(range(len(axes))) else raw.Transpose(x=x, perm=axes)


def broadcast_to(x: Any, shape: Any) -> Any:
    return raw.BroadcastTo(input=x, shape=settled(shape))


def expand_dims(x: Any, axes: Any) -> Any:
    for axis in axes:
        x = raw.ExpandDims(input=x, axis=axis)
    return x


def squeeze(x: Any, axes: Any) -> Any:
    return raw.Squeeze(input=x, axis=list(axes))


def flip(x: Any, axes: Any) -> Any:
    return raw.ReverseV2(tensor=x, axis=axes)


def tile(x: Any, times: Any) -> Any:
    x = expand_dims(x, (0,) * (len(times) - len(x.shape)))
    return raw.Tile(input=x, multiples=times)


def repeat(x: Any, repeats: int, axis: int) -> Any:
    sizes = list(shape_of(x))
    sizes[axis] = sizes[axis] * repeats
    times = [1] * (len(sizes) + 1)
    times[axis + 1] = repeats
    return reshape(raw.Tile(input=raw.ExpandDims(input=x, axis=axis + 1), multiples=times), sizes)


def pad(x: Any, widths: Any, mode: str, value: Any) -> Any:
    return tf.pad(x, widths, mode, value)


def concatenate(xs: Any, axis: int) -> Any:
    return raw.ConcatV2(values=list(xs), axis=axis)


def stack(xs: Any, axis: int) -> Any:
    return raw.Pack(values=list(xs), axis=axis)


def split(x: Any, sizes: Any, axis: int) -> Any:
    if all(size is sizes[0] or (known(size) and size == sizes[0]) for size in sizes):
        return tf.split(x, len(sizes), axis)
    return tf.split(x, settled(sizes), axis)


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
    order = list(range(last + 1))
    order[axis], order[last] = last, axis
    indices = _from_front(indices, shape_of(x)[axis])
    picked = raw.GatherV2(params=transpose(x, order), indices=transpose(indices, order), axis=last, batch_dims=last)
    return transpose(picked, order)


def get_item(x: Any, key: Any) -> Any:
    keys = key if isinstance(key, tuple) else (key,)
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


def scan_time(step: Any, carry: Any, xs: Any) -> Any:
    if tf.executing_eagerly():
        outputs = []
        for parts in zip(*(tf.unstack(x) for x in xs), strict=True):
            carry, y = step(carry, parts)
            outputs.append(y)
        return carry, tf.stack(outputs)
    return _scan_in_graph(step, tuple(carry), xs)


def _scan_in_graph(step: Any, carry: Any, xs: Any) -> Any:
    length = shape_of(xs[0])[0]
    y = _output_spec(step, carry, xs)
    sized = all(x.shape[1:].is_fully_defined() for x in xs)
    if sized or could_possibly_record() or None in y.shape[1:]:
        sources = [tf.TensorArray(x.dtype, length, element_shape=x.shape[1:]).unstack(x) for x in xs]
        sink = tf.TensorArray(y.dtype, length, element_shape=y.shape)
        read, write, stacked = tf.TensorArray.read, tf.TensorArray.write, tf.TensorArray.stack
    else:  # LiteRT has no TensorArray of elements with a free size; the gradient of this form is slow
        sources = xs
        sink = full((length, *(shape_of(xs[0])[1] if s is None else s for s in y.shape)), 0, y.dtype.name)
        read, write, stacked = tf.gather, _put, tf.identity

    def body(t: Any, carry: Any, sink: Any) -> Any:
        carry, y = step(carry, tuple(read(source, t) for source in sources))
        return t + 1, tuple(carry), write(sink, t, y)

    most = length if known(length) else None
    _, carry, sink = tf.while_loop(lambda t, *_: t < length, body, (0, carry, sink), maximum_iterations=most)
    ys = stacked(sink)
    ys.set_shape((xs[0].shape[0], *y.shape))
    return carry, ys


def _put(sink: Any, t: Any, y: Any) -> Any:
    return tf.tensor_scatter_nd_update(sink, tf.reshape(t, [1, 1]), tf.expand_dims(y, 0))


def _output_spec(step: Any, carry: Any, xs: Any) -> tf.TensorSpec:
    """Type and shape of what `step` puts out, from a trace into a graph that is thrown away."""
    with tf.__internal__.FuncGraph("scan_step").as_default():
        _, y = step(carry, tuple(x[0] for x in xs))
        return tf.TensorSpec(y.shape, y.dtype)


def copy_box(box: dict[str, Any], memo: dict[int, Any]) -> dict[str, Any]:
    from copy import deepcopy

    return deepcopy(box, memo)
