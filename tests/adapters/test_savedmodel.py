"""A model as a SavedModel and what starts from one, each run by its own runtime."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from kbridge import Sequential, backend_scope, layers
from kbridge.adapters import to_savedmodel
from kbridge.adapters.export import WRITERS
from kbridge.adapters.savedmodel import FOREIGN_OPS
from kbridge.adapters.signature import input_specs
from kbridge.adapters.tfjs import find_tfjs
from kbridge.adapters.verify import reference
from kbridge.core.errors import ExportError, NotBuiltError
from tests.rows.models import MODELS

names = pytest.mark.parametrize("name", MODELS)
HOMES = ("numpy", "jax", "torch", "tensorflow")
FORMATS = [
    pytest.param(
        name, marks=pytest.mark.skipif(name == "tfjs" and bool(find_tfjs().reason), reason=find_tfjs().reason or "-")
    )
    for name in WRITERS
]


def at_home(model: Any, home: str, name: str) -> Any:
    """The model, its weights living in that framework."""
    with backend_scope(home):
        given = MODELS[name].inputs(2)
        model(given[0] if len(given) == 1 else given)
    assert model.weights[0].home == home
    return model


@pytest.mark.parametrize("format", FORMATS)
@names
def test_every_format_runs_in_its_own_runtime(name: str, format: str, tmp_path: Path) -> None:
    model = at_home(MODELS[name].build(), "torch", name)
    path = tmp_path / f"model{WRITERS[format].ending}"
    model.export(path, format=format)
    runner = WRITERS[format].run(path)
    keys = input_specs(model)[1]
    for batch in (1, 5):
        inputs = MODELS[name].inputs(batch)
        got = runner(dict(zip(keys, inputs, strict=True)))
        got = [got[i] for i in sorted(range(len(got)), key=lambda i: runner.outputs[i].name)]
        for a, b in zip(got, reference(model, inputs), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=2e-5)
    assert model.weights[0].home == "torch", "exporting moves nothing"
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name], "nothing else is left behind"


@pytest.mark.parametrize("home", HOMES)
def test_any_home_gives_the_same_savedmodel(home: str, tmp_path: Path) -> None:
    model = at_home(MODELS["convnet"].build(), home, "convnet")
    to_savedmodel(model, tmp_path / "served")
    serve = tf.saved_model.load(str(tmp_path / "served")).signatures["serving_default"]
    inputs = MODELS["convnet"].inputs(3)
    np.testing.assert_allclose(serve(image=inputs[0])["out"], reference(model, inputs)[0], atol=1e-5)


@names
def test_the_graph_is_native_and_readable(name: str, tmp_path: Path) -> None:
    model = MODELS[name].build()
    to_savedmodel(model, tmp_path / "served", verify=False)
    loaded = tf.saved_model.load(str(tmp_path / "served"))
    serve = loaded.signatures["serving_default"]
    graph = serve.graph.as_graph_def()
    ops = {n.op for n in graph.node} | {n.op for f in graph.library.function for n in f.node_def}
    assert not ops & FOREIGN_OPS
    assert set(serve.structured_input_signature[1]) == set(input_specs(model)[1])
    assert all(spec.shape[0] is None for spec in serve.structured_input_signature[1].values())
    stored = {path for path, _ in tf.train.list_variables(str(tmp_path / "served" / "variables" / "variables"))}
    from kbridge.core.models.names import named_variables

    for path in named_variables(model):
        assert any(s.startswith(path.replace(".", "/")) for s in stored), (path, stored)


WITHOUT_KBRIDGE = """
import sys
sys.modules["kbridge"] = None  # importing it fails
import numpy as np
import tensorflow as tf
folder = sys.argv[1]
data = np.load(folder + "/data.npz")
serve = tf.saved_model.load(folder + "/served").signatures["serving_default"]
np.testing.assert_allclose(serve(image=data["x"])["out"].numpy(), data["y"], atol=1e-5)
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    meta = tf.compat.v1.saved_model.load(session, ["serve"], folder + "/served")
    signature = meta.signature_def["serving_default"]
    for count in (1, 4):
        feed = {signature.inputs["image"].name: data["x"][:count]}
        out = session.run(signature.outputs["out"].name, feed)
        np.testing.assert_allclose(out, data["y"][:count], atol=1e-5)
assert not any(name.startswith("kbridge.") for name in sys.modules)
"""


def test_loads_in_a_process_without_kbridge(tmp_path: Path) -> None:
    model = MODELS["convnet"].build()
    inputs = MODELS["convnet"].inputs(4)
    np.savez(tmp_path / "data.npz", x=inputs[0], y=reference(model, inputs)[0])
    to_savedmodel(model, tmp_path / "served")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_KBRIDGE, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_refuses_unbuilt_models_and_unknown_formats(tmp_path: Path) -> None:
    with pytest.raises(NotBuiltError, match="isn't built"):
        to_savedmodel(Sequential([layers.Dense(2)]), tmp_path / "m")
    with pytest.raises(ValueError, match="Unknown export format 'caffe'"):
        MODELS["mlp"].build().export(tmp_path / "m", format="caffe")
    with pytest.raises(ExportError, match="There is no folder"):
        MODELS["mlp"].build().export(tmp_path / "no" / "m.tflite", format="litert")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_artefact_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check before "written" is real: a runtime that disagrees stops the export."""
    model = MODELS["mlp"].build()
    runner = WRITERS["litert"].run
    import kbridge.adapters.export as export

    class Lying:
        def __init__(self, path: Any) -> None:
            self.inner = runner(path)
            self.outputs = self.inner.outputs

        def __call__(self, inputs: Any) -> Any:
            return [o + 0.01 for o in self.inner(inputs)]

    monkeypatch.setattr(export, "run_litert", Lying)
    path = tmp_path / "m.tflite"
    path.write_text("old")
    with pytest.raises(ExportError, match=r"differs from the model by 0\.01"):
        model.export(path, format="litert")
    assert path.read_text() == "old"
