"""The formats that `Model.export` writes: one table of writers and runners."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from kbridge.adapters.jax_program import JaxProgramRunner, write_jax_program
from kbridge.adapters.litert import run_litert, write_litert
from kbridge.adapters.onnx import run_onnx, write_onnx
from kbridge.adapters.runner import Runner
from kbridge.adapters.savedmodel import SavedModelRunner, Traced, to_savedmodel
from kbridge.adapters.signature import check_layer
from kbridge.adapters.tfjs import find_tfjs, is_tfjs_entry, run_tfjs, write_tfjs
from kbridge.adapters.torch_program import TorchProgramRunner, write_torch_program
from kbridge.adapters.verify import write_verified
from kbridge.core.layers.base import Layer
from kbridge.core.registry import FORMATS, check_format

Path = str | os.PathLike[str]


class Format(NamedTuple):
    """A format.

    Attributes:
        write: `write(layer, path, verify=True, **options)`.
        run: a runner of a written file or folder.
        ending: the usual ending of a name.
        needs: the libraries that writing and running import.
        extra: the group of kbridge's optional dependencies that brings them.
    """

    write: Callable[..., None]
    run: Callable[[Path], Runner]
    ending: str
    needs: tuple[str, ...]
    extra: str


def write_as_litert(layer: Layer, path: Path, verify: bool = True) -> None:
    """Write a model for LiteRT, with its built-in ops only."""

    def write(draft: Path) -> None:
        traced = Traced(layer)
        write_litert(traced.module, traced.function, draft)

    write_verified(layer, path, write, run_litert, "LiteRT file") if verify else write(path)


def write_as_onnx(layer: Layer, path: Path, verify: bool = True, **options: Any) -> None:
    """Write a model for ONNX runtimes."""

    def write(draft: Path) -> None:
        traced = Traced(layer)  # kept: it holds the weights
        write_onnx(traced.function, draft, **options)

    write_verified(layer, path, write, run_onnx, "ONNX file") if verify else write(path)


def write_as_tfjs(layer: Layer, path: Path, verify: bool = True) -> None:
    """Write a model for TF.js; it is run before it is kept where Node and the tfjs package are installed."""

    def write(draft: Path) -> None:
        traced = Traced(layer)
        write_tfjs(traced.function, draft)

    verify = verify and not find_tfjs().reason
    write_verified(layer, path, write, run_tfjs, "TF.js model", is_tfjs_entry) if verify else write(path)


WRITERS = {
    "tf_saved_model": Format(to_savedmodel, SavedModelRunner, "", ("tensorflow",), "tensorflow"),
    "litert": Format(write_as_litert, run_litert, ".tflite", ("tensorflow", "ai_edge_litert"), "export"),
    "onnx": Format(write_as_onnx, run_onnx, ".onnx", ("tensorflow", "tf2onnx", "onnx", "onnxruntime"), "export"),
    "torch": Format(write_torch_program, TorchProgramRunner, ".pt2", ("torch",), "torch"),
    "jax": Format(write_jax_program, JaxProgramRunner, "", ("jax",), "jax"),
    "tfjs": Format(write_as_tfjs, run_tfjs, "", ("tensorflow",), "export"),
}
if set(WRITERS) != set(FORMATS):
    raise AssertionError(f"Formats with a name but no writer: {set(FORMATS) ^ set(WRITERS)}")


def export(layer: Layer, path: Path, format: str, verify: bool = True, **options: Any) -> None:
    """Write a model in one of `WRITERS`' formats and run the result before it is kept.

    Args:
        layer: any built layer or model.
        path: the file or folder to write.
        format: a name of `WRITERS`.
        verify: run the artefact in its own runtime at two batch sizes against the model.
        options: what the format's writer takes besides.
    """
    check_format(format)
    check_layer(layer)
    WRITERS[format].write(layer, path, verify=verify, **options)
