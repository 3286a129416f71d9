"""`.safetensors` files: a model's weights by readable name. Neither needs nor loads a framework."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO, Any

import ml_dtypes  # noqa: F401  gives NumPy the name bfloat16
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from kbridge.core.errors import LoadError
from kbridge.core.models.names import named_variables, renumbered
from kbridge.core.naming import snake_case
from kbridge.core.saving.fitting import Fitting, described

DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "C64": "complex64", "BOOL": "bool",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
    "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8",
}  # fmt: skip


@dataclass
class Slice:
    """A tensor in an open file."""

    file: Any
    name: str
    shape: tuple[int, ...]
    dtype: str
    fragile = False

    def read(self) -> np.ndarray:
        """The numbers."""
        return np.asarray(self.file.get_tensor(self.name))


def write(model: Any, file: IO[bytes]) -> None:
    """Write a model's weights; `file` has to be a file with a name."""
    named = named_variables(model).items()
    tensors = {name: np.ascontiguousarray(v.numpy()).reshape(v.shape) for name, v in named}  # a scalar stays one
    foreign = {name: value.dtype for name, value in tensors.items() if value.dtype.name not in DTYPES.values()}
    if foreign:
        raise TypeError(
            f"{next(iter(foreign))} is of type {next(iter(foreign.values()))}, which couldn't be read again."
        )
    save_file(tensors, file.name, metadata={"format": "kbridge"})


def slices(file: IO[bytes], label: str) -> dict[str, Slice]:
    """The tensors of a file by name, none of them read.

    Raises:
        LoadError: it is damaged, or holds types that NumPy doesn't know.
    """
    if not isinstance(getattr(file, "name", None), (str, os.PathLike)):
        raise LoadError(f"{label} can't be read as safetensors from memory; give a path.")
    try:
        opened = safe_open(file.name, framework="numpy")
    except (SafetensorError, OSError, ValueError) as error:
        raise LoadError(
            f"{label} isn't a whole .safetensors file: {error}. Was it cut off while it was copied?"
        ) from error
    found = {}
    for name in opened.keys():  # noqa: SIM118  no dict
        part = opened.get_slice(name)
        if part.get_dtype() not in DTYPES:
            raise LoadError(f"{name} in {label} is of type {part.get_dtype()}, which kbridge doesn't read.")
        found[name] = Slice(opened, name, tuple(part.get_shape()), DTYPES[part.get_dtype()])
    return found


def fit(model: Any, file: IO[bytes], label: str) -> Fitting:
    """Hold a file against a model."""
    fitting = Fitting(label, model.name)
    named = named_variables(model)
    found = _by_our_names(slices(file, label), named, model)
    for name, variable in named.items():
        fitting.add([(name, name, variable)], found)
    fitting.left_over = [f"{name} {described(s.shape, s.dtype)}" for name, s in found.items() if name not in named]
    return fitting


def _by_our_names(found: dict[str, Slice], named: dict[str, Any], model: Any) -> dict[str, Slice]:
    """A file's tensors, called as in the model if the names differ only in the numbers of unnamed layers."""
    if found.keys() == named.keys():
        return found
    kinds = {snake_case(type(layer).__name__) for layer in model._flatten_layers()}
    theirs, ours = renumbered(found, kinds), renumbered(named, kinds)
    if theirs.keys() != ours.keys():
        return found
    return {ours[key]: found[name] for key, name in theirs.items()}
