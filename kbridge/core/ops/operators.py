"""Python's operators on symbolic tensors and variables, from one table."""

from __future__ import annotations

from typing import Any

from kbridge.core.ops import elementwise, linalg, shape
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
}
COMPARISONS = {
    "lt": elementwise.less,
    "le": elementwise.less_equal,
    "gt": elementwise.greater,
    "ge": elementwise.greater_equal,
}
UNARY = {"neg": elementwise.negative, "abs": elementwise.absolute, "invert": elementwise.logical_not}


def _reversed(function: Any) -> Any:
    return lambda self, other: function(other, self)


def _plain(function: Any) -> Any:
    return lambda self, *others: function(self, *others)


def give_operators(kind: Any) -> None:
    """Give a class Python's operators."""
    for name, function in BINARY.items():
        setattr(kind, f"__{name}__", _plain(function))
        setattr(kind, f"__r{name}__", _reversed(function))
    for name, function in {**COMPARISONS, **UNARY}.items():
        setattr(kind, f"__{name}__", _plain(function))
    kind.__getitem__ = _plain(shape.get_item)


for _kind in (KerasTensor, Variable):
    give_operators(_kind)
