"""ONNX: written by tf2onnx from a TensorFlow function, run by ONNX Runtime."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kbridge.adapters.atomic import replaced_file
from kbridge.adapters.frozen import Frozen, freeze
from kbridge.adapters.ports import Port
from kbridge.adapters.quiet import quietly
from kbridge.adapters.require import require
from kbridge.adapters.runner import Runner
from kbridge.core.errors import ExportError, LoadError

OPSETS = range(13, 19)  # 13 brought Squeeze's axes as an input; tf2onnx 1.17 writes up to 18

DTYPES = {"float": "float32", "double": "float64"}  # ONNX Runtime's words where they aren't NumPy's
FLOATS = (1, 11)  # float32 and float64 in onnx.TensorProto


def write_onnx(function: Any, path: str | os.PathLike[str], opset: int = OPSETS[-1]) -> None:
    """Write a function as an .onnx file.

    Args:
        function: a concrete function, or a `tf.function` with an input signature. Free sizes stay
            free.
        path: the file to write. A file that is already there is replaced at the very end.
        opset: version of the ONNX operator set, 13 to 18.

    Raises:
        ExportError: ONNX has no such op (the message names it), the opset isn't known, or the
            folder doesn't exist.
    """
    if opset not in OPSETS:
        raise ExportError(f"opset is {opset} and can be {OPSETS[0]} to {OPSETS[-1]}.")
    frozen = freeze(function)
    with replaced_file(path) as draft:
        model = _convert(frozen, opset)
        _check_ops(model, opset)
        _name_free_sizes(model, frozen)
        draft.write_bytes(model.SerializeToString())


def run_onnx(path: str | os.PathLike[str]) -> "ONNXRunner":
    """A callable, `outputs = runner(inputs)`, that runs an .onnx file in ONNX Runtime."""
    return ONNXRunner(path)


class ONNXRunner(Runner):
    """An .onnx file in ONNX Runtime, on the CPU.

    Raises:
        LoadError: the file is missing or isn't a model that ONNX Runtime can run.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        runtime = require("onnxruntime", "export")
        self.path = Path(path)
        if not self.path.is_file():
            raise LoadError(f"There is no file {path}.")
        options = runtime.SessionOptions()
        options.log_severity_level = 3  # errors only
        with quietly():
            try:
                self._session = runtime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])
            except Exception as problem:  # a class of ONNX Runtime's own per kind of failure
                raise LoadError(f"ONNX Runtime can't run {path}: {problem}") from problem
        self.inputs = tuple(map(_port, self._session.get_inputs()))
        self.outputs = tuple(map(_port, self._session.get_outputs()))

    def run(self, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        return self._session.run([port.name for port in self.outputs], feed)


def _convert(frozen: Frozen, opset: int) -> Any:
    with quietly() as held:
        tf2onnx = require("tf2onnx.convert", "export")
        select = require("tf2onnx.onnx_opset.controlflow", "export").Select
        try:
            model, _ = tf2onnx.from_graph_def(
                frozen.graph,
                name="a TensorFlow function",
                input_names=list(frozen.feeds),
                output_names=list(frozen.fetches),
                opset=opset,
                tensors_to_rename=_names(frozen),
                custom_op_handlers={op: (_where(select), []) for op in ("Select", "SelectV2")},
            )
        except Exception as problem:  # tf2onnx asserts, raises ValueError, KeyError, …
            tail = "\n".join(held().strip().splitlines()[-5:])
            raise ExportError(f"tf2onnx failed: {problem}\n{tail}") from problem
    return model


def _names(frozen: Frozen) -> dict[str, str]:
    """The public name of each tensor. ONNX wants an output called like an input renamed: `_out`."""
    names = {feed: port.name for feed, port in zip(frozen.feeds, frozen.inputs, strict=True)}
    taken = set(names.values())
    for fetch, port in zip(frozen.fetches, frozen.outputs, strict=True):
        name = port.name
        while name in taken:
            name += "_out"
        taken.add(name)
        names[fetch] = name
    return names


def _where(select: Any) -> Any:
    # tf2onnx turns where(c, x, y) into c·x + (1-c)·y, which is NaN as soon as the value that isn't
    # chosen is infinite. With this mark it writes ONNX's own Where.
    def handler(context: Any, node: Any, name: str, args: Any) -> None:
        if context.get_dtype(node.output[0]) in FLOATS:
            node.set_attr("handles_nan", 1)
        select.version_9(context, node)

    return handler


def _check_ops(model: Any, opset: int) -> None:
    onnx = require("onnx", "export")
    unknown: dict[str, str] = {}
    for node in _nodes(model.graph):
        if node.domain or not onnx.defs.has(node.op_type, opset):
            unknown.setdefault(node.op_type, node.name)
    if unknown:
        ops = ", ".join(f"{op} (node `{name}`)" for op, name in sorted(unknown.items()))
        step = "Write the layer with other ops, or export to another format."
        if "EmptyTensorList" in unknown:  # the gradient of a loop puts them into the loop itself
            step = "If a gradient was taken through this very function, trace a new one to export."
        raise ExportError(f"ONNX opset {opset} has no op for: {ops}. {step}")
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as problem:
        raise ExportError(f"tf2onnx wrote a model that ONNX rejects: {problem}") from problem


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for body in (*attribute.graphs, attribute.g):
                yield from _nodes(body)


def _name_free_sizes(model: Any, frozen: Frozen) -> None:
    """Call the free sizes `batch` and `<input>_<axis>`, and carry those names on to the outputs."""
    onnx = require("onnx", "export")
    del model.graph.value_info[:]  # tf2onnx calls free sizes unk__123
    names = {""}
    for port, value in zip(frozen.inputs, model.graph.input, strict=True):
        free = [f"{port.name}_{axis}" for axis in range(len(port.shape or ()))]
        free[:1] = ["batch"][: len(free)]
        names.update(free)
        _set_shape(value, port, free)
    for port, value in zip(frozen.outputs, model.graph.output, strict=True):
        _set_shape(value, port, [""] * len(port.shape or ()))
    traced = onnx.shape_inference.infer_shapes(model, data_prop=True)
    for mine, found in zip(model.graph.output, traced.graph.output, strict=True):
        mine.CopyFrom(found)
        for size in mine.type.tensor_type.shape.dim:
            if size.dim_param not in names:  # made up by the inference
                size.Clear()


def _set_shape(value: Any, port: Port, free: list[str]) -> None:
    kind = value.type.tensor_type
    kind.ClearField("shape")
    if port.shape is None:
        return
    kind.shape.SetInParent()  # a scalar has a shape without sizes
    for size, name in zip(port.shape, free, strict=True):
        dimension = kind.shape.dim.add()
        if size is not None:
            dimension.dim_value = size
        elif name:
            dimension.dim_param = name


def _port(value: Any) -> Port:
    shape = tuple(size if isinstance(size, int) else None for size in value.shape)
    dtype = value.type.removeprefix("tensor(").removesuffix(")")
    return Port(value.name, shape, DTYPES.get(dtype, dtype))
