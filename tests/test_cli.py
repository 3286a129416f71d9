"""The command line: what it writes, what it prints, and that bad input ends in one line and exit code 2."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from kbridge import __version__, cli
from kbridge.adapters import trial
from kbridge.adapters.export import WRITERS
from kbridge.adapters.tfjs import find_tfjs
from tests.rows.models import MODELS

TFJS = find_tfjs().reason
FILES = {
    "torch": "model.pt2",
    "jax": "model_jax",
    "savedmodel": "model_savedmodel",
    "litert": "model.tflite",
    "onnx": "model.onnx",
    "tfjs": "model_tfjs",
}


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def rows(self) -> dict[str, list[str]]:
        """The table's rows by target: what is written, size, difference, latency, result."""
        rows: dict[str, list[str]] = {}
        for line in self.out.splitlines():
            cells = [cell.strip() for cell in line.split("│")[1:-1]]
            if cells and cells[0]:
                rows[cells[0]] = cells[1:]
            elif cells:  # a result that goes on in the next line
                rows[list(rows)[-1]][-1] += " " + cells[-1]
        return rows


Run = Callable[..., Ran]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*argv: Any) -> Ran:
        capfd.readouterr()  # what the test itself has caused, such as an import of Keras
        code = cli.main([str(each) for each in argv])
        return Ran(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def mlp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mlp") / "mlp.keras"
    MODELS["mlp"].build().save(path)
    return path


def assert_all_ok(ran: Ran, out: Path, targets: Any = FILES) -> None:
    """Every target has a row that says ok, with numbers, and its file is there."""
    assert (ran.code, ran.err) == (0, "")
    assert list(ran.rows) == list(targets)
    assert {path.name for path in out.iterdir()} == {FILES[name] for name in targets}
    for name, (written, size, difference, milliseconds, result) in ran.rows.items():
        assert written == FILES[name]
        assert re.fullmatch(r"[\d.]+ [KM]?B", size)
        if name == "tfjs" and TFJS:
            assert result.startswith("written, not run: ")
        else:
            assert result == "ok"
            assert float(difference) < 1e-5
            assert float(milliseconds) > 0


# --- export ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_target_of_a_model_of_kbridge(run: Run, tmp_path: Path) -> None:
    MODELS["convnet"].build().save(tmp_path / "convnet.keras")
    out = tmp_path / "new" / "out"
    ran = run("export", tmp_path / "convnet.keras", "--out", out)
    assert_all_ok(ran, out)
    assert re.search(r"convnet.keras \([\d.]+ KB\): 335 parameters, run on numpy", ran.out)


@pytest.mark.slow
def test_every_target_of_a_model_of_keras(run: Run, tmp_path: Path) -> None:
    import keras
    import onnxruntime

    keras.utils.set_random_seed(3)
    model = keras.Sequential([
        keras.Input((6, 6, 1)),
        keras.layers.Conv2D(3, 3, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.save(tmp_path / "theirs.keras")
    out = tmp_path / "out"
    ran = run("export", tmp_path / "theirs.keras", "--to", ",".join(FILES), "--out", out, "--samples", 5, "--batch", 2)
    assert_all_ok(ran, out)
    assert "batch of 2" in ran.out
    session = onnxruntime.InferenceSession(out / "model.onnx")
    x = np.random.default_rng(0).random((3, 6, 6, 1), "float32")
    (got,) = session.run(None, {session.get_inputs()[0].name: x})
    np.testing.assert_allclose(got, model(x), atol=1e-6)


@pytest.mark.parametrize("targets", ["onnx", "jax,torch", " torch , torch,jax,", "tf_saved_model"])
def test_to_picks_the_targets(targets: str, run: Run, mlp: Path, tmp_path: Path) -> None:
    expected = {"onnx": ["onnx"], "tf_saved_model": ["savedmodel"]}.get(targets, [])
    expected = expected or list(dict.fromkeys(name.strip() for name in targets.split(",") if name.strip()))
    assert_all_ok(run("export", mlp, "--to", targets, "--out", tmp_path), tmp_path, expected)


@pytest.mark.parametrize("backend", ["numpy", "jax", "torch", "tensorflow"])
def test_the_source_runs_where_it_is_told_to(backend: str, run: Run, mlp: Path, tmp_path: Path) -> None:
    ran = run("export", mlp, "--to", "litert", "--out", tmp_path, "--backend", backend)
    assert_all_ok(ran, tmp_path, ["litert"])
    assert f"run on {backend}" in ran.out


def test_a_second_export_replaces_the_first(run: Run, mlp: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert_all_ok(run("export", mlp, "--to", "jax,onnx", "--out", tmp_path), tmp_path, ["jax", "onnx"])


def test_one_failing_target_does_not_stop_the_others(
    run: Run, mlp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise ValueError("no such op: [bold]Frobnicate[/bold]")

    monkeypatch.setitem(WRITERS, "torch", WRITERS["torch"]._replace(write=broken))
    ran = run("export", mlp, "--to", "torch,onnx", "--out", tmp_path)
    assert ran.code == 1
    assert ran.rows["torch"] == ["-", "-", "-", "-", "failed: ValueError: no such op: [bold]Frobnicate[/bold]"]
    assert ran.rows["onnx"][-1] == "ok"
    assert "1 of 2 failed: torch." in ran.out
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_an_artefact_that_disagrees_has_failed(
    run: Run, mlp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def biased(path: Path) -> Any:
        runner = WRITERS["jax"].run(path)
        true = type(runner).run
        monkeypatch.setattr(type(runner), "run", lambda self, feed: [y + 1 for y in true(self, feed)])
        return runner

    monkeypatch.setattr(trial, "export", lambda layer, path, format: WRITERS[format].write(layer, path, verify=False))
    monkeypatch.setattr(trial, "WRITERS", {"jax": WRITERS["jax"]._replace(run=biased)})
    ran = run("export", mlp, "--to", "jax", "--out", tmp_path)
    assert ran.code == 1
    assert ran.rows["jax"][2] == "1.0e+00"
    assert ran.rows["jax"][-1] == "failed: differs from the model by 1"


def test_tfjs_without_node_is_written_and_not_run(
    run: Run, mlp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    ran = run("export", mlp, "--to", "tfjs", "--out", tmp_path)
    assert (ran.code, ran.err) == (0, "")
    written, _, difference, milliseconds, result = ran.rows["tfjs"]
    assert (written, difference, milliseconds) == ("model_tfjs", "-", "-")
    assert result.startswith("written, not run: Node is not installed.")
    assert (tmp_path / "model_tfjs" / "model.json").is_file()


# --- errors ------------------------------------------------------------------------------------------


def assert_refused(ran: Ran, *texts: str) -> None:
    """Exit code 2, and one line that says what is wrong."""
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("kbridge: ")
    assert ran.err.count("\n") == 1
    assert ran.err.endswith("\n")
    for text in texts:
        assert text in ran.err


ARGUMENTS = {
    "no command": ([], "command"),
    "an unknown command": (["convert", "m.keras"], "invalid choice: 'convert'"),
    "no model": (["export", "--out", "o"], "required: model"),
    "no out": (["export", "m.keras"], "required: --out"),
    "an unknown target": (
        ["export", "m.keras", "--out", "o", "--to", "onnx,coreml"],
        "unknown target 'coreml': choose",
    ),
    "an empty target": (["export", "m.keras", "--out", "o", "--to", ","], "no target: choose from torch, jax"),
    "no samples": (["export", "m.keras", "--out", "o", "--samples", "0"], "'0' is not a whole number of at least 1"),
    "half a batch": (["export", "m.keras", "--out", "o", "--batch", "0.5"], "'0.5' is not a whole number"),
    "an unknown option": (["inspect", "m.keras", "--fast"], "unrecognized arguments: --fast"),
}


@pytest.mark.parametrize(("argv", "text"), ARGUMENTS.values(), ids=ARGUMENTS.keys())
def test_wrong_arguments(argv: list[str], text: str, run: Run) -> None:
    assert_refused(run(*argv), text, "--help`.")


def cut(path: Path, source: Path) -> None:
    path.write_bytes(source.read_bytes()[: source.stat().st_size // 2])


def zip_of_nothing(path: Path, source: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")


def edited(path: Path, source: Path, old: str, new: str) -> None:
    """The source with its config changed."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(path, "w") as copy:
        for name in archive.namelist():
            content = archive.read(name)
            copy.writestr(name, content.replace(old.encode(), new.encode()) if name == "config.json" else content)


KERAS = '"keras.layers", "class_name": "'
FILES_TO_REFUSE: dict[str, tuple[Callable[[Path, Path], Any], str]] = {
    "not there": (lambda path, source: None, "There is no file"),
    "a folder": (lambda path, source: path.mkdir(), "is a folder"),
    "empty": (lambda path, source: path.write_bytes(b""), "is empty"),
    "text": (lambda path, source: path.write_text("a model, honestly"), "isn't a file with a model"),
    "cut in half": (cut, "isn't a whole .keras file"),
    "another zip": (zip_of_nothing, "holds no config.json"),
    "no JSON": (lambda path, source: edited(path, source, "{", "<"), "config.json"),
    "a foreign module": (
        lambda path, source: edited(path, source, f"{KERAS}Dense", '"antigravity", "class_name": "Fly'),
        "antigravity.Fly",
    ),
    "a wrong config": (lambda path, source: edited(path, source, '"units": 8', '"units": "many"'), "units"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "text"), FILES_TO_REFUSE.values(), ids=FILES_TO_REFUSE.keys())
def test_a_model_file_that_cannot_be_read(
    make: Any, text: str, run: Run, mlp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "antigravity", raising=False)
    path = tmp_path / "model.keras"
    make(path, mlp)
    assert_refused(run("export", path, "--to", "jax", "--out", tmp_path / "out"), text, "model.keras")
    assert not (tmp_path / "out").exists()
    assert "antigravity" not in sys.modules


def test_weights_are_not_a_model(run: Run, tmp_path: Path) -> None:
    MODELS["mlp"].build().save_weights(tmp_path / "w.weights.h5")
    assert_refused(run("export", tmp_path / "w.weights.h5", "--out", tmp_path / "out"), "w.weights.h5", "HDF5")


def test_an_unknown_backend(run: Run, mlp: Path, tmp_path: Path) -> None:
    ran = run("export", mlp, "--out", tmp_path / "out", "--backend", "theano")
    assert_refused(ran, "Unknown backend 'theano'. Choose one of jax, torch")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("target", "library", "extra"),
    [("torch", "torch", "torch"), ("onnx", "tf2onnx", "export"), ("litert", "ai_edge_litert", "export")],
)
def test_a_missing_framework_is_said_before_the_work(
    target: str, library: str, extra: str, run: Run, mlp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    ran = run("export", mlp, "--to", f"jax,{target}", "--out", tmp_path / "out")
    assert_refused(ran, f'{library} is not installed. Run: pip install "kbridge[{extra}]"')
    assert not (tmp_path / "out").exists()


def test_an_out_that_cannot_be_a_folder(run: Run, mlp: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        assert_refused(run("export", mlp, "--to", "jax", "--out", out), f"{tmp_path / 'file'} is a file")


def test_an_out_that_cannot_be_written(run: Run, mlp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    assert_refused(run("export", mlp, "--to", "jax", "--out", tmp_path / "out"), "no permission in")


def test_an_out_that_the_system_refuses(run: Run, mlp: Path, tmp_path: Path) -> None:
    out = tmp_path / ("x" * 300)
    assert_refused(run("export", mlp, "--to", "jax", "--out", out), "File name too long")


# --- inspect -----------------------------------------------------------------------------------------


def test_inspect_shows_what_keras_says_of_its_model(run: Run, tmp_path: Path) -> None:
    import keras

    model = keras.Sequential(
        [
            keras.Input((6, 6, 1), name="image"),
            keras.layers.Conv2D(3, 3, name="conv", dtype="float64"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Flatten(name="flat"),
            keras.layers.Dense(4, name="out"),
        ],
        name="theirs",
    )
    model.save(tmp_path / "theirs.keras")
    ran = run("inspect", tmp_path / "theirs.keras")
    assert (ran.code, ran.err) == (0, "")
    assert f'Sequential "theirs", format of Keras {keras.__version__}, saved ' in ran.out
    rows = {name: cells for name, cells in ran.rows.items() if name not in ("Layer", "image")}
    assert list(rows) == [layer.name for layer in model.layers]
    for layer in model.layers:
        kind, shape, dtype, weights, count = rows[layer.name]
        assert kind == type(layer).__name__
        assert shape == str(layer.output.shape)
        assert dtype == layer.dtype_policy.name
        assert weights == (" ".join(str(tuple(weight.shape)) for weight in layer.weights) or "-")
        assert count == f"{layer.count_params():,}"
    assert f"{model.count_params():,} parameters.\n" in ran.out
    assert "Can be exported to: torch, jax, savedmodel, litert, onnx, tfjs.\n" in ran.out


def test_inspect_says_what_has_to_be_installed(run: Run, mlp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    ran = run("inspect", mlp)
    assert "Can be exported to: torch, jax, savedmodel, litert, tfjs.\n" in ran.out
    assert 'Not yet to onnx: tf2onnx is not installed. Run: pip install "kbridge[export]"' in ran.out


def test_inspect_runs_nothing_from_the_file(run: Run, mlp: Path, tmp_path: Path) -> None:
    path = tmp_path / "foreign.keras"
    FILES_TO_REFUSE["a foreign module"][0](path, mlp)
    sys.modules.pop("antigravity", None)
    ran = run("inspect", path)
    assert (ran.code, ran.err) == (0, "")
    assert "Can't be exported from here: it names antigravity.Fly, which kbridge doesn't know." in ran.out
    assert ran.rows["first"][0] == "Fly"
    assert "antigravity" not in sys.modules


def test_inspect_says_why_a_file_is_refused(run: Run, mlp: Path, tmp_path: Path) -> None:
    edited(tmp_path / "m.keras", mlp, '"class_name": "Dense"', '"class_name": "__lambda__"')
    ran = run("inspect", tmp_path / "m.keras")
    assert (ran.code, ran.err) == (0, "")
    assert "Can't be exported. The file carries code (a lambda" in ran.out


def test_inspect_of_weights(run: Run, tmp_path: Path) -> None:
    MODELS["mlp"].build().save_weights(tmp_path / "w.safetensors")
    ran = run("inspect", tmp_path / "w.safetensors")
    assert (ran.code, ran.err) == (0, "")
    assert "weights only, safetensors" in ran.out
    assert ran.rows["first"] == ["-", "?", "float32", "(8,) (6, 8)", "56"]
    assert "155 parameters.\nCan't be exported: it holds weights and no model." in ran.out


@pytest.mark.parametrize("case", ["not there", "a folder", "empty", "text", "cut in half", "another zip", "no JSON"])
def test_inspect_refuses_what_it_cannot_read(case: str, run: Run, mlp: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    make, text = FILES_TO_REFUSE[case]
    make(path, mlp)
    assert_refused(run("inspect", path), text, "model.keras")


# --- the rest ----------------------------------------------------------------------------------------


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"kbridge {__version__}\n", "")


@pytest.mark.parametrize("argv", [["--help"], ["export", "--help"], ["inspect", "--help"]])
def test_help(argv: list[str], run: Run) -> None:
    ran = run(*argv)
    assert (ran.code, ran.err) == (0, "")
    assert "usage: kbridge" in ran.out


def script(*argv: Any, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    variables = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"} | environment
    command = [sys.executable, "-m", "kbridge.cli", *map(str, argv)]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_process_of_its_own_prints_the_table_and_nothing_else(mlp: Path, tmp_path: Path) -> None:
    done = script("export", mlp, "--to", "torch,savedmodel,litert", "--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(Ran(0, done.stdout, "").rows) == ["torch", "savedmodel", "litert"]


def test_a_process_of_its_own_fails_in_one_line(tmp_path: Path) -> None:
    done = script("export", tmp_path / "no.keras", "--out", tmp_path)
    assert_refused(Ran(done.returncode, done.stdout, done.stderr), "There is no file")


def test_version_and_inspect_import_no_framework(mlp: Path) -> None:
    code = (
        f"import sys, kbridge.cli; kbridge.cli.main(['--version']); kbridge.cli.main(['inspect', {str(mlp)!r}]); "
        "print('imported', *{'torch', 'jax', 'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"kbridge {__version__}\n")
    assert done.stdout.endswith("\nimported\n")
