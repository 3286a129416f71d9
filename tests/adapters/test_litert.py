"""LiteRT files against the TensorFlow function that they come from."""

import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from kbridge.adapters.litert import LiteRTRunner, run_litert, write_litert
from kbridge.core.errors import ExportError, LoadError
from tests.adapters.exports import assert_missing, assert_refused, assert_runs, assert_same, function_of
from tests.adapters.tf_cases import CASES, arrays, expected, lstm_start, lstm_step, module_of


def collected_in_tensor_array(x):
    inputs, state = lstm_start(x)
    states = tf.TensorArray(tf.float32, 5)

    def body(step, state, memory, states):
        state, memory = lstm_step(tf.gather(inputs, step), state, memory)
        return step + 1, state, memory, states.write(step, state)

    start = [tf.constant(0), state, state, states]
    return tf.while_loop(lambda step, *_: step < 5, body, start)[3].stack()


REFUSED = {
    "an op": (lambda x: tf.math.erfc(x) + tf.math.atan(x), (8,), "no built-in op for: Atan, Erfc"),
    "an image op": (lambda x: tf.nn.max_pool3d(x, 2, 2, "VALID"), (4, 4, 4, 2), "MaxPool3D"),
    "float64": (lambda x: tf.cast(tf.cast(x, "float64") * 2.0, "float32"), (8,), "Mul"),
    "TensorArray": (collected_in_tensor_array, (5, 3), "tensor_scatter_nd_update"),
}


def write_dense(path):
    module, function = module_of(CASES["dense"])
    write_litert(module, function, path)
    return function


@pytest.mark.parametrize("name", CASES)
def test_results_are_those_of_tensorflow(name, tmp_path):
    assert_runs(CASES[name], write_litert, run_litert, tmp_path / "model.tflite")


@pytest.mark.parametrize("name", CASES)
def test_only_built_in_ops_are_used(name, tmp_path):
    write_litert(*module_of(CASES[name]), tmp_path / "model.tflite")
    model = schema.Model.GetRootAs((tmp_path / "model.tflite").read_bytes(), 0)
    codes = [model.OperatorCodes(index) for index in range(model.OperatorCodesLength())]
    assert not [code.CustomCode() for code in codes if code.CustomCode() is not None]
    assert schema.BuiltinOperator.CUSTOM not in [code.BuiltinCode() for code in codes]


def test_a_tf_function_with_a_signature_will_do(tmp_path):
    module, function = module_of(CASES["dense"])
    write_litert(module, module.serve, tmp_path / "model.tflite")
    inputs = arrays(CASES["dense"], 2)
    assert_same(run_litert(tmp_path / "model.tflite")(inputs), expected(function, inputs))


def test_a_function_from_a_saved_model_will_do(tmp_path):
    case = CASES["lstm_loop"]
    module, function = module_of(case)
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=function)
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    write_litert(loaded, loaded.signatures["serving_default"], tmp_path / "model.tflite")
    inputs = arrays(case, 2)
    assert_same(run_litert(tmp_path / "model.tflite")(inputs), expected(function, inputs))


def test_inputs_are_matched_by_name(tmp_path):
    module, function = module_of(CASES["zoo"])
    write_litert(module, function, tmp_path / "model.tflite")
    runner = run_litert(tmp_path / "model.tflite")
    beta, alpha = arrays(CASES["zoo"], 2)
    want = expected(function, [beta, alpha])
    assert_same(runner({"alpha": alpha, "beta": beta}), want)
    assert [port.name for port in runner.inputs] == ["beta", "alpha"]
    assert [port.name for port in runner.outputs] == ["a", "m", "z"]


def test_a_file_without_our_metadata_has_its_own_order(tmp_path):
    module, function = module_of(CASES["zoo"])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    (tmp_path / "model.tflite").write_bytes(converter.convert())
    runner = run_litert(tmp_path / "model.tflite")
    assert [port.name for port in runner.inputs] == ["alpha", "beta"]
    beta, alpha = arrays(CASES["zoo"], 2)
    assert_same(runner([alpha, beta]), expected(function, [beta, alpha]))


def test_the_batch_stays_free(tmp_path):
    write_dense(tmp_path / "model.tflite")
    runner = LiteRTRunner(tmp_path / "model.tflite")
    assert runner.inputs[0].shape == (None, 8)
    assert runner.outputs[0].shape == (None, 5)


def test_latency_is_measured(tmp_path):
    write_dense(tmp_path / "model.tflite")
    milliseconds = run_litert(tmp_path / "model.tflite").latency(arrays(CASES["dense"], 1), repeats=3)
    assert 0 < milliseconds < 1000


@pytest.mark.parametrize("name", REFUSED)
def test_what_litert_lacks_is_named_and_the_old_file_stays(name, tmp_path):
    function, shape, text = REFUSED[name]
    assert_refused(write_litert, tmp_path / "model.tflite", *function_of(function, *shape), text)


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(ExportError, match=r"no folder .*nowhere"):
        write_dense(tmp_path / "nowhere" / "model.tflite")


@pytest.mark.parametrize("content", [None, b"", b"not a model at all", "half"])
def test_a_file_that_is_no_model_is_refused(content, tmp_path):
    path = tmp_path / "model.tflite"
    if content == "half":
        write_dense(path)
        content = path.read_bytes()[: path.stat().st_size // 2]
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LoadError, match=r"model\.tflite"):
        run_litert(path)


def test_missing_library_of_the_writer_is_named(tmp_path, monkeypatch):
    module, function = module_of(CASES["dense"])
    path = tmp_path / "model.tflite"
    assert_missing(monkeypatch, "tensorflow", lambda: write_litert(module, function, path))
    assert not list(tmp_path.iterdir())


def test_missing_library_of_the_runner_is_named(tmp_path, monkeypatch):
    write_dense(tmp_path / "model.tflite")
    assert_missing(monkeypatch, "ai_edge_litert", lambda: run_litert(tmp_path / "model.tflite"))


def test_nothing_is_printed(tmp_path, capfd):
    function = write_dense(tmp_path / "model.tflite")
    inputs = arrays(CASES["dense"], 1)
    assert_same(run_litert(tmp_path / "model.tflite")(inputs), expected(function, inputs))
    assert capfd.readouterr() == ("", "")
