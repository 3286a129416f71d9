"""What an artefact takes and gives: names, shapes and dtypes of its inputs and outputs."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from kbridge.adapters.require import require
from kbridge.core.errors import ExportError, ShapeError


class Port(NamedTuple):
    """One input or output of an artefact.

    None in `shape` is a free size, a `shape` of None is a free rank.
    """

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str

    def __str__(self) -> str:
        if self.shape is None:
            return f"`{self.name}` (any shape) {self.dtype}"
        sizes = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"`{self.name}` ({sizes}) {self.dtype}"


def concrete(function: Any) -> Any:
    """The concrete function behind a `tf.function` with an input signature, or the one given."""
    if hasattr(function, "structured_input_signature"):
        return function
    if getattr(function, "input_signature", None) is None:
        raise ExportError(
            f"{function!r} has no input signature. Pass `tf.function(f, input_signature=[...])` or "
            "what its `get_concrete_function` returns."
        )
    return function.get_concrete_function()


def input_ports(function: Any) -> tuple[Port, ...]:
    """The inputs of a concrete function in order, with the names that a SavedModel gives them."""
    arguments = function.inputs[: len(function.inputs) - len(function.captured_inputs)]
    ports = tuple(_port(_argument_name(tensor), tensor) for tensor in arguments)
    names = [port.name for port in ports]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise ExportError(f"Several inputs are called {twins}. Give each a name of its own.")
    return ports


def output_ports(function: Any) -> tuple[Port, ...]:
    """The outputs of a concrete function, flat, with the names that a SavedModel gives them."""
    # `function.outputs` won't do: it grows when a gradient is taken through the function.
    flat = require("tensorflow", "export").nest.flatten(function.structured_outputs)
    tensors = [tensor for tensor in flat if hasattr(tensor, "shape")]
    names = _output_names(function.structured_outputs)
    if not tensors:
        raise ExportError("The function returns no tensor, so there is nothing to export.")
    if len(names) != len(tensors):
        raise ExportError(f"The outputs {names} are nested. Return a tensor, or a flat list or dict of tensors.")
    return tuple(map(_port, names, tensors))


def _output_names(outputs: Any) -> list[str]:
    if hasattr(outputs, "_asdict"):
        return list(outputs._fields)
    if isinstance(outputs, Mapping):
        return sorted(outputs)  # TensorFlow flattens a dict by sorted key
    count = len(outputs) if isinstance(outputs, Sequence) else 1
    return [f"output_{index}" for index in range(count)]


def bind(ports: Sequence[Port], given: Sequence[Any] | Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Arrays by input name, checked and brought to the dtype of their port.

    Args:
        ports: the inputs in order.
        given: arrays in that order, or a dict by name.

    Raises:
        ShapeError: a name, a rank or a fixed size differs.
        TypeError: a dtype can't be converted without loss of kind or range.

    >>> bind([Port("x", (None, 2), "float32")], [[[1, 2]]])
    {'x': array([[1., 2.]], dtype=float32)}
    """
    names = [port.name for port in ports]
    if not isinstance(given, Mapping):
        if len(given) != len(ports):
            raise ShapeError(f"{len(given)} inputs were given, {len(ports)} are expected: {names}.")
        given = dict(zip(names, given, strict=True))
    if set(given) != set(names):
        raise ShapeError(f"Inputs {sorted(given)} were given, {names} are expected.")
    return {port.name: _fit(port, np.asarray(given[port.name])) for port in ports}


def _port(name: str, tensor: Any) -> Port:
    shape = tensor.shape
    sizes = None if shape.rank is None else tuple(shape.as_list())
    return Port(name, sizes, tensor.dtype.name)


def _argument_name(tensor: Any) -> str:
    try:
        return tensor.op.get_attr("_user_specified_name").decode()
    except ValueError:  # a function that was loaded from a file has lost the attribute
        return tensor.op.name


def _fit(port: Port, array: np.ndarray) -> np.ndarray:
    fits = port.shape is None or (
        len(port.shape) == array.ndim
        and all(size in (None, got) for size, got in zip(port.shape, array.shape, strict=True))
    )
    if not fits:
        raise ShapeError(f"Input {port} was given an array of shape {array.shape}.")
    dtype = np.dtype(port.dtype)
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise TypeError(f"Input {port} was given {array.dtype}. Convert it first.")
    if array.dtype.kind in "iu" and dtype.kind in "iu" and array.size:
        limits = np.iinfo(dtype)
        if array.min() < limits.min or array.max() > limits.max:
            raise TypeError(f"Input {port} was given values outside of {limits.min}…{limits.max}.")
    return np.ascontiguousarray(array, dtype).reshape(array.shape)
