"""Weights from a model into an HDF5 file and back. Reading changes all of them or none."""

from __future__ import annotations

from collections.abc import Iterator, KeysView
from typing import IO, Any

import h5py
import numpy as np

from kbridge.core.context import local
from kbridge.core.layers.base import Layer
from kbridge.core.optimizers.optimizer import Optimizer
from kbridge.core.saving.fitting import Fitting, described
from kbridge.core.saving.hdf5 import WeightFile, write_dataset
from kbridge.core.saving.paths import saved_objects
from kbridge.core.tensor.lens import Lens
from kbridge.core.tensor.variable import Variable
from kbridge.core.training.trainer import Trainer

OPTIMIZER = "optimizer"
# Ways to load that only pass values on to `assign`: the numbers needn't be read before.
PASSING_ON = frozenset({Layer.load_own_variables, Optimizer.load_own_variables})


# --- writing --------------------------------------------------------------------------------------


class _Target:
    """Where an object puts its own weights: `store["0"] = array`."""

    def __init__(self, group: Any) -> None:
        self._group = group

    def __setitem__(self, key: str, value: Any) -> None:
        write_dataset(self._group, key, np.asarray(value))


def write_weights(model: Any, file: IO[bytes]) -> None:
    """Write a model's weights as Keras does: a group `vars` for each object, with the object's name."""
    with h5py.File(file, "w") as h5:
        for path, obj in saved_objects(model):
            group = h5.create_group(f"{path}/vars" if path else "vars")
            if isinstance(getattr(obj, "name", None), str):
                group.attrs["name"] = obj.name
            obj.save_own_variables(_Target(group))


# --- reading --------------------------------------------------------------------------------------


class _Source:
    """Where an object finds its own weights. Notes what was taken."""

    def __init__(self, weights: WeightFile, path: str, taken: set[str], unread: bool) -> None:
        self._found = weights.groups.get(f"{path}/vars".lstrip("/"), {})
        self._taken, self._unread = taken, unread

    def keys(self) -> KeysView[str]:
        return self._found.keys()

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __getitem__(self, key: str) -> Any:
        stored = self._found[key]
        self._taken.add(stored.path)
        return stored if self._unread else stored.read()


class _Staging(Lens):
    """Catches assignments instead of doing them."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        super().__init__(None, None)
        self.values: dict[Variable, Any] = {}

    def find(self, variable: Variable) -> Any:
        return self.values.get(variable, variable.home_value)

    def read(self, variable: Variable) -> Any:
        return self.values[variable] if variable in self.values else variable._read()

    def write(self, variable: Variable, value: Any) -> bool:
        self.values[variable] = value
        return True


def fit_weights(model: Any, weights: WeightFile) -> Fitting:
    """Hold a file against a model."""
    fitting = Fitting(weights.label, model.name)
    taken: set[str] = set()
    unasked: list[str] = []  # where optimizers lie that the model lacks, or that don't fit
    for path, obj in saved_objects(model):
        loads = type(obj).load_own_variables
        source = _Source(weights, path, taken, unread=loads in PASSING_ON)
        if loads is Layer.load_own_variables:
            _fit_layer(fitting, path, obj, source)
        elif len(source) or not isinstance(obj, Optimizer) or obj.built:
            _let_load(fitting, path, obj, source)
            unasked += [f"{path}/"] if isinstance(obj, Optimizer) and fitting.stale else []
        if isinstance(obj, Trainer) and obj.optimizer is None:
            unasked.append(f"{path}/{OPTIMIZER}/".lstrip("/"))
    fitting.left_over = [
        f"{path} {described(stored.shape, stored.dtype)}"
        for path, stored in weights.datasets.items()
        if path not in taken and not path.startswith(tuple(unasked))
    ]
    return fitting


def _fit_layer(fitting: Fitting, path: str, layer: Layer, source: _Source) -> None:
    """Compare a layer's weights with the file's, one by one."""
    variables = layer.own_variables_in_order()
    where = f"{path}/vars".lstrip("/")
    wanted = [(str(i), f"{layer.name}.{name} (at {where}/{i})", v) for i, (name, v) in enumerate(variables)]
    fitting.add(wanted, {name: source[name] for name, _, _ in wanted if name in source})
    if len(source) and not variables and not layer.built:
        fitting.faults.append(f"{layer.name} (at {where}) isn't built, and the file holds weights for it")


def _let_load(fitting: Fitting, path: str, obj: Any, source: _Source) -> None:
    """Let an object that knows better load itself, catching what it assigns."""
    before = local.lens
    staging = local.lens = _Staging()
    try:
        obj.load_own_variables(source)
    except Exception as error:  # it is the object's own code: whatever it raises, the file didn't fit
        said = f"{getattr(obj, 'name', type(obj).__name__)} (at {path}): {error}"
        if isinstance(obj, Optimizer):
            fitting.stale = said
        else:
            fitting.faults.append(said)
        return
    finally:
        local.lens = before
    fitting.values.update(staging.values)
