"""Any layer or model as a SavedModel made of native TensorFlow ops, whatever backend trained it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from kbridge.adapters.atomic import replaced_folder
from kbridge.adapters.ports import Port
from kbridge.adapters.quiet import quietly
from kbridge.adapters.require import require
from kbridge.adapters.runner import Runner
from kbridge.adapters.signature import check_layer, input_specs, named_outputs
from kbridge.adapters.verify import write_verified
from kbridge.core.context import load_backend, local, running
from kbridge.core.errors import ExportError
from kbridge.core.graph.node import leaves, map_leaves
from kbridge.core.layers.base import Layer
from kbridge.core.models.names import named_variables
from kbridge.core.tensor.lens import laid_over

ENTRIES = {"saved_model.pb", "fingerprint.pb", "variables", "assets", "keras_metadata.pb"}
# What servers and converters can't run: a compiled XLA blob, a call back into Python.
FOREIGN_OPS = {"XlaCallModule", "PyFunc", "PyFuncStateless", "EagerPyFunc"}


def to_savedmodel(layer: Layer, path: str | os.PathLike[str], verify: bool = True) -> None:
    """Write a layer or model as a SavedModel for TF-Serving and everything that starts from one.

    The signature `serving_default` takes the model's inputs by name, with a free batch size. The graph
    holds native TensorFlow ops only, and reading it needs nothing of kbridge.

    Args:
        layer: any built layer or model, whatever backend built or trained it.
        path: the folder to write; an earlier SavedModel there is replaced.
        verify: run the written files at two batch sizes against the model before they take their place.

    Raises:
        NotBuiltError: the weights don't exist yet.
        ExportError: the graph would need ops that servers lack, or the written files disagree.
    """
    check_layer(layer)
    tf = require("tensorflow", "tensorflow")

    def write(draft: str | os.PathLike[str]) -> None:
        traced = Traced(layer)
        with replaced_folder(draft, is_entry) as folder, quietly():
            tf.saved_model.save(traced.module, str(folder), signatures={"serving_default": traced.function})

    if verify:
        write_verified(layer, path, write, SavedModelRunner, "SavedModel", is_entry)
    else:
        write(path)


def is_entry(name: str) -> bool:
    """Whether a SavedModel's folder has an entry of that name."""
    return name in ENTRIES


class Traced:
    """A model as a concrete TensorFlow function over its own copies of the weights.

    Attributes:
        module: a `tf.Module` that holds the weights under the layers' names.
        function: the concrete function, its inputs and outputs named.
    """

    def __init__(self, layer: Layer) -> None:
        tf = require("tensorflow", "tensorflow")
        backend = load_backend("tensorflow")
        self.module = tf.Module(name=layer.name)
        overlay = {}
        for name, variable in named_variables(layer).items():
            value = backend.make_variable(variable.numpy(), variable._dtype, variable.trainable, name.replace(".", "/"))
            _put(tf, self.module, name, value)
            overlay[variable] = value
        specs, names = input_specs(layer)
        signature = [
            tf.TensorSpec(spec.shape, spec.dtype, name=name) for spec, name in zip(leaves(specs), names, strict=True)
        ]

        def serve(*given: Any) -> Any:
            values = iter(given)
            inputs = map_leaves(lambda _: next(values), specs)
            with running(backend), laid_over(dict(overlay)):
                before = local.training
                local.training = False
                try:
                    outputs = layer(inputs)
                finally:
                    local.training = before
            return named_outputs(layer, outputs)

        function = tf.function(serve, input_signature=signature, autograph=False)
        self.module.serve = function
        self.function = function.get_concrete_function()
        graph = self.function.graph.as_graph_def()
        nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
        found = FOREIGN_OPS & {node.op for node in nodes}
        if found:
            raise ExportError(
                f"{layer.name!r} uses {', '.join(sorted(found))}, which servers can't run. "
                "Write its layers with kbridge.ops."
            )


def _put(tf: Any, module: Any, path: str, value: Any) -> None:
    """Keep a variable in nested modules, so that checkpoints show its dotted name."""
    *outer, last = path.split(".")
    for name in outer:
        inner = getattr(module, _attribute(name), None)
        if inner is None:
            inner = tf.Module()
            setattr(module, _attribute(name), inner)
        module = inner
    setattr(module, _attribute(last), value)


def _attribute(name: str) -> str:
    return f"_{name}" if name in ("name", "variables", "serve", "submodules", "trainable_variables") else name


class SavedModelRunner(Runner):
    """A SavedModel, run by TensorFlow."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        from pathlib import Path

        tf = require("tensorflow", "tensorflow")
        self.path = Path(path)
        with quietly():
            self._loaded = tf.saved_model.load(str(path))
        self._function = self._loaded.signatures["serving_default"]
        _, keywords = self._function.structured_input_signature
        self.inputs = tuple(Port(name, tuple(spec.shape.as_list()), spec.dtype.name) for name, spec in keywords.items())
        outputs = self._function.structured_outputs
        self.outputs = tuple(
            Port(name, tuple(outputs[name].shape.as_list()), outputs[name].dtype.name) for name in sorted(outputs)
        )
        self._convert = tf.constant

    def run(self, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        results = self._function(**{name: self._convert(value) for name, value in feed.items()})
        return [results[port.name].numpy() for port in self.outputs]
