"""Shape-and-dtype rules, shared by families of ops. They get KerasTensors where ops get arrays."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import DTypeError
from kbridge.core.tensor.dtypes import COMPLEX, check_fits, counted_result, float_result, result_type, sum_result
from kbridge.core.tensor.shapes import broadcast_shape, every_axis, reduced_shape
from kbridge.core.tensor.symbolic import KerasTensor


def shape_of(x: Any) -> tuple[int | None, ...]:
    """The shape of a KerasTensor; () for a number."""
    return x.shape if isinstance(x, KerasTensor) else ()


def kind_of(x: Any) -> Any:
    """What the promotion table needs to know: a dtype name, or Python's number type."""
    return x.dtype if isinstance(x, KerasTensor) else type(x)


def same(x: KerasTensor, *_: Any, **__: Any) -> KerasTensor:
    """Shape and dtype of the input."""
    return KerasTensor(x.shape, x.dtype)


def floating(x: KerasTensor, *_: Any, **__: Any) -> KerasTensor:
    """Shape of the input, a float type."""
    return KerasTensor(x.shape, float_result(x.dtype))


def boolean(x: KerasTensor, *_: Any, **__: Any) -> KerasTensor:
    """Shape of the input, bool."""
    return KerasTensor(x.shape, "bool")


def together(*xs: Any) -> KerasTensor:
    """Inputs broadcast and promoted."""
    shape: tuple[int | None, ...] = ()
    for x in xs:
        shape = broadcast_shape(shape, shape_of(x))
    dtype = result_type(*(kind_of(x) for x in xs))
    for x in xs:
        check_fits(x, dtype)
    return KerasTensor(shape, dtype)


def compared(x1: Any, x2: Any) -> KerasTensor:
    """Inputs broadcast, the answer bool."""
    return KerasTensor(together(x1, x2).shape, "bool")


def divided(x1: Any, x2: Any) -> KerasTensor:
    """Inputs broadcast and promoted, at least to a float type."""
    both = together(x1, x2)
    return KerasTensor(both.shape, float_result(both.dtype))


def counted(x1: Any, x2: Any) -> KerasTensor:
    """Inputs broadcast and promoted, truth values to whole numbers."""
    both = together(x1, x2)
    return KerasTensor(both.shape, counted_result(both.dtype))


def refusing(rule: Any, dtypes: Any, advice: str) -> Any:
    """`rule`, but for inputs whose common type is one of `dtypes`."""

    def checked(*xs: Any, **more: Any) -> Any:
        kinds = [kind_of(x) for x in xs if isinstance(x, (KerasTensor, bool, int, float, complex))]
        if result_type(*kinds) in dtypes:
            raise DTypeError(f"There is no answer for elements of type {result_type(*kinds)}. {advice}")
        return rule(*xs, **more)

    return checked


def ordered(rule: Any) -> Any:
    """`rule`, for numbers that have an order."""
    return refusing(rule, COMPLEX, "Take `real`, `imag` or `absolute` of complex numbers first.")


def signed(rule: Any) -> Any:
    """`rule`, for numbers: truth values have no sign."""
    return refusing(rule, ("bool",), "Cast it to int32 first, or use logical_not or logical_xor.")


def reduced(x: KerasTensor, axis: Any = None, keepdims: bool = False, **_: Any) -> KerasTensor:
    """The shape without the axes reduced over."""
    return KerasTensor(reduced_shape(x.shape, every_axis(axis, x.ndim), keepdims), x.dtype)


def reduced_to(dtype: str) -> Any:
    """`reduced`, with a fixed dtype."""

    def rule(x: KerasTensor, axis: Any = None, keepdims: bool = False, **_: Any) -> KerasTensor:
        return KerasTensor(reduced(x, axis, keepdims).shape, dtype)

    return rule


def reduced_float(x: KerasTensor, axis: Any = None, keepdims: bool = False, **_: Any) -> KerasTensor:
    """`reduced`, a float type."""
    return KerasTensor(reduced(x, axis, keepdims).shape, float_result(x.dtype))


def reduced_sum(x: KerasTensor, axis: Any = None, keepdims: bool = False, **_: Any) -> KerasTensor:
    """`reduced`, in the type that sums widen to."""
    return KerasTensor(reduced(x, axis, keepdims).shape, sum_result(x.dtype))
