"""A model as a JAX program: JAX alone runs and trains it, at any batch size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.export
import numpy as np
import pytest
from safetensors.flax import load_file

from kbridge import Input, Sequential, backend_scope, layers
from kbridge.adapters import to_jax
from kbridge.adapters.jax_program import PARAMS, PROGRAM, STATE, JaxProgramRunner, write_jax_program
from kbridge.core.errors import LoadError
from kbridge.core.graph.node import leaves
from tests.rows.models import MODELS, call_inputs

names = pytest.mark.parametrize("name", MODELS)


def build(name: str) -> Any:
    with backend_scope("numpy"):
        return MODELS[name].build()


def loaded(folder: Path) -> tuple[Any, Any, Any]:
    """The files as a JAX user reads them."""
    program = jax.export.deserialize(bytearray((folder / PROGRAM).read_bytes()))
    return program, load_file(folder / PARAMS), load_file(folder / STATE)


@names
@pytest.mark.parametrize("batch", [1, 4])
def test_outputs_equal_the_models(name: str, batch: int, tmp_path: Path) -> None:
    model = build(name)
    write_jax_program(model, tmp_path / "m", verify=False)
    inputs = call_inputs(MODELS[name], batch)
    with backend_scope("numpy"):
        expected = leaves(model(inputs))
    program, params, state = loaded(tmp_path / "m")
    got = jax.tree.leaves(program.call(params, state, inputs))
    for mine, want in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, want, rtol=0, atol=1e-5)


@names
def test_gradients_equal_those_of_the_function(name: str, tmp_path: Path) -> None:
    model = build(name)
    write_jax_program(model, tmp_path / "m", verify=False)
    inputs = call_inputs(MODELS[name], 3)
    apply, tree, others = to_jax(model)
    program, params, state = loaded(tmp_path / "m")

    def loss(outputs: Any) -> Any:
        return sum((value**2).sum() for value in jax.tree.leaves(outputs))

    got = jax.grad(lambda p: loss(program.call(p, state, inputs)))(params)
    want = jax.grad(lambda p: loss(apply(p, others, inputs)[0]))(tree)
    assert [key for key in got if not np.any(got[key])] == []
    for path, value in jax.tree_util.tree_leaves_with_path(want):
        np.testing.assert_allclose(got[".".join(step.key for step in path)], value, rtol=1e-4, atol=1e-5)


def test_weights_have_the_names_of_to_jax(tmp_path: Path) -> None:
    write_jax_program(build("convnet"), tmp_path / "m", verify=False)
    _, params, state = loaded(tmp_path / "m")
    assert {"conv.kernel", "conv.bias", "norm.gamma", "norm.beta", "out.kernel"} <= params.keys()
    assert state.keys() == {"norm.moving_mean", "norm.moving_variance"}


@names
def test_the_runner_knows_names_shapes_and_dtypes(name: str, tmp_path: Path) -> None:
    model = build(name)
    write_jax_program(model, tmp_path / "m")
    runner = JaxProgramRunner(tmp_path / "m")
    given = {port.name: (port.shape, port.dtype) for port in runner.inputs}
    assert given == {k: (t.shape, t.dtype) for k, t in zip(model.input_names, model.inputs, strict=True)}
    assert [port.shape for port in runner.outputs] == [t.shape for t in model.outputs]


ALONE = """
import sys
sys.modules["kbridge"] = sys.modules["tensorflow"] = sys.modules["torch"] = None
import jax.export, numpy, pathlib
from safetensors.flax import load_file
folder = pathlib.Path(sys.argv[1])
program = jax.export.deserialize(bytearray((folder / "program.jaxexport").read_bytes()))
params, state = (load_file(folder / f"{n}.safetensors") for n in ("params", "state"))
y = program.call(params, state, numpy.ones((5, 3), "float32"))
numpy.save(folder.parent / "y.npy", y)
"""


def test_runs_in_a_process_that_has_only_jax(tmp_path: Path) -> None:
    model = Sequential([Input((3,)), layers.Dense(2, name="out")])
    write_jax_program(model, tmp_path / "m", verify=False)
    subprocess.run([sys.executable, "-c", ALONE, tmp_path / "m"], cwd=tmp_path, check=True)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), np.ones((5, 3)) @ kernel + bias, atol=1e-6)


def test_is_lowered_for_every_platform(tmp_path: Path) -> None:
    write_jax_program(build("mlp"), tmp_path / "m", verify=False)
    assert set(loaded(tmp_path / "m")[0].platforms) == {"cpu", "cuda", "rocm", "tpu"}


def test_replaces_an_earlier_program(tmp_path: Path) -> None:
    model = build("mlp")
    write_jax_program(model, tmp_path / "m", verify=False)
    model.set_weights([w + 1 for w in model.get_weights()])
    write_jax_program(model, tmp_path / "m", verify=False)
    np.testing.assert_array_equal(loaded(tmp_path / "m")[1]["out.bias"], model.get_weights()[-1])
    assert [entry.name for entry in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("file", [PROGRAM, PARAMS, STATE])
def test_a_damaged_folder_is_named(file: str, tmp_path: Path) -> None:
    write_jax_program(build("convnet"), tmp_path / "m", verify=False)
    content = (tmp_path / "m" / file).read_bytes()
    (tmp_path / "m" / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(LoadError, match="can't read the program"):
        JaxProgramRunner(tmp_path / "m")
    (tmp_path / "m" / file).unlink()
    with pytest.raises(LoadError, match=f"{file} is missing"):
        JaxProgramRunner(tmp_path / "m")
