"""Saving and loading: what `kbridge.saving` and the methods of models do."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

from kbridge.core.errors import LoadError, NotBuiltError
from kbridge.core.layers.base import Layer
from kbridge.core.saving import safetensors_file
from kbridge.core.saving.allow import is_entry
from kbridge.core.saving.archive import (
    CONFIG,
    HDF5,
    SAFETENSORS,
    WEIGHTS,
    ZIP,
    Archive,
    form_of,
    opened,
    parsed_object,
    write_archive,
)
from kbridge.core.saving.atomic import replaced_file
from kbridge.core.saving.config import as_load_error, deserialize_keras_object, serialize_keras_object, writing
from kbridge.core.saving.hdf5 import read_weights
from kbridge.core.saving.loading import loading
from kbridge.core.saving.weights import fit_weights, write_weights
from kbridge.core.training.trainer import Trainer

KERAS_VERSION = "3.15.1"  # whose form is written


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Write a model to a `.keras` file, whole or not at all. Keras reads it too.

    Args:
        model: the model; its architecture, weights, and, if compiled, optimizer with its state.
        filepath: a path ending in `.keras`, or an open binary file.
        overwrite: whether an existing file may be replaced.
        zipped: only True (or None); folders aren't written.

    Raises:
        ValueError: the path doesn't end in `.keras`, or `zipped` is false.
        FileExistsError: the file exists and `overwrite` is false.
        TypeError: something in the model has no form that could be read again.
    """
    _no_more(kwargs)
    if zipped is False:
        raise ValueError("kbridge writes models as one .keras file only; leave out zipped=False.")
    if not model.built:
        warnings.warn(f"Model {model.name!r} isn't built yet: the file will hold no weights.", stacklevel=3)
    with writing():
        config = json.dumps(serialize_keras_object(model))  # before the file is touched
    metadata = {"keras_version": KERAS_VERSION, "date_saved": f"{datetime.now():%Y-%m-%d@%H:%M:%S}"}
    with _target(filepath, (".keras",), overwrite) as file:
        write_archive(file, config, json.dumps(metadata), lambda weights: write_weights(model, weights))


def load_model(
    filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Read a model from a `.keras` file that kbridge or Keras wrote.

    No code from the file runs, nothing named in it is imported, and no other file is read. All names are
    resolved before anything is made, and every weight is read exactly once.

    Args:
        filepath: the path, or an open binary file.
        custom_objects: classes and functions that the file may refer to, beside registered ones, by name.
        compile: whether to compile the model as it was when it was saved.
        safe_mode: kept for Keras's signature; False changes nothing.

    Raises:
        LoadError: the file is damaged, names something unknown, or doesn't fit together.
    """
    with opened(filepath) as (file, label):
        _need(form_of(file), ZIP, label, "a model")
        archive = Archive(file, label)
        config = archive.json(CONFIG)
        with read_weights(archive.window(WEIGHTS), f"{WEIGHTS} in {label}") as weights:
            with loading(weights, label) as starts:
                model = model_from_config(config, custom_objects, compile, label)
            fit_weights(model, weights).finish(optimizer_too=True)
            starts.draw_the_rest(model)
    return model


def save_weights(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Write a model's weights, whole or not at all.

    Args:
        model: a built model.
        filepath: a path ending in `.weights.h5` (Keras's form, with the optimizer's state) or
            `.safetensors` (the weights alone, named as in `named_variables`).
        overwrite: whether an existing file may be replaced.

    Raises:
        NotBuiltError: the model has no weights yet.
        ValueError: the path has another ending.
        FileExistsError: the file exists and `overwrite` is false.
    """
    _no_more(kwargs)
    _need_built(model, "saved")
    with _target(filepath, (".weights.h5", ".safetensors"), overwrite) as file:
        if str(filepath).endswith(".safetensors"):
            safetensors_file.write(model, file)
        else:
            write_weights(model, file)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Read weights from a `.weights.h5`, `.safetensors` or `.keras` file: all of them, or nothing changes.

    Args:
        model: a built model.
        filepath: the path. What the file is, is read from its beginning.
        skip_mismatch: leave out, with a warning that lists it, what doesn't fit.

    Raises:
        LoadError: the file is damaged, or a weight is missing, has another shape or is left over.
        NotBuiltError: the model has no weights yet.
    """
    _no_more(kwargs)
    _need_built(model, "loaded into")
    with opened(filepath) as (file, label):
        form = form_of(file)
        if form == SAFETENSORS:
            safetensors_file.fit(model, file, label).finish(skip_mismatch)
            return
        _need(form, ZIP if form == ZIP else HDF5, label, "weights")
        source = Archive(file, label).window(WEIGHTS) if form == ZIP else file
        with read_weights(source, label) as weights:
            fit_weights(model, weights).finish(skip_mismatch)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model of an architecture written by `to_json`, with fresh weights.

    Raises:
        LoadError: the text is no model, or names something unknown. Nothing was imported.
    """
    return model_from_config(parsed_object(json_string, "The text"), custom_objects, True, "The text")


def clone_model(model: Any, input_tensors: Any = None, clone_function: Any = None) -> Any:
    """A model of the same architecture with fresh weights.

    Args:
        model: the model.
        input_tensors, clone_function: not supported; kept for Keras's signature.
    """
    if input_tensors is not None or clone_function is not None:
        raise NotImplementedError("clone_model takes neither input_tensors nor clone_function yet.")
    with writing() as customs:
        config = serialize_keras_object(model)
    config = json.loads(json.dumps(_without_compile(config)))
    return model_from_config(config, customs, False, f"The config of {model.name!r}")


def model_from_config(config: dict[str, Any], custom_objects: Any, compile: bool, label: str) -> Any:
    """The model of a config that came from outside.

    Raises:
        LoadError: whatever is wrong with it.
    """
    if not is_entry(config):
        raise LoadError(f"{label} holds no model: its config has no class_name.")
    if not compile:
        config = _without_compile(config)
    with as_load_error(f"{label} can't be made into a model"):
        model = deserialize_keras_object(config, custom_objects)
    if not isinstance(model, Trainer):
        kind = type(model).__name__
        raise LoadError(f"{label} holds a {kind} and not a model. Use kbridge.saving.deserialize_keras_object for it.")
    return model


# --- behind them ----------------------------------------------------------------------------------


def _without_compile(config: Any) -> Any:
    """A config whose models are all uncompiled."""
    if isinstance(config, list):
        return [_without_compile(each) for each in config]
    if not isinstance(config, dict):
        return config
    dropped = "compile_config" if is_entry(config) else None
    return {key: _without_compile(each) for key, each in config.items() if key != dropped}


@contextmanager
def _target(filepath: Any, endings: tuple[str, ...], overwrite: bool) -> Iterator[IO[bytes]]:
    """The file to write to."""
    if hasattr(filepath, "write"):
        yield filepath
        return
    if not str(os.fspath(filepath)).endswith(endings):
        hint = " Models go to .keras files." if endings != (".keras",) else " For other formats there is model.export."
        raise ValueError(f"The file name must end in {' or '.join(endings)}, got {os.fspath(filepath)!r}.{hint}")
    with replaced_file(filepath, overwrite) as file:
        yield file


def _need(form: str, wanted: str, label: str, what: str) -> None:
    if form == wanted:
        return
    if form == HDF5:
        raise LoadError(
            f"{label} is an HDF5 file and holds no model that kbridge reads. If it holds weights, make the model and "
            "call model.load_weights; if it is a model of Keras 2, load it in Keras and save it as .keras."
        )
    if form == SAFETENSORS:
        raise LoadError(f"{label} holds weights and no model. Make the model, then call model.load_weights.")
    raise LoadError(f"{label} isn't a file with {what}: it starts like no .keras, .weights.h5 or .safetensors file.")


def _need_built(model: Layer, what: str) -> None:
    if not model.built:
        raise NotBuiltError(
            f"Model {model.name!r} isn't built, so no weights can be {what} it. "
            "Call it on a batch, or give it an Input."
        )


def _no_more(kwargs: dict[str, Any]) -> None:
    if kwargs:
        raise TypeError(f"There is no argument {', '.join(map(repr, kwargs))}.")
