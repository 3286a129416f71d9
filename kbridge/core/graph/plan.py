"""A graph as a flat plan: callables and the slots of their arguments.

What a layer never needs (mask propagation, autocast, build checks, regularizers) is settled when the
plan is made, not at each call: such a layer's `call` runs directly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbridge.core.graph.node import Node, leaves, map_leaves, record_call
from kbridge.core.graph.operation import Operation
from kbridge.core.graph.trace import input_node, nodes_between
from kbridge.core.layers.base import Layer, is_tensor, resolve_training
from kbridge.core.tensor.symbolic import KerasTensor

PLAIN, TRAINING, GENERAL, GENERAL_TRAINING = 0, 1, 2, 3  # how a step's callable gets its arguments


class _Slot:
    """Stands for a tensor of the graph in its stored form."""

    def __init__(self, index: int) -> None:
        self.index = index


class Plan:
    """A runnable graph.

    Args:
        inputs: the symbolic inputs, flat.
        outputs: the symbolic outputs, nested as results shall be.
    """

    def __init__(self, inputs: list[KerasTensor], outputs: Any) -> None:
        self.inputs = inputs
        self.outputs = outputs
        flat = [t for t in leaves(outputs) if isinstance(t, KerasTensor)]
        self.nodes: list[Node] = nodes_between(inputs, flat)
        slots: dict[int, int] = {id(t): i for i, t in enumerate(inputs)}
        for node in self.nodes:
            for tensor in node.outputs:
                slots.setdefault(id(tensor), len(slots))
        self.slots = slots
        self.size = len(slots)
        self.single = slots[id(outputs)] if isinstance(outputs, KerasTensor) else None
        self._steps: tuple[Any, ...] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The graph, flat: following histories would nest as deep as the graph is long."""
        slots = self.slots

        def number(leaf: Any) -> Any:
            return _Slot(slots[id(leaf)]) if isinstance(leaf, KerasTensor) else leaf

        calls = [
            (
                node.operation,
                *map_leaves(number, (node.args, node.kwargs)),
                node.outputs[0] if node.single else node.outputs,
            )
            for node in self.nodes
        ]
        return {"inputs": [(input_node(t).operation, t) for t in self.inputs], "calls": calls,
                "outputs": map_leaves(number, self.outputs)}  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        tensors: list[KerasTensor] = []

        def tensor(leaf: Any) -> Any:
            return tensors[leaf.index] if isinstance(leaf, _Slot) else leaf

        def record(operation: Any, args: Any, kwargs: Any, outputs: Any) -> None:
            record_call(operation, args, kwargs, outputs)
            tensors.extend(leaves(outputs))
            if isinstance(operation, Operation):
                operation._inbound.append(leaves(outputs)[0].history[0])

        for layer, start in state["inputs"]:
            record(layer, (), {}, start)
        for operation, args, kwargs, outputs in state["calls"]:
            given, named = map_leaves(tensor, (args, kwargs))
            record(operation, given, named, outputs)
        self.__init__(tensors[: len(state["inputs"])], map_leaves(tensor, state["outputs"]))  # type: ignore[misc]

    @property
    def steps(self) -> tuple[Any, ...]:
        """The plan: `(kind, callable, source, target, owner, spent)` for each node."""
        if self._steps is None:
            each_spent = self._spent()
            self._steps = tuple(
                [(*self._step(node), spent) for node, spent in zip(self.nodes, each_spent, strict=True)]
            )
        return self._steps

    def _spent(self) -> list[tuple[int, ...]]:
        """For each node the slots that none after it reads: their memory is free for the next results."""
        last: dict[int, int] = {}
        for i, node in enumerate(self.nodes):
            last.update((self.slots[id(t)], i) for t in (*node.inputs, *node.outputs))
        kept = {self.slots[id(t)] for t in leaves(self.outputs) if isinstance(t, KerasTensor)}
        spent: list[list[int]] = [[] for _ in self.nodes]
        for slot, i in last.items():
            if slot not in kept:
                spent[i].append(slot)
        return [tuple(slots) for slots in spent]

    def _step(self, node: Node) -> tuple[Any, ...]:
        owner = node.operation
        targets = tuple(self.slots[id(t)] for t in node.outputs)
        target = targets[0] if node.single else targets
        if not isinstance(owner, Layer):
            call = owner if isinstance(owner, Operation) else owner.call
            return GENERAL, call, self._arguments(node), target, owner
        if not runs_plainly(owner, node):
            return GENERAL, owner, self._arguments(node), target, owner
        trains = owner._signature.takes_training and "training" not in node.kwargs
        if len(node.args) == 1 and isinstance(node.args[0], KerasTensor) and not node.kwargs:
            return TRAINING if trains else PLAIN, owner.call, self.slots[id(node.args[0])], target, owner
        return GENERAL_TRAINING if trains else GENERAL, owner.call, self._arguments(node), target, owner

    def _arguments(self, node: Node) -> Callable[[list[Any]], tuple[Any, Any]]:
        """A function from the slots' values to the node's arguments."""
        slots = self.slots
        if not node.kwargs and all(isinstance(a, KerasTensor) for a in node.args):
            flat = tuple(slots[id(a)] for a in node.args)
            return lambda values: (tuple(values[i] for i in flat), {})
        first = node.args[0] if len(node.args) == 1 and not node.kwargs else None
        if isinstance(first, (list, tuple)) and all(isinstance(a, KerasTensor) for a in first):
            listed = tuple(slots[id(a)] for a in first)
            return lambda values: (([values[i] for i in listed],), {})

        def fill(values: list[Any]) -> tuple[Any, Any]:
            def put(leaf: Any) -> Any:
                return values[slots[id(leaf)]] if isinstance(leaf, KerasTensor) else leaf

            return map_leaves(put, (node.args, node.kwargs))

        return fill

    def run(self, inputs: list[Any]) -> Any:
        """The outputs for native inputs, in a running call.

        `training` is what the call context says.
        """
        values: list[Any] = [None] * self.size
        values[: len(inputs)] = inputs
        for kind, call, source, target, layer, spent in self.steps:
            if kind is PLAIN:
                result = call(values[source])
            elif kind is TRAINING:
                result = call(values[source], training=resolve_training(layer))
            else:
                args, kwargs = source(values)
                if kind is GENERAL_TRAINING:
                    kwargs = {**kwargs, "training": resolve_training(layer)}
                result = call(*args, **kwargs)
                del args, kwargs
            if type(target) is int:
                values[target] = result
            else:
                for slot, each in zip(target, leaves(result), strict=True):
                    values[slot] = each
            for slot in spent:
                values[slot] = None
        if self.single is not None:
            return values[self.single]
        slots = self.slots
        return map_leaves(lambda t: values[slots[id(t)]] if isinstance(t, KerasTensor) else t, self.outputs)


def runs_plainly(layer: Layer, node: Node) -> bool:
    """Whether a layer's `call` can run without the base class's door."""
    casts = layer.autocast and any("float" in t.dtype and t.dtype != layer.compute_dtype for t in node.inputs)
    masked = any(t._mask is not None for t in (*node.inputs, *node.outputs))
    return (
        type(layer).__call__ is Layer.__call__
        and layer.built
        and layer._called
        and layer._remat is None
        and not casts
        and not masked
        and layer.compute_dtype == layer.variable_dtype
        and layer.activity_regularizer is None
        and not layer._signature.default_training
        and all(isinstance(t, KerasTensor) or not is_tensor(t) for t in leaves((node.args, node.kwargs)))
    )
