"""LiteRT (.tflite): written by TensorFlow's converter, run by `ai_edge_litert`."""

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from kbridge.adapters.atomic import replaced_file
from kbridge.adapters.ports import Port, concrete, input_ports, output_ports
from kbridge.adapters.quiet import quietly
from kbridge.adapters.require import require
from kbridge.adapters.runner import Runner
from kbridge.core.errors import ExportError, LoadError

# A .tflite file sorts the names of its signature; this metadata entry keeps the arguments' order.
ORDER = "kbridge.signature"


def write_litert(module: Any, function: Any, path: str | os.PathLike[str]) -> None:
    """Write a function as a .tflite file of LiteRT's built-in ops only: no Flex, no custom op.

    Args:
        module: the `tf.Module` (or other trackable) that owns the function's variables.
        function: a concrete function, or a `tf.function` with an input signature. Free sizes stay
            free.
        path: the file to write. A file that is already there is replaced at the very end.

    Raises:
        ExportError: LiteRT has no such op (the message names it), or the folder doesn't exist.
    """
    function = concrete(function)
    inputs, outputs = input_ports(function), output_ports(function)
    with replaced_file(path) as draft:
        content = _convert(module, function)
        draft.write_bytes(_with_order(content, inputs, outputs))


def run_litert(path: str | os.PathLike[str]) -> "LiteRTRunner":
    """A callable, `outputs = runner(inputs)`, that runs a .tflite file in LiteRT's interpreter."""
    return LiteRTRunner(path)


class LiteRTRunner(Runner):
    """A .tflite file in `ai_edge_litert`'s interpreter. Tensors are found by signature name.

    Raises:
        LoadError: the file is missing, isn't a LiteRT model or has no signature.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        runtime = require("ai_edge_litert.interpreter", "export")
        self.path = Path(path)
        if not self.path.is_file():
            raise LoadError(f"There is no file {path}.")
        content = self.path.read_bytes()
        with quietly():
            try:
                self._interpreter = runtime.Interpreter(model_content=content)
                signature = self._interpreter.get_signature_runner()
            except ValueError as problem:
                raise LoadError(f"LiteRT can't run {path}: {problem}") from problem
        takes, gives = signature.get_input_details(), signature.get_output_details()
        order = _order(content) or {"inputs": list(takes), "outputs": list(gives)}
        self._takes = {name: takes[name]["index"] for name in order["inputs"]}
        self._gives = {name: gives[name]["index"] for name in order["outputs"]}
        self.inputs = tuple(_port(name, takes[name]) for name in self._takes)
        self.outputs = tuple(_port(name, gives[name]) for name in self._gives)
        self._shapes: dict[str, tuple[int, ...]] | None = None

    def run(self, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        self._resize({name: array.shape for name, array in feed.items()})
        for name, index in self._takes.items():
            self._interpreter.set_tensor(index, feed[name])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._gives.values()]

    def _resize(self, shapes: dict[str, tuple[int, ...]]) -> None:
        if shapes == self._shapes:
            return
        self._shapes = None  # stays so if the interpreter refuses the new shapes
        for name, shape in shapes.items():
            self._interpreter.resize_tensor_input(self._takes[name], shape)
        with quietly():  # the first call announces the delegate on standard error
            self._interpreter.allocate_tensors()
        self._shapes = shapes


def _convert(module: Any, function: Any) -> bytes:
    tf = require("tensorflow", "export")
    with quietly() as held:
        try:
            converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
            return converter.convert()
        except Exception as problem:  # ConverterError, ValueError, RuntimeError, …
            raise ExportError(_reason(str(problem), held())) from problem


def _reason(message: str, talk: str) -> str:
    ops = sorted(set(re.findall(r"'tf\.(\w+)' op is neither a custom op nor a flex op", message)))
    if "TensorListReserve" in message:
        return (
            "LiteRT has no TensorArray whose elements have a free size (TensorListReserve). "
            "Collect the steps of the loop with tf.tensor_scatter_nd_update."
        )
    if ops:
        return (
            f"LiteRT has no built-in op for: {', '.join(ops)}. "
            "Write the layer with other ops, or export to another format."
        )
    tail = "\n".join((message or talk).strip().splitlines()[-5:])
    return f"The LiteRT converter failed: {tail}"


def _with_order(content: bytes, inputs: tuple[Port, ...], outputs: tuple[Port, ...]) -> bytes:
    flat = require("tensorflow.lite.tools.flatbuffer_utils", "export")
    schema = require("tensorflow.lite.python.schema_py_generated", "export")
    order = {"inputs": [port.name for port in inputs], "outputs": [port.name for port in outputs]}
    model = flat.convert_bytearray_to_object(bytearray(content))
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(json.dumps(order).encode(), np.uint8)
    entry.name, entry.buffer = ORDER, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    return bytes(flat.convert_object_to_bytearray(model))


def _order(content: bytes) -> dict[str, list[str]] | None:
    schema = require("ai_edge_litert.schema_py_generated", "export")
    model = schema.Model.GetRootAs(content, 0)
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name() == ORDER.encode():
            return json.loads(model.Buffers(entry.Buffer()).DataAsNumpy().tobytes())
    return None


def _port(name: str, details: dict[str, Any]) -> Port:
    shape = tuple(None if size < 0 else int(size) for size in details["shape_signature"])
    return Port(name, shape, np.dtype(details["dtype"]).name)
