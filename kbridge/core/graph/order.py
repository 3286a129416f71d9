"""The order in which Keras lists the layers of a graph. Stored weights are numbered by it."""

from __future__ import annotations

from typing import Any

from kbridge.core.graph.node import Node
from kbridge.core.graph.operation import Operation
from kbridge.core.tensor.symbolic import KerasTensor


def owner_of(node: Node) -> Any:
    """What a call belongs to: the layer or Operation, which may be called often, or the node itself for an op."""
    return node.operation if isinstance(node.operation, Operation) else node


def listed_owners(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> list[Any]:
    """The layers and op nodes of a graph: those far from the outputs first, equals as met from the outputs.

    The distance of a layer is that of its farthest call. Inputs that feed nothing come last. An input that
    is an inner tensor of a larger graph brings no layer with it.
    """
    given = {id(tensor) for tensor in inputs}
    met, finished = _walk_back(given, outputs)
    inside = {id(node) for node in finished}
    node_depth: dict[int, int] = {}
    depth: dict[int, int] = {}
    for node in reversed(finished):
        owner = id(owner_of(node))
        far = max(node_depth.get(id(node), 0), depth.get(owner, 0))
        depth[owner] = node_depth[id(node)] = far
        for parent in _parents(node):
            if id(parent) in inside:
                node_depth[id(parent)] = max(far + 1, node_depth.get(id(parent), 0))
    unused = [owner_of(t.history[0]) for t in inputs if t.history[0].is_input]
    first = [owner for owner in unused if id(owner) not in depth]
    position = {id(owner): i for i, owner in enumerate(met)}
    listed = [*first, *met]
    return sorted(listed, key=lambda o: (-depth.get(id(o), 0), position.get(id(o), -1)))


def _parents(node: Node) -> list[Node]:
    return [tensor.history[0] for tensor in node.inputs]


def _walk_back(given: set[int], outputs: list[KerasTensor]) -> tuple[list[Any], list[Node]]:
    """Owners as first met from the outputs, and nodes, each after those it needs."""
    met: dict[int, Any] = {}
    finished: list[Node] = []
    done: set[int] = set()
    for output in outputs:
        stack: list[tuple[KerasTensor | None, Node]] = [(output, output.history[0])]
        while stack:
            tensor, node = stack.pop()
            if tensor is None:
                if id(node) not in done:
                    done.add(id(node))
                    finished.append(node)
                continue
            if id(node) in done or (id(tensor) in given and not node.is_input):
                continue
            met.setdefault(id(owner_of(node)), owner_of(node))
            stack.append((None, node))
            stack += [(t, t.history[0]) for t in reversed(node.inputs)]
    return list(met.values()), finished
