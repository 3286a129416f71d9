"""The short way from an op to its kernel.

Most calls are on float tensors of one type and need none of what an op's body does. Where a backend has a function
that gives the op's result for those from the op's own arguments (`Backend.express`), it is called at once, at the
cost of a thread-local read and a look at classes and dtypes. If it refuses, the call goes the long way, which says
what is wrong in the same words on every backend. Other exceptions pass: some code steers by them, as torch does to end
the second run of a checkpointed function.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from kbridge.core.context import local, when_loaded

Call = Callable[..., Any]
Ways = dict[type, Any]  # by class of tensor: the backend, its dtypes and layout for this, its function
REAL = (int, float)  # a truth value goes the long way: torch subtracts none, and Dynamo follows no failure
# What Python itself raises for arguments that don't do, and so do frameworks; `Backend.express_errors` has theirs.
REFUSALS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
SEATS: dict[type, Any] = {}


def seat_of(kind: type) -> Any:
    """The backend of a class of tensors, and the layout of a dense one if the class doesn't say."""
    return SEATS.get(kind)


def _none(kind: type) -> None:
    """What Dynamo reads for the look into a table: what it traces costs nothing, and guards on tables would."""


seat_of._torchdynamo_inline = _none  # type: ignore[attr-defined]


def _seat(backend: Any) -> None:
    if backend.express:
        SEATS.update((kind, (backend, backend.express_layout)) for kind in backend.ready if kind is not type(None))


when_loaded(_seat)


def _unary(way_of: Any, any_call: Call, weak: bool) -> Call:
    """The call of an op with one argument, `x`: under its own signature, which spares Python a tuple and a dict."""

    def call(x: Any) -> Any:
        if (way := way_of(type(x))) is not None:
            owner, dtypes, layout, express = way
            backend = local.running
            if (
                (backend is owner or (backend is None and (local.scope is None or local.scope is owner)))
                and x.dtype in dtypes
                and (layout is None or x.layout is layout)
            ):
                try:
                    return express(x)
                except (*REFUSALS, *owner.express_errors):
                    return any_call(x)  # says what is wrong
        return any_call(x)

    return call


def _binary(way_of: Any, any_call: Call, weak: bool) -> Call:
    """The same for `x1` and `x2`: two float tensors of one type, or one and a number if the op takes numbers."""
    numbers = REAL if weak else ()

    def call(x1: Any, x2: Any) -> Any:
        if (way := way_of(type(x1))) is not None:
            owner, dtypes, layout, express = way
            backend = local.running
            if (
                (backend is owner or (backend is None and (local.scope is None or local.scope is owner)))
                and (dtype := x1.dtype) in dtypes
                and (layout is None or x1.layout is layout)
                and (
                    x2.dtype == dtype and (layout is None or x2.layout is layout)
                    if type(x2) is type(x1) or way_of(type(x2)) is way
                    else type(x2) in numbers
                )
            ):
                try:
                    return express(x1, x2)
                except (*REFUSALS, *owner.express_errors):
                    return any_call(x1, x2)
        return any_call(x1, x2)

    return call


def _reduction(way_of: Any, any_call: Call, weak: bool) -> Call:
    """The same for `x`, `axis` and `keepdims`: a float tensor along one axis."""

    def call(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if type(axis) is int and (way := way_of(type(x))) is not None:
            owner, dtypes, layout, express = way
            backend = local.running
            if (
                (backend is owner or (backend is None and (local.scope is None or local.scope is owner)))
                and x.dtype in dtypes
                and (layout is None or x.layout is layout)
            ):
                try:
                    return express(x, axis, keepdims)
                except (*REFUSALS, *owner.express_errors):
                    return any_call(x, axis, keepdims)
        return any_call(x, axis, keepdims)

    return call


def _with_options(way_of: Any, any_call: Call, weak: bool) -> Call:
    """The same for two float tensors of one type and settings; the function may be `NotImplemented` for those."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) > 1 and (way := way_of(type(args[0]))) is not None:
            owner, dtypes, layout, express = way
            x, y, backend = args[0], args[1], local.running
            if (
                (backend is owner or (backend is None and (local.scope is None or local.scope is owner)))
                and (dtype := x.dtype) in dtypes
                and (type(y) is type(x) or way_of(type(y)) is way)
                and y.dtype == dtype
                and (layout is None or x.layout is layout is y.layout)
            ):
                try:
                    result = express(*args, **kwargs)
                except (*REFUSALS, *owner.express_errors):
                    result = NotImplemented
                if result is not NotImplemented:
                    return result
        return any_call(*args, **kwargs)

    return call


# by the op's parameters
FORMS = {("x",): _unary, ("x1", "x2"): _binary, ("x", "axis", "keepdims"): _reduction}


def with_express(op: Any, any_call: Call) -> Call:
    """`any_call`, the call of an op, behind the look whether there is a shorter way."""
    form = FORMS.get(tuple(inspect.signature(op.body).parameters)) or (_with_options if op.arrays == 2 else None)
    if form is None or not op.arrays:
        return any_call
    ways = op.ways

    def way_of(kind: type) -> Any:
        return ways.get(kind)

    way_of._torchdynamo_inline = _none  # type: ignore[attr-defined]
    return form(way_of, any_call, op.weak)
