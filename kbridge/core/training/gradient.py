"""One gradient API for torch, JAX and TensorFlow."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree

from kbridge.core.context import SYMBOLIC, local, running
from kbridge.core.errors import ArgumentError, BackendError, DTypeError, ShapeError
from kbridge.core.graph.node import NAMESPACE, map_leaves
from kbridge.core.ops.declare import kernel, native
from kbridge.core.ops.differentiate import is_differentiable
from kbridge.core.ops.function_op import specs
from kbridge.core.ops.outermost import backend_for, flat
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import Variable

Wanted = int | Variable | Sequence[int | Variable]


def value_and_grad(
    fn: Callable[..., Any], argnums: Wanted = 0, has_aux: bool = False, states: Sequence[Variable] = ()
) -> Callable[..., tuple[Any, Any]]:
    """A function that returns what `fn` returns, and the gradients of its loss.

    Args:
        fn: returns a scalar loss, or `(loss, aux)` with `has_aux`.
        argnums: what to differentiate with respect to: the position of an argument (a tree of float arrays
            and Variables), or a Variable that `fn` reads; or a list or tuple of such, for as many gradients.
        has_aux: whether `fn` returns more than the loss.
        states: variables that `fn` writes (running statistics). In compiled calls and on JAX they have to be told.

    Returns:
        A function with the arguments of `fn` that returns `(what fn returns, gradients)`. A gradient has the
        shape of what it belongs to, zero where the loss doesn't depend on it. It works inside `jax.jit`,
        `tf.function` and `torch.compile`, and inside itself. In eager torch, what it returns can be differentiated
        further inside another such call, or if an argument requires a gradient.

    Raises:
        BackendError: on NumPy, which has no gradients.
        ShapeError: the loss isn't a scalar.
        DTypeError: the loss, or what to differentiate by, isn't of floats.

    >>> import numpy as np
    >>> from kbridge import Variable, backend_scope
    >>> w = Variable(np.array([3.0], "float32"))
    >>> with backend_scope("jax"):
    ...     loss, gradient = value_and_grad(lambda x: (w * x * x)[0])(np.array([2.0], "float32"))
    ...     same_loss, gradients = value_and_grad(lambda x: (w * x * x)[0], [w])(2.0)
    >>> float(loss), float(gradient[0]), float(same_loss), float(gradients[0][0])
    (12.0, 12.0, 12.0, 4.0)
    """
    several = isinstance(argnums, (list, tuple))
    wanted: list[Any] = list(argnums) if isinstance(argnums, (list, tuple)) else [argnums]

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        given = flat(args, kwargs)
        if local.running is SYMBOLIC:
            return fn(*args, **kwargs), _packed([specs(_entry(args, each)) for each in wanted])
        if any(isinstance(leaf, KerasTensor) for leaf in given):
            raise BackendError("A symbolic tensor has no gradient. Put the computation into a Layer and call that.")
        backend = local.running or backend_for(given, [each for each in wanted if isinstance(each, Variable)])
        if not backend.trains:
            raise BackendError(f"The {backend.name} backend has no gradients. Choose jax, torch or tensorflow.")
        with running(backend):
            return differentiated(args, kwargs)

    def differentiated(args: Any, kwargs: Any) -> tuple[Any, Any]:
        trees = [optree.tree_flatten(_entry(args, each), namespace=NAMESPACE) for each in wanted]
        held = [leaf for found, _ in trees for leaf in found]
        variables = list(dict.fromkeys(leaf for leaf in held if isinstance(leaf, Variable)))
        inputs = [native(local.running, leaf) for leaf in held if not isinstance(leaf, Variable)]
        for value in (*inputs, *(variable.value for variable in variables)):
            if not is_differentiable(value):
                raise DTypeError(f"Only floats have gradients, got {kernel.dtype_of(value)}. Choose other argnums.")
        rest = [map_leaves(_as_native, arg) for arg in args]
        named = {name: map_leaves(_as_native, arg) for name, arg in kwargs.items()}

        def run(*tensors: Any) -> tuple[Any, Any]:
            remaining = iter(tensors)
            for each, (found, structure) in zip(wanted, trees, strict=True):
                if isinstance(each, int):
                    put = [leaf if isinstance(leaf, Variable) else next(remaining) for leaf in found]
                    rest[each] = optree.tree_unflatten(structure, put)
            loss, aux = fn(*rest, **named) if has_aux else (fn(*rest, **named), None)
            return _scalar(loss), aux

        (loss, aux), gradients = kernel.gradients(run, variables, list(states), inputs)
        of_variable = dict(zip(variables, gradients, strict=False))
        remaining = iter(zip(inputs, gradients[len(variables) :], strict=True))

        def gradient_of(leaf: Any) -> Any:
            value, gradient = (leaf, of_variable[leaf]) if isinstance(leaf, Variable) else next(remaining)
            if gradient is None:
                value = native(local.running, value)
                return kernel.full_like(value, 0, kernel.dtype_of(value))
            return native(local.running, gradient)

        each_tree = [optree.tree_unflatten(structure, [gradient_of(v) for v in found]) for found, structure in trees]
        return ((loss, aux) if has_aux else loss), _packed(each_tree)

    def _packed(found: list[Any]) -> Any:
        return (tuple(found) if isinstance(argnums, tuple) else found) if several else found[0]

    call.autograph_info__ = {}  # type: ignore[attr-defined]  # TF's AutoGraph leaves us alone
    return call


def grad(
    fn: Callable[..., Any], argnums: Wanted = 0, has_aux: bool = False, states: Sequence[Variable] = ()
) -> Callable[..., Any]:
    """A function that returns the gradients of the scalar `fn`; with `has_aux` also its aux. See `value_and_grad`.

    >>> from kbridge import backend_scope
    >>> with backend_scope("jax"):
    ...     float(grad(grad(lambda x: x**3))(2.0))
    12.0
    """
    both = value_and_grad(fn, argnums, has_aux, states)

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        value, gradients = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    call.autograph_info__ = {}  # type: ignore[attr-defined]  # TF's AutoGraph leaves us alone
    return call


def _entry(args: Any, each: Any) -> Any:
    """What one of `argnums` stands for."""
    if isinstance(each, Variable):
        return each
    if not isinstance(each, int) or not -len(args) <= each < len(args):
        raise ArgumentError(
            f"argnums are positions among the {len(args)} positional arguments, or Variables; got {each!r}."
        )
    return args[each]


def _as_native(leaf: Any) -> Any:
    """NumPy arrays become tensors, that they may meet the others; the rest stays."""
    return native(local.running, leaf) if isinstance(leaf, (np.ndarray, np.generic)) else leaf


def _scalar(loss: Any) -> Any:
    loss = native(local.running, loss)
    if len(loss.shape):
        raise ShapeError(f"A gradient is of one number, but the loss has shape {tuple(loss.shape)}. Take its mean.")
    if not is_differentiable(loss):
        raise DTypeError(f"The loss is {kernel.dtype_of(loss)}; only floats have gradients.")
    return loss
