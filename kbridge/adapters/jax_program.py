"""A model as a JAX program: StableHLO with a free batch size, its weights beside it. JAX alone runs it.

The folder holds `program.jaxexport` (what `jax.export` serialises), `params.safetensors` (the weights that
training changes) and `state.safetensors` (running statistics, frozen weights). The weights are arguments
and not constants of the program, so that they can be trained, replaced, sharded and read without it:

    program = jax.export.deserialize(bytearray(Path("m/program.jaxexport").read_bytes()))
    params = safetensors.flax.load_file("m/params.safetensors")  # {"dense.kernel": Array, …}
    state = safetensors.flax.load_file("m/state.safetensors")
    y = program.call(params, state, x)
"""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from kbridge.adapters.atomic import replaced_folder
from kbridge.adapters.jax_fn import split_names, to_jax
from kbridge.adapters.ports import Port
from kbridge.adapters.require import require
from kbridge.adapters.runner import Runner
from kbridge.adapters.signature import input_specs, named_outputs
from kbridge.adapters.verify import write_verified
from kbridge.core.errors import ExportError, KBridgeError, LoadError
from kbridge.core.graph.node import map_leaves
from kbridge.core.layers.base import Layer

PROGRAM, PARAMS, STATE = "program.jaxexport", "params.safetensors", "state.safetensors"
PLATFORMS = ("cpu", "cuda", "rocm", "tpu")


def write_jax_program(layer: Layer, path: str | os.PathLike[str], verify: bool = True) -> None:
    """Write a layer or model with `jax.export`; the files need nothing of kbridge.

    `program.call(params, state, inputs)` takes and gives what the model does, outside of training. Its
    gradient may be taken once, with respect to the weights too. It runs on CPU, GPU and TPU.

    Args:
        layer: any built layer or model. Its weights stay where they are.
        path: the folder to write; an earlier program there is replaced.
        verify: run the written program at two batch sizes, 1 included, before it takes its place.

    Raises:
        NotBuiltError: the weights don't exist yet.
        ExportError: JAX can't follow the model with a free batch size, or the written files disagree.
    """
    require("jax", "jax")
    if verify:
        write_verified(layer, path, lambda draft: _write(layer, draft), JaxProgramRunner, "JAX program", is_entry)
    else:
        _write(layer, path)


def is_entry(name: str) -> bool:
    """Whether a JAX program's folder has an entry of that name."""
    return name in (PROGRAM, PARAMS, STATE)


def _write(layer: Layer, path: str | os.PathLike[str]) -> None:
    save_file = require("safetensors.numpy", "jax").save_file
    program, names = _program(layer)
    with replaced_folder(path, is_entry) as folder:
        (folder / PROGRAM).write_bytes(program)
        for file, weights in zip((PARAMS, STATE), _weights(layer), strict=True):
            save_file(weights, folder / file, metadata=names if file == PARAMS else None)


def _weights(layer: Layer) -> list[dict[str, np.ndarray]]:
    """Params and state, flat, by dotted name."""
    parts = split_names(layer)
    # safetensors writes the bytes as they lie: an array with other strides would be saved scrambled
    return [{name: np.ascontiguousarray(v.numpy()).reshape(v.shape) for name, v in part.items()} for part in parts]


def _program(layer: Layer) -> tuple[bytes, dict[str, str]]:
    """The serialised program, and the names of its inputs and outputs in JAX's order."""
    jax, export = require("jax", "jax"), require("jax.export", "jax")
    apply, _, _ = to_jax(layer)
    specs, names = input_specs(layer)
    params, state = ({k: _spec(v.shape, v.dtype) for k, v in part.items()} for part in _weights(layer))

    def predict(params: Any, state: Any, inputs: Any) -> Any:
        return apply(params, state, inputs)[0]

    predict.__name__ = layer.name
    try:
        program = export.export(jax.jit(predict), platforms=PLATFORMS)(params, state, _free(specs))
        content = program.serialize(vjp_order=1)
    except KBridgeError:
        raise
    except Exception as problem:  # JAX has many classes; most say that a size has to be known
        raise ExportError(f"JAX can't make a program of {layer.name!r} with a free batch size: {problem}") from problem
    given = iter(names)
    takes = jax.tree.leaves(map_leaves(lambda _: next(given), specs))
    gives = named_outputs(layer, jax.tree.unflatten(program.out_tree, range(len(program.out_avals))))
    return bytes(content), {"inputs": json.dumps(takes), "outputs": json.dumps(sorted(gives, key=gives.__getitem__))}


def _spec(shape: Any, dtype: Any) -> Any:
    jax = require("jax", "jax")
    return jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(dtype))


def _free(specs: Any) -> Any:
    """The inputs with symbols for what is free: one batch size for all, any other size for itself."""
    export = require("jax.export", "jax")
    scope, number = export.SymbolicScope(), count(1)

    def free(spec: Any) -> Any:
        sizes = ["b", *(f"n{next(number)}" if size is None else str(size) for size in spec.shape[1:])]
        return _spec(export.symbolic_shape(", ".join(sizes), scope=scope), spec.dtype)

    return map_leaves(free, specs)


class JaxProgramRunner(Runner):
    """A folder that `write_jax_program` wrote, run by JAX.

    Raises:
        LoadError: a file is missing or isn't what it is called.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        jax, export = require("jax", "jax"), require("jax.export", "jax")
        self.path = Path(path)
        missing = [name for name in (PROGRAM, PARAMS, STATE) if not (self.path / name).is_file()]
        if missing:
            raise LoadError(f"There is no JAX program in {path}: {', '.join(missing)} is missing.")
        try:
            program = export.deserialize(bytearray((self.path / PROGRAM).read_bytes()))
            params, names = _read(self.path / PARAMS)
            state, _ = _read(self.path / STATE)
            takes, gives = (json.loads(names[side]) for side in ("inputs", "outputs"))
        except Exception as problem:  # a cut file ends in errors of flatbuffers, MLIR or safetensors
            raise LoadError(f"JAX can't read the program in {path}: {problem}") from problem
        inputs = program.in_avals[len(params) + len(state) :]
        self.inputs = tuple(map(_port, takes, inputs))
        self.outputs = tuple(map(_port, gives, program.out_avals))
        self._weights = jax.tree.leaves((jax.device_put(params), jax.device_put(state)))
        self._in_tree = program.in_tree
        self._call = jax.jit(program.call)
        self._tree = jax.tree

    def run(self, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        args, _ = self._tree.unflatten(self._in_tree, [*self._weights, *feed.values()])
        return [np.asarray(value) for value in self._tree.leaves(self._call(*args))]


def _read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of a safetensors file, and its metadata."""
    with require("safetensors", "jax").safe_open(path, "numpy") as file:
        names = file.keys()
        return {name: file.get_tensor(name) for name in names}, file.metadata() or {}


def _port(name: str, value: Any) -> Port:
    sizes = tuple(size if isinstance(size, int) else None for size in value.shape)
    return Port(name, sizes, np.dtype(value.dtype).name)
