"""Ops that say how a function changes: a gradient of one's own, and the forward derivative."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from kbridge.core.context import local, running
from kbridge.core.errors import DTypeError, ShapeError
from kbridge.core.graph.node import leaves
from kbridge.core.ops.declare import kernel
from kbridge.core.ops.function_op import function_op, nested, opened, specs
from kbridge.core.tensor.dtypes import is_float


def is_differentiable(value: Any) -> bool:
    """Whether a native tensor holds fractions."""
    return value.dtype in local.running.float_dtypes


def custom_gradient(f: Callable[..., tuple[Any, Callable[..., Any]]]) -> Callable[..., Any]:
    """A function whose gradient is written by hand.

    Args:
        f: `f(*args) -> (output, grad)`, of trees of arrays; `grad(*upstream)` gets the gradient of each
            output and returns that of each argument (None: zero). Keyword arguments aren't differentiated,
            nor are tensors that `f` takes from outside of itself.

    Returns:
        `f` with only its output. NumPy has no gradients: there it is just that.

    >>> import numpy as np
    >>> from kbridge import backend_scope, grad, ops
    >>> @custom_gradient
    ... def log1pexp(x):
    ...     e = ops.exp(x)
    ...     return ops.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
    >>> with backend_scope("jax"):
    ...     float(grad(log1pexp)(100.0))  # the formula's own gradient is NaN here: exp overflows
    1.0
    """

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        return with_gradient(_Held(f, kwargs), args)

    call.autograph_info__ = {}  # type: ignore[attr-defined]  # TF's AutoGraph leaves us alone
    return call


class _Held:
    """A call that a graph keeps as it is: its second result is a function."""

    def __init__(self, function: Callable[..., Any], named: dict[str, Any]) -> None:
        self.function = function
        self.named = named

    def run(self, args: Any) -> tuple[Any, Callable[..., Any]]:
        return self.function(*args, **self.named)


@function_op(lambda held, args: held.run(specs(args))[0], trees=("args",))
def with_gradient(held: _Held, args: Any) -> Any:
    """The output of a function of `args` that returns `(output, grad)`, with that gradient."""
    found, structure = opened(args)
    where = [i for i, value in enumerate(found) if is_differentiable(value)]
    outputs: list[Any] = []  # the structure of the output, once it is known

    def function(*values: Any) -> Any:
        given = list(found)
        for i, value in zip(where, values, strict=True):
            given[i] = value
        output, grad = held.run(nested(structure, given))
        output, shape = opened(output)
        outputs[:] = [shape]
        backend = local.running

        def rule(*upstream: Any) -> tuple[Any, ...]:
            if local.running is not backend:  # the framework calls this when it likes
                with running(backend):
                    return rule(*upstream)
            back = grad(*upstream)
            back = leaves(list(back) if isinstance(back, (list, tuple)) else [back])
            if len(back) != len(found):
                raise ShapeError(
                    f"custom_gradient: the gradient function returned {len(back)} gradients for {len(found)} arrays."
                )
            return tuple([_or_zeros(opened(back[i])[0], given[i]) for i in where])

        return output, rule

    result = kernel.custom_gradient(function, [found[i] for i in where])
    return nested(outputs[0], result)


def _or_zeros(found: list[Any], like: Any) -> Any:
    return found[0] if found else kernel.full_like(like, 0, kernel.dtype_of(like))


def _jvp_rule(fun: Any, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    _check_directions(leaves(specs(list(primals))), leaves(specs(list(tangents))))
    result = fun(*specs(list(primals)))
    return (result[0], result[0], result[1]) if has_aux else (result, result)


def _check_directions(primals: list[Any], tangents: list[Any]) -> None:
    if [each.shape for each in primals] != [each.shape for each in tangents]:
        raise ShapeError(f"primals {primals} and tangents {tangents} differ in shape.")
    for each in primals:
        if not is_float(each.dtype):
            raise DTypeError(f"a primal is {each.dtype}; only floats have derivatives. Cast it first.")


@function_op(_jvp_rule, trees=("primals", "tangents"))
def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The output of `fun(*primals)` and how fast it changes along `tangents`, forward through the function.

    Args:
        fun: a function of trees of float arrays.
        primals, tangents: a tuple or list of its arguments, and of directions with the same shapes.
        has_aux: whether `fun` returns `(output, aux)`.

    Returns:
        `(output, tangent of the output)`, and `aux` with `has_aux`.

    Raises:
        BackendError: on NumPy, which has no derivatives.
        ShapeError: a tangent has another shape than its primal.
        DTypeError: a primal isn't made of floats.

    >>> from kbridge import backend_scope, ops
    >>> with backend_scope("jax"):
    ...     value, slope = jvp(lambda x: x * x * x, (2.0,), (1.0,))
    >>> float(value), float(slope)
    (8.0, 12.0)
    """
    found, structure = opened(tuple(primals))
    along, _ = opened(tuple(tangents))
    _check_directions(specs(found), specs(along))
    along = [kernel.cast(t, kernel.dtype_of(p)) for p, t in zip(found, along, strict=True)]
    outputs: list[Any] = []

    def function(*values: Any) -> Any:
        result = fun(*nested(structure, values))
        result, aux = result if has_aux else (result, ())
        result, shape = opened(result)
        aux, held = opened(aux)
        outputs[:] = [shape, held]
        return tuple(result), tuple(aux)

    results, slopes, aux = kernel.jvp(function, tuple(found), tuple(along))
    pair = nested(outputs[0], results), nested(outputs[0], slopes)
    return (*pair, nested(outputs[1], aux)) if has_aux else pair
