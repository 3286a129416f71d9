"""Which backend runs the call in progress, and how variables are read in it.

A `threading.local` and not a `ContextVar`: TorchDynamo traces the first without a graph break and
refuses to trace `ContextVar.set` (pytorch/pytorch#186449).
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from kbridge.core import settings
from kbridge.core.errors import MissingDependencyError, MixedFrameworksError
from kbridge.core.tensor.symbolic import KerasTensor

MODULES = {name: f"kbridge.backends.{name}" for name in settings.BACKENDS}
INSTALL = {
    "numpy": "pip install numpy",
    "jax": 'pip install "kbridge[jax]"',
    "torch": 'pip install "kbridge[torch]"',
    "tensorflow": 'pip install "kbridge[tensorflow]"',
}
# The root package of a tensor's class tells its framework without importing it.
PACKAGES = {"torch": "torch", "jax": "jax", "jaxlib": "jax", "tensorflow": "tensorflow"}


class _Local(threading.local):
    """What is true in this thread now.

    Set for each thread, not on the class: TorchDynamo guards on which attributes an object has.
    """

    def __init__(self) -> None:
        self.scope: Any = None  # the backend of the innermost `backend_scope`
        self.running: Any = None  # the backend of the outermost call in progress
        self.lens: Any = None  # how variables are read and written, where not plainly
        self.training: Any = None  # what the outer call said about training
        self.masks: Any = None  # masks of the tensors of the call in progress, by id
        self.loss_layers: Any = None  # the layers that called `add_loss` in the call in progress
        self.keep_floats = False  # a torch module's weights decide the float type, not the layers
        self.framework_random = False  # random ops draw from the framework's own global generator
        self.names: tuple[str, ...] = ()  # the name scopes that are open
        self.names_opener: Any = None  # `names` as the innermost `name_scope` left them, and who opened it
        self.remat: Any = None  # the `RematScope` that layers are made in
        self.symbolic_scopes = 0  # how many of them are open
        self.loading: Any = None  # makes the starting values of weights that a file being read will replace


local = _Local()
_loaded = SimpleNamespace()  # no dict: Dynamo wouldn't see what an import in the middle of its trace adds
_loading = threading.RLock()
_listeners: list[Callable[[Any], None]] = []
_default: str | None = None


def load_backend(name: str) -> Any:
    """The backend object of that name; its framework is imported on first use."""
    backend = getattr(_loaded, name, None)
    if backend is None:
        _import_backend(name)
        backend = getattr(_loaded, name)
    return backend


def _import_backend(name: str) -> None:
    settings.check_backend_name(name)
    with _loading:
        try:
            module = importlib.import_module(MODULES[name])
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] not in PACKAGES:
                raise
            raise MissingDependencyError(
                f"The {name} backend needs {error.name}, which is not installed: {INSTALL[name]}"
            ) from error
        setattr(_loaded, name, module.backend)
        for listener in _listeners:
            listener(module.backend)


def when_loaded(listener: Callable[[Any], None]) -> None:
    """Call `listener` with each backend: with those in use now, with others as soon as they are loaded."""
    _listeners.append(listener)
    for backend in loaded_backends():
        listener(backend)


def loaded_backends() -> list[Any]:
    """The backends that are in use in this process."""
    return list(vars(_loaded).values())


def default_backend() -> str:
    """Name of the backend for plain arrays, lists and numbers."""
    global _default
    if _default is None:
        _default = settings.starting_backend()
    return _default


def set_backend(name: str) -> None:
    """Make `name` the backend for plain arrays, lists and numbers in this process."""
    global _default
    load_backend(name)
    _default = name


def current_backend() -> Any:
    """The backend that an op on plain arrays would run on here."""
    if local.running is not None and local.running is not SYMBOLIC:
        return local.running
    return local.scope if local.scope is not None else load_backend(default_backend())


def backend() -> str:
    """Name of the backend in force here: the scope's, else the process default."""
    return str(current_backend().name)


@contextmanager
def backend_scope(name: str) -> Iterator[None]:
    """Run everything in this block, in this thread, on one backend.

    Args:
        name: "numpy", "jax", "torch" or "tensorflow".

    >>> with backend_scope("numpy"):
    ...     backend()
    'numpy'
    """
    chosen = load_backend(name)
    before = local.scope, local.running
    local.scope, local.running = chosen, None
    try:
        yield
    finally:
        local.scope, local.running = before


@contextmanager
def running(chosen: Any) -> Iterator[None]:
    """Everything inside runs on `chosen`, with no further looking at tensors."""
    before, masks = local.running, local.masks
    local.running = chosen
    try:
        yield
    finally:
        local.running = before
        if before is None:  # masks belong to the outermost call, and hold its tensors
            local.masks = masks


class _Symbolic:
    """Stands where a backend stands while a layer is followed for shapes and dtypes only."""

    name = "symbolic"

    def __repr__(self) -> str:
        return "<symbolic run>"


SYMBOLIC = _Symbolic()

# Known from the start: Dynamo can't follow the search, nor the lock of an import, when it meets a type first.
_framework_of_type: dict[type, str | None] = dict.fromkeys(
    (bool, int, float, complex, str, list, tuple, dict, type(None), np.ndarray, *np.sctypeDict.values())
)


def framework_of_type(kind: type) -> str | None:
    """The framework that a tensor class belongs to, None for anything else. Cached: one look per class."""
    try:
        return _framework_of_type[kind]
    except KeyError:
        pass
    found = None
    for parent in kind.__mro__:
        name = vars(parent).get("framework") or PACKAGES.get(parent.__module__.partition(".")[0])
        if name is not None:
            found = name if load_backend(name).is_tensor_type(kind) else None
            break
    _framework_of_type[kind] = found
    return found


_constant: Any
for _constant in (_import_backend, framework_of_type):
    # Dynamo then calls them at trace time and looks at what they give: it can follow neither an import nor its lock.
    _constant._dynamo_marked_constant = True


def framework_of(value: Any) -> str | None:
    """The framework that `value` is a tensor of, None for arrays, numbers and everything else."""
    return framework_of_type(type(value))


def decide(values: Any) -> Any:
    """The backend for an outermost call on these leaves: scope, then the tensors, then the default."""
    if local.scope is not None:
        return local.scope
    found = None
    for value in values:
        name = framework_of_type(type(value))
        if name is None or name == found:
            continue
        if found is not None:
            raise MixedFrameworksError(
                f"One call got tensors of {found} and of {name}. Say which one runs it: "
                f'`with kbridge.backend_scope("{found}"):`, or convert one of them first.'
            )
        found = name
    return load_backend(found or default_backend())


def is_symbolic(value: Any) -> bool:
    """Whether `value` is a KerasTensor: a shape and a dtype without numbers."""
    return isinstance(value, KerasTensor)
