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
    "activations", "adapters", "backend", "callbacks", "config", "constraints", "data", "dtype_policies",
    "initializers", "layers", "losses", "metrics", "mixed_precision", "models", "ops", "optimizers", "random",
    "regularizers", "saving", "training", "tree", "utils",
)  # fmt: skip
_NAMES = {
    "Input": "layers", "Layer": "layers", "Initializer": "initializers", "Loss": "losses", "Metric": "metrics",
    "Model": "models", "Sequential": "models", "Functional": "models", "Optimizer": "optimizers",
    "Regularizer": "regularizers", "KerasTensor": "backend", "Variable": "backend", "DTypePolicy": "config",
    "FloatDTypePolicy": "dtype_policies",
    "Function": "backend", "Operation": "backend", "StatelessScope": "backend", "SymbolicScope": "backend",
    "device": "backend", "name_scope": "backend", "RematScope": "backend", "remat": "backend",
    "backend_scope": "config", "set_backend": "config", "grad": "training", "value_and_grad": "training",
}  # fmt: skip

_set_facades({
    name: f"kbridge.{name}"
    for name in (
        "layers", "models", "activations", "initializers", "regularizers", "constraints", "losses", "metrics",
        "optimizers", "optimizers.schedules",
    )
})  # fmt: skip


def version() -> str:
    """The version of this package, `__version__`."""
    return __version__


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"kbridge.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"kbridge.{_NAMES[name]}"), name)
    raise AttributeError(f"kbridge has no attribute {name!r}.")


def __dir__() -> list[str]:
    return sorted([*_MODULES, *_NAMES, "__version__", "version"])


if TYPE_CHECKING:
    from kbridge import activations as activations
    from kbridge import adapters as adapters
    from kbridge import backend as backend
    from kbridge import callbacks as callbacks
    from kbridge import config as config
    from kbridge import constraints as constraints
    from kbridge import dtype_policies as dtype_policies
    from kbridge import initializers as initializers
    from kbridge import layers as layers
    from kbridge import losses as losses
    from kbridge import metrics as metrics
    from kbridge import mixed_precision as mixed_precision
    from kbridge import models as models
    from kbridge import ops as ops
    from kbridge import optimizers as optimizers
    from kbridge import random as random
    from kbridge import regularizers as regularizers
    from kbridge import saving as saving
    from kbridge import training as training
    from kbridge import tree as tree
    from kbridge import utils as utils
    from kbridge.backend import Function as Function
    from kbridge.backend import KerasTensor as KerasTensor
    from kbridge.backend import Operation as Operation
    from kbridge.backend import RematScope as RematScope
    from kbridge.backend import StatelessScope as StatelessScope
    from kbridge.backend import SymbolicScope as SymbolicScope
    from kbridge.backend import Variable as Variable
    from kbridge.backend import device as device
    from kbridge.backend import name_scope as name_scope
    from kbridge.backend import remat as remat
    from kbridge.config import DTypePolicy as DTypePolicy
    from kbridge.config import backend_scope as backend_scope
    from kbridge.config import set_backend as set_backend
    from kbridge.dtype_policies import FloatDTypePolicy as FloatDTypePolicy
    from kbridge.initializers import Initializer as Initializer
    from kbridge.layers import Input as Input
    from kbridge.layers import Layer as Layer
    from kbridge.losses import Loss as Loss
    from kbridge.metrics import Metric as Metric
    from kbridge.models import Functional as Functional
    from kbridge.models import Model as Model
    from kbridge.models import Sequential as Sequential
    from kbridge.optimizers import Optimizer as Optimizer
    from kbridge.regularizers import Regularizer as Regularizer
    from kbridge.training import grad as grad
    from kbridge.training import value_and_grad as value_and_grad
