"""The model class: a layer that can be trained, saved and exported."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any, Self

from kbridge.core.errors import NotBuiltError
from kbridge.core.graph.plan import Plan
from kbridge.core.layers.base import Layer
from kbridge.core.models.graph_model import GraphPart
from kbridge.core.models.summary import print_summary
from kbridge.core.registry import exporter
from kbridge.core.saving.config import serialize_keras_object, writing
from kbridge.core.saving.graph import GraphWriter, read_graph
from kbridge.core.saving.saving_api import load_weights, save_model, save_weights
from kbridge.core.training.trainer import Trainer


class Model(GraphPart, Trainer):
    """A model: `Model(inputs, outputs)` from a graph, or a subclass with its own `call`.

    Args:
        inputs, outputs: symbolic tensors, nested in lists, tuples or dicts as calls shall nest them.
        name: a name, made up if None.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if cls is Model and (len(args) >= 2 or "outputs" in kwargs):
            from kbridge.core.models.functional import Functional

            return Functional.__new__(Functional, *args, **kwargs)  # type: ignore[return-value]
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        inputs = args[0] if args else kwargs.pop("inputs", None)
        outputs = args[1] if len(args) > 1 else kwargs.pop("outputs", None)
        name = args[2] if len(args) > 2 else kwargs.pop("name", None)
        Layer.__init__(self, name=name, **kwargs)
        self._graph: Plan | None = None
        if outputs is not None:
            self._set_graph(inputs, outputs)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if self._graph is None:
            raise NotImplementedError(f"{type(self).__name__} needs a `call` method, or inputs and outputs.")
        return self._call_graph(inputs)

    def children(self) -> Iterator[tuple[str, Layer]]:
        seen: set[int] = set()
        for name, layer in self._graph_layers():
            seen.add(id(layer))
            yield name, layer
        for name, layer in super().children():
            if id(layer) not in seen:
                yield name, layer

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model, in the order of the graph, or of the attributes."""
        found = self.children() if self._graph is None else self._graph_layers()
        return [layer for _, layer in found]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer with that name, or at that position."""
        layers = self.layers
        if (name is None) == (index is None):
            raise ValueError("Give get_layer either a name or an index.")
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"The model has {len(layers)} layers; there is none at {index}.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No layer is called {name!r}. The model has {', '.join(layer.name for layer in layers)}.")

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print the layers, their output shapes and how many weights they have."""
        print_summary(
            self, line_length=line_length, print_fn=print_fn, expand_nested=expand_nested, show_trainable=show_trainable
        )

    # --- saving and export -------------------------------------------------------------------------

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Write the model to a `.keras` file, whole or not at all."""
        save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Write the weights to a `.weights.h5` or `.safetensors` file, whole or not at all."""
        save_weights(self, filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read weights that `save_weights` or Keras wrote; every one is read once, or nothing changes."""
        load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def export(self, filepath: Any, format: str = "tf_saved_model", verbose: bool | None = None, **kwargs: Any) -> None:
        """Write the model for another runtime: tf_saved_model, litert, onnx, torch, jax or tfjs."""
        self._need_weights("exported")
        exporter(format)(self, filepath, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON."""
        with writing():
            return json.dumps(serialize_keras_object(self), **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The graph, in Keras's form; the constructor's arguments where a subclass has its own."""
        if self._graph is None or not _takes_graph(type(self)):
            return super().get_config()
        graph = GraphWriter(self._graph, self._inputs_struct, self._outputs_struct).config()
        return {"name": self.name, "trainable": self._trainable, **graph}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model of that config."""
        if not {"layers", "input_layers", "output_layers"} <= config.keys() or not _takes_graph(cls):
            return cls(**config)
        inputs, outputs = read_graph(config, custom_objects)
        return cls(inputs, outputs, name=config.get("name"), trainable=config.get("trainable") is not False)

    def _need_weights(self, what: str) -> None:
        if not self.built:
            raise NotBuiltError(
                f"Model {self.name!r} isn't built, so it can't be {what}: its weights don't exist yet. "
                "Call it on a batch, or give it an Input."
            )

    # --- building ----------------------------------------------------------------------------------

    def build(self, input_shape: Any = None, **shapes: Any) -> None:
        """Make the weights by following `call` on shapes.

        Args:
            input_shape: of the first argument of `call`, with the batch; nested as the argument is.
            shapes: `x_shape` for an argument `x`, where `call` takes several.
        """
        given = shapes if input_shape is None else {"input_shape": input_shape}
        if self._graph is None and given:
            self._follow_shapes(given)

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if type(self).build is Model.build:
            self._note_shapes(args, kwargs)  # the call in progress makes the weights
        else:
            super()._build_for(args, kwargs)

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with stored shapes; a graph is built already."""
        if self._graph is None and config:
            super().build_from_config(config)


def _takes_graph(kind: type) -> bool:
    """Whether a class is constructed with inputs and outputs, as Model is."""
    parameters = inspect.signature(kind.__init__).parameters.values()  # type: ignore[misc]
    return {p.kind for p in parameters} >= {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
