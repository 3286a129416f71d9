"""A node of a symbolic graph: which operation was called, on what, giving which tensors."""

from __future__ import annotations

from typing import Any

import optree

from kbridge.core.tensor.symbolic import KerasTensor

NAMESPACE = "kbridge"


def leaves(tree: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts; None is a leaf."""
    if tree is None or hasattr(tree, "dtype"):  # by far the most calls, and no tree at all
        return [tree]
    return optree.tree_leaves(tree, none_is_leaf=True, namespace=NAMESPACE)


def map_leaves(fn: Any, tree: Any) -> Any:
    """`tree` with `fn` applied to each leaf; None is a leaf."""
    return optree.tree_map(fn, tree, none_is_leaf=True, namespace=NAMESPACE)


def fresh(value: Any) -> Any:
    """A symbolic tensor of its own for each output, so that its history is that of one call."""
    if not isinstance(value, KerasTensor):
        return value
    return KerasTensor(value.shape, value.dtype, value.sparse, value.ragged)


class Node:
    """One call in a graph.

    Args:
        operation: a Layer, or a declared op.
        args, kwargs: what it was called with; KerasTensors are the edges.
        outputs: the KerasTensors it gave, nested as the call nests them.
    """

    __slots__ = ("args", "inputs", "kwargs", "operation", "outputs", "single")

    def __init__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.outputs: list[KerasTensor] = [t for t in leaves(outputs) if isinstance(t, KerasTensor)]
        self.single = isinstance(outputs, KerasTensor)
        self.inputs: list[KerasTensor] = [t for t in leaves((args, kwargs)) if isinstance(t, KerasTensor)]
        for position, tensor in enumerate(self.outputs):
            tensor.history = (self, position)

    @property
    def is_input(self) -> bool:
        """Whether this node starts a graph."""
        return not self.inputs


def record_call(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> Any:
    """Note a call in the graph; returns `outputs`, which now know where they come from."""
    Node(operation, args, kwargs, outputs)
    return outputs
