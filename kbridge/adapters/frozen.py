"""A TensorFlow function as one graph without variables: where ONNX and TF.js exports start."""

from typing import Any, NamedTuple

from kbridge.adapters.ports import Port, concrete, input_ports, output_ports
from kbridge.adapters.quiet import quietly
from kbridge.adapters.require import require
from kbridge.core.errors import ExportError


class Frozen(NamedTuple):
    """A `GraphDef` with its calls inlined and its variables turned into constants.

    `feeds` and `fetches` are the tensor names (`"x:0"`) that belong to `inputs` and `outputs`.
    """

    graph: Any
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    feeds: tuple[str, ...]
    fetches: tuple[str, ...]


def freeze(function: Any) -> Frozen:
    """The graph of a concrete function, or of a `tf.function` with a signature. Loops stay loops.

    Raises:
        ExportError: the function needs something that can't become a constant.
    """
    freezing = require("tensorflow.python.framework.convert_to_constants", "export")
    function = concrete(function)
    inputs, outputs = input_ports(function), output_ports(function)
    with quietly():
        try:
            frozen = freezing.convert_variables_to_constants_v2(
                function, lower_control_flow=False, aggressive_inlining=True
            )
            graph = frozen.graph.as_graph_def()
        except Exception as problem:  # of many classes: more than 2 GB, a variable of another thread, …
            raise ExportError(f"TensorFlow can't make constants of the weights: {problem}") from problem
    _plain_gathers(graph)
    feeds = tuple(tensor.name for tensor in frozen.inputs)
    if len(feeds) != len(inputs):
        raise ExportError(
            f"The function uses {', '.join(feeds[len(inputs) :])}, neither an input nor a variable "
            "(usually a lookup table), which can't become a constant."
        )
    fetches = tuple(tensor.name for tensor in frozen.outputs[: len(outputs)])
    return Frozen(graph, inputs, outputs, feeds, fetches)


def _plain_gathers(graph: Any) -> None:
    # Freezing leaves ResourceGather of what is now a constant in loops: tensorflow/tensorflow#51488
    for body in graph.library.function:
        for node in body.node_def:
            if node.op == "ResourceGather" and not node.attr["batch_dims"].i:
                node.op = "Gather"
                node.attr["Tparams"].CopyFrom(node.attr["dtype"])
                for name in {"dtype", "batch_dims", "validate_indices"} & set(node.attr):
                    del node.attr[name]
