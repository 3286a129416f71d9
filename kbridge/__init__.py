"""kbridge: write a Keras model once; every framework sees a native citizen of its own.

Public names are Keras's, so `import kbridge as keras` runs existing code. No framework is imported
until it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kbridge.core.registry import set_facades as _set_facades

__version__ = "0.1.0"

_MODULES = (
    "activations", "adapters", "backend", "callbacks", "config", "data", "initializers", "layers", "losses",
    "metrics", "models", "ops", "optimizers", "random", "regularizers", "saving", "utils",
)  # fmt: skip
_NAMES = {
    "Input": "layers", "Layer": "layers", "Initializer": "initializers", "Loss": "losses", "Metric": "metrics",
    "Model": "models", "Sequential": "models", "Optimizer": "optimizers", "Regularizer": "regularizers",
    "KerasTensor": "backend", "Variable": "backend", "DTypePolicy": "config", "backend_scope": "config",
}  # fmt: skip

_set_facades({
    name: f"kbridge.{name}"
    for name in ("layers", "models", "activations", "initializers", "regularizers", "losses", "metrics", "optimizers")
})  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"kbridge.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"kbridge.{_NAMES[name]}"), name)
    raise AttributeError(f"kbridge has no attribute {name!r}.")


def __dir__() -> list[str]:
    return sorted([*_MODULES, *_NAMES, "__version__"])


if TYPE_CHECKING:
    from kbridge import (
        activations as activations,
    )
    from kbridge import (
        initializers as initializers,
    )
    from kbridge import (
        layers as layers,
    )
