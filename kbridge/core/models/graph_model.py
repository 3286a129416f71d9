"""The part of a model that runs a graph: the door that fits inputs to it, and its layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kbridge.core.context import framework_of_type, local
from kbridge.core.errors import ShapeError
from kbridge.core.graph.node import leaves
from kbridge.core.graph.order import listed_owners
from kbridge.core.graph.plan import Plan
from kbridge.core.graph.trace import input_node
from kbridge.core.layers.base import Layer
from kbridge.core.layers.input import InputLayer
from kbridge.core.ops.declare import native
from kbridge.core.ops.elementwise import cast
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import spec_of

REFUSED = ("string", "complex64", "complex128")  # what no cast makes numbers of without a loss


class GraphPart(Layer):
    """Mixed into Model."""

    _graph: Plan | None

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        flat = [t for t in leaves(inputs) if t is not None]
        for tensor in (*flat, *(t for t in leaves(outputs) if t is not None)):
            if not isinstance(tensor, KerasTensor):
                raise ShapeError(
                    f"Model(inputs, outputs) takes symbolic tensors, got {type(tensor).__name__}. "
                    "Make the inputs with Input(...)."
                )
        if len({id(t) for t in flat}) != len(flat):
            raise ShapeError("Each input of a model may be listed once.")
        flat = [_as_input(t) for t in flat]
        self._inputs_struct = inputs
        self._outputs_struct = outputs
        self._graph = Plan(flat, outputs)
        self._input_names = [input_node(t).operation.name for t in flat]
        self._graph_children = self._find_layers()
        self.built = True

    def _find_layers(self) -> list[tuple[str, Layer]]:
        assert self._graph is not None
        owners = listed_owners(self._graph.inputs, leaves(self._outputs_struct))
        layers = [(owner.name, owner) for owner in owners if isinstance(owner, Layer)]
        names = [name for name, _ in layers]
        twins = {name for name in names if names.count(name) > 1}
        if twins:
            raise ValueError(f"Layer names must differ within a model; used twice: {', '.join(sorted(twins))}.")
        return layers

    def _graph_layers(self) -> Iterator[tuple[str, Layer]]:
        if self.__dict__.get("_graph") is not None:
            yield from self._graph_children

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat."""
        return list(self._graph.inputs) if self._graph is not None else []

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat."""
        return leaves(self._outputs_struct) if self._graph is not None else []

    @property
    def input(self) -> Any:
        """The symbolic inputs, nested as the model takes them: where another model may start from."""
        return self._inputs_struct if self._graph is not None else super().input

    @property
    def output(self) -> Any:
        """The symbolic outputs, nested as the model gives them."""
        return self._outputs_struct if self._graph is not None else super().output

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return list(self._input_names) if self._graph is not None else []

    @property
    def output_names(self) -> list[str]:
        """The names of the operations that make the outputs."""
        return [t.history[0].operation.name for t in self.outputs]

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or shapes of the inputs."""
        shapes = [t.shape for t in self.inputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or shapes of the outputs."""
        shapes = [t.shape for t in self.outputs]
        return shapes[0] if len(shapes) == 1 else shapes

    def _call_graph(self, inputs: Any) -> Any:
        graph = self._graph
        assert graph is not None
        given = self._flat_inputs(inputs)
        backend = local.running
        if len(given) != len(graph.inputs):
            raise ShapeError(
                f"Model {self.name!r} has {len(graph.inputs)} inputs ({', '.join(self._input_names)}) "
                f"and got {len(given)}."
            )
        fitted = [
            _fit(backend, value, spec, name)
            for value, spec, name in zip(given, graph.inputs, self._input_names, strict=True)
        ]
        return graph.run(fitted)

    def _flat_inputs(self, inputs: Any) -> list[Any]:
        if isinstance(inputs, dict):
            names = list(self._inputs_struct) if isinstance(self._inputs_struct, dict) else self._input_names
            missing = [name for name in names if name not in inputs]
            if missing:
                raise ShapeError(f"Model {self.name!r} lacks the input {', '.join(missing)}; got {', '.join(inputs)}.")
            picked = {name: inputs[name] for name in names}
            return leaves(picked) if isinstance(self._inputs_struct, dict) else list(picked.values())
        return leaves(inputs) if isinstance(inputs, (list, tuple)) else [inputs]

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shapes and dtypes of the outputs, as KerasTensors."""
        if self._graph is not None and type(self).call.__module__ == "kbridge.core.models.model":
            given = self._flat_inputs(args[0])
            if all(
                tuple(spec_of(value).shape) == spec.shape
                for value, spec in zip(given, self._graph.inputs, strict=False)
            ):
                return self._outputs_struct
        return self._follow(args, kwargs)


def _as_input(tensor: KerasTensor) -> KerasTensor:
    """The tensor, as the start of a graph: one from inside another graph starts a new one here."""
    if tensor.history is None:
        InputLayer(input_tensor=tensor, name=tensor._name)
    return tensor


def _fit(backend: Any, value: Any, spec: KerasTensor, name: str) -> Any:
    """An input as the graph wants it, or an error that names it."""
    kind = type(value)
    symbolic = kind is KerasTensor
    if not symbolic and (kind not in backend.ready or value is None):
        if framework_of_type(kind) is None and not hasattr(value, "dtype"):
            raise ShapeError(f"Input {name!r} takes an array of shape {spec.shape}, got {value!r}.")
        value = native(backend, value)
    shape = value.shape
    if len(shape) != len(spec.shape):
        if symbolic or len(shape) != len(spec.shape) - 1 or spec.shape[-1] != 1:
            raise ShapeError(
                f"Input {name!r} has {len(spec.shape)} axes, {spec.shape}, and got an array of shape {tuple(shape)}. "
                "Reshape it; a single sample still needs the batch axis in front."
            )
        value = backend.expand_dims(value, (len(shape),))
    for size, given in zip(spec.shape[1:], value.shape[1:], strict=True):  # any batch is taken, as in Keras
        if size is not None and given is not None and given != size:
            raise ShapeError(f"Input {name!r} has shape {spec.shape} and got an array of shape {tuple(value.shape)}.")
    if symbolic:
        return value
    floating = value.dtype in backend.float_dtypes
    if floating and "float" in spec.dtype:
        if local.keep_floats or backend.dtype_of(value) == spec.dtype:
            return value
    elif not floating and backend.dtype_of(value) == spec.dtype:
        return value
    elif backend.dtype_of(value) in REFUSED:
        raise ShapeError(
            f"Input {name!r} holds {spec.dtype} and got {backend.dtype_of(value)}. Turn it into real numbers first."
        )
    return cast(value, spec.dtype)
