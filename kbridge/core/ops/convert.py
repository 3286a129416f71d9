"""Facts about tensors, and the same elements in another form or place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbridge.core.context import SYMBOLIC, current_backend, decide, framework_of, local, running
from kbridge.core.errors import ShapeError
from kbridge.core.ops import rules, storage
from kbridge.core.ops.declare import as_float, homes, kernel, native, op
from kbridge.core.ops.sparse_values import as_dtype
from kbridge.core.tensor.dtypes import COMPLEX, float_result, is_float, standardize_dtype
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import Variable, spec_of


def shape(x: Any) -> tuple[Any, ...]:
    """The sizes of `x`: numbers where known, tensors (TensorFlow) or None (symbolic) where not.

    >>> shape([[1, 2, 3], [4, 5, 6]])
    (2, 3)
    """
    if isinstance(x, (KerasTensor, Variable)):
        return tuple(x.shape)
    with running(local.running or decide([x])):
        if local.running is SYMBOLIC:
            return spec_of(x).shape
        x = native(local.running, x)
        return tuple(x.shape if storage.is_stored(x) else kernel.shape_of(x))


def ndim(x: Any) -> int:
    """How many axes `x` has.

    >>> ndim([[1, 2, 3]])
    2
    """
    return len(shape(x))


@op(lambda x: KerasTensor((), "int32"))
def _count(x: Any) -> Any:
    return kernel.convert(math.prod(kernel.shape_of(x)), "int32")


def size(x: Any) -> Any:
    """How many elements `x` has: a number, or a tensor where a size isn't known yet.

    >>> size([[1, 2, 3], [4, 5, 6]])
    6
    """
    sizes = shape(x)
    return _count(x) if None in sizes else math.prod(sizes)


def dtype(x: Any) -> str:
    """The name of the element type of `x`.

    >>> dtype(convert_to_tensor([1.0]))
    'float32'
    """
    if isinstance(x, (KerasTensor, Variable)):
        return str(x.dtype)
    with running(local.running or decide([x])):
        return spec_of(x).dtype if local.running is SYMBOLIC else str(kernel.dtype_of(native(local.running, x)))


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of a framework, or what the backend in force computes with as it is.

    Neither numbers nor lists are, of whatever shape.

    >>> is_tensor(convert_to_tensor([1.0])), is_tensor([1.0])
    (True, False)
    """
    return x is not None and (framework_of(x) is not None or type(x) in current_backend().ready)


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """`x` as a tensor of the backend in force.

    Args:
        x: a tensor, array, number or nested list of numbers.
        dtype: element type. By default that of `x`; Python's numbers become int32 or the default float type.
        sparse: False makes a sparse tensor dense, else it stays sparse. A dense one stays dense.
        ragged: False fills up the rows of a ragged tensor with 0, else it stays ragged.

    >>> convert_to_tensor([1, 2, 3], "float32")
    array([1., 2., 3.], dtype=float32)
    """
    dtype = None if dtype is None else standardize_dtype(dtype)
    if isinstance(x, KerasTensor):
        x = _filled(x) if (x.sparse and sparse is False) or (x.ragged and ragged is False) else x
        return x if dtype in (None, x.dtype) else _converted(x, dtype)
    if local.running is SYMBOLIC:
        return KerasTensor(spec_of(x).shape, dtype or spec_of(x).dtype)
    with running(local.running or decide(homes([x]))):
        x = native(local.running, storage.seen(x))
        if storage.is_stored(x) and False not in (sparse, ragged):
            return x if dtype is None else as_dtype(x, dtype)
        return kernel.convert(x, dtype)


def array(x: Any, dtype: Any = None) -> Any:
    """The same as `convert_to_tensor`.

    >>> array([[1, 2]])
    array([[1, 2]], dtype=int32)
    """
    return convert_to_tensor(x, dtype)


# The name in the array API standard.
asarray = convert_to_tensor


def convert_to_numpy(x: Any) -> Any:
    """`x` as a NumPy array on the host, of the same shape, that can be written to.

    >>> convert_to_numpy([1.0, 2.0])
    array([1., 2.], dtype=float32)
    """
    if isinstance(x, Variable):
        return x.numpy()
    with running(local.running or decide([x])):
        found = kernel.to_numpy(kernel.convert(storage.seen(x)))
    return found if found.flags.writeable else found.copy()  # JAX lends its memory


@op(lambda x: KerasTensor(x.shape, x.dtype))
def _filled(x: Any) -> Any:
    return kernel.convert(x)


@op(lambda x, dtype: KerasTensor(x.shape, dtype))
def _converted(x: Any, dtype: str) -> Any:
    return kernel.cast(x, dtype)


@op(rules.same, direct=True)
def copy(x: Any) -> Any:
    """The same elements in memory of their own.

    >>> copy(array([1.0, 2.0]))
    array([1., 2.], dtype=float32)
    """
    return kernel.copy(x)


def _width(name: str) -> int:
    if name.startswith("float8"):
        return 1
    return 2 if name == "bfloat16" else np.dtype(name).itemsize


def _view_rule(x: KerasTensor, dtype: Any = None) -> KerasTensor:
    new = x.dtype if dtype is None else standardize_dtype(dtype)
    if _width(new) == _width(x.dtype):
        return KerasTensor(x.shape, new)
    if not x.shape:
        raise ShapeError(f"a scalar of type {x.dtype} has other bytes than one of type {new}. Use ops.cast.")
    last = x.shape[-1]
    if last is not None:
        last, left = divmod(last * _width(x.dtype), _width(new))
        if left:
            raise ShapeError(f"the last axis of {x.shape} in {x.dtype} doesn't fill whole elements of {new}.")
    return KerasTensor((*x.shape[:-1], last), new)


@op(_view_rule)
def view(x: Any, dtype: Any = None) -> Any:
    """The bytes of `x` read as elements of another type; the last axis grows or shrinks with their width.

    Raises:
        ShapeError: the last axis, or a scalar, doesn't fill whole elements of the new type.

    >>> view(array([1.0, -2.0]), "int32")
    array([ 1065353216, -1073741824], dtype=int32)
    """
    _view_rule(spec_of(x), dtype)
    return x if dtype is None else kernel.view(x, standardize_dtype(dtype))


def _complex_rule(x: KerasTensor) -> KerasTensor:
    if not x.shape or x.shape[-1] not in (2, None):
        raise ShapeError(f"Last dimension of input must be size 2, real and imaginary part; got shape {x.shape}.")
    return KerasTensor(x.shape[:-1], "complex64")


@op(_complex_rule)
def view_as_complex(x: Any) -> Any:
    """Pairs of a real and an imaginary part as complex numbers: `(..., 2) -> (...)`.

    They are complex64, as in Keras, whatever the type of the parts.

    Raises:
        ShapeError: the last axis doesn't have size 2.

    >>> view_as_complex([[1.0, 2.0], [3.0, -4.0]])
    array([1.+2.j, 3.-4.j], dtype=complex64)
    """
    _complex_rule(spec_of(x))
    return kernel.view_as_complex(x if kernel.dtype_of(x) == "float32" else kernel.cast(x, "float32"))


def _real_rule(x: KerasTensor) -> KerasTensor:
    if x.dtype not in COMPLEX:
        return KerasTensor((*x.shape, 2), float_result(x.dtype))
    return KerasTensor((*x.shape, 2), "float64" if x.dtype == "complex128" else "float32")


@op(_real_rule)
def view_as_real(x: Any) -> Any:
    """Complex numbers as pairs of a real and an imaginary part: `(...) -> (..., 2)`.

    >>> view_as_real(array([1 + 2j], "complex64"))
    array([[1., 2.]], dtype=float32)
    """
    if kernel.dtype_of(x) in COMPLEX:
        return kernel.view_as_real(x)
    x = x if is_float(kernel.dtype_of(x)) else as_float(x)
    return kernel.stack([x, kernel.full_like(x, 0, kernel.dtype_of(x))], len(x.shape))
