"""Blocks that a program opens around its code: names, devices, and the mark of a symbolic run."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from kbridge.core.context import SYMBOLIC, current_backend, local
from kbridge.core.errors import ArgumentError
from kbridge.core.naming import forget_names


class name_scope:
    """Variables made inside have this name in their path.

    Args:
        name: a string without "/".
        caller: who opens it.
        deduplicate: whether the same caller may open the same name again, right inside, to no effect.
        override_parent: a path, "a/b", that takes the place of the names around.

    >>> from kbridge import Variable
    >>> with name_scope("encoder"):
    ...     Variable(0, name="step").path
    'encoder/step'
    """

    def __init__(
        self, name: str, caller: Any = None, deduplicate: bool = True, override_parent: str | None = None
    ) -> None:
        if not isinstance(name, str) or "/" in name:
            raise ArgumentError(f"A scope's `name` must be a string without '/', got {name!r}.")
        self.name = name
        self.caller = caller
        self.deduplicate = deduplicate
        self.override_parent = override_parent
        self._before: list[Any] = []

    def __enter__(self) -> Self:
        names, opener = local.names, local.names_opener
        self._before.append((names, opener))
        again = opener is not None and opener[0] is names and opener[1] is self.caller and names[-1] == self.name
        if self.caller is None or not self.deduplicate or not again:
            outer = names if self.override_parent is None else tuple(filter(None, self.override_parent.split("/")))
            local.names = (*outer, self.name)
            local.names_opener = local.names, self.caller
        return self

    def __exit__(self, *error: Any) -> None:
        local.names, local.names_opener = self._before.pop()


class SymbolicScope:
    """Marks code that is run to learn shapes and dtypes, not for its numbers.

    Ops inside work as ever. Code of your own asks `SymbolicScope.active()`, which is true too in a layer
    that is being followed for its output shapes, and leaves out there what only numbers need.

    >>> with SymbolicScope():
    ...     SymbolicScope.active()
    True
    >>> SymbolicScope.active()
    False
    """

    def __enter__(self) -> Self:
        local.symbolic_scopes += 1
        return self

    def __exit__(self, *error: Any) -> None:
        local.symbolic_scopes -= 1

    @staticmethod
    def active() -> bool:
        """Whether this code is run for shapes and dtypes only."""
        return local.symbolic_scopes > 0 or local.running is SYMBOLIC


def clear_session(free_memory: bool = True) -> None:
    """Start the numbers of automatic names again, as in a new process; scopes of names and layers are closed.

    Args:
        free_memory: whether Python is asked to collect what nobody refers to any more.

    >>> from kbridge import layers
    >>> clear_session()
    >>> layers.Dense(1).name, layers.Dense(1).name
    ('dense', 'dense_1')
    """
    forget_names()
    local.names, local.names_opener, local.remat, local.symbolic_scopes = (), None, None, 0
    if free_memory:
        gc.collect()


@contextmanager
def device(device_name: Any) -> Iterator[None]:
    """Tensors made inside lie on this device, and so do variables that are first used inside.

    Args:
        device_name: "cpu:0", "gpu:1", … or a device object of the backend in force here, to which
            alone it applies.

    Raises:
        ArgumentError: there is no such device.

    >>> from kbridge import ops
    >>> with device("cpu:0"):
    ...     ops.ones((2,))
    array([1., 1.], dtype=float32)
    """
    with current_backend().device_scope(device_name):
        yield
