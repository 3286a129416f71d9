"""Weights alone: `.weights.h5` and `.safetensors`, all of them or nothing, written whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import kbridge
from kbridge import Input, Model, Sequential, config, layers, saving
from kbridge.core.errors import LoadError, NotBuiltError
from kbridge.core.models.names import named_variables
from kbridge.core.saving.atomic import replaced_file
from tests.core.saving.structures import STRUCTURES, own_classes, scatter

ENDINGS = (".weights.h5", ".safetensors", ".keras")


def make(units: int = 2, name: str = "dense", extra: bool = False) -> Any:
    inner = [layers.Dense(3, name="more")] if extra else []
    return Sequential([Input((4,)), *inner, layers.Dense(units, name=name)], name="small")


def save(model: Any, path: Path) -> Path:
    (model.save if path.suffix == ".keras" else model.save_weights)(path)
    return path


def assert_same_weights(one: Any, other: Any) -> None:
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# --- to and from Keras ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", STRUCTURES)
def test_weights_h5_of_keras(name: str, backend: str, tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    theirs, model = STRUCTURES[name](keras), STRUCTURES[name](kbridge)
    scatter(theirs)
    theirs.save_weights(path)
    model.load_weights(path)
    assert_same_weights(model, theirs)


@pytest.mark.parametrize("name", STRUCTURES)
def test_weights_h5_for_keras(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    theirs, model = STRUCTURES[name](keras), STRUCTURES[name](kbridge)
    scatter(model)
    model.save_weights(path)
    theirs.load_weights(path)
    assert_same_weights(theirs, model)


@pytest.mark.parametrize("name", STRUCTURES)
def test_weights_out_of_whole_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    own_classes(kbridge)
    theirs, model = STRUCTURES[name](keras), STRUCTURES[name](kbridge)
    scatter(theirs)
    theirs.save(path)
    model.load_weights(path)
    assert_same_weights(model, theirs)


@pytest.mark.parametrize("name", STRUCTURES)
def test_safetensors(name: str, backend: str, tmp_path: Path) -> None:
    """The library reads the same numbers under the same names, and what it writes is read here."""
    path = tmp_path / "m.safetensors"
    model, other = STRUCTURES[name](kbridge), STRUCTURES[name](kbridge)
    scatter(model)
    model.save_weights(path)
    stored = load_file(path)
    named = named_variables(model)
    assert stored.keys() == named.keys()
    for key, variable in named.items():
        np.testing.assert_array_equal(stored[key], variable.numpy())
        assert stored[key].dtype == variable.numpy().dtype
    save_file(stored, path)
    other.load_weights(path)
    assert_same_weights(other, model)


def test_an_object_that_stores_itself(tmp_path: Path) -> None:
    """Layers may write and read their weights their own way; what they assign waits like the rest."""

    class Both(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.a = self.add_weight(shape=(2,), initializer="ones", name="a")
            self.b = self.add_weight(shape=(2,), initializer="ones", name="b")

        def call(self, inputs: Any) -> Any:
            return inputs * self.a + self.b

        def save_own_variables(self, store: Any) -> None:
            store["both"] = np.stack([self.a.numpy(), self.b.numpy()])

        def load_own_variables(self, store: Any) -> None:
            a, b = store["both"]
            self.a.assign(a)
            self.b.assign(b)

    path = tmp_path / "m.weights.h5"
    first, second = (Sequential([Input((2,)), Both(), layers.Dense(2)]) for _ in range(2))
    scatter(first)
    first.save_weights(path)
    second.load_weights(path)
    assert_same_weights(second, first)
    wrong = Sequential([Input((2,)), Both(), layers.Dense(5)])
    before = wrong.get_weights()
    with pytest.raises(LoadError):
        wrong.load_weights(path)
    for a, b in zip(before, wrong.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# --- strictness -----------------------------------------------------------------------------------

MISFITS: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "shape": (lambda: make(units=5), [r"dense\.kernel.*float32\[4, 5\] is float32\[4, 2\] in the file"]),
    "missing": (lambda: make(extra=True), ["Doesn't fit"]),
    "no bias": (
        lambda: Sequential([Input((4,)), layers.Dense(2, use_bias=False, name="dense")]),
        [r"Left over:\n.*float32\[2\]"],
    ),
    "type": (
        lambda: Sequential([Input((4,)), layers.Dense(2, name="dense"), layers.BatchNormalization(name="norm")]),
        [r"norm\.gamma.*float32\[2\] is missing"],
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("misfit", MISFITS)
def test_a_misfit_changes_nothing_and_is_named(misfit: str, ending: str, backend: str, tmp_path: Path) -> None:
    path = save(make(), tmp_path / f"m{ending}")
    build, said = MISFITS[misfit]
    model = build()
    before = model.get_weights()
    with pytest.raises(LoadError) as raised:
        model.load_weights(path)
    for pattern in [*said, "Nothing was changed"]:
        assert raised.match(pattern)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_shape_bound_by_units_is_told_from_one_bound_by_inputs(tmp_path: Path) -> None:
    path = save(make(), tmp_path / "m.weights.h5")
    with pytest.raises(LoadError) as raised:
        make(units=5).load_weights(path)
    assert str(raised.value).count("in the file") == 2  # kernel and bias, both listed


@pytest.mark.parametrize("ending", ENDINGS)
def test_skip_mismatch_loads_the_rest(ending: str, tmp_path: Path) -> None:
    source = Sequential([Input((4,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")])
    target = Sequential([Input((4,)), layers.Dense(3, name="a"), layers.Dense(7, name="b")])
    path = save(source, tmp_path / f"m{ending}")
    before = target.layers[1].get_weights()
    with pytest.warns(UserWarning, match=r"(?s)b\.kernel.*is float32\[3, 2\] in the file.*b\.bias"):
        target.load_weights(path, skip_mismatch=True)
    assert_same_weights(target.layers[0], source.layers[0])
    for a, b in zip(before, target.layers[1].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
def test_skip_mismatch_agrees_with_keras(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"

    def build(K: Any, units: int) -> Any:
        return K.Sequential([K.Input((4,)), K.layers.Dense(3), K.layers.Dense(units)])

    source = build(keras, 2)
    source.save_weights(path)
    theirs, model = build(keras, 5), build(kbridge, 5)
    model.set_weights(theirs.get_weights())
    for each in (theirs, model):
        with pytest.warns(UserWarning, match="(?i)could not be loaded|not all of"):
            each.load_weights(path, skip_mismatch=True)
    assert_same_weights(model, theirs)


def test_long_lists_are_cut(tmp_path: Path) -> None:
    many = Sequential([Input((2,)), *(layers.Dense(2) for _ in range(30))])
    path = save(make(), tmp_path / "m.safetensors")
    with pytest.raises(LoadError, match="and 52 more"):
        many.load_weights(path)


def test_a_model_that_is_not_built_is_no_target(tmp_path: Path) -> None:
    path = save(make(), tmp_path / "m.weights.h5")
    with pytest.raises(NotBuiltError, match="Call it on a batch"):
        Sequential([layers.Dense(2)]).load_weights(path)
    with pytest.raises(NotBuiltError, match="Call it on a batch"):
        Sequential([layers.Dense(2)]).save_weights(tmp_path / "n.weights.h5")
    assert list(tmp_path.iterdir()) == [path]


def test_a_packed_tensor_that_is_damaged_changes_nothing(tmp_path: Path) -> None:
    """Its headers are whole; only reading it shows the damage, and that happens before the first change."""
    path = tmp_path / "m.weights.h5"
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense/vars")
        group.create_dataset("0", data=rng.random((4, 2), "float32"))
        group.create_dataset("1", data=rng.random(2, "float32"), compression="gzip", chunks=(2,), fletcher32=True)
        offset = group["1"].id.get_chunk_info(0).byte_offset
    make().load_weights(path)
    data = bytearray(path.read_bytes())
    data[offset + 4] ^= 0xFF
    path.write_bytes(data)
    model = make()
    before = model.get_weights()
    with pytest.raises(LoadError, match=r"layers/dense/vars/1 in the file is damaged"):
        model.load_weights(path)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# --- the optimizer's state ------------------------------------------------------------------------

X, Y = np.ones((4, 4), "float32"), np.ones((4, 2), "float32")


def trained(optimizer: Any) -> Any:
    model = make()
    model.compile(optimizer, "mse")
    with config.backend_scope("jax"):
        model.fit(X, Y, verbose=0)
    return model


def test_the_optimizers_state_goes_along(tmp_path: Path) -> None:
    path = save(trained("adam"), tmp_path / "m.weights.h5")
    source, target = trained("adam"), trained("adam")
    save(source, path)
    for variable in target.optimizer.variables:
        variable.assign(np.zeros(variable.shape))
    target.load_weights(path)
    for a, b in zip(target.optimizer.variables, source.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("source", [make, lambda: trained("sgd")], ids=["no optimizer", "another optimizer"])
def test_weights_load_without_a_fitting_optimizer_state(source: Any, tmp_path: Path) -> None:
    """As in Keras: the weights arrive, a warning says what didn't, and the state stays as it was."""
    model, origin = trained("adam"), source()
    path = save(origin, tmp_path / "m.weights.h5")
    before = [v.numpy() for v in model.optimizer.variables]
    with pytest.warns(UserWarning, match="The optimizer's state was not loaded: adam"):
        model.load_weights(path)
    assert_same_weights(model, origin)
    for a, b in zip(before, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b.numpy())


def test_weights_of_a_trained_model_load_into_one_without_optimizer(tmp_path: Path) -> None:
    origin, model = trained("adam"), make()
    model.load_weights(save(origin, tmp_path / "m.weights.h5"))
    assert_same_weights(model, origin)
    fresh = make()
    fresh.compile("adam", "mse")
    fresh.load_weights(save(make(), tmp_path / "n.weights.h5"))  # it has no state yet that could be missing


# --- writing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_existing_file_is_replaced_only_if_asked(ending: str, tmp_path: Path) -> None:
    path = save(make(), tmp_path / f"m{ending}")
    old = path.read_bytes()
    model = make(units=5)
    write = model.save if ending == ".keras" else model.save_weights
    with pytest.raises(FileExistsError, match="overwrite=False"):
        write(path, overwrite=False)
    assert path.read_bytes() == old
    write(path)
    assert path.read_bytes() != old
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failure_leaves_the_old_file_whole(ending: str, tmp_path: Path, monkeypatch: Any) -> None:
    path = save(make(), tmp_path / f"m{ending}")
    old, model = path.read_bytes(), make(units=5)

    def fail(self: Any) -> Any:
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(type(model.weights[1]), "numpy", fail)
    with pytest.raises(RuntimeError, match="device is gone"):
        save(model, path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


CRASH = """
import os, signal
from kbridge import Input, Sequential, layers
from kbridge.core.saving import weights
def crash(*args):
    os.kill(os.getpid(), signal.SIGKILL)
weights.write_dataset = crash
Sequential([Input((3,)), layers.Dense(2)]).{method}("{path}")
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a POSIX signal")
@pytest.mark.parametrize(("name", "method"), [("m.keras", "save"), ("m.weights.h5", "save_weights")])
def test_a_crash_leaves_the_old_file_whole(name: str, method: str, tmp_path: Path) -> None:
    path = save(make(), tmp_path / name)
    old = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", CRASH.format(path=path, method=method)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == old
    assert_same_weights(saving.load_model(path) if name == "m.keras" else _loaded(path), make_like(path))


def _loaded(path: Path) -> Any:
    model = make()
    model.load_weights(path)
    return model


make_like = _loaded


def test_what_is_written_has_reached_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: Any) -> None:
    path, order = tmp_path / "m", []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("flush"), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("rename"), replace(a, b)))
    with replaced_file(path) as file:
        file.write(b"new")
    assert order[:2] == ["flush", "rename"]
    assert path.read_bytes() == b"new"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.weights.h5", tmp_path / "link.weights.h5"
    save(make(), target)
    link.symlink_to(target)
    save(make(units=5), link)
    assert link.is_symlink()
    with h5py.File(target) as file:
        assert file["layers/dense/vars/0"].shape == (4, 5)


BAD_PATHS: list[tuple[str, Any, type[Exception], str]] = [
    ("save", "m.h5", ValueError, r"must end in \.keras"),
    ("save", "m", ValueError, r"must end in \.keras"),
    ("save_weights", "m.h5", ValueError, r"\.weights\.h5 or \.safetensors"),
    ("save_weights", "m.keras", ValueError, r"\.weights\.h5 or \.safetensors"),
    ("save", "no/such/folder/m.keras", FileNotFoundError, "Create it"),
    ("save_weights", "no/such/folder/m.weights.h5", FileNotFoundError, "Create it"),
    ("save", "folder.keras", IsADirectoryError, "is a folder"),
]


@pytest.mark.parametrize(("method", "name", "error", "said"), BAD_PATHS)
def test_paths_that_can_not_be_written(method: str, name: str, error: Any, said: str, tmp_path: Path) -> None:
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(error, match=said):
        getattr(make(), method)(tmp_path / name)
    assert [p.name for p in tmp_path.rglob("*")] == ["folder.keras"]


def test_arguments_that_kbridge_lacks_are_refused(tmp_path: Path) -> None:
    model, path = make(), tmp_path / "m.weights.h5"
    for wrong in (
        lambda: model.save(tmp_path / "m.keras", surprise=1),
        lambda: model.save_weights(path, max_shard_size=1),
        lambda: model.load_weights(path, by_name=True),
    ):
        with pytest.raises(TypeError, match="There is no argument"):
            wrong()
    with pytest.raises(ValueError, match="zipped=False"):
        model.save(tmp_path / "m.keras", zipped=False)
    assert list(tmp_path.iterdir()) == []


# --- bfloat16 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_bfloat16_stays_as_it_is(ending: str, backend: str, tmp_path: Path) -> None:
    x = Input((4,))
    model = Model(x, layers.Dense(3, dtype="bfloat16", name="d")(x))
    scatter(model)
    path = save(model, tmp_path / f"m{ending}")
    y = Input((4,))
    other = Model(y, layers.Dense(3, dtype="bfloat16", name="d")(y))
    other.load_weights(path)
    assert [v.dtype for v in other.weights] == ["bfloat16", "bfloat16"]
    assert_same_weights(other, model)


def test_bfloat16_of_keras(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    theirs = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, dtype="bfloat16")])
    theirs.save_weights(path)
    model = Sequential([Input((4,)), layers.Dense(3, dtype="bfloat16")])
    model.load_weights(path)
    for a, b in zip(model.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), keras.ops.convert_to_numpy(b))
    model.save_weights(path)
    theirs.load_weights(path)


def test_float16_weights_load_into_float32(tmp_path: Path) -> None:
    half = Sequential([Input((4,)), layers.Dense(2, dtype="float16", name="dense")])
    full = make()
    full.load_weights(save(half, tmp_path / "m.weights.h5"))
    for a, b in zip(full.get_weights(), half.get_weights(), strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, b.astype("float32"))
