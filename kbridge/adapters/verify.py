"""An artefact against its model, in its own runtime, before it takes its place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kbridge.adapters.atomic import move_to_place
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
    ours: Callable[[str], bool] = lambda name: False,
) -> None:
    """Write beside the place, run what was written at two batch sizes, then move it to its place.

    Args:
        layer: the model.
        path: the file or folder to write.
        write, run: the format's writer and runner.
        what: the format's name, for errors.
        ours: of a folder's entries, which ones an earlier export wrote.
    """
    place = Path(os.path.realpath(path))
    if not place.parent.is_dir():
        raise ExportError(f"There is no folder {place.parent}. Create it, then export again.")
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as folder:
        draft = Path(folder) / place.name
        write(draft)
        check_against(layer, run(draft), what)
        move_to_place(draft, place, ours)


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


def difference(layer: Layer, runner: Runner, batch: int) -> float:
    """The largest difference between an artefact and the model, on made-up inputs."""
    inputs = sample_inputs(layer, batch)
    _, names = input_specs(layer)
    expected = reference(layer, inputs)
    got = runner(dict(zip(names, inputs, strict=True)))
    order = sorted(range(len(got)), key=lambda i: runner.outputs[i].name)
    worst = 0.0
    for want, i in zip(expected, order, strict=True):
        if got[i].shape != want.shape:
            raise ExportError(f"The artefact gives shape {got[i].shape} at batch {batch}, the model {want.shape}.")
        if want.size:
            worst = max(worst, float(np.max(np.abs(got[i].astype("float64") - want.astype("float64")))))
    return worst


def check_against(layer: Layer, runner: Runner, what: str, batches: tuple[int, ...] = (1, 3)) -> None:
    """Run an artefact at several batch sizes; an error says where it disagrees with the model."""
    for batch in batches:
        scale = max(1.0, *(float(np.abs(a).max()) for a in reference(layer, sample_inputs(layer, batch)) if a.size))
        worst = difference(layer, runner, batch)
        if not worst <= TOLERANCE * scale:
            raise ExportError(
                f"The {what} of {layer.name!r} differs from the model by {worst:.2g} at batch size {batch}. "
                "It was not written; `verify=False` writes it all the same."
            )
