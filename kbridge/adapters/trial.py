"""One export, tried: written, run in its own runtime on samples, compared with the model, timed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kbridge.adapters.export import WRITERS, export
from kbridge.adapters.quiet import quietly
from kbridge.adapters.runner import Runner
from kbridge.adapters.signature import input_specs
from kbridge.adapters.verify import allowed_difference, largest_difference, outputs_of
from kbridge.core.errors import ExportError, MissingDependencyError
from kbridge.core.layers.base import Layer


class Trial(NamedTuple):
    """What came of an export.

    Attributes:
        size: bytes of the file, or of all files of the folder; None if it wasn't written.
        difference: largest absolute difference to the model's outputs; None if it didn't run.
        milliseconds: median latency of a batch; None if it didn't run.
        failed: why it can't be used, or nothing.
        not_run: why it was written and not run, or nothing.
    """

    size: int | None = None
    difference: float | None = None
    milliseconds: float | None = None
    failed: str = ""
    not_run: str = ""


def try_format(
    layer: Layer, format: str, path: Path, inputs: list[np.ndarray], expected: list[np.ndarray], batch: int
) -> Trial:
    """Write a model in one format and run the result. An error is part of the answer.

    Args:
        layer: a built layer or model.
        format: a name of `WRITERS`.
        path: the file or folder to write.
        inputs: samples, flat, in the order of the model's inputs.
        expected: the model's outputs for them, in the order of their names.
        batch: how many samples at a time.
    """
    trial = Trial()
    try:
        with quietly():
            export(layer, path, format)
            trial = trial._replace(size=size_of(path))
            return _run(layer, WRITERS[format].run(path), inputs, expected, batch, trial)
    except MissingDependencyError as problem:
        return trial._replace(failed=str(problem)) if trial.size is None else trial._replace(not_run=str(problem))
    except Exception as problem:  # a converter's error of any class spoils its own format only
        return trial._replace(failed=_reason(problem))


def _run(
    layer: Layer, runner: Runner, inputs: list[np.ndarray], expected: list[np.ndarray], batch: int, trial: Trial
) -> Trial:
    pieces = [outputs_of(layer, runner, [array[part] for array in inputs]) for part in _parts(len(inputs[0]), batch)]
    got = [np.concatenate(each) for each in zip(*pieces, strict=True)]
    worst = largest_difference(expected, got)
    if not worst <= allowed_difference(expected):
        trial = trial._replace(failed=f"differs from the model by {worst:.2g}")
    _, names = input_specs(layer)
    first = {name: array[:batch] for name, array in zip(names, inputs, strict=True)}
    return trial._replace(difference=worst, milliseconds=runner.latency(first))


def _parts(count: int, batch: int) -> Iterator[slice]:
    return (slice(start, start + batch) for start in range(0, count, batch))


def _reason(problem: Exception) -> str:
    text = str(problem) or type(problem).__name__
    return text if isinstance(problem, (ExportError, OSError)) else f"{type(problem).__name__}: {text}"


def size_of(path: str | os.PathLike[str]) -> int:
    """Bytes of a file, or of all files in a folder."""
    place = Path(path)
    files = [place] if place.is_file() else [each for each in place.rglob("*") if each.is_file()]
    return sum(file.stat().st_size for file in files)
