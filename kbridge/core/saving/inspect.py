"""What is in a model file, told from its config and the headers of its tensors. Nothing is built or run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from kbridge.core.errors import LoadError
from kbridge.core.naming import snake_case
from kbridge.core.saving import safetensors_file
from kbridge.core.saving.allow import is_entry, named_in
from kbridge.core.saving.archive import CONFIG, HDF5, METADATA, SAFETENSORS, WEIGHTS, ZIP, Archive, form_of, opened
from kbridge.core.saving.config import as_load_error
from kbridge.core.saving.graph_ops import is_op_entry
from kbridge.core.saving.hdf5 import WeightFile, read_weights
from kbridge.core.saving.paths import numbered

# Layers whose outputs have the shape of their inputs.
SAME_SHAPE = frozenset({
    "Activation", "BatchNormalization", "Dropout", "ELU", "GaussianDropout", "GaussianNoise", "Identity",
    "LayerNormalization", "LeakyReLU", "PReLU", "ReLU", "Rescaling", "RMSNormalization", "Softmax",
})  # fmt: skip
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Weight:
    """A tensor in a file.

    Attributes:
        path: its name in the file.
        shape, dtype: as stored.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class LayerReport:
    """A layer in a file.

    Attributes:
        name: its name; the path of its weights where the file gives none.
        class_name: its class, as the file calls it; "" where only weights are stored.
        depth: how many models it is nested in, beside the outermost.
        output_shape: with the batch; None if the file doesn't tell.
        dtype: its dtype policy, or the type of its weights; "" if unknown.
        weights: its tensors, those of layers inside it included unless they are listed themselves.
    """

    name: str
    class_name: str
    depth: int
    output_shape: Shape | None
    dtype: str
    weights: tuple[Weight, ...]

    @property
    def count(self) -> int:
        """How many numbers its weights hold."""
        return sum(weight.count for weight in self.weights)


@dataclass(frozen=True)
class FileReport:
    """What is in a model file.

    Attributes:
        format: "keras", "weights.h5" or "safetensors".
        keras_version, date_saved: from the metadata; "" if there is none.
        name, class_name: of the model; "" in files of weights.
        layers: in the order of the file.
        other: tensors that belong to no layer listed, such as the optimizer's state.
        unknown: classes and functions that would have to be registered before the file can be loaded.
        refused: why kbridge won't load the file at all, or "".
    """

    format: str
    keras_version: str
    date_saved: str
    name: str
    class_name: str
    layers: tuple[LayerReport, ...]
    other: tuple[Weight, ...]
    unknown: tuple[str, ...]
    refused: str

    @property
    def count(self) -> int:
        """How many numbers the layers' weights hold."""
        return sum(layer.count for layer in self.layers)


def inspect_file(path: Any) -> FileReport:
    """Tell what is in a `.keras`, `.weights.h5` or `.safetensors` file without building or running anything.

    Args:
        path: the path.

    Raises:
        LoadError: the file is damaged, or is none of these.
    """
    with opened(path) as (file, label):
        form = form_of(file)
        if form == ZIP:
            return _keras(file, label)
        if form == HDF5:
            with read_weights(file, label) as weights:
                layers, other = _layers_of_weights(weights)
            return FileReport("weights.h5", "", "", "", "", layers, other, (), "")
        if form != SAFETENSORS:
            raise LoadError(
                f"{label} isn't a file with a model or weights: "
                "it starts like no .keras, .weights.h5 or .safetensors file."
            )
        slices = safetensors_file.slices(file, label).values()
        groups: dict[str, list[Weight]] = {}
        for each in slices:
            groups.setdefault(each.name.rpartition(".")[0], []).append(Weight(each.name, each.shape, each.dtype))
        layers = tuple(_bare(name, found) for name, found in groups.items())
        return FileReport("safetensors", "", "", "", "", layers, (), (), "")


def _keras(file: IO[bytes], label: str) -> FileReport:
    archive = Archive(file, label)
    config = archive.json(CONFIG)
    metadata = archive.json(METADATA) if METADATA in archive.names else {}
    unknown, refused = _unknown(config)
    with (
        read_weights(archive.window(WEIGHTS, verify=False), f"{WEIGHTS} in {label}") as weights,
        as_load_error(f"{label} has a config that can't be read"),
    ):
        inner = config.get("config") or {}
        listed = _Config(weights)
        listed.add(config, "", 0)
        layers, other = tuple(listed.layers), listed.rest()
        if not listed.layers:  # a subclassed model: its config says nothing about its layers
            layers, other = _layers_of_weights(weights)
        version, date = (str(metadata.get(key, "")) for key in ("keras_version", "date_saved"))
        name, class_name = str(inner.get("name") or ""), str(config.get("class_name", ""))
        return FileReport("keras", version, date, name, class_name, layers, other, unknown, refused)


def _unknown(config: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    try:
        found = named_in(config)
    except LoadError as error:
        return (), str(error)
    return tuple(dict.fromkeys(named.label for named in found if named.target is None)), ""


class _Config:
    """The layers that a config lists, with the weights that belong to them."""

    def __init__(self, weights: WeightFile) -> None:
        self.layers: list[LayerReport] = []
        self._weights = weights
        self._taken: set[str] = set()

    def add(self, model: dict[str, Any], path: str, depth: int) -> None:
        config = model.get("config") or {}
        entries = [e for e in config.get("layers") or () if is_entry(e) and not is_op_entry(e)]
        shapes = _output_shapes(entries)
        used: dict[str, int] = {}
        in_a_row = "input_layers" not in config  # a Sequential doesn't count its Input
        for entry, shape in zip(entries, shapes, strict=True):
            name = entry["class_name"]
            inner = f"{path}/layers/{numbered(snake_case(name), used)}".lstrip("/")
            if in_a_row and name == "InputLayer":
                used.clear()
                inner = ""
            nested = isinstance(entry["config"].get("layers"), list)
            found = () if nested or not inner else tuple(self._take(inner))
            config = entry["config"]
            self.layers.append(LayerReport(str(config.get("name")), name, depth, shape, _dtype(config), found))
            if nested:
                self.add(entry, inner, depth + 1)

    def _take(self, path: str) -> Iterator[Weight]:
        for each in self._weights.datasets.values():
            if each.path.startswith(f"{path}/"):
                self._taken.add(each.path)
                yield Weight(each.path, each.shape, each.dtype)

    def rest(self) -> tuple[Weight, ...]:
        """The tensors that no layer has taken."""
        found = self._weights.datasets.values()
        return tuple(Weight(e.path, e.shape, e.dtype) for e in found if e.path not in self._taken)


def _layers_of_weights(weights: WeightFile) -> tuple[tuple[LayerReport, ...], tuple[Weight, ...]]:
    """A layer for each group of weights; the optimizer's are no layer's."""
    layers, other = [], []
    for group, found in weights.groups.items():
        tensors = [Weight(each.path, each.shape, each.dtype) for each in found.values()]
        if group.startswith("optimizer/"):
            other += tensors
        else:
            layers.append(_bare(group.removesuffix("/vars"), tensors))
    return tuple(layers), tuple(other)


def _bare(name: str, weights: list[Weight]) -> LayerReport:
    return LayerReport(name, "", 0, None, weights[0].dtype if weights else "", tuple(weights))


def _dtype(config: dict[str, Any]) -> str:
    dtype: Any = config.get("dtype")
    return str(dtype["config"].get("name", "")) if is_entry(dtype) else str(dtype or "")


# --- shapes, as far as the config tells -----------------------------------------------------------


def _output_shapes(entries: list[dict[str, Any]]) -> list[Shape | None]:
    told: dict[str, Shape] = {}  # by those who take the tensor
    for entry in entries:
        for name, taken in _taken_by(entry.get("inbound_nodes")):
            told.setdefault(name, taken)
    shapes: list[Shape | None] = []
    for i, entry in enumerate(entries):
        following = entries[i + 1] if i + 1 < len(entries) and "inbound_nodes" not in entry else {}
        shape = told.get(str(entry["config"].get("name"))) or _input_shape(following) or _own_shape(entry)
        shapes.append(shape)
    return shapes


def _taken_by(nodes: Any) -> Iterator[tuple[str, Shape]]:
    """Tensors that a layer is called on: who makes them, and their shape."""
    if isinstance(nodes, dict) and nodes.get("class_name") == "__keras_tensor__":
        name, call, position = nodes["config"]["keras_history"]
        if call == 0 and position == 0:
            yield name, tuple(nodes["config"]["shape"])
    elif isinstance(nodes, (dict, list)):
        for each in nodes.values() if isinstance(nodes, dict) else nodes:
            yield from _taken_by(each)


def _input_shape(entry: dict[str, Any]) -> Shape | None:
    shape: Any = (entry.get("build_config") or {}).get("input_shape")
    plain = isinstance(shape, list) and all(size is None or isinstance(size, int) for size in shape)
    return tuple(shape) if plain else None


def _own_shape(entry: dict[str, Any]) -> Shape | None:
    config, name = entry["config"], entry["class_name"]
    if name == "InputLayer":
        return tuple(config.get("batch_shape") or ()) or None
    given = _input_shape(entry) or next((shape for _, shape in _taken_by(entry.get("inbound_nodes"))), None)
    if given is None:
        return None
    if name == "Dense":
        return (*given[:-1], config.get("units"))
    return given if name in SAME_SHAPE else None
