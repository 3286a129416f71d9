"""Functions made of ops that may be the outermost call: the tensors they get decide where they run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from kbridge.core.context import SYMBOLIC, decide, framework_of_type, local, running
from kbridge.core.graph.node import leaves, map_leaves
from kbridge.core.ops import operators as operators  # optimizers and metrics compute with variables
from kbridge.core.ops.declare import homes, native
from kbridge.core.ops.elementwise import cast
from kbridge.core.ops.shape import convert_to_tensor
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import Variable

ARRAYS = (np.ndarray, np.generic, Variable)


def backend_for(values: Iterable[Any], variables: Iterable[Variable] = ()) -> Any:
    """The backend for an outermost call on these arguments; `variables` decide where no array does."""
    arrays = [v for v in values if isinstance(v, ARRAYS) or framework_of_type(type(v)) is not None]
    return decide(homes([*arrays, *variables]))


def flat(args: Any, kwargs: dict[str, Any]) -> list[Any]:
    """The arguments of a call, nested ones opened. Dynamo can't follow optree into a dict (torch 2.13)."""
    given = [*args, *kwargs.values()]
    return leaves(given) if any(isinstance(v, (list, tuple, dict)) for v in given) else given


def outermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let `function` choose its backend by its arguments when no outer call has chosen one.

    On symbolic tensors it runs as it is: the ops inside know what to do. A method of an object that
    has `variables` runs where those live if its arguments don't decide.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if local.running is not None:
            return function(*args, **kwargs)
        given = flat(args, kwargs)
        if any(isinstance(value, KerasTensor) for value in given):
            return function(*args, **kwargs)
        backend = backend_for(given, getattr(args[0], "variables", ()) if args else ())
        with running(backend):
            if backend.reveal is None:
                return function(*args, **kwargs)
            if (reveal := backend.reveal(given)) is not None:
                args, kwargs = map_leaves(reveal, (args, kwargs))
            return backend.conceal(function(*args, **kwargs))

    call.autograph_info__ = {}  # type: ignore[attr-defined]  # TF's AutoGraph leaves us alone
    return call


def as_tensor(x: Any, dtype: str | None = None) -> Any:
    """`x` as a tensor of the running backend, in `dtype` if one is given; symbolic tensors stay symbolic."""
    backend = local.running
    if dtype is None and backend is not None and backend is not SYMBOLIC and type(x) in backend.ready:
        return x
    if backend is None or backend is SYMBOLIC or isinstance(x, KerasTensor):
        x = convert_to_tensor(x)
        return x if dtype is None else cast(x, dtype)
    x = native(backend, x)
    return x if dtype is None or backend.dtype_of(x) == dtype else backend.cast(x, dtype)


def dtype_of(x: Any) -> str:
    """The name of a tensor's element type."""
    return str(x.dtype) if isinstance(x, KerasTensor) else str(local.running.dtype_of(x))
