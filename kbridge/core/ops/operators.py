"""Python's operators on symbolic tensors and variables, from one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kbridge.core.context import framework_of_type
from kbridge.core.errors import DTypeError
from kbridge.core.ops import bitwise, elementwise, linalg, shape
from kbridge.core.tensor.dtypes import is_int_dtype
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import Variable

BINARY = {
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "mul": elementwise.multiply,
    "truediv": elementwise.divide,
    "floordiv": elementwise.floor_divide,
    "mod": elementwise.mod,
    "pow": elementwise.power,
    "matmul": linalg.matmul,
    "and": elementwise.logical_and,
    "or": elementwise.logical_or,
    "xor": elementwise.logical_xor,
}
COMPARISONS = {
    "lt": elementwise.less,
    "le": elementwise.less_equal,
    "gt": elementwise.greater,
    "ge": elementwise.greater_equal,
}
UNARY = {
    "neg": elementwise.negative,
    "pos": elementwise.positive,
    "abs": elementwise.absolute,
    "invert": elementwise.logical_not,
}
DATA = (bool, int, float, complex, list, tuple, np.ndarray, np.generic, KerasTensor, Variable)


def _reversed(function: Any) -> Any:
    return lambda self, other: function(other, self)


def _plain(function: Any) -> Any:
    return lambda self, *others: function(self, *others)


def _compared(function: Any) -> Any:
    """An op for `==` or `!=`. What is no data differs, as Python's objects do."""

    def compare(self: Any, other: Any) -> Any:
        if isinstance(other, DATA) or framework_of_type(type(other)) is not None:
            return function(self, other)
        return NotImplemented

    return compare


def give_operators(kind: Any) -> None:
    """Give a class Python's operators."""
    for name, function in BINARY.items():
        setattr(kind, f"__{name}__", _plain(function))
        setattr(kind, f"__r{name}__", _reversed(function))
    for name, function in {**COMPARISONS, **UNARY}.items():
        setattr(kind, f"__{name}__", _plain(function))
    kind.__ne__ = _compared(elementwise.not_equal)
    kind.__getitem__ = _plain(shape.get_item)
    kind.__round__ = lambda self, ndigits=None: elementwise.round(self, ndigits or 0)


for _kind in (KerasTensor, Variable):
    give_operators(_kind)


# --- what only symbolic tensors have: NumPy's methods -----------------------------------------------


def _reshape(self: KerasTensor, newshape: Any) -> Any:
    return shape.reshape(self, newshape)


def _squeeze(self: KerasTensor, axis: Any = None) -> Any:
    return shape.squeeze(self, axis)


KerasTensor.reshape = _reshape  # type: ignore[attr-defined]
KerasTensor.squeeze = _squeeze  # type: ignore[attr-defined]

# --- what only variables have: there are numbers in them -----------------------------------------------


def _inverted(self: Variable) -> Any:
    return elementwise.logical_not(self) if self.dtype == "bool" else bitwise.bitwise_not(self)


def _number(kind: Any) -> Any:
    def convert(self: Variable) -> Any:
        if self.shape:
            raise DTypeError(f"{self.path} has shape {self.shape}; only a variable of shape () is a number. Pick one.")
        return kind(self.numpy())

    return convert


def _position(self: Variable) -> int:
    if self.shape or not is_int_dtype(self.dtype):
        raise DTypeError(f"{self.path} is {self.dtype}{list(self.shape)}; only one whole number is a position.")
    return int(self.numpy())


def _no_truth(self: Variable) -> bool:
    raise DTypeError(
        f"{self.path} cannot be used as a boolean: a compiled step can't branch on it. "
        "Use kbridge.ops.cond or where, or convert it: bool(int(variable))."
    )


def _rows(self: Variable) -> Iterator[Any]:
    if not self.shape:
        raise DTypeError(f"{self.path} has shape (), so there is nothing to iterate over.")
    return (self[i] for i in range(self.shape[0]))  # type: ignore[index]


# Set from outside of the class, `==` leaves the hash that all objects have; TorchDynamo follows no other (2.13).
for _name, _method in {
    "eq": _compared(elementwise.equal),
    "invert": _inverted,
    "int": _number(int),
    "float": _number(float),
    "index": _position,
    "bool": _no_truth,
    "iter": _rows,
}.items():
    setattr(Variable, f"__{_name}__", _method)
