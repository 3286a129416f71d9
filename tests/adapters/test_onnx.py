"""ONNX files against the TensorFlow function that they come from."""

import onnx
import pytest
import tensorflow as tf

from kbridge.adapters.onnx import OPSETS, run_onnx, write_onnx
from kbridge.core.errors import ExportError, LoadError, ShapeError
from tests.adapters.exports import assert_missing, assert_refused, assert_runs, assert_same, function_of
from tests.adapters.tf_cases import CASES, arrays, expected, module_of

REFUSED = {
    "two ops": (
        lambda x: tf.math.erfc(x) + tf.math.lgamma(x),
        "opset 18 has no op for: Erfc .node `Erfc`., Lgamma .node `Lgamma`.",
    ),
    "in a loop": (
        lambda x: tf.while_loop(
            lambda step, _: step < 3,
            lambda step, y: (step + 1, tf.math.lgamma(y)),
            [tf.constant(0), x],
        )[1],
        "Lgamma",
    ),
    "in a branch": (
        lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: tf.math.lgamma(x), lambda: x),
        "Lgamma",
    ),
}


def write(module, function, path):
    write_onnx(function, path)


def write_dense(path):
    function = module_of(CASES["dense"])[1]
    write_onnx(function, path)
    return function


def sizes(value):
    return [size.dim_value or size.dim_param for size in value.type.tensor_type.shape.dim]


@pytest.mark.parametrize("name", CASES)
def test_results_are_those_of_tensorflow(name, tmp_path):
    assert_runs(CASES[name], write, run_onnx, tmp_path / "model.onnx")


@pytest.mark.parametrize("opset", [OPSETS[0], 15])
@pytest.mark.parametrize("name", ["convnet", "attention", "layer_norm", "lstm_loop", "safe_log"])
def test_earlier_opsets(name, opset, tmp_path):
    def write(module, function, path):
        write_onnx(function, path, opset=opset)

    assert_runs(CASES[name], write, run_onnx, tmp_path / "model.onnx")
    stored = onnx.load(tmp_path / "model.onnx")
    assert [it.version for it in stored.opset_import if not it.domain] == [opset]


@pytest.mark.parametrize("opset", [OPSETS[0] - 1, OPSETS[-1] + 1])
def test_unknown_opset_is_refused(opset, tmp_path):
    with pytest.raises(ExportError, match=f"opset is {opset} and can be 13 to 18"):
        write_onnx(module_of(CASES["dense"])[1], tmp_path / "model.onnx", opset=opset)


@pytest.mark.parametrize(
    ("name", "outputs"),
    [("dense", ["output_0"]), ("zoo", ["a", "m", "z"]), ("unused", ["again", "fixed", "x_out"])],
)
def test_names_are_those_of_the_signature(name, outputs, tmp_path):
    write_onnx(module_of(CASES[name])[1], tmp_path / "model.onnx")
    graph = onnx.load(tmp_path / "model.onnx").graph
    assert [value.name for value in graph.input] == list(CASES[name].inputs)
    assert [value.name for value in graph.output] == outputs


def test_free_sizes_have_readable_names(tmp_path):
    write_onnx(module_of(CASES["attention_free_time"])[1], tmp_path / "model.onnx")
    graph = onnx.load(tmp_path / "model.onnx").graph
    assert [sizes(value) for value in graph.input] == [["batch", "x_1", 8], ["batch", "mask_1"]]
    write_dense(tmp_path / "model.onnx")
    graph = onnx.load(tmp_path / "model.onnx").graph
    assert [sizes(value) for value in graph.output] == [["batch", 5]]


def test_scalars_have_a_shape(tmp_path):
    _, function = function_of(lambda x: tf.reduce_sum(x), 3)
    write_onnx(function, tmp_path / "model.onnx")
    assert run_onnx(tmp_path / "model.onnx").outputs[0].shape == ()


def test_a_tf_function_with_a_signature_will_do(tmp_path):
    module, function = module_of(CASES["dense"])
    write_onnx(module.serve, tmp_path / "model.onnx")
    inputs = arrays(CASES["dense"], 2)
    assert_same(run_onnx(tmp_path / "model.onnx")(inputs), expected(function, inputs))


def test_a_function_from_a_saved_model_will_do(tmp_path):
    module, function = module_of(CASES["lstm_loop"])
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=function)
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    write_onnx(loaded.signatures["serving_default"], tmp_path / "model.onnx")
    inputs = arrays(CASES["lstm_loop"], 2)
    assert_same(run_onnx(tmp_path / "model.onnx")(inputs), expected(function, inputs))


def test_constants_caught_by_the_function_are_no_inputs(tmp_path):
    caught = tf.constant([1.0, 2.0])
    _, function = function_of(lambda x: x * caught, 2)
    write_onnx(function, tmp_path / "model.onnx")
    assert [port.name for port in run_onnx(tmp_path / "model.onnx").inputs] == ["x"]


def test_latency_is_measured(tmp_path):
    write_dense(tmp_path / "model.onnx")
    assert 0 < run_onnx(tmp_path / "model.onnx").latency(arrays(CASES["dense"], 1), repeats=3) < 1000


def test_wrong_inputs_are_refused_before_the_runtime_sees_them(tmp_path):
    write_dense(tmp_path / "model.onnx")
    with pytest.raises(ShapeError, match=r"`x` \(any, 8\) float32 was given"):
        run_onnx(tmp_path / "model.onnx")([arrays(CASES["dense"], 1)[0][:, :3]])


def test_a_failure_of_the_runtime_names_the_file(tmp_path):
    _, function = function_of(lambda x: tf.reshape(x, [3, 8]), 8)
    write_onnx(function, tmp_path / "model.onnx")
    with pytest.raises(ExportError, match=r"model\.onnx fails in its own runtime"):
        run_onnx(tmp_path / "model.onnx")(arrays(CASES["dense"], 1))


@pytest.mark.parametrize("name", REFUSED)
def test_what_onnx_lacks_is_named_and_the_old_file_stays(name, tmp_path):
    function, text = REFUSED[name]
    assert_refused(write, tmp_path / "model.onnx", *function_of(function, 8), text)


def test_a_loop_that_a_gradient_has_changed_is_explained(tmp_path):
    module, function = module_of(CASES["lstm_loop"])
    with tf.GradientTape() as tape:
        last = module.serve(tf.ones([2, 5, 3]))["last"]
        tape.gradient(last, module.trainable_variables)
    with pytest.raises(ExportError, match=r"EmptyTensorList.* trace a new one to export"):
        write_onnx(function, tmp_path / "model.onnx")


def test_what_can_not_become_a_constant_is_named(tmp_path):
    keys, values = tf.constant([1, 2]), tf.constant([3.0, 4.0])
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), -1.0)
    module, function = function_of(table.lookup, dtype="int32")
    module.table = table
    assert_refused(write, tmp_path / "model.onnx", module, function, "lookup table")


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(ExportError, match=r"no folder .*nowhere"):
        write_dense(tmp_path / "nowhere" / "model.onnx")


@pytest.mark.parametrize("content", [None, b"", b"not a model at all", "half"])
def test_a_file_that_is_no_model_is_refused(content, tmp_path):
    path = tmp_path / "model.onnx"
    if content == "half":
        write_dense(path)
        content = path.read_bytes()[: path.stat().st_size // 2]
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LoadError, match=r"model\.onnx"):
        run_onnx(path)


@pytest.mark.parametrize("library", ["tf2onnx", "onnx", "tensorflow"])
def test_missing_library_of_the_writer_is_named(library, tmp_path, monkeypatch):
    function = module_of(CASES["dense"])[1]
    path = tmp_path / "model.onnx"
    assert_missing(monkeypatch, library, lambda: write_onnx(function, path))
    assert not list(tmp_path.iterdir())


def test_missing_library_of_the_runner_is_named(tmp_path, monkeypatch):
    write_dense(tmp_path / "model.onnx")
    assert_missing(monkeypatch, "onnxruntime", lambda: run_onnx(tmp_path / "model.onnx"))


def test_nothing_is_printed(tmp_path, capfd):
    function = write_dense(tmp_path / "model.onnx")
    inputs = arrays(CASES["dense"], 1)
    assert_same(run_onnx(tmp_path / "model.onnx")(inputs), expected(function, inputs))
    assert capfd.readouterr() == ("", "")
