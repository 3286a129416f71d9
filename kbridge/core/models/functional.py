"""Models made from a graph, and how a graph is written down."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import LoadError
from kbridge.core.graph.node import leaves
from kbridge.core.graph.trace import input_node
from kbridge.core.layers.base import Layer
from kbridge.core.models.model import Model
from kbridge.core.saving.config import deserialize_keras_object, serialize_keras_object
from kbridge.core.saving.graph_ops import op_entry, op_of_entry
from kbridge.core.tensor.symbolic import KerasTensor


class Functional(Model):
    """A model made from symbolic inputs and outputs."""

    def get_config(self) -> dict[str, Any]:
        """The layers, and which call of which feeds which: Keras's form."""
        if type(self).__init__ is not Model.__init__ and type(self) is not Functional:
            return super().get_config()
        return {"name": self.name, "trainable": self._trainable, **GraphWriter(self).config()}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model of that config."""
        if "layers" not in config or "input_layers" not in config:
            return cls(**config)
        return read_graph(cls if cls is not Functional else Functional, config, custom_objects)


class GraphWriter:
    """Writes a graph as Keras does: a list of operations, each with the calls made of it."""

    def __init__(self, model: Model) -> None:
        assert model._graph is not None
        self.model = model
        self.graph = model._graph
        self.names: dict[int, str] = {}
        self.calls: dict[int, list[Any]] = {}
        self.order: list[Any] = []
        self.position: dict[int, int] = {}
        counts: dict[str, int] = {}
        for node in [*(input_node(t) for t in self.graph.inputs), *self.graph.nodes]:
            owner = node.operation if isinstance(node.operation, Layer) else node
            if id(owner) not in self.calls:
                self.calls[id(owner)] = []
                self.order.append(owner)
                if isinstance(owner, Layer):
                    self.names[id(owner)] = owner.name
                else:
                    counts[node.operation.name] = counts.get(node.operation.name, 0) + 1
                    number = counts[node.operation.name] - 1
                    self.names[id(owner)] = node.operation.name + (f"_{number}" if number else "")
            self.position[id(node)] = len(self.calls[id(owner)])
            self.calls[id(owner)].append(node)

    def config(self) -> dict[str, Any]:
        """The graph's part of the config."""
        return {
            "layers": [self._operation(owner) for owner in self.order],
            "input_layers": self._ends(self.model._inputs_struct),
            "output_layers": self._ends(self.model._outputs_struct),
        }

    def _place(self, tensor: KerasTensor) -> list[Any]:
        node, position = tensor.history
        owner = node.operation if isinstance(node.operation, Layer) else node
        return [self.names[id(owner)], self.position[id(node)], position]

    def _ends(self, struct: Any) -> Any:
        if isinstance(struct, KerasTensor):
            return self._place(struct)
        if isinstance(struct, dict):
            return {key: self._ends(each) for key, each in struct.items()}
        return [self._ends(each) for each in struct]

    def _operation(self, owner: Any) -> dict[str, Any]:
        name = self.names[id(owner)]
        nodes = self.calls[id(owner)]
        entry = serialize_keras_object(owner) if isinstance(owner, Layer) else op_entry(owner, name)
        inbound = [self._node(owner, node) for node in nodes if node.inputs]
        return {**entry, "name": name, "inbound_nodes": inbound}

    def _node(self, owner: Any, node: Any) -> dict[str, Any]:
        if isinstance(owner, Layer):
            args, kwargs = node.args, node.kwargs
        else:
            args, kwargs = op_entry(owner, "", call=True)
        return {"args": self._value(list(args)), "kwargs": self._value(kwargs)}

    def _value(self, value: Any) -> Any:
        if isinstance(value, KerasTensor):
            config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": self._place(value)}
            return {"class_name": "__keras_tensor__", "config": config}
        if isinstance(value, dict):
            return {key: self._value(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._value(each) for each in value]
        return serialize_keras_object(value)


def read_graph(cls: Any, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """Build a functional model from its config."""
    operations: dict[str, Any] = {}
    waiting: list[tuple[str, dict[str, Any], int]] = []
    made: dict[tuple[str, int], list[KerasTensor]] = {}
    for entry in config["layers"]:
        name = entry.get("name") or entry["config"].get("name")
        if name in operations:
            raise LoadError(f"The file holds two layers called {name!r}.")
        operations[name] = op_of_entry(entry) or deserialize_keras_object(entry, custom_objects)
        operation = operations[name]
        if not entry.get("inbound_nodes"):
            made[name, 0] = [operation.output]
        waiting += [(name, node, i) for i, node in enumerate(entry.get("inbound_nodes", ()))]
    while waiting:
        later = []
        for name, node, i in waiting:
            ready, (args, kwargs) = _fill_node(node, made)
            if not ready:
                later.append((name, node, i))
                continue
            outputs = operations[name](*args, **kwargs)
            made[name, i] = [t for t in leaves(outputs) if isinstance(t, KerasTensor)]
        if len(later) == len(waiting):
            raise LoadError(f"The graph in the file is broken: {waiting[0][0]!r} needs a tensor that nothing makes.")
        waiting = later
    inputs, outputs = _read_ends(config["input_layers"], made), _read_ends(config["output_layers"], made)
    model = cls(inputs, outputs, name=config.get("name"))
    if config.get("trainable") is False:
        model.trainable = False
    return model


def _fill_node(node: Any, made: Any) -> tuple[bool, Any]:
    ready = True

    def fill(value: Any) -> Any:
        nonlocal ready
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            layer, call, position = value["config"]["keras_history"]
            if (layer, call) not in made:
                ready = False
                return None
            return made[layer, call][position]
        if isinstance(value, dict):
            if "class_name" in value and "config" in value:
                return deserialize_keras_object(value)
            return {key: fill(each) for key, each in value.items()}
        return [fill(each) for each in value] if isinstance(value, (list, tuple)) else value

    return ready_after(fill, node, lambda: ready)


def ready_after(fill: Any, node: Any, ready: Any) -> tuple[bool, Any]:
    """The filled arguments of a stored call, and whether all of its tensors exist by now."""
    filled = tuple(fill(node.get("args", []))), fill(node.get("kwargs", {}))
    return ready(), filled


def _read_ends(ends: Any, made: Any) -> Any:
    if isinstance(ends, dict):
        return {key: _read_ends(each, made) for key, each in ends.items()}
    if len(ends) == 3 and isinstance(ends[0], str):
        return made[ends[0], ends[1]][ends[2]]
    return [_read_ends(each, made) for each in ends]
