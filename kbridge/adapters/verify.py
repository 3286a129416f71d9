"""An artefact against its model, in its own runtime, before it takes its place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kbridge.adapters.atomic import checked_place, move_to_place
from kbridge.adapters.runner import Runner
from kbridge.adapters.signature import input_specs, ordered_outputs, sample_inputs
from kbridge.core.context import load_backend, local, running
from kbridge.core.errors import ExportError
from kbridge.core.graph.node import map_leaves
from kbridge.core.layers.base import Layer


def write_verified(
    layer: Layer,
    path: str | os.PathLike[str],
    write: Callable[[Path], None],
    run: Callable[[Path], Runner],
    what: str,
    ours: Callable[[str], bool] | None = None,
) -> None:
    """Write beside the place, run what was written at two batch sizes, then move it to its place.

    Args:
        layer: the model.
        path: the file or folder to write.
        write, run: the format's writer and runner.
        what: the format's name, for errors.
        ours: for a folder: which of its entries an earlier export wrote. None for a file.
    """
    place = checked_place(path, ours)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as folder:
        draft = Path(folder) / place.name
        write(draft)
        check_against(layer, run(draft), what)
        move_to_place(draft, path, ours)


def reference(layer: Layer, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """The model's own outputs for flat inputs, in the order that artefacts give them."""
    specs, _ = input_specs(layer)
    values = iter(inputs)
    given = map_leaves(lambda _: next(values), specs)
    chosen = load_backend(layer.weights[0].home if layer.weights else "numpy")
    with running(chosen):
        native = map_leaves(chosen.convert, given)
        before = local.training
        local.training = False
        try:
            outputs = layer(native)
        finally:
            local.training = before
        return ordered_outputs(layer, map_leaves(chosen.to_numpy, outputs))


TOLERANCE = 1e-4  # of the largest output; float32 runtimes add up in different orders


def outputs_of(layer: Layer, runner: Runner, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """An artefact's outputs for the model's flat inputs, in the order of their names."""
    _, names = input_specs(layer)
    got = runner(dict(zip(names, inputs, strict=True)))
    return [got[i] for i in sorted(range(len(got)), key=lambda i: runner.outputs[i].name)]


def largest_difference(expected: list[np.ndarray], got: list[np.ndarray]) -> float:
    """The largest difference between two lists of arrays; NaN where one has a number and the other none.

    >>> largest_difference([np.array([1.0, np.inf])], [np.array([1.5, np.inf])])
    0.5
    """
    worst = [0.0]
    for want, have in zip(expected, got, strict=True):
        if have.shape != want.shape:
            raise ExportError(f"The artefact gives shape {have.shape}, the model {want.shape}.")
        a, b = want.astype("float64"), have.astype("float64")
        differs = (a != b) & ~(np.isnan(a) & np.isnan(b))
        worst.append(float(np.max(np.abs(a[differs] - b[differs]), initial=0.0)))
    return float(np.max(worst))  # unlike max(), this keeps a NaN


def allowed_difference(expected: list[np.ndarray]) -> float:
    """How far an artefact's outputs may be from the model's."""
    finite = [np.abs(array[np.isfinite(array)].astype("float64")) for array in expected]
    return TOLERANCE * max([1.0, *(float(np.max(array, initial=0.0)) for array in finite)])


def check_against(layer: Layer, runner: Runner, what: str, batches: tuple[int, ...] = (1, 3)) -> None:
    """Run an artefact at several batch sizes; an error says where it disagrees with the model."""
    for batch in batches:
        inputs = sample_inputs(layer, batch)
        expected = reference(layer, inputs)
        worst = largest_difference(expected, outputs_of(layer, runner, inputs))
        if not worst <= allowed_difference(expected):
            raise ExportError(
                f"The {what} of {layer.name!r} differs from the model by {worst:.2g} at batch size {batch}. "
                "It was not written; `verify=False` writes it all the same."
            )
