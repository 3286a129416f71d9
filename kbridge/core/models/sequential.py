"""Models that are one layer after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kbridge.core.context import running
from kbridge.core.errors import NotBuiltError
from kbridge.core.layers.base import Layer
from kbridge.core.layers.input import Input, InputLayer
from kbridge.core.models.model import Model
from kbridge.core.saving.config import deserialize_keras_object, serialize_keras_object
from kbridge.core.tensor.symbolic import KerasTensor


class Sequential(Model):
    """A stack of layers, each fed with the outputs of the one before.

    Args:
        layers: the layers; an `Input` first makes the model built at once.
        trainable: whether training changes the weights.
        name: a name, made up if None.
    """

    def __init__(self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(name=name, trainable=trainable)
        self._stack: list[Layer] = []
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._maybe_build()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer at the end."""
        if isinstance(layer, KerasTensor):
            layer = layer.history[0].operation
        if not isinstance(layer, Layer):
            raise ValueError(f"Sequential takes layers, got {layer!r}. Wrap a function in a Layer.")
        if not self._stack and not isinstance(layer, InputLayer) and layer._input_shape_arg is not None:
            self._stack.append(Input(layer._input_shape_arg).history[0].operation)
        if any(layer.name == other.name for other in self._stack):
            raise ValueError(f"Layer names must differ within a model; {layer.name!r} is there already.")
        self._stack.append(layer)
        if rebuild:
            self._maybe_build()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer off."""
        layer = self._stack.pop()
        self.built, self._graph = False, None
        if rebuild:
            self._maybe_build()
        return layer

    def _maybe_build(self) -> None:
        self.built, self._graph = False, None
        if len(self._stack) > 1 and isinstance(self._stack[0], InputLayer):
            with self._scope():
                self._connect(self._stack[0].output)

    def _connect(self, start: KerasTensor) -> None:
        x: Any = start
        for layer in self._stack:
            if not isinstance(layer, InputLayer):
                x = layer(x)
        self._set_graph(start, x)

    def build(self, input_shape: Any = None) -> None:  # type: ignore[override]  # a stack has one input
        """Connect the layers for inputs of this shape."""
        if self._graph is not None:
            return
        if input_shape is None:
            raise NotBuiltError(f"{self.name!r} needs an input shape to be built.")
        fixed = any(getattr(layer, "stateful", False) for layer in self._stack)
        with running(None):  # it may be a call on data that builds the model
            self._connect(Input(batch_shape=(input_shape[0] if fixed else None, *input_shape[1:])))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if self._graph is None:
            raise NotBuiltError(f"{self.name!r} has no layers to call, or isn't built.")
        return self._call_graph(inputs)

    def children(self) -> Iterator[tuple[str, Layer]]:
        for layer in self.layers:
            yield layer.name, layer
        known = {id(layer) for layer in self._stack}
        for name, layer in Layer.children(self):
            if id(layer) not in known:
                yield name, layer

    @property
    def layers(self) -> list[Layer]:
        """The layers of the stack, without its Input."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def compute_output_spec(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        return self._follow((inputs,), {})

    def get_config(self) -> dict[str, Any]:
        """The layers."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "layers": [serialize_keras_object(layer) for layer in self._stack],
        }
        if self._graph is not None:
            config["build_input_shape"] = list(self._graph.inputs[0].shape)
        return config

    def get_build_config(self) -> dict[str, Any] | None:
        return {"input_shape": self._graph.inputs[0].shape} if self._graph is not None else None

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model of that config."""
        layers = deserialize_keras_object(config["layers"], custom_objects)
        model = cls(layers, trainable=config.get("trainable") is not False, name=config.get("name"))
        shape = config.get("build_input_shape")
        if not model.built and shape:
            model._build_with({"input_shape": tuple(shape)})
        return model
