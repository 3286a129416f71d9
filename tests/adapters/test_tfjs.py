"""TF.js graph models against the TensorFlow function that they come from."""

import json
import os
import re
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from kbridge.adapters.tfjs import NO_NODE, NO_PACKAGE, SHARD, find_tfjs, run_tfjs, write_tfjs
from kbridge.adapters.tfjs_graph import supported
from kbridge.core.errors import ExportError, LoadError, MissingDependencyError
from tests.adapters.exports import assert_missing, assert_refused, assert_runs, assert_same, function_of
from tests.adapters.tf_cases import CASES, arrays, expected, lstm_start, lstm_step, module_of

REASON = find_tfjs().reason
needs_tfjs = pytest.mark.skipif(bool(REASON), reason=REASON or "TF.js is there")

FILTER = tf.Variable(np.ones((3, 3, 2, 4), "float32"))
ONES = tf.ones([4])


def write(module, function, path):
    write_tfjs(function, path)


def write_dense(path):
    function = module_of(CASES["dense"])[1]
    write_tfjs(function, path)
    return function


def topology(path):
    return json.loads((path / "model.json").read_text())["modelTopology"]


def collected_in_tensor_array(x):
    inputs, state = lstm_start(x)
    states = tf.TensorArray(tf.float32, 5)

    def body(step, state, memory, states):
        state, memory = lstm_step(tf.gather(inputs, step), state, memory)
        return step + 1, state, memory, states.write(step, state)

    start = [tf.constant(0), state, state, states]
    return tf.while_loop(lambda step, *_: step < 5, body, start)[3].stack()


@needs_tfjs
@pytest.mark.parametrize("name", CASES)
def test_results_are_those_of_tensorflow(name, tmp_path):
    assert_runs(CASES[name], write, run_tfjs, tmp_path / "model", wide_integers=False)


@needs_tfjs
@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (collected_in_tensor_array, (5, 3)),
        (lambda x: tf.ensure_shape(x, [None, 8]) * 2.0, (8,)),
        (lambda x: tf.debugging.check_numerics(x, "bad"), (8,)),
        (lambda x: tf.range(tf.constant(3, tf.int64)) + tf.argmax(x[:, :3], 0), (8,)),
        (lambda x: tf.cast(tf.shape(x, tf.int64), "float32") + x[0, 0], (8,)),
    ],
    ids=["TensorArray", "ensure_shape", "check_numerics", "int64 range", "int64 shape"],
)
def test_more_that_has_to_be_rewritten(function, shape, tmp_path):
    _, traced = function_of(function, *shape)
    write_tfjs(traced, tmp_path / "model")
    inputs = [np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")]
    got = run_tfjs(tmp_path / "model")(inputs)
    assert_same(got, expected(traced, inputs), wide_integers=False)


def test_the_op_list_is_that_of_the_npm_package():
    package = Path(find_tfjs().package).parent / "tfjs-converter"
    if REASON or not package.is_dir():
        pytest.skip(REASON or "@tensorflow/tfjs-converter lies elsewhere")
    version, ops = supported()
    assert json.loads((package / "package.json").read_text())["version"] == version
    lists = package.glob("dist/operations/op_list/*.js")  # decision forests come in another package
    texts = [path.read_text() for path in lists if path.stem != "tfdf"]
    assert ops == {op for text in texts for op in re.findall(r"^\s*'tfOpName': '(\w+)'", text, re.M)}


@pytest.mark.parametrize("name", CASES)
def test_only_ops_and_dtypes_of_tfjs_are_written(name, tmp_path):
    write_tfjs(module_of(CASES[name])[1], tmp_path / "model")
    graph = topology(tmp_path / "model")
    bodies = [body.get("nodeDef", []) for body in graph.get("library", {}).get("function", [])]
    nodes = [node for nodes in [graph["node"], *bodies] for node in nodes]
    assert {node["op"] for node in nodes} <= supported()[1]
    assert "DT_INT64" not in json.dumps(graph)
    assert not [name for node in nodes for name in node.get("input", []) if name.startswith("^")]


def test_weights_are_cut_into_shards(tmp_path):
    weight = tf.Variable(np.random.default_rng(0).normal(size=(1500, 1500)).astype("float32"))
    _, function = function_of(lambda x: tf.matmul(x, weight), 1500)
    write_tfjs(function, tmp_path / "model")
    names = [f"group1-shard{number}of3.bin" for number in (1, 2, 3)]
    assert sorted(os.listdir(tmp_path / "model")) == [*names, "model.json"]
    contents = [(tmp_path / "model" / name).read_bytes() for name in names]
    assert [len(content) for content in contents] == [SHARD, SHARD, 9_000_000 - 2 * SHARD]
    assert b"".join(contents) == weight.numpy().tobytes()
    if REASON:
        pytest.skip(REASON)
    inputs = [np.random.default_rng(1).normal(size=(2, 1500)).astype("float32") / 100]
    assert_same(run_tfjs(tmp_path / "model")(inputs), expected(function, inputs))


REFUSED = {
    "two ops": (
        lambda x: tf.math.erfc(x) + tf.math.lgamma(x),
        (8,),
        "has no op Erfc .node `Erfc`.; it has no op Lgamma",
    ),
    "an op in a loop": (
        lambda x: tf.while_loop(
            lambda step, _: step < 3,
            lambda step, y: (step + 1, tf.math.lgamma(y)),
            [tf.constant(0), x],
        )[1],
        (8,),
        "has no op Lgamma",
    ),
    "float64": (lambda x: tf.cast(tf.cast(x, "float64") * 2.0, "float32"), (8,), "has no float64"),
    "float16": (lambda x: tf.cast(tf.cast(x, "float16") * 2.0, "float32"), (8,), "has no float16"),
    "a large integer": (
        lambda x: tf.argmax(x, -1) + tf.constant(2**40, tf.int64),
        (8,),
        r"32 bit integers.* holds 1099511627776",
    ),
    "one_hot": (
        lambda x: tf.one_hot(tf.argmax(x, -1), 5, axis=0),
        (8,),
        "OneHot along the last axis only",
    ),
    "einsum": (lambda x: tf.einsum("...i,...i->...", x, x), (8,), "Einsum without an ellipsis"),
    "groups": (lambda x: tf.nn.conv2d(x, FILTER, 1, "SAME"), (9, 9, 4), "no grouped convolution"),
    "band_part": (lambda x: tf.linalg.band_part(x, -1, 0), (4, 4), "MatrixBandPart wrongly"),
    "step and index": (lambda x: x[:, 0, ::2], (4, 4), "index one axis and step along another"),
    "training": (
        lambda x: tf.compat.v1.nn.fused_batch_norm(x, ONES, ONES, is_training=True)[0],
        (3, 3, 4),
        "batch normalization for inference only",
    ),
    "channels first": (
        lambda x: tf.nn.conv2d(x, FILTER, 1, "SAME", data_format="NCHW"),
        (2, 9, 9),
        "channels-last images only",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_tfjs_lacks_is_named_and_the_old_folder_stays(name, tmp_path):
    function, shape, text = REFUSED[name]
    assert_refused(write, tmp_path / "model", *function_of(function, *shape), text)


def test_a_dtype_of_the_signature_is_refused(tmp_path):
    module, function = function_of(lambda x: x * 2, 3, dtype="float64")
    assert_refused(write, tmp_path / "model", module, function, "no float64, the dtype of `x`")


def test_a_folder_with_other_files_is_not_replaced(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ExportError, match="holds other files"):
        write_dense(tmp_path)
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_an_earlier_export_is_replaced_whole(tmp_path):
    write_tfjs(module_of(CASES["lstm_loop"])[1], tmp_path / "model")
    write_dense(tmp_path / "model")
    write_dense(tmp_path / "other")
    assert topology(tmp_path / "model") == topology(tmp_path / "other")


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(ExportError, match=r"no folder .*nowhere"):
        write_dense(tmp_path / "nowhere" / "model")


def test_missing_library_is_named(tmp_path, monkeypatch):
    function = module_of(CASES["dense"])[1]
    assert_missing(monkeypatch, "tensorflow", lambda: write_tfjs(function, tmp_path / "model"))


def test_nothing_is_printed(tmp_path, capfd):
    write_dense(tmp_path / "model")
    assert capfd.readouterr() == ("", "")


# ---- running -----------------------------------------------------------------------------------


@needs_tfjs
def test_inputs_are_matched_by_name(tmp_path):
    function = module_of(CASES["zoo"])[1]
    write_tfjs(function, tmp_path / "model")
    runner = run_tfjs(tmp_path / "model")
    beta, alpha = arrays(CASES["zoo"], 2)
    assert_same(runner({"alpha": alpha, "beta": beta}), expected(function, [beta, alpha]))
    assert [port.name for port in runner.outputs] == ["a", "m", "z"]


@needs_tfjs
def test_a_function_from_a_saved_model_will_do(tmp_path):
    module, function = module_of(CASES["lstm_loop"])
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=function)
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    write_tfjs(loaded.signatures["serving_default"], tmp_path / "model")
    inputs = arrays(CASES["lstm_loop"], 2)
    assert_same(run_tfjs(tmp_path / "model")(inputs), expected(function, inputs))


@needs_tfjs
@pytest.mark.parametrize("name", ["dense", "lstm_loop"])
def test_latency_is_measured_inside_node(name, tmp_path):
    write_tfjs(module_of(CASES[name])[1], tmp_path / "model")
    milliseconds = run_tfjs(tmp_path / "model").latency(arrays(CASES[name], 1), repeats=4)
    assert 0 < milliseconds < 200  # a process of its own would take longer to start


@needs_tfjs
def test_a_failure_of_the_runtime_names_the_folder_and_the_reason(tmp_path):
    _, function = function_of(lambda x: tf.reshape(x, [3, 8]), 8)
    write_tfjs(function, tmp_path / "model")
    with pytest.raises(ExportError, match=r"TF.js can't run .*model: Size\(8\) must match"):
        run_tfjs(tmp_path / "model")(arrays(CASES["dense"], 1))


@needs_tfjs
def test_weights_outside_of_the_folder_are_not_read(tmp_path):
    write_dense(tmp_path / "model")
    text = (tmp_path / "model" / "model.json").read_text()
    shard = tmp_path / "model" / "group1-shard1of1.bin"
    shard.rename(tmp_path / "shard.bin")
    (tmp_path / "model" / "model.json").write_text(text.replace(shard.name, "../shard.bin"))
    with pytest.raises(ExportError, match=r"outside of its folder: \.\./shard\.bin"):
        run_tfjs(tmp_path / "model")(arrays(CASES["dense"], 1))


def test_a_process_that_hangs_is_ended(tmp_path):
    write_dense(tmp_path / "model")
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    node.chmod(0o755)
    if REASON and NO_NODE not in REASON:
        pytest.skip(REASON)
    start = time.monotonic()
    with pytest.raises(ExportError, match=r"no result for .*model in 1\.0 s"):
        run_tfjs(tmp_path / "model", node=str(node), timeout=1.0)(arrays(CASES["dense"], 1))
    assert time.monotonic() - start < 20
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize("content", [None, "", "{", '{"format": "layers-model"}', "[]"])
def test_a_folder_that_is_no_graph_model_is_refused(content, tmp_path):
    if content is not None:
        (tmp_path / "model.json").write_text(content)
    with pytest.raises(LoadError, match=r"model\.json"):
        run_tfjs(tmp_path)


# ---- looking for the runtime -------------------------------------------------------------------


@pytest.fixture
def fake_node(tmp_path, monkeypatch):
    """A machine where Node is the only program, and nothing else is found."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "node").write_text("#!/bin/sh\n")
    (programs / "node").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("KBRIDGE_TFJS", raising=False)
    monkeypatch.setattr("sys.prefix", str(tmp_path / "environment"))
    (tmp_path / "here" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" / "below")
    return tmp_path


def install(folder, version='{"version": "4.22.0"}'):
    package = folder / "node_modules" / "@tensorflow" / "tfjs"
    package.mkdir(parents=True)
    (package / "package.json").write_text(version)
    return str(package)


def test_no_node(fake_node, tmp_path, monkeypatch):
    assert find_tfjs("/no/such/node").reason == "There is no executable /no/such/node."
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_tfjs().reason == NO_NODE


def test_no_package(fake_node):
    found = find_tfjs()
    assert (found.node, found.reason) == (str(fake_node / "bin" / "node"), NO_PACKAGE)
    assert "npm install @tensorflow/tfjs" in NO_PACKAGE


def test_places_are_looked_at_in_order(fake_node, monkeypatch):
    machine = fake_node / "lib"
    (fake_node / "bin" / "npm").write_text(f"#!/bin/sh\necho {machine}/node_modules\n")
    (fake_node / "bin" / "npm").chmod(0o755)
    for folder in (machine, fake_node / "environment", fake_node, fake_node / "here" / "below"):
        package = install(folder)
        assert find_tfjs() == (str(fake_node / "bin" / "node"), package, "")
    monkeypatch.setenv("KBRIDGE_TFJS", str(fake_node / "named"))
    assert find_tfjs().reason == NO_PACKAGE  # a folder named on purpose is the only one
    assert install(fake_node / "named") == find_tfjs().package


@pytest.mark.parametrize(
    ("stored", "reason"),
    [('{"version": "3.9.0"}', "has version 3.9.0"), ("{", "damaged"), ("{}", "damaged")],
)
def test_a_package_that_does_not_fit(stored, reason, fake_node, monkeypatch):
    install(fake_node)
    (fake_node / "node_modules" / "@tensorflow" / "tfjs" / "package.json").write_text(stored)
    assert reason in find_tfjs().reason


def test_the_runner_says_what_is_missing(fake_node, tmp_path):
    write_dense(tmp_path / "model")
    with pytest.raises(MissingDependencyError, match="npm install"):
        run_tfjs(tmp_path / "model")
