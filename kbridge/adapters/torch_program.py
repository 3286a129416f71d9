"""A model as a torch program (`.pt2`): run by torch alone, at any batch size."""

from __future__ import annotations

import copy
import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from kbridge.adapters.atomic import replaced_file
from kbridge.adapters.ports import Port
from kbridge.adapters.require import require
from kbridge.adapters.runner import Runner
from kbridge.adapters.signature import input_specs, named_outputs, sample_inputs
from kbridge.adapters.torch_module import to_torch
from kbridge.adapters.verify import write_verified
from kbridge.core.graph.node import leaves, map_leaves
from kbridge.core.layers.base import Layer


def write_torch_program(layer: Layer, path: str | os.PathLike[str], verify: bool = True) -> None:
    """Write a layer or model with `torch.export`; the file needs nothing of kbridge.

    Args:
        layer: any built layer or model. Its weights stay where they are: a copy is exported.
        path: the file to write, usually ending in `.pt2`.
        verify: run the written file at two batch sizes, 1 included, before it takes its place.
    """
    require("torch", "torch")
    if verify:
        write_verified(layer, path, lambda draft: _write(layer, draft), TorchProgramRunner, "torch program")
    else:
        _write(layer, path)


def _write(layer: Layer, path: str | os.PathLike[str]) -> None:
    torch = require("torch", "torch")
    module = _ByName(copy.deepcopy(layer))
    # two samples: a size of 1 would be taken for a broadcast and fixed
    inputs = [torch.from_numpy(value) for value in sample_inputs(layer, 2)]
    batch = torch.export.Dim("batch", min=1, max=2**31 - 1)
    shapes = tuple({0: batch} for _ in inputs)
    with replaced_file(path) as draft, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch.export speaks of its own internals
        program = torch.export.export(module.module, tuple(inputs), dynamic_shapes=(shapes,), strict=False)
        content = io.BytesIO()
        torch.export.save(program, content, extra_files={"names.txt": "\n".join(module.names)})
        draft.write_bytes(content.getvalue())


class _ByName:
    """A module that takes flat inputs and returns a list of outputs in the order of their names."""

    def __init__(self, layer: Layer) -> None:
        torch = require("torch", "torch")
        specs, inputs = input_specs(layer)
        inner = to_torch(layer).eval()
        symbolic = layer._follow((specs,), {})
        names = sorted(named_outputs(layer, symbolic))

        class Program(torch.nn.Module):  # type: ignore[name-defined]  # imported on first use
            def __init__(self) -> None:
                super().__init__()
                self.model = inner

            def forward(self, *given: Any) -> Any:
                values = iter(given)
                outputs = named_outputs(layer, self.model(map_leaves(lambda _: next(values), specs)))
                return [outputs[name] for name in names]

        self.module = Program().eval()
        self.names = [",".join(inputs), ",".join(names), ",".join(s.dtype for s in leaves(specs))]


class TorchProgramRunner(Runner):
    """A `.pt2` file, run by torch."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        torch = require("torch", "torch")
        self.path = Path(path)
        files = {"names.txt": ""}
        with open(path, "rb") as file:  # given a path, torch wants it to end in .pt2
            self._module = torch.export.load(file, extra_files=files).module()
        inputs, outputs, dtypes = (line.split(",") for line in files["names.txt"].splitlines())
        self.inputs = tuple(Port(n, None, d) for n, d in zip(inputs, dtypes, strict=True))
        self.outputs = tuple(Port(n, None, "float32") for n in outputs)
        self._torch = torch

    def run(self, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        with self._torch.no_grad():
            return [t.numpy() for t in self._module(*(self._torch.from_numpy(v) for v in feed.values()))]
