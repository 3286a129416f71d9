"""Names, shapes and dtypes at the edge of an artefact."""

import numpy as np
import pytest
import tensorflow as tf

from kbridge.adapters.ports import Port, bind, concrete, input_ports, output_ports
from kbridge.core.errors import ExportError, ShapeError

PORTS = [Port("x", (None, 2), "float32"), Port("ids", (None,), "int32")]
X, IDS = np.zeros((3, 2), "float32"), np.arange(3, dtype="int32")


def traced(function, *specs):
    return tf.function(function).get_concrete_function(*specs)


def test_a_list_and_a_dict_give_the_same():
    for given in ([X, IDS], (X, IDS), {"ids": IDS, "x": X}):
        bound = bind(PORTS, given)
        assert list(bound) == ["x", "ids"]
        np.testing.assert_array_equal(bound["ids"], IDS)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ([X], ShapeError, "1 inputs were given, 2 are expected"),
        ({"x": X, "id": IDS}, ShapeError, r"\['id', 'x'\] were given, \['x', 'ids'\]"),
        ([X[0], IDS], ShapeError, r"`x` \(any, 2\) float32 was given an array of shape \(2,\)"),
        ([X[:, :1], IDS], ShapeError, r"of shape \(3, 1\)"),
        ([X, IDS + 0.5], TypeError, "`ids` .* was given float64"),
        ([X, IDS.astype("int64") + 2**40], TypeError, "values outside of"),
    ],
)
def test_what_does_not_fit_is_refused(given, error, text):
    with pytest.raises(error, match=text):
        bind(PORTS, given)


def test_dtypes_are_brought_over_when_nothing_is_lost():
    bound = bind(PORTS, [X.astype("float64"), IDS.astype("int64")])
    assert (bound["x"].dtype, bound["ids"].dtype) == (np.float32, np.int32)
    assert bind([Port("s", (), "float32")], [1])["s"].shape == ()


def test_names_are_those_of_a_saved_model(tmp_path):
    module = tf.Module()
    module.f = tf.function(
        lambda q, r: {"z": q, "a": r + 1},
        input_signature=[tf.TensorSpec([None, 2], name="zeta"), tf.TensorSpec([], name="b")],
    )
    tf.saved_model.save(module, str(tmp_path), signatures=module.f)
    stored = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    function = concrete(module.f)
    inputs, outputs = input_ports(function), output_ports(function)
    assert inputs == (Port("zeta", (None, 2), "float32"), Port("b", (), "float32"))
    assert outputs == (Port("a", (), "float32"), Port("z", (None, 2), "float32"))
    assert set(input_ports(stored)) == set(inputs)
    assert output_ports(stored) == outputs


def test_weights_are_no_inputs():
    weight = tf.Variable([1.0])
    assert [port.name for port in input_ports(traced(lambda x: x * weight, X))] == ["x"]


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x: {"a": {"b": x, "c": x}}, "nested"),
        (lambda x: None, "no tensor"),
    ],
)
def test_outputs_without_flat_names_are_refused(function, text):
    with pytest.raises(ExportError, match=text):
        output_ports(traced(function, tf.TensorSpec([None])))


def test_a_gradient_taken_before_changes_nothing():
    def loop(x):
        return tf.while_loop(lambda y: tf.reduce_sum(y) < 9.0, lambda y: [y * 2.0], [x])[0]

    function = tf.function(loop, input_signature=[tf.TensorSpec([None])])
    with tf.GradientTape() as tape:
        weight = tf.Variable([1.0])
        tape.gradient(function(weight * 1.0), weight)
    traced = function.get_concrete_function()
    assert len(traced.outputs) > 1
    assert [port.name for port in output_ports(traced)] == ["output_0"]


def test_twins_among_the_inputs_are_refused():
    spec = tf.TensorSpec([None], name="x")
    with pytest.raises(ExportError, match=r"inputs are called \['x'\]"):
        input_ports(tf.function(lambda a, b: a + b, input_signature=[spec, spec]).get_concrete_function())


def test_a_function_without_signature_is_refused():
    with pytest.raises(ExportError, match="no input signature"):
        concrete(tf.function(lambda x: x))
