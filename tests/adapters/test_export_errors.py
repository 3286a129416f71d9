"""Bad input to adapters and exports: refused with a clear error before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch

from kbridge import Input, Model, Sequential, backend_scope, layers
from kbridge.adapters import to_jax, to_savedmodel, to_torch, write_back
from kbridge.adapters.export import WRITERS, export
from kbridge.core.errors import ExportError, ForeignGradientError, MixedFrameworksError, NotBuiltError, ShapeError

FOLDERS = ("tf_saved_model", "jax", "tfjs")
FILES = tuple(sorted(set(WRITERS) - set(FOLDERS)))
formats = pytest.mark.parametrize("format", WRITERS)


@pytest.fixture
def model() -> Any:
    return Sequential([Input((3,), name="features"), layers.Dense(2, name="out")])


def into(format: str) -> Callable[[Any, Path], None]:
    return lambda layer, path: export(layer, path, format)


ADAPTERS = {
    "to_torch": lambda layer, path: to_torch(layer),
    "to_jax": lambda layer, path: to_jax(layer),
    "to_savedmodel": to_savedmodel,
    **{format: into(format) for format in WRITERS},
}
adapters = pytest.mark.parametrize("adapt", ADAPTERS.values(), ids=ADAPTERS.keys())


# --- the model ---------------------------------------------------------------------------------------


@adapters
def test_a_model_without_weights(adapt: Any, tmp_path: Path) -> None:
    with pytest.raises(NotBuiltError, match=r"'early' isn't built.*Call it on a batch first"):
        adapt(Sequential([layers.Dense(2)], name="early"), tmp_path / "m")
    assert not any(tmp_path.iterdir())


@adapters
@pytest.mark.parametrize(
    "wrong", [torch.nn.Linear(2, 2), tf.Module(), "model.keras", None], ids=["torch", "tf", "text", "none"]
)
def test_what_is_no_model(adapt: Any, wrong: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=f"kbridge layer or model.*got {type(wrong).__name__}"):
        adapt(wrong, tmp_path / "m")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("format", ["coreml", "TORCH", "", None])
def test_an_unknown_format_lists_the_known_ones(model: Any, format: Any, tmp_path: Path) -> None:
    for write in (model.export, lambda path, format: export(model, path, format)):
        with pytest.raises(ValueError, match=rf"export format {format!r}.*tf_saved_model, litert, onnx, torch, jax"):
            write(tmp_path / "m", format=format)


@formats
def test_an_unknown_option(model: Any, format: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="opzet"):
        model.export(tmp_path / "m", format=format, opzet=3)
    assert not any(tmp_path.iterdir())


# --- the path ----------------------------------------------------------------------------------------


@formats
@pytest.mark.parametrize("verify", [True, False])
def test_a_parent_folder_that_is_not_there(model: Any, format: str, verify: bool, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for parent in ("nowhere", "file"):
        with pytest.raises(ExportError, match=f"There is no folder .*{parent}. Create it"):
            model.export(tmp_path / parent / "m", format=format, verify=verify)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file", "mine")]


@pytest.mark.parametrize("format", FILES)
@pytest.mark.parametrize("verify", [True, False])
def test_a_folder_in_the_place_of_a_file(model: Any, format: str, verify: bool, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    with pytest.raises(ExportError, match="is a folder and a file is to be written"):
        model.export(tmp_path / "m", format=format, verify=verify)
    assert [p.name for p in tmp_path.rglob("*")] == ["m"]


@pytest.mark.parametrize("format", FOLDERS)
@pytest.mark.parametrize("verify", [True, False])
def test_a_file_in_the_place_of_a_folder(model: Any, format: str, verify: bool, tmp_path: Path) -> None:
    (tmp_path / "m").write_text("mine")
    with pytest.raises(ExportError, match="is a file and a folder is to be written"):
        model.export(tmp_path / "m", format=format, verify=verify)
    assert [(p.name, p.read_text()) for p in tmp_path.rglob("*")] == [("m", "mine")]


@pytest.mark.parametrize("format", FOLDERS)
def test_a_folder_with_files_of_somebody_else(model: Any, format: str, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ExportError, match=r"holds other files \(thesis.txt\)"):
        model.export(tmp_path, format=format)
    assert [(p.name, p.read_text()) for p in tmp_path.rglob("*")] == [("thesis.txt", "mine")]


@formats
def test_a_failed_export_leaves_the_earlier_one(
    model: Any, format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.export(tmp_path / "m", format=format, verify=False)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("os.rename", broken)
    monkeypatch.setattr("os.replace", broken)
    model.set_weights([w + 1 for w in model.get_weights()])
    with pytest.raises(RuntimeError, match="the disk is full"):
        model.export(tmp_path / "m", format=format, verify=False)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


# --- what artefacts and adapters are called on -------------------------------------------------------


@pytest.mark.parametrize("name", ["numpy", "jax", "tensorflow"])
def test_a_gradient_of_torch_is_not_cut(model: Any, name: str) -> None:
    with backend_scope(name), pytest.raises(ForeignGradientError, match=r"requires a gradient.*\.detach\(\)"):
        model(torch.ones(2, 3, requires_grad=True))


def test_a_torch_gradient_is_not_cut_by_the_jax_function(model: Any) -> None:
    apply, params, state = to_jax(model)
    with pytest.raises(ForeignGradientError, match=r"requires a gradient.*\.detach\(\)"):
        apply(params, state, torch.ones(2, 3, requires_grad=True))


def test_a_gradient_tape_is_not_cut_by_the_torch_module(model: Any) -> None:
    net, x = to_torch(model), tf.Variable(tf.ones((2, 3)))
    with tf.GradientTape(), pytest.raises(ForeignGradientError, match="GradientTape watches"):
        net(x * 2.0)


@pytest.mark.parametrize("transform", [jax.jit, jax.vmap, jax.grad], ids=["jit", "vmap", "grad"])
def test_a_tracer_of_jax_in_the_torch_module(model: Any, transform: Any) -> None:
    net = to_torch(model)
    with pytest.raises(ForeignGradientError, match="JAX is tracing"):
        transform(lambda x: net(x))(jnp.ones((2, 3)))


def test_tensors_of_two_frameworks_in_one_call() -> None:
    a, b = Input((2,), name="a"), Input((2,), name="b")
    both = layers.Add()([a, b])
    with pytest.raises(MixedFrameworksError, match=r"torch and of jax.*backend_scope"):
        Model([a, b], both)([torch.ones(1, 2), jnp.ones((1, 2))])


@pytest.mark.parametrize(
    ("shape", "text"),
    [((3,), "has 2 axes"), ((2, 2, 3), "has 2 axes"), ((2, 4), r"has shape \(None, 3\)")],
)
def test_a_wrong_shape_names_the_input(model: Any, shape: tuple[int, ...], text: str) -> None:
    apply, params, state = to_jax(model)
    for call in (lambda: apply(params, state, jnp.ones(shape)), lambda: to_torch(model)(torch.ones(shape))):
        with pytest.raises(ShapeError, match=f"'features' {text}"):
            call()


def test_a_wrong_dtype_names_the_input(model: Any) -> None:
    with pytest.raises(ShapeError, match="'features' holds float32 and got complex64"):
        to_torch(model)(torch.ones(2, 3, dtype=torch.complex64))


def test_trees_that_do_not_fit_change_nothing(model: Any) -> None:
    before = model.get_weights()
    _, params, state = to_jax(model)
    for wrong, text in (
        ({"out": {"kernel": params["out"]["kernel"]}}, "missing .*out.bias"),
        ({**params, "more": jnp.ones(1)}, "left over .*more"),
        ({"out": {"kernel": params["out"]["kernel"] + 1, "bias": jnp.ones(5)}}, r"\(2,\) and got \(5,\)"),
    ):
        with pytest.raises(ShapeError, match=text):
            write_back(model, wrong, state)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
