"""The graph of a model in Keras's form: a list of layers and ops, each with the calls made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kbridge.core.errors import LoadError
from kbridge.core.graph.node import leaves
from kbridge.core.graph.operation import Operation
from kbridge.core.graph.order import listed_owners, owner_of
from kbridge.core.layers.base import Layer
from kbridge.core.layers.input import InputLayer
from kbridge.core.layers.signature import call_signature
from kbridge.core.saving.allow import check, is_entry
from kbridge.core.saving.config import deserialize_keras_object, serialize_keras_object
from kbridge.core.saving.graph_ops import is_op_entry, op_call, op_entry, op_of_entry
from kbridge.core.tensor.symbolic import KerasTensor

# Keras's recurrent layers write down the `training` they were traced with; it is no wish of the user's.
TRACED_TRAINING = frozenset(
    {"RNN", "SimpleRNN", "LSTM", "GRU", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}
)


def is_graph_model(layer: Any) -> bool:
    """Whether Keras counts a layer as Functional: it then numbers its calls from 1 where outputs are listed."""
    return getattr(layer, "_graph", None) is not None and not hasattr(layer, "_stack")


# --- writing --------------------------------------------------------------------------------------


class GraphWriter:
    """Writes the graph of a model.

    Args:
        graph: the model's `Plan`.
        inputs, outputs: its symbolic tensors, nested as calls nest them.
    """

    def __init__(self, graph: Any, inputs: Any, outputs: Any) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.owners = listed_owners(graph.inputs, leaves(outputs))
        self.names = _unique_names(self.owners)
        self.calls: dict[int, list[Any]] = {id(owner): [] for owner in self.owners}
        self.place: dict[int, list[Any]] = {}
        self.cut: list[
            KerasTensor
        ] = []  # inputs that are inner tensors of a larger graph: each gets an Input of its own
        for tensor in graph.inputs:
            self._add_start(tensor)
        for node in graph.nodes:
            owner = owner_of(node)
            number = len(self.calls[id(owner)])
            self.calls[id(owner)].append(node)
            for position, tensor in enumerate(node.outputs):
                self.place[id(tensor)] = [self.names[id(owner)], number, position]

    def _add_start(self, tensor: KerasTensor) -> None:
        owner: Any = owner_of(tensor.history[0])
        if not tensor.history[0].is_input:
            owner = tensor
            self.cut.append(tensor)
            self.names[id(tensor)] = _free_name("input_layer", set(self.names.values()))
        self.place[id(tensor)] = [self.names[id(owner)], 0, 0]

    def config(self) -> dict[str, Any]:
        """The graph's part of the model's config."""
        starts = [self._start(tensor) for tensor in self.cut]
        return {
            "layers": [*starts, *(self._owner(owner) for owner in self.owners)],
            "input_layers": self._ends(self.inputs),
            "output_layers": self._ends(self.outputs),
        }

    def _start(self, tensor: KerasTensor) -> dict[str, Any]:
        layer = InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=self.names[id(tensor)])
        return {**serialize_keras_object(layer), "name": layer.name, "inbound_nodes": []}

    def _owner(self, owner: Any) -> dict[str, Any]:
        name = self.names[id(owner)]
        entry = serialize_keras_object(owner if isinstance(owner, Operation) else op_entry(owner, name))
        entry.update(name=name, inbound_nodes=[self._call(node) for node in self.calls[id(owner)]])
        return entry

    def _call(self, node: Any) -> dict[str, Any]:
        args, kwargs = (node.args, node.kwargs) if isinstance(node.operation, Operation) else op_call(node)
        return {"args": self._value(list(args)), "kwargs": self._value(kwargs)}

    def _value(self, value: Any) -> Any:
        if isinstance(value, KerasTensor):
            config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": self.place[id(value)]}
            return {"class_name": "__keras_tensor__", "config": config}
        if isinstance(value, dict):
            return {key: self._value(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._value(each) for each in value]
        return serialize_keras_object(value)

    def _ends(self, struct: Any) -> Any:
        if isinstance(struct, KerasTensor):
            name, number, position = self.place[id(struct)]
            nested = id(struct) not in self.names and is_graph_model(struct.history[0].operation)
            return [name, number + nested, position]
        if isinstance(struct, dict):
            return {key: self._ends(each) for key, each in struct.items()}
        return [self._ends(each) for each in struct]


def _unique_names(owners: list[Any]) -> dict[int, str]:
    names = {id(owner): owner.name for owner in owners if isinstance(owner, Operation)}
    taken = set(names.values())
    for owner in owners:
        if id(owner) not in names:
            names[id(owner)] = _free_name(owner.operation.name, taken)
            taken.add(names[id(owner)])
    return names


def _free_name(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 0
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


# --- reading --------------------------------------------------------------------------------------


def read_graph(config: dict[str, Any], custom_objects: Any = None) -> tuple[Any, Any]:
    """The symbolic inputs and outputs of a stored graph, nested as it says.

    Raises:
        LoadError: the graph is no graph: a name used twice or missing, a loop, a tensor that nothing makes.
    """
    reader = _GraphReader(config["layers"], custom_objects)
    reader.make_calls()
    return reader.ends(config["input_layers"]), reader.ends(config["output_layers"])


class _GraphReader:
    def __init__(self, entries: Any, custom_objects: Any) -> None:
        self.customs = custom_objects
        self.operations: dict[str, Any] = {}
        self.calls: dict[tuple[str, int], tuple[dict[str, Any], Any]] = {}
        self.made: dict[tuple[str, int], list[KerasTensor]] = {}
        check(entries, custom_objects)  # every name, before the first layer is made
        for entry in _listed(entries):
            name = entry.get("name") or entry["config"].get("name")
            if name in self.operations:
                raise LoadError(f"The file holds two layers called {name!r}.")
            operation = (
                op_of_entry(entry, self._filled)
                if is_op_entry(entry)
                else deserialize_keras_object(entry, custom_objects)
            )
            self.operations[name] = operation
            calls = entry.get("inbound_nodes") or []
            if not calls and isinstance(operation, InputLayer):
                self.made[name, 0] = [operation.output]
            for number, call in enumerate(calls):
                if not isinstance(call, dict):
                    raise LoadError(f"Layer {name!r} is written in the form of Keras 2, which kbridge doesn't read.")
                self.calls[name, number] = call, entry

    def make_calls(self) -> None:
        """Make every call after those whose tensors it takes."""
        needs = {key: list(_histories(call)) for key, (call, _) in self.calls.items()}
        waiting = {key: len({k for k in needed if k not in self.made}) for key, needed in needs.items()}
        users: dict[Any, list[Any]] = {}
        for key, needed in needs.items():
            for source in {k for k in needed if k not in self.made}:
                users.setdefault(source, []).append(key)
        ready = [key for key, count in reversed(waiting.items()) if count == 0]
        while ready:
            key = ready.pop()
            self._make(key)
            for user in users.get(key, ()):
                waiting[user] -= 1
                if waiting[user] == 0:
                    ready.append(user)
        lost = [name for (name, number) in self.calls if (name, number) not in self.made]
        if lost:
            raise LoadError(f"The graph in the file is broken: {lost[0]!r} needs a tensor that nothing makes.")

    def _make(self, key: tuple[str, int]) -> None:
        call, entry = self.calls[key]
        operation = self.operations[key[0]]
        args, kwargs = self._filled(call.get("args") or []), self._filled(call.get("kwargs") or {})
        if isinstance(operation, Layer):
            kwargs = _fitting(operation, entry["class_name"], kwargs)
        outputs = operation(*args, **kwargs)
        self.made[key] = [t for t in leaves(outputs) if isinstance(t, KerasTensor)]

    def _filled(self, value: Any) -> Any:
        if is_entry(value):
            if value["class_name"] == "__keras_tensor__":
                return self._tensor(value["config"]["keras_history"])
            return deserialize_keras_object(value, self.customs)
        if isinstance(value, dict):
            return {key: self._filled(each) for key, each in value.items()}
        return [self._filled(each) for each in value] if isinstance(value, list) else value

    def _tensor(self, history: Any, shift: int = 0) -> KerasTensor:
        name, number, position = _checked(history)
        outputs = self.made.get((name, number - shift), [])
        if not 0 <= position < len(outputs):
            raise LoadError(f"The graph in the file is broken: {name!r} has no output {position} of call {number}.")
        return outputs[position]

    def ends(self, struct: Any) -> Any:
        """The tensors that a list of inputs or outputs means."""
        if isinstance(struct, dict):
            return {key: self.ends(each) for key, each in struct.items()}
        if isinstance(struct, list) and len(struct) == 3 and isinstance(struct[0], str):
            return self._tensor(struct, shift=int(is_graph_model(self.operations.get(struct[0]))))
        return [self.ends(each) for each in _listed(struct, dict | list)]


def _listed(value: Any, of: Any = dict) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(each, of) for each in value):
        raise LoadError(f"The graph in the file is broken: a list was expected, got {str(value)[:80]}.")
    return value


def _checked(history: Any) -> tuple[str, int, int]:
    if isinstance(history, list) and [type(part) for part in history] == [str, int, int]:
        return history[0], history[1], history[2]
    raise LoadError(f"The graph in the file is broken: {str(history)[:80]} names no tensor.")


def _histories(value: Any) -> Iterator[tuple[str, int]]:
    """Which calls a stored call takes tensors from."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        name, number, _ = _checked(value["config"]["keras_history"])
        yield name, number
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _histories(each)


def _fitting(layer: Layer, class_name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments without those that say nothing."""
    if class_name in TRACED_TRAINING and kwargs.get("training") is False:
        kwargs = {key: value for key, value in kwargs.items() if key != "training"}
    takes: Callable[[str], bool] = set(call_signature(type(layer).call).names).__contains__
    return {key: value for key, value in kwargs.items() if value is not None or takes(key)}
