"""A frozen TensorFlow graph made fit for TF.js: simplified, in 32 bits, or refused."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kbridge.adapters.frozen import Frozen
from kbridge.adapters.quiet import quietly
from kbridge.adapters.require import require
from kbridge.core.errors import ExportError

# These keep to ops that the graph has already or that TF.js knows. The remapper and the layout
# optimiser don't (fused oneDNN ops, NCHW), so they stay off.
PASSES = (
    "function", "constfold", "shape", "arithmetic", "dependency", "constfold",
    "common_subgraph_elimination", "pruning",
)  # fmt: skip

# Ops that only check or only matter in training. EnsureShape is on TF.js's list and fails there.
IDENTITIES = {"EnsureShape", "PreventGradient", "StopGradient", "CheckNumerics"}
EFFECTS = {"NoOp", "Assert", "Print", "PrintV2"}

NORMS = {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"}
POOLS = {"MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D"}
IMAGES = NORMS | POOLS | {
    "BiasAdd", "Conv2D", "Conv3D", "DepthwiseConv2dNative", "Conv2DBackpropInput", "DepthToSpace",
}  # fmt: skip

NARROW = {"int64": "int32"}  # TF.js has no 64 bit integers
STORED = {"float32": "float32", "int32": "int32", "bool": "bool", **NARROW, "uint8": "int32"}
COMPUTED = {*STORED, "variant", "complex64"}  # variant: the handle of a TensorArray


# Options of known ops that TF.js 4.22 ignores or fails on, found by reading its executors and by
# trying: ops, the option, when it can't be used, what TF.js has instead.
LIMITS: tuple[tuple[set[str], str, Callable[[Any], bool], str], ...] = (
    ({"OneHot"}, "axis", lambda it: it.i != -1, "has OneHot along the last axis only"),
    (NORMS, "is_training", lambda it: it.b, "has batch normalization for inference only"),
    (IMAGES, "data_format", lambda it: it.s.startswith(b"NC"), "has channels-last images only"),
    (POOLS, "padding", lambda it: it.s == b"EXPLICIT", "pools with SAME or VALID padding only"),
    ({"Einsum"}, "equation", lambda it: b"..." in it.s, "has Einsum without an ellipsis only"),
    (
        {"Conv2DBackpropInput"},
        "dilations",
        lambda it: bool(set(it.list.i) - {1}),
        "has transposed convolution without dilation only",
    ),
    # its op list reads num_lower in the place of num_upper
    ({"MatrixBandPart"}, "T", lambda it: True, "computes MatrixBandPart wrongly"),
)


class Prepared(NamedTuple):
    """A `GraphDef` without values, the values by node name, and the node behind each port."""

    graph: Any
    weights: dict[str, np.ndarray]
    feeds: dict[str, str]
    fetches: dict[str, str]


def prepare(frozen: Frozen) -> Prepared:
    """Make a frozen graph fit for TF.js.

    Raises:
        ExportError: TF.js has no such op, has it without an option that is used, or has no such
            dtype. The message names the nodes.
    """
    graph = _optimised(frozen)
    fetches = _named_outputs(graph, frozen)
    feeds = {port.name: feed.partition(":")[0] for port, feed in zip(frozen.inputs, frozen.feeds, strict=True)}
    for nodes in _bodies(graph):
        _drop_effects(nodes)
    _prune(graph.node, {*feeds.values(), *fetches.values()})
    for function in graph.library.function:
        _prune(function.node_def, {_node_of(result) for result in function.ret.values()})
        _make_names_unique(function)
    _check(graph)
    _narrow(graph)
    return Prepared(graph, _take_weights(graph), feeds, fetches)


def supported() -> tuple[str, frozenset[str]]:
    """Version of @tensorflow/tfjs-converter and the TensorFlow ops that its op list holds."""
    stored = json.loads(Path(__file__).with_name("tfjs_ops.json").read_text())
    return stored["version"], frozenset(stored["ops"])


# ---- simplify ------------------------------------------------------------


def _optimised(frozen: Frozen) -> Any:
    tf = require("tensorflow", "export")
    optimizer = require("tensorflow.python.grappler.tf_optimizer", "export")
    config = tf.compat.v1.ConfigProto()
    config.graph_options.rewrite_options.optimizers.extend(PASSES)
    config.graph_options.rewrite_options.min_graph_nodes = -1  # small graphs too
    meta = tf.compat.v1.MetaGraphDef(graph_def=frozen.graph)
    kept = meta.collection_def["train_op"].node_list.value  # grappler looks here for what must stay
    kept.extend((*frozen.feeds, *frozen.fetches))
    with quietly():
        try:
            return optimizer.OptimizeGraph(config, meta)
        except tf.errors.OpError as problem:
            raise ExportError(f"TensorFlow can't simplify the graph: {problem}") from problem


def _named_outputs(graph: Any, frozen: Frozen) -> dict[str, str]:
    """Add an Identity per output, called like it: TF.js keeps one output per tensor."""
    taken = {node.name for node in graph.node}
    names = {}
    for port, fetch in zip(frozen.outputs, frozen.fetches, strict=True):
        name = "".join(c if c.isalnum() or c in "_./" else "_" for c in port.name)
        while name in taken:
            name += "_out"
        taken.add(name)
        node = graph.node.add(name=name, op="Identity", input=[fetch.removesuffix(":0")])
        node.attr["T"].type = _type_number(port.dtype)
        names[port.name] = name
    return names


def _bodies(graph: Any) -> Iterator[Any]:
    yield graph.node
    for function in graph.library.function:
        yield function.node_def


def _drop_effects(nodes: Any) -> None:
    """Remove control inputs, nodes that have an effect only, and private attributes."""
    for node in nodes:
        data = [name for name in node.input if not name.startswith("^")]
        surplus = {name for name in node.attr if name.startswith("_")}
        if node.op in IDENTITIES:
            node.op = "Identity"
            surplus = set(node.attr) - {"T"}
        for name in surplus:
            del node.attr[name]
        del node.input[:]
        node.input.extend(data)
    _keep(nodes, lambda node: node.op not in EFFECTS)


def _prune(nodes: Any, wanted: set[str]) -> None:
    by_name = {node.name: node for node in nodes}
    needed, left = set(), list(wanted)
    while left:
        name = left.pop()
        if name in by_name and name not in needed:
            needed.add(name)
            left.extend(map(_node_of, by_name[name].input))
    _keep(nodes, lambda node: node.name in needed)


def _keep(nodes: Any, wanted: Callable[[Any], bool]) -> None:
    for index in reversed(range(len(nodes))):
        if not wanted(nodes[index]):
            del nodes[index]


def _make_names_unique(function: Any) -> None:
    """Put the function's name before those of its nodes: TF.js has one table of constants."""
    names = {node.name: f"{function.signature.name}/{node.name}" for node in function.node_def}

    def renamed(tensor: str) -> str:
        node, colon, rest = tensor.partition(":")
        return names.get(node, node) + colon + rest

    for node in function.node_def:
        node.name = names[node.name]
        inputs = list(map(renamed, node.input))
        del node.input[:]
        node.input.extend(inputs)
    for key, tensor in list(function.ret.items()):
        function.ret[key] = renamed(tensor)


def _node_of(tensor: str) -> str:
    return tensor.partition(":")[0]


# ---- refuse ------------------------------------------------------------


def _check(graph: Any) -> None:
    version, ops = supported()
    nodes = [node for body in _bodies(graph) for node in body]
    unknown = _first_of_each((node.op, node) for node in nodes if node.op not in ops)
    complaints = [f"has no op {op} (node `{node.name}`)" for op, node in unknown]
    complaints += [f"{text} (node `{node.name}`)" for text, node in _first_of_each(_limits(graph, nodes))]
    complaints += [f"has no {dtype} (node `{node.name}`)" for dtype, node in _first_of_each(_dtypes(nodes))]
    if complaints:
        raise ExportError(
            f"TF.js {version} can't run this model: it {'; it '.join(complaints)}. "
            "Write the layer with other ops, or export to another format."
        )


def _first_of_each(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    first: dict[str, Any] = {}
    for key, node in pairs:
        first.setdefault(key, node)
    return sorted(first.items())


def _limits(graph: Any, nodes: list[Any]) -> Iterator[tuple[str, Any]]:
    for node in nodes:
        for ops, option, broken, text in LIMITS:
            # indexing a protobuf map with a missing key would add the key
            if node.op in ops and option in node.attr and broken(node.attr[option]):
                yield text, node
    yield from _stepping(nodes)
    yield from _grouped(graph)


def _stepping(nodes: list[Any]) -> Iterator[tuple[str, Any]]:
    # TF.js's kernel for steps forgets the axes that an index drops: x[:, 0, ::2] comes out wrong.
    tf = require("tensorflow", "export")
    constants = {node.name: node for node in nodes if node.op == "Const"}
    for node in nodes:
        if node.op == "StridedSlice" and node.attr["shrink_axis_mask"].i:
            strides = constants.get(_node_of(node.input[3]))
            if strides and (tf.make_ndarray(strides.attr["value"].tensor) != 1).any():
                yield "can't index one axis and step along another in one slice", node


def _grouped(graph: Any) -> Iterator[tuple[str, Any]]:
    tf = require("tensorflow", "export")
    with tf.Graph().as_default() as shapes, quietly():
        tf.graph_util.import_graph_def(graph, name="")
    for op in shapes.get_operations():
        if op.type == "Conv2D" and op.inputs[0].shape[-1] != op.inputs[1].shape[2]:
            yield "has no grouped convolution", op


def _dtypes(nodes: list[Any]) -> Iterator[tuple[str, Any]]:
    tf = require("tensorflow", "export")
    for node in nodes:
        for value in node.attr.values():
            for number in (*value.list.type, *([value.type] if value.type else [])):
                dtype = tf.as_dtype(number).name
                if dtype not in COMPUTED or (node.op == "Const" and dtype not in STORED):
                    yield dtype, node


# ---- 32 bits and weights -------------------------------------------------


def _narrow(graph: Any) -> None:
    wide = {_type_number(old): _type_number(new) for old, new in NARROW.items()}
    for body in _bodies(graph):
        for node in body:
            for value in node.attr.values():
                if value.type in wide:  # to assign any other would make a type of what isn't one
                    value.type = wide[value.type]
                for index, number in enumerate(value.list.type):
                    value.list.type[index] = wide.get(number, number)
    for function in graph.library.function:
        for argument in (*function.signature.input_arg, *function.signature.output_arg):
            argument.type = wide.get(argument.type, argument.type)


def _take_weights(graph: Any) -> dict[str, np.ndarray]:
    """The values of all constants by node name; the graph keeps their dtypes and shapes."""
    tf = require("tensorflow", "export")
    weights = {}
    for body in _bodies(graph):
        for node in body:
            if node.op == "Const":
                value = _stored(node.name, tf.make_ndarray(node.attr["value"].tensor))
                weights[node.name] = value
                empty = node.attr["value"].tensor
                empty.Clear()
                empty.dtype = _type_number(value.dtype.name)
                empty.tensor_shape.CopyFrom(tf.TensorShape(value.shape).as_proto())
    return weights


def _stored(name: str, value: np.ndarray) -> np.ndarray:
    dtype = np.dtype(STORED[value.dtype.name])
    narrowed = value.astype(dtype)
    if value.dtype.kind == "i" and (narrowed != value).any():
        raise ExportError(
            f"TF.js has 32 bit integers and the constant `{name}` holds "
            f"{value[narrowed != value].flat[0]}, which doesn't fit."
        )
    return narrowed


def _type_number(dtype: str) -> int:
    return require("tensorflow", "export").as_dtype(dtype).as_datatype_enum
