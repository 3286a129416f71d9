"""Files that want to be more than data: refused, with nothing run, imported, read or written.

The names in brackets are public advisories against Keras's loader; the table behind them is the project's
list of what has gone wrong elsewhere.
"""

from __future__ import annotations

import base64
import io
import json
import marshal
import os
import pickle
import stat
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import kbridge
from kbridge import Input, Sequential, layers, models, saving
from kbridge.core.errors import LoadError
from kbridge.core.saving.inspect import inspect_file
from tests.core.saving.canary import nothing_happens

Config = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def everything_loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What kbridge itself imports late is imported now, so that a canary hears only the file."""
    path = tmp_path_factory.mktemp("warm") / "model.keras"
    small().save(path)
    saving.load_model(path)
    inspect_file(path)
    for kind in ("losses", "metrics", "optimizers", "regularizers", "activations", "initializers"):
        getattr(kbridge, kind)
    with pytest.raises(LoadError):
        saving.deserialize_keras_object({"class_name": "Nothing", "config": {}})
    with pytest.raises(ValueError, match="Unknown name"):
        kbridge.activations.get("nothing")


def small() -> Any:
    return Sequential([Input((3,), name="x"), layers.Dense(2, name="dense")], name="small")


def config_of_small() -> Config:
    return json.loads(small().to_json())


def layer_in(config: Config) -> Config:
    """The Dense of the config."""
    return config["config"]["layers"][1]


def write(path: Path, config: Any, weights: bytes | None = None) -> Path:
    """A `.keras` file with this config, otherwise as it should be."""
    whole = io.BytesIO()
    small().save(whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", source.read("metadata.json"))
        archive.writestr("config.json", config if isinstance(config, (str, bytes)) else json.dumps(config))
        archive.writestr("model.weights.h5", weights or source.read("model.weights.h5"))
    return path


def refused(path: Path, match: str, **kwargs: Any) -> None:
    """`load_model` refuses with one clear error, and nothing else happens."""
    with nothing_happens(path.parent, path), pytest.raises(LoadError, match=match) as raised:
        saving.load_model(path, **kwargs)
    assert len(str(raised.value)) < 1500


# --- names of code (CVE-2025-1550, -8747, -9906; CVE-2026-1462; keras#23654) -----------------------


def entry(module: Any, name: str, config: Any = None, registered: Any = None) -> Config:
    return {"module": module, "class_name": name, "config": config or {}, "registered_name": registered}


FOREIGN = [
    entry("os", "system"),
    entry("subprocess", "Popen", {"args": ["touch", "pwned"]}),
    entry("builtins", "eval"),
    entry("builtins", "function", "eval", "eval"),
    entry("os", "function", "system", "system"),
    entry("importlib", "import_module", {"name": "antigravity"}),
    entry("canary_module", "Canary"),
    entry("keras.src.utils.python_utils", "function", "func_load", "func_load"),
    entry("keras.utils", "function", "get_file", "get_file"),
    entry("keras.utils", "get_file", {"fname": "x", "origin": "http://localhost/x"}),
    entry("keras.saving", "function", "load_model", "load_model"),
    entry("keras.models", "load_model", {"filepath": "other.keras"}),
    entry("keras.models", "function", "load_model", "load_model"),
    entry("kbridge.models", "load_model", {"filepath": "other.keras"}),
    entry("kbridge.saving", "function", "save_model", "save_model"),
    entry("kbridge.core.saving.archive", "opened", {"path": "/etc/passwd"}),
    entry("keras.config", "function", "enable_unsafe_deserialization", "enable_unsafe_deserialization"),
    entry("keras.config", "enable_unsafe_deserialization"),
    entry("keras.datasets.mnist", "function", "load_data", "load_data"),
    entry("keras.layers", "TFSMLayer", {"filepath": "other_model", "call_endpoint": "serving_default"}),
    entry("keras.layers", "function", "TFSMLayer", "TFSMLayer"),
    entry("keras.layers", "function", "deserialize", "deserialize"),
    entry("keras.activations", "function", "get", "get"),
    entry("keras.src.utils.torch_utils", "TorchModuleWrapper", {"module": "gASV", "name": "t"}),
    entry("keras.layers", "TorchModuleWrapper", {"module": "gASV"}),
    entry("keras.layers", "FlaxLayer", {"module": "x"}),
    entry(None, "Canary"),
    entry("keras.layers", "Nothing"),
]

PLACES: dict[str, Callable[[Config, Config], None]] = {
    "as a layer": lambda c, bad: c["config"]["layers"].append(bad),
    "as the model": lambda c, bad: (c.clear(), c.update(bad)),
    "as an activation": lambda c, bad: layer_in(c)["config"].update(activation=bad),
    "as an initializer": lambda c, bad: layer_in(c)["config"].update(kernel_initializer=bad),
    "as a constraint": lambda c, bad: layer_in(c)["config"].update(kernel_constraint=bad),
    "as a dtype": lambda c, bad: layer_in(c)["config"].update(dtype=bad),
    "in a list": lambda c, bad: layer_in(c)["config"].update(bias_regularizer=[{"deep": [bad]}]),
    "in build_config": lambda c, bad: layer_in(c).update(build_config={"input_shape": bad}),
    "as the optimizer": lambda c, bad: c.update(compile_config={"optimizer": bad, "loss": "mse"}),
    "as the loss": lambda c, bad: c.update(compile_config={"optimizer": "sgd", "loss": bad}),
    "as a metric": lambda c, bad: c.update(compile_config={"optimizer": "sgd", "loss": "mse", "metrics": [bad]}),
    "in metadata of a layer": lambda c, bad: layer_in(c).update(shared=bad),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("bad", FOREIGN, ids=lambda e: f"{e['module']}:{e['class_name']}:{e['registered_name']}")
def test_names_outside_the_list_are_refused(bad: Config, place: str, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "canary_module.py").write_text("open('sung', 'w')\nclass Canary: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    config = config_of_small()
    PLACES[place](config, json.loads(json.dumps(bad)))
    refused(write(tmp_path / "model.keras", config), "names|points outside|no registered name")


def test_only_the_class_that_is_meant_is_called_unknown(tmp_path: Path) -> None:
    config = config_of_small()
    config["config"]["layers"].append(entry("mypackage", "Mine"))
    with pytest.raises(LoadError, match=r"mypackage\.Mine \(at config\.layers\[2\]\).*custom_objects=\{'Mine'"):
        saving.load_model(write(tmp_path / "model.keras", config))


@pytest.mark.parametrize("safe_mode", [True, False, None])
def test_safe_mode_can_not_be_lowered(safe_mode: Any, tmp_path: Path) -> None:
    config = config_of_small()
    layer_in(config)["config"]["activation"] = entry("builtins", "function", "eval", "eval")
    refused(write(tmp_path / "model.keras", config), "builtins.eval", safe_mode=safe_mode)


ENTRANCES: dict[str, Callable[[Config], Any]] = {
    "model_from_json": lambda c: models.model_from_json(json.dumps(c)),
    "deserialize_keras_object": saving.deserialize_keras_object,
    "deserialize_keras_object unsafe": lambda c: saving.deserialize_keras_object(c, safe_mode=False),
    "Sequential.from_config": lambda c: Sequential.from_config(c["config"]),
    "Model.from_config": lambda c: models.Model.from_config(as_graph(c)),
    "Dense.from_config": lambda c: layers.Dense.from_config(layer_in(c)["config"]),
    "initializers.get": lambda c: kbridge.initializers.get(layer_in(c)["config"]["kernel_initializer"]),
    "initializers.deserialize": lambda c: kbridge.initializers.deserialize(layer_in(c)["config"]["kernel_initializer"]),
    "activations.deserialize": lambda c: kbridge.activations.deserialize(layer_in(c)["config"]["kernel_initializer"]),
    "regularizers.get": lambda c: kbridge.regularizers.get(layer_in(c)["config"]["kernel_initializer"]),
    "optimizers.deserialize": lambda c: kbridge.optimizers.deserialize(layer_in(c)["config"]["kernel_initializer"]),
    "losses.get": lambda c: kbridge.losses.get(layer_in(c)["config"]["kernel_initializer"]),
    "metrics.get": lambda c: kbridge.metrics.get(layer_in(c)["config"]["kernel_initializer"]),
}  # fmt: skip


def as_graph(config: Config) -> Config:
    """The same layers as a functional model's config."""
    start, dense = config["config"]["layers"]
    history = {"shape": [None, 3], "dtype": "float32", "keras_history": ["x", 0, 0]}
    tensor = {"class_name": "__keras_tensor__", "config": history}
    return {
        "name": "small",
        "layers": [
            {**start, "name": "x", "inbound_nodes": []},
            {**dense, "name": "dense", "inbound_nodes": [{"args": [tensor], "kwargs": {}}]},
        ],
        "input_layers": ["x", 0, 0],
        "output_layers": ["dense", 0, 0],
    }


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(
    "bad", [FOREIGN[0], FOREIGN[3], FOREIGN[6], FOREIGN[8]], ids=["os", "eval", "canary", "get_file"]
)
def test_every_entrance_refuses(bad: Config, entrance: str, tmp_path: Path) -> None:
    """[CVE-2026-12481] The checks don't hang on the loader around them."""
    config = config_of_small()
    layer_in(config)["config"]["kernel_initializer"] = bad
    with nothing_happens(tmp_path), pytest.raises((LoadError, ValueError), match=r"names|Unknown name"):
        ENTRANCES[entrance](config)


def test_nothing_is_made_before_all_names_are_known(tmp_path: Path) -> None:
    made = []

    @saving.register_keras_serializable("hostile")
    class Noted(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            made.append(self)
            super().__init__(**kwargs)

    config = config_of_small()
    config["config"]["layers"] += [entry(None, "Noted", {}, "hostile>Noted"), FOREIGN[0]]
    refused(write(tmp_path / "model.keras", config), "os.system")
    for part in (config["config"], as_graph({"config": {"layers": [*config["config"]["layers"][:1], FOREIGN[0]]}})):
        with pytest.raises(LoadError, match=r"os\.system"):
            (Sequential if "input_layers" not in part else models.Model).from_config(part)
    assert made == []


def test_a_built_in_name_is_not_taken_over(tmp_path: Path) -> None:
    """[keras#22466, #22729]"""

    @saving.register_keras_serializable("hostile", name="Dense")
    class Dense(layers.Layer):
        pass

    config = config_of_small()
    layer_in(config)["registered_name"] = "hostile>Dense"
    refused(write(tmp_path / "model.keras", config), "two names")
    layer_in(config)["registered_name"] = None
    loaded = saving.load_model(write(tmp_path / "model.keras", config), custom_objects={"Dense": Dense})
    assert type(loaded.layers[0]) is layers.Dense


def test_there_is_no_way_in_that_keras_had_and_lost() -> None:
    """[CVE-2021-37678, CVE-2024-55459, CVE-2025-12060, keras#23026] YAML, archives to unpack, pickled data."""
    assert not hasattr(models, "model_from_yaml")
    assert not hasattr(kbridge.utils, "get_file")
    assert not hasattr(kbridge, "datasets")
    assert not hasattr(kbridge.config, "enable_unsafe_deserialization")
    with pytest.raises(LoadError, match="JSON"):
        models.model_from_json("!!python/object/apply:os.system ['touch pwned']")


# --- code in the file (CVE-2024-3660, CVE-2025-9905, CVE-2025-49655) ------------------------------

BYTECODE = base64.b64encode(marshal.dumps(compile("open('sung', 'w')", "evil", "exec"))).decode()


class Pickled:
    def __reduce__(self) -> Any:
        return os.system, ("touch sung",)


PICKLE = base64.b64encode(pickle.dumps(Pickled())).decode()

CODE = {
    "lambda layer": entry(
        "keras.layers", "Lambda", {"function": entry(None, "__lambda__", {"value": [BYTECODE, None, None]})}
    ),
    "lambda of keras 2": entry(
        "keras.layers", "Lambda", {"function": [BYTECODE, None, None], "function_type": "lambda"}
    ),
    "lambda value": entry("builtins", "__lambda__", {"value": [BYTECODE, None, None]}),
    "lambda by name": entry(
        "keras.layers", "Lambda", {"function": "system", "function_type": "function", "module": "os"}
    ),
    "type spec": {**entry("os", "__typespec__", ["x"]), "spec_name": "system"},
    "torch module": entry("keras.src.utils.torch_utils", "TorchModuleWrapper", {"module": PICKLE}),
}


@pytest.mark.parametrize("kind", CODE)
@pytest.mark.parametrize("ending", [".keras", ".h5", ".hdf5", ".zip", ""])
def test_code_is_refused(kind: str, ending: str, tmp_path: Path, monkeypatch: Any) -> None:
    """Whatever the file is called: a renamed one meets the same checks."""
    monkeypatch.chdir(tmp_path)
    config = config_of_small()
    config["config"]["layers"].append(CODE[kind])
    refused(write(tmp_path / f"model{ending}", config), "carries code|TorchModuleWrapper")


NAMED = entry("builtins", "function", "relu", "function")
SMUGGLED = {
    "function": {"function": entry(None, "__lambda__", {"code": BYTECODE, "defaults": None, "closure": None})},
    "function of keras 2": {"function": [BYTECODE, None, None], "function_type": "lambda"},
    "function by name of keras 2": {"function": "system", "function_type": "function", "module": "os"},
    "function elsewhere": {"function": entry("os", "function", "system", "function")},
    "function of ours that isn't public": {"function": entry("builtins", "function", "eval", "function")},
    "a class": {"function": entry("subprocess", "Popen", {"args": ["touch", "pwned"]})},
    "output_shape": {"function": NAMED, "output_shape": CODE["lambda value"]},
    "output_shape of keras 2": {"function": NAMED, "output_shape": [BYTECODE, None, None]},
    "output_shape by name": {"function": NAMED, "output_shape": entry("builtins", "function", "eval", "function")},
    "mask": {"function": NAMED, "mask": CODE["lambda value"]},
    "arguments": {"function": NAMED, "arguments": {"negative_slope": CODE["lambda value"]}},
    "nothing": {},
}


@pytest.mark.parametrize("place", SMUGGLED)
def test_a_lambda_layer_takes_names_only(place: str, tmp_path: Path, monkeypatch: Any) -> None:
    """In a file, and by the layer's own door, which knows no unsafe mode either."""
    monkeypatch.chdir(tmp_path)
    bad, config = json.loads(json.dumps({"name": "l", **SMUGGLED[place]})), config_of_small()
    config["config"]["layers"].append(entry("keras.layers", "Lambda", bad))
    for safe_mode in (True, False):
        refused(write(tmp_path / "model.keras", config), "carries code|names|output_shape", safe_mode=safe_mode)
        with nothing_happens(tmp_path), pytest.raises(ValueError, match=r"carries code|names|output_shape"):
            layers.Lambda.from_config(bad, safe_mode=safe_mode)


def test_what_a_lambda_layer_may_name_loads(tmp_path: Path) -> None:
    """The file of the test above with nothing smuggled in."""
    config = config_of_small()
    config["config"]["layers"].append(entry("keras.layers", "Lambda", {"name": "l", "function": NAMED}))
    loaded = saving.load_model(write(tmp_path / "model.keras", config))
    assert loaded.layers[-1].function is kbridge.activations.relu


@pytest.mark.parametrize("ending", [".h5", ".hdf5", ".keras"])
def test_models_in_hdf5_are_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{ending}"
    config = config_of_small()
    config["config"]["layers"].append(CODE["lambda of keras 2"])
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.create_group("model_weights").attrs["layer_names"] = ["dense"]
    refused(path, "HDF5")
    target = small()
    with nothing_happens(tmp_path, path), pytest.raises(LoadError, match="Keras 2"):
        target.load_weights(path)


def test_a_pickle_is_no_model(tmp_path: Path) -> None:
    for name in ("model.keras", "model.weights.h5", "model.safetensors"):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(Pickled()))
        refused(path, "isn't a file with a model")
        with nothing_happens(tmp_path, path), pytest.raises(LoadError, match="isn't a file with weights"):
            small().load_weights(path)


# --- data outside the file (CVE-2025-12058, CVE-2026-1669, CVE-2026-1462) -------------------------


@pytest.mark.parametrize(
    "source", ["/etc/hostname", "secret.txt", "http://localhost:1/vocabulary", "file:///etc/hostname"]
)
@pytest.mark.parametrize("key", ["vocabulary", "filepath", "idf_weights"])
def test_paths_in_configs_are_refused(key: str, source: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_text("secret")
    config = config_of_small()
    layer_in(config)["config"][key] = source
    refused(write(tmp_path / "model.keras", config), f"points outside the file .{key}=")
    config["config"]["layers"][1] = entry("keras.layers", "StringLookup", {key: source})
    refused(write(tmp_path / "model.keras", config), "StringLookup")


def external_storage(file: Any, secret: Path) -> None:
    file.create_dataset("layers/dense/vars/0", (3, 2), "float32", external=[(str(secret), 0, 24)])


def external_link(file: Any, secret: Path) -> None:
    file.create_group("layers/dense/vars")["0"] = h5py.ExternalLink(str(secret), "/x")


def external_link_above(file: Any, secret: Path) -> None:
    file.create_group("layers")["dense"] = h5py.ExternalLink(str(secret), "/dense")


def soft_link(file: Any, secret: Path) -> None:
    file["real"] = np.zeros((3, 2), "float32")
    file.create_group("layers/dense/vars")["0"] = h5py.SoftLink("/real")


def soft_link_above(file: Any, secret: Path) -> None:
    """[keras#23168] The last name is honest, one before it isn't."""
    file["real/vars/0"] = np.zeros((3, 2), "float32")
    file.create_group("layers")["dense"] = h5py.SoftLink("/real")


def virtual_dataset(file: Any, secret: Path) -> None:
    layout = h5py.VirtualLayout((3, 2), "float32")
    layout[:] = h5py.VirtualSource(str(secret), "x", (3, 2))
    file.create_virtual_dataset("layers/dense/vars/0", layout)


def references(file: Any, secret: Path) -> None:
    file["x"] = np.zeros(3)
    file.create_dataset("layers/dense/vars/0", (1,), h5py.ref_dtype)[0] = file["x"].ref


def region_references(file: Any, secret: Path) -> None:
    file["x"] = np.zeros(3)
    file.create_dataset("layers/dense/vars/0", (1,), h5py.regionref_dtype)[0] = file["x"].regionref[:2]


def texts(file: Any, secret: Path) -> None:
    file.create_dataset("layers/dense/vars/0", data=["a", "b"], dtype=h5py.string_dtype())


def compound(file: Any, secret: Path) -> None:
    file["layers/dense/vars/0"] = np.zeros(3, [("a", "f4"), ("b", "i4")])


def opaque(file: Any, secret: Path) -> None:
    file["layers/dense/vars/0"] = np.zeros((3, 2), "V3")


def no_shape(file: Any, secret: Path) -> None:
    file["layers/dense/vars/0"] = h5py.Empty("f4")


def named_type(file: Any, secret: Path) -> None:
    file["layers/dense/vars/0"] = np.dtype("float32")


def a_circle(file: Any, secret: Path) -> None:
    file.create_group("layers/dense")
    file["layers/dense/again"] = file["layers"]


def two_names(file: Any, secret: Path) -> None:
    file["layers/dense/vars/0"] = np.zeros((3, 2), "float32")
    file["layers/dense/vars/1"] = file["layers/dense/vars/0"]


def bad_name(file: Any, secret: Path) -> None:
    file["layers/.../vars/0"] = np.zeros((3, 2), "float32")


def petabyte(file: Any, secret: Path) -> None:
    """[CVE-2026-0897]"""
    file.create_dataset(
        "layers/dense/vars/0", (1 << 20, 1 << 28), "float32", chunks=(1 << 10, 1 << 10), compression="gzip"
    )


def petabyte_unpacked(file: Any, secret: Path) -> None:
    file.create_dataset("layers/dense/vars/0", (1 << 20, 1 << 28), "float32")


def many_gigabytes(file: Any, secret: Path) -> None:
    for i in range(200):
        file.create_dataset(f"layers/dense/vars/{i}", (1 << 24,), "float32", chunks=(1 << 24,), compression="gzip")


def packed_zeros(file: Any, secret: Path) -> None:
    zeros = np.zeros((1 << 25,), "float32")
    file.create_dataset("layers/dense/vars/0", data=zeros, chunks=(1 << 20,), compression="gzip", compression_opts=9)


HDF5 = [
    external_storage, external_link, external_link_above, soft_link, soft_link_above, virtual_dataset, references,
    region_references, texts, compound, opaque,  no_shape, named_type, a_circle, two_names, bad_name,
    petabyte, petabyte_unpacked, many_gigabytes, packed_zeros,
]  # fmt: skip


@pytest.mark.parametrize("make", HDF5, ids=lambda make: make.__name__)
def test_hdf5_that_is_more_than_numbers_is_refused(make: Any, tmp_path: Path) -> None:
    """At each door, with next to no memory used."""
    secret, weights, whole = tmp_path / "secret.h5", tmp_path / "m.weights.h5", tmp_path / "m.keras"
    secret.write_bytes(b"\0" * 1000)
    with h5py.File(weights, "w") as file:
        make(file, secret)
    write(whole, config_of_small(), weights.read_bytes())
    model = small()
    before = model.get_weights()
    doors: list[Callable[[], Any]] = [
        lambda: model.load_weights(weights),
        lambda: model.load_weights(weights, skip_mismatch=True),
        lambda: model.load_weights(whole),
        lambda: saving.load_model(whole),
        lambda: inspect_file(weights),
        lambda: inspect_file(whole),
    ]
    tracemalloc.start()
    for door in doors:
        with nothing_happens(tmp_path, weights, whole), pytest.raises(LoadError, match="refused"):
            door()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_filter_plug_in_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((3, 2))
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense/vars")
        space = h5py.h5s.create_simple((3, 2))
        h5py.h5d.create(group.id, b"0", h5py.h5t.IEEE_F32LE, space, plist)
    with nothing_happens(tmp_path, path), pytest.raises(LoadError, match=r"filter plug-in .number 32015"):
        small().load_weights(path)


def test_a_config_that_wants_more_memory_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    config = config_of_small()
    layer_in(config)["config"]["units"] = 10**12
    path = write(tmp_path / "model.keras", config)
    tracemalloc.start()
    refused(path, r"asks for a weight of shape \(3, 1000000000000\)")
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


# --- names that are paths (CVE-2026-12479, CVE-2025-12638, GHSA-hqp4-2352-xf5r) -------------------

BAD_NAMES = ["../..", "..", "a/b", "a\\b", "/etc/passwd", "C:evil", "nul\0byte", "..\\..\\x"]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("where", ["layer", "input", "model", "optimizer", "entry"])
def test_names_that_are_paths_are_refused(name: str, where: str, tmp_path: Path) -> None:
    config = config_of_small()
    optimizer = entry("keras.optimizers", "SGD", {"name": name, "learning_rate": 0.1})
    {
        "layer": lambda: layer_in(config)["config"].update(name=name),
        "input": lambda: config["config"]["layers"][0]["config"].update(name=name),
        "model": lambda: config["config"].update(name=name),
        "optimizer": lambda: config.update(compile_config={"optimizer": optimizer, "loss": "mse"}),
        "entry": lambda: layer_in(config).update(name=name),
    }[where]()
    for folder in ("one", "two/deep", "three"):  # the answer doesn't hang on the working directory
        inner = tmp_path / folder
        inner.mkdir(parents=True)
        before = os.getcwd()
        os.chdir(inner)
        try:
            refused(write(inner / "model.keras", config), "can't be a name")
        finally:
            os.chdir(before)


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "..\\evil", "C:\\evil", "a\\b"])
def test_members_that_point_out_of_the_archive_are_refused(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "model.keras", config_of_small())
    info = zipfile.ZipInfo("x")
    info.filename = name
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info, b"evil")
    refused(path, "points out of the archive")
    with nothing_happens(tmp_path, path), pytest.raises(LoadError, match="points out"):
        small().load_weights(path)


def test_nothing_is_ever_unpacked(tmp_path: Path) -> None:
    """Assets, links and devices in the archive stay there; the model loads."""
    path = write(tmp_path / "model.keras", config_of_small())
    with zipfile.ZipFile(path, "a") as archive:
        for name, mode in (("assets/link", stat.S_IFLNK), ("assets/device", stat.S_IFCHR), ("assets/setuid", 0o104755)):
            info = zipfile.ZipInfo(name)
            info.external_attr = (mode | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
    with nothing_happens(tmp_path, path):
        saving.load_model(path)


def test_a_tar_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("../evil")
        archive.addfile(info, io.BytesIO())
    refused(path, "isn't a file with a model")


# --- sizes that lie (CVE-2026-0897, keras#23010, #23101, #23016) ----------------------------------


def packed(path: Path, name: str, content: bytes) -> Path:
    """The file with one member packed."""
    with zipfile.ZipFile(path) as source:
        members = {info.filename: source.read(info) for info in source.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, old in members.items():
            archive.writestr(each, content if each == name else old)
    return path


@pytest.mark.parametrize("name", ["config.json", "metadata.json", "model.weights.h5"])
def test_zip_bombs_are_refused(name: str, tmp_path: Path) -> None:
    path = packed(write(tmp_path / "model.keras", config_of_small()), name, b" " * (64 << 20))
    tracemalloc.start()
    with nothing_happens(tmp_path, path), pytest.raises(LoadError, match=r"refused|are read"):
        inspect_file(path)
    if name != "metadata.json":  # which isn't needed to load
        refused(path, "refused|are read")
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_an_honestly_packed_file_loads(tmp_path: Path) -> None:
    path = write(tmp_path / "model.keras", config_of_small())
    expected = saving.load_model(path).get_weights()
    with zipfile.ZipFile(path) as source:
        weights = source.read("model.weights.h5")
    got = saving.load_model(packed(path, "model.weights.h5", weights)).get_weights()
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def patched(path: Path, offset: int, value: bytes) -> Path:
    """Both headers of config.json changed: `offset` counts in the central one."""
    data = bytearray(path.read_bytes())
    local = data.find(b"PK\x03\x04", data.find(b"metadata.json"))
    central = data.find(b"PK\x01\x02", data.find(b"metadata.json", data.find(b"PK\x01\x02")))
    data[central + offset : central + offset + len(value)] = value
    data[local + offset - 2 : local + offset - 2 + len(value)] = value
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("offset", "value", "said"),
    [
        (24, (1 << 31).to_bytes(4, "little"), "claims"),  # size
        (20, (1 << 31).to_bytes(4, "little"), "claims"),  # packed size
        (8, b"\x01\x00", "encrypted"),  # flags
        (10, b"\x0e\x00", "packed by method 14"),  # LZMA
        (16, b"\0\0\0\0", "damaged"),  # checksum
    ],
    ids=["size", "packed size", "encrypted", "method", "checksum"],
)
def test_headers_that_lie_are_refused(offset: int, value: bytes, said: str, tmp_path: Path) -> None:
    refused(patched(write(tmp_path / "model.keras", config_of_small()), offset, value), said)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_two_configs_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "model.keras", config_of_small())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", "{}")
    refused(path, "two members")


def test_weights_as_npz_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config_of_small()))
        archive.writestr("model.weights.npz", b"")
    refused(path, r"no model\.weights\.h5")


DEEP = [
    ("[" * 100_000, "JSON"),
    ('{"class_name": "Sequential", "config": ' + '{"a":' * 300 + "1" + "}" * 301, "levels deep"),
    ('{"a": ' + "9" * 5000 + "}", "JSON|no model"),
    ('{"class_name": ["x"], "config": {}}', "must be text"),
    ('{"class_name": "Sequential", "config": [1]}', "must be an object"),
    ('{"class_name": "Sequential", "module": "keras", "config": {"layers": 3}}', "can't be made"),
    ('{"class_name": "Sequential", "module": "keras", "config": {}}', "can't be made"),
    ('{"class_name": "Dense", "module": "keras.layers", "config": {"units": 3}}', "and not a model"),
    ('{"class_name": "Dense", "module": "keras.layers", "config": {"units": "many"}}', "can't be made"),
    ('{"class_name": "Dense", "module": ["keras"], "config": {}}', "must be text"),
    ('{"class_name": "Add", "module": "keras.src.ops.numpy", "config": {}}', "graph of a model"),
    ("[]", "JSON object"),
    ("null", "JSON object"),
    ("{}", "holds no model"),
    ("", "JSON"),
    ("\ufeff{}", "JSON|no model"),
]


@pytest.mark.parametrize(("text", "said"), DEEP, ids=range(len(DEEP)))
def test_configs_that_are_none_are_refused(text: str, said: str, tmp_path: Path) -> None:
    refused(write(tmp_path / "model.keras", text or b""), said)
    with pytest.raises(LoadError, match=said):
        models.model_from_json(text)


def graph(**changes: Any) -> Config:
    """A functional model's whole config, changed."""
    inner = {**as_graph(config_of_small()), **changes}
    return {"module": "keras.src.models.functional", "class_name": "Functional", "config": inner}


def tensor(*history: Any) -> Config:
    config = {"shape": [None, 3], "dtype": "float32", "keras_history": list(history)}
    return {"class_name": "__keras_tensor__", "config": config}


def layers_with(args: Any) -> list[Config]:
    listed = as_graph(config_of_small())["layers"]
    listed[1]["inbound_nodes"] = [{"args": args, "kwargs": {}}]
    return listed


GRAPHS = [
    graph(output_layers=["nowhere", 0, 0]),
    graph(output_layers=["dense", 7, 0]),
    graph(output_layers=["dense", 0, -1]),
    graph(output_layers=["dense", "0", 0]),
    graph(output_layers=[[[["dense", 0]]]]),
    graph(output_layers=17),
    graph(layers=layers_with([tensor("dense", 0, 0)])),
    graph(layers=layers_with([tensor("nowhere", 0, 0)])),
    graph(layers=layers_with([tensor("x", 0, 5)])),
    graph(layers=layers_with([tensor(["x"], 0, 0)])),
    graph(layers=layers_with([tensor("x", 0)])),
    graph(layers=layers_with([])),
    graph(layers=layers_with(3)),
    graph(layers=as_graph(config_of_small())["layers"] * 2),
    graph(layers=[1, 2]),
    graph(layers={"a": 1}),
]


@pytest.mark.parametrize("config", GRAPHS, ids=range(len(GRAPHS)))
def test_broken_graphs_are_refused(config: Config, tmp_path: Path) -> None:
    refused(write(tmp_path / "model.keras", config), "broken|two layers|can't be made")


def test_a_long_graph_in_the_worst_order_is_read_in_one_go(tmp_path: Path) -> None:
    """A file can't make the reader look at each call once for each other one."""
    count = 3000
    calls = [{"args": [tensor("dense", i - 1, 0) if i else tensor("x", 0, 0)], "kwargs": {}} for i in range(count)]
    config = as_graph(config_of_small())
    config["layers"][1]["config"]["units"] = 3
    config["layers"][1]["inbound_nodes"] = calls
    config["layers"].reverse()
    config["output_layers"] = ["dense", count - 1, 0]
    model = models.Model.from_config(config)
    assert len(model._graph.nodes) == count


# --- damage ---------------------------------------------------------------------------------------


def damaged(data: bytes) -> dict[str, bytes]:
    return {
        "empty": b"",
        "one byte": data[:1],
        "half": data[: len(data) // 2],
        "nearly whole": data[:-10],
        "without its start": data[100:],
        "text": b"hello, I am no model" * 10,
        "zeros": bytes(len(data)),
    }


@pytest.mark.parametrize("how", damaged(b""))
@pytest.mark.parametrize("name", ["m.keras", "m.weights.h5", "m.safetensors"])
def test_damaged_files_are_one_clear_error(name: str, how: str, tmp_path: Path) -> None:
    path, model = tmp_path / name, small()
    (model.save if name == "m.keras" else model.save_weights)(path)
    path.write_bytes(damaged(path.read_bytes())[how])
    before = model.get_weights()
    doors: list[Callable[[], Any]] = [
        lambda: model.load_weights(path), lambda: saving.load_model(path), lambda: inspect_file(path),
    ]  # fmt: skip
    for door in doors:
        with nothing_happens(tmp_path, path), pytest.raises(LoadError) as raised:
            door()
        assert "\n" not in str(raised.value)
        assert name in str(raised.value)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("door", [saving.load_model, inspect_file, lambda path: small().load_weights(path)])
def test_a_missing_file_is_one_clear_error(door: Any, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"There is no file .*nothing\.keras"):
        door(tmp_path / "nothing.keras")
    with pytest.raises(LoadError, match="can't be read"):
        door(tmp_path)


@pytest.mark.parametrize("member", ["metadata.json", "config.json", "zip"])
def test_mutated_files_load_or_are_refused(member: str, tmp_path: Path) -> None:
    """Bytes of the JSON and of the zip's own headers changed at random: never another error."""
    path = write(tmp_path / "model.keras", graph())
    data = path.read_bytes()
    weights = data.find(b"\x89HDF")
    start, end = {
        "zip": (data.find(b"PK\x01\x02"), len(data)),
        "metadata.json": (0, data.find(b"PK\x03\x04", 10)),
        "config.json": (data.find(b"PK\x03\x04", 10), weights),
    }[member]
    rng = np.random.default_rng(0)
    for _ in range(300):
        mutant = bytearray(data)
        for _ in range(rng.integers(1, 4)):
            mutant[rng.integers(start, end)] = rng.integers(0, 256)
        path.write_bytes(mutant)
        try:
            saving.load_model(path)
        except LoadError:
            continue


def test_mutated_configs_load_or_are_refused(tmp_path: Path) -> None:
    """Values of the JSON replaced at random, so that it stays JSON."""
    rng = np.random.default_rng(1)
    values = [None, True, -1, 10**30, 0.5, "", "relu", [], [[]], {}, [None], {"class_name": "Dense", "config": {}}]

    def mutate(value: Any) -> Any:
        if rng.random() < 0.02:
            return values[rng.integers(len(values))]
        if isinstance(value, dict):
            return {key: mutate(each) for key, each in value.items()}
        return [mutate(each) for each in value] if isinstance(value, list) else value

    for _ in range(300):
        try:
            models.model_from_json(json.dumps(mutate(graph())))
        except LoadError:
            continue
