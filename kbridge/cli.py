"""The command line: `kbridge export` and `kbridge inspect`, for `.keras` files of kbridge and of Keras."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kbridge import __version__
from kbridge.adapters.export import WRITERS
from kbridge.adapters.require import check_installed
from kbridge.adapters.signature import sample_inputs
from kbridge.adapters.trial import Trial, size_of, try_format
from kbridge.adapters.verify import reference
from kbridge.core.context import backend_scope, default_backend, load_backend
from kbridge.core.errors import KBridgeError, MissingDependencyError, NotBuiltError
from kbridge.core.models.model import Model
from kbridge.core.models.summary import readable_bytes
from kbridge.core.saving.inspect import FileReport, inspect_file
from kbridge.core.saving.saving_api import load_model

OK, FAILED, BAD_INPUT = 0, 1, 2  # exit codes
WIDTH = 120  # columns, where no terminal says how many there are


class Target(NamedTuple):
    """What `--to` takes: a format of `Model.export`, and the name of what is written."""

    format: str
    file: str


TARGETS = {
    "torch": Target("torch", "model.pt2"),
    "jax": Target("jax", "model_jax"),
    "savedmodel": Target("tf_saved_model", "model_savedmodel"),
    "litert": Target("litert", "model.tflite"),
    "onnx": Target("onnx", "model.onnx"),
    "tfjs": Target("tfjs", "model_tfjs"),
}
if {target.format for target in TARGETS.values()} != set(WRITERS):
    raise AssertionError(f"Formats without a target: {set(WRITERS) - {t.format for t in TARGETS.values()}}")


class UsageError(KBridgeError):
    """The command line asks for something that can't be done."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns 0, 1 if an export failed, or 2 for bad input."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow is imported
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # by torch: threads that spin while they wait take the cores
    try:
        options = _parser().parse_args(argv)
        return int(options.run(options))
    except SystemExit as ended:  # --help and --version
        return int(ended.code or OK)
    except KBridgeError as problem:
        return _complain(str(problem))
    except OSError as problem:
        return _complain(_words(problem))


def _complain(message: str) -> int:
    print(f"kbridge: {' '.join(message.split())}", file=sys.stderr)
    return BAD_INPUT


def _words(problem: OSError) -> str:
    """`model.keras: Permission denied.`"""
    where = f"{problem.filename}: " if problem.filename else ""
    return f"{where}{problem.strerror or problem}. Check the path and its permissions."


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See `{self.prog} --help`.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="kbridge", description="Keras models for PyTorch, JAX, TensorFlow, LiteRT, ONNX and TF.js.")
    parser.add_argument("--version", action="version", version=f"kbridge {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command", dest="command")

    export = commands.add_parser("export", help="write a model for other runtimes, run and compare each result")
    export.set_defaults(run=_export)
    export.add_argument("model", type=Path, help="a .keras file")
    export.add_argument("--to", type=_targets, default=",".join(TARGETS), help="comma-separated (default: %(default)s)")
    export.add_argument("--out", type=Path, required=True, help="folder for the results; made if it isn't there")
    export.add_argument("--samples", type=_positive, default=16, help="sample inputs to compare (default: %(default)s)")
    export.add_argument("--batch", type=_positive, default=8, help="samples at a time (default: %(default)s)")
    export.add_argument("--backend", help="what runs the source model: jax, torch, tensorflow or numpy")

    inspect = commands.add_parser("inspect", help="show what is in a model file; nothing in it is run")
    inspect.set_defaults(run=_inspect)
    inspect.add_argument("model", type=Path, help="a .keras, .weights.h5 or .safetensors file")
    return parser


def _targets(text: str) -> list[str]:
    """The targets that `--to` names, each once."""
    formats = {target.format: name for name, target in TARGETS.items()}
    names = [formats.get(name.strip(), name.strip()) for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in TARGETS]
    if unknown or not names:
        what = f"unknown target {', '.join(map(repr, unknown))}" if unknown else "no target"
        raise argparse.ArgumentTypeError(f"{what}: choose from {', '.join(TARGETS)}")
    return list(dict.fromkeys(names))


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


# --- export ---------------------------------------------------------------------------------------------


def _export(options: argparse.Namespace) -> int:
    _check_file(options.model)
    for name in options.to:
        _check_libraries(name)
    backend = options.backend or default_backend()
    load_backend(backend)
    _check_out(options.out)
    model = _load(options.model, backend)
    options.out.mkdir(parents=True, exist_ok=True)
    return export_and_compare(model, options.out, options.to, options.samples, options.batch, options.model)


def export_and_compare(
    model: Model, out: Path, targets: Sequence[str], samples: int = 16, batch: int = 8, source: Path | None = None
) -> int:
    """Write a model for each target, run each result beside the model, print a table of what came of it.

    Args:
        model: a built model. It runs in the framework that holds its weights.
        out: an existing folder.
        targets: names of `TARGETS`.
        samples: how many made-up inputs to compare.
        batch: how many of them at a time.
        source: the model's file, for the title.

    Returns:
        0, or 1 if a target failed.
    """
    inputs = sample_inputs(model, samples)
    expected = reference(model, inputs)
    trials = {}
    for name in targets:
        target = TARGETS[name]
        trials[name] = try_format(model, target.format, out / target.file, inputs, expected, batch)
    console = _console()
    _say(console, _title(model, source))
    console.print(_trial_table(trials, batch))
    failed = [name for name, trial in trials.items() if trial.failed]
    if failed:
        _say(console, f"{len(failed)} of {len(trials)} failed: {', '.join(failed)}.")
    return FAILED if failed else OK


def _title(model: Model, source: Path | None) -> str:
    home = model.weights[0].home if model.weights else "numpy"
    file = f"{source.name} ({readable_bytes(size_of(source))})" if source else model.name
    return f"{file}: {model.count_params():,} parameters, run on {home}"


def _trial_table(trials: dict[str, Trial], batch: int) -> Table:
    table = Table()
    table.add_column("Target", no_wrap=True)
    table.add_column("Written", no_wrap=True)
    table.add_column("Size", justify="right", no_wrap=True)
    table.add_column("Max |difference|", justify="right", no_wrap=True)
    table.add_column(f"ms / batch of {batch}", justify="right", no_wrap=True)
    table.add_column("Result", overflow="fold")
    for name, trial in trials.items():
        table.add_row(
            name,
            TARGETS[name].file if trial.size is not None else "-",
            "-" if trial.size is None else readable_bytes(trial.size),
            "-" if trial.difference is None else f"{trial.difference:.1e}" if trial.difference else "0",
            "-" if trial.milliseconds is None else f"{trial.milliseconds:.3f}",
            _result(trial),
        )
    return table


def _result(trial: Trial) -> str:
    if trial.failed:
        return f"[red]failed:[/red] {escape(trial.failed)}"
    return f"[yellow]written, not run:[/yellow] {escape(trial.not_run)}" if trial.not_run else "[green]ok[/green]"


def _check_libraries(target: str) -> None:
    chosen = WRITERS[TARGETS[target].format]
    for library in chosen.needs:
        check_installed(library, chosen.extra)


def _load(path: Path, backend: str) -> Model:
    """The model in a file, its weights in `backend`."""
    try:
        with backend_scope(backend):
            model = load_model(path, compile=False)
    except OSError:
        raise
    except KBridgeError as problem:
        where = "" if path.name in str(problem) else f"{path}: "
        raise UsageError(f"{where}{problem}") from problem
    except Exception as problem:  # a damaged config may fail anywhere in a layer's constructor
        raise UsageError(f"{path} can't be loaded as a model ({type(problem).__name__}: {problem}).") from problem
    if not model.built:
        raise NotBuiltError(f"{path} holds a model without weights. Call it on a batch before you save it.")
    for variable in model.weights:
        variable.settle(load_backend(backend))
    return model


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder. Give a .keras file.")
    if not path.exists():
        raise UsageError(f"There is no file {path}. Check the path.")


def _check_out(out: Path) -> None:
    """Refuse a folder that can't be made or written to, before the work starts."""
    existing = next(place for place in (out, *out.absolute().parents) if place.exists())
    if not existing.is_dir():
        raise UsageError(f"--out {out} can't be a folder: {existing} is a file. Choose another folder.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError(f"--out {out} can't be written: no permission in {existing}. Choose another folder.")


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def _say(console: Console, line: str) -> None:
    console.print(escape(line), highlight=False, soft_wrap=True)


# --- inspect --------------------------------------------------------------------------------------------


def _inspect(options: argparse.Namespace) -> int:
    _check_file(options.model)
    report = inspect_file(options.model)
    console = _console()
    _say(console, _headline(report, options.model))
    console.print(_layer_table(report))
    for line in _conclusions(report):
        _say(console, line)
    return OK


def _headline(report: FileReport, path: Path) -> str:
    what = f'{report.class_name} "{report.name}"' if report.class_name else f"weights only, {report.format}"
    version = f", format of Keras {report.keras_version}" if report.keras_version else ""
    when = f", saved {report.date_saved}" if report.date_saved else ""
    return f"{path.name} ({readable_bytes(size_of(path))}): {what}{version}{when}"


def _layer_table(report: FileReport) -> Table:
    table = Table()
    for name in ("Layer", "Class", "Output shape", "Dtype", "Weights"):
        table.add_column(name, overflow="fold")
    table.add_column("Parameters", justify="right", no_wrap=True)
    for layer in report.layers:
        cells = [
            "  " * layer.depth + layer.name,
            layer.class_name or "-",
            "?" if layer.output_shape is None else str(layer.output_shape),
            layer.dtype or "-",
            " ".join(str(weight.shape) for weight in layer.weights) or "-",
            f"{layer.count:,}",
        ]
        table.add_row(*map(escape, cells))
    return table


def _conclusions(report: FileReport) -> Iterator[str]:
    """How many weights there are, and what can be done with the file."""
    rest = sum(weight.count for weight in report.other)
    others = f", and {rest:,} stored numbers of no layer, such as an optimizer's state" if rest else ""
    yield f"{report.count:,} parameters{others}."
    if report.refused:
        yield f"Can't be exported. {report.refused}"
    elif report.unknown:
        yield (
            f"Can't be exported from here: it names {', '.join(report.unknown)}, which kbridge doesn't know. "
            "Load it in Python with custom_objects, then call model.export."
        )
    elif not report.class_name:
        yield "Can't be exported: it holds weights and no model. Make the model, then call model.load_weights."
    else:
        missing = {name: _lacking(name) for name in TARGETS}
        ready = [name for name in TARGETS if not missing[name]]
        yield f"Can be exported to: {', '.join(ready) or 'nothing here'}."
        yield from (f"Not yet to {name}: {line}" for name, line in missing.items() if line)


def _lacking(target: str) -> str:
    """What has to be installed for a target, or nothing."""
    try:
        _check_libraries(target)
    except MissingDependencyError as problem:
        return str(problem)
    return ""


if __name__ == "__main__":
    sys.exit(main())
