"""One gradient API for torch, JAX and TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kbridge.core.context import current_backend, decide, running
from kbridge.core.errors import BackendError
from kbridge.core.graph.node import leaves
from kbridge.core.ops.declare import kernel


def value_and_grad(
    fn: Callable[..., Any], variables: Sequence[Any], has_aux: bool = False, states: Sequence[Any] = ()
) -> Callable[..., tuple[Any, list[Any]]]:
    """A function that returns what `fn` returns, and the gradients of its loss.

    Args:
        fn: returns a scalar loss, or `(loss, aux)` with `has_aux`.
        variables: what to differentiate with respect to, for example `model.trainable_variables`.
        has_aux: whether `fn` returns more than the loss.
        states: variables that `fn` writes (running statistics); those of `variables` are known.

    Returns:
        A function with the arguments of `fn` that returns `(what fn returns, gradients)`; a variable that
        the loss doesn't depend on has the gradient None.

    Raises:
        BackendError: on NumPy, which has no gradients.

    >>> import numpy as np
    >>> from kbridge import Variable, backend_scope
    >>> w = Variable(np.array([3.0], "float32"))
    >>> with backend_scope("jax"):
    ...     loss, grads = value_and_grad(lambda: (w * w)[0], [w])()
    >>> float(loss), float(grads[0][0])
    (9.0, 6.0)
    """

    def call(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        given = leaves((args, kwargs))
        backend = decide(given) if given else current_backend()
        if not backend.trains:
            raise BackendError(f"The {backend.name} backend has no gradients. Choose jax, torch or tensorflow.")

        def with_aux() -> tuple[Any, Any]:
            result = fn(*args, **kwargs)
            return result if has_aux else (result, None)

        with running(backend):
            (loss, aux), gradients = kernel.gradients(with_aux, list(variables), list(states))
        return ((loss, aux) if has_aux else loss), gradients

    return call
