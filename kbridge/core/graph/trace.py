"""From symbolic outputs back to the nodes that make them, in an order that runs."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import ShapeError
from kbridge.core.graph.node import Node
from kbridge.core.tensor.symbolic import KerasTensor


def nodes_between(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> list[Node]:
    """The nodes that lead from `inputs` to `outputs`, each after those it needs.

    Raises:
        ShapeError: an output depends on a symbolic tensor that isn't among the inputs.
    """
    given = {id(tensor) for tensor in inputs}
    order: list[Node] = []
    done: set[int] = set()
    stack: list[tuple[Node, bool]] = []

    def push(tensor: KerasTensor) -> None:
        if id(tensor) in given:
            return
        node = tensor.history[0] if tensor.history is not None else None
        if node is None or not node.inputs:
            raise ShapeError(
                f"Output {output!r} is not connected to `inputs`: it needs {tensor!r}, which isn't one of "
                f"{[t._name or t.shape for t in inputs]}. Add it to `inputs`."
            )
        if id(node) not in done:
            stack.append((node, False))

    for output in outputs:
        push(output)
        while stack:
            node, ready = stack.pop()
            if ready:
                if id(node) not in done:
                    done.add(id(node))
                    order.append(node)
                continue
            if id(node) in done:
                continue
            stack.append((node, True))
            for tensor in reversed(node.inputs):
                push(tensor)
    return order


def input_node(tensor: Any) -> Node:
    """The node that made an input tensor."""
    return tensor.history[0]


def get_source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """The symbolic tensors that `tensor` is computed from, with which its graph starts; itself if it is one.

    >>> x, y = KerasTensor((2,)), KerasTensor((2,))
    >>> [t is each for t, each in zip(get_source_inputs((x + y) * x), (x, y))]
    [True, True]
    """
    found: dict[int, KerasTensor] = {}
    met: set[int] = set()
    stack = [tensor]
    while stack:
        each = stack.pop()
        if id(each) in met:
            continue
        met.add(id(each))
        inputs = each.history[0].inputs if each.history is not None else []
        if not inputs:
            found[id(each)] = each
        stack += reversed(inputs)
    return list(found.values())
