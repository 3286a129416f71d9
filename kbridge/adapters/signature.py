"""What goes into an exported model and comes out: shapes, names, made-up samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbridge.core.errors import ExportError, NotBuiltError
from kbridge.core.graph.node import leaves, map_leaves
from kbridge.core.layers.base import Layer
from kbridge.core.models.model import Model
from kbridge.core.tensor.symbolic import KerasTensor


def check_layer(layer: Any) -> None:
    """Refuse what can't be exported: no layer, or one without weights.

    Raises:
        TypeError, NotBuiltError: it is something else, or isn't built.
    """
    if not isinstance(layer, Layer):
        raise TypeError(f"A kbridge layer or model can be exported, got {type(layer).__name__}.")
    if not layer.built:
        raise NotBuiltError(f"{layer.name!r} isn't built, so it can't be exported. Call it on a batch first.")


def input_specs(layer: Layer) -> tuple[Any, list[str]]:
    """Symbolic inputs of a layer or model with a free batch, nested as calls take them, and their names."""
    if isinstance(layer, Model) and layer._graph is not None:
        specs = map_leaves(lambda t: KerasTensor((None, *t.shape[1:]), t.dtype), layer._inputs_struct)
        return specs, [_plain(name) for name in layer.input_names]
    shapes = layer.get_build_config()
    if not shapes:
        raise ExportError(f"{layer.name!r} doesn't know its input shape. Call it on a batch, or give it an Input.")
    first = next(iter(shapes.get("shapes_dict", shapes).values()))

    def spec(shape: Any) -> Any:
        if isinstance(shape, dict):
            return {key: spec(each) for key, each in shape.items()}
        if isinstance(shape, list) and shape and isinstance(shape[0], (list, tuple)):
            return [spec(each) for each in shape]
        return KerasTensor((None, *shape[1:]), layer.compute_dtype)

    specs = spec(first)
    count = len(leaves(specs))
    return specs, ["inputs"] if count == 1 else [f"inputs_{i}" for i in range(count)]


def _plain(name: str) -> str:
    """A name that every format takes."""
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name)


def named_outputs(layer: Layer, outputs: Any) -> dict[str, Any]:
    if isinstance(outputs, dict):
        return {_plain(name): value for name, value in outputs.items()}
    flat = leaves(outputs)
    names = [_plain(name) for name in getattr(layer, "output_names", ())]
    if len(names) != len(flat) or len(set(names)) != len(names):
        names = [f"output_{i}" for i in range(len(flat))]
    return dict(zip(names, flat, strict=True))


def ordered_outputs(layer: Layer, outputs: Any) -> list[np.ndarray]:
    """A model's outputs in the order that artefacts give them: by name."""
    named = named_outputs(layer, outputs)
    return [np.asarray(named[name]) for name in sorted(named)]


def sample_inputs(layer: Layer, batch: int, seed: int = 0) -> list[np.ndarray]:
    """Made-up inputs of a layer or model: flat, in the order of its inputs.

    Whole numbers stay small enough for the embeddings that read them.
    """
    stream = np.random.default_rng(seed)
    specs, _ = input_specs(layer)
    bound = smallest_table(layer)
    made = []
    for spec in leaves(specs):
        shape = tuple(size or FREE_SIZE for size in (batch, *spec.shape[1:]))
        if "int" in spec.dtype:
            made.append(stream.integers(0, bound, shape).astype(spec.dtype))
        elif spec.dtype == "bool":
            made.append(stream.integers(0, 2, shape).astype(bool))
        else:
            made.append(stream.random(shape).astype(spec.dtype))
    return made


FREE_SIZE = 8  # stands in for sizes that are free beside the batch


def smallest_table(layer: Layer) -> int:
    """The number of rows of the smallest embedding, 2 where there is none."""
    rows = [inner.input_dim for inner in layer._flatten_layers() if hasattr(inner, "input_dim")]
    return min(rows, default=2)
