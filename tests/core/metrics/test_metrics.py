"""Metrics against the installed Keras and scikit-learn."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

import kbridge
from kbridge import metrics, ops
from kbridge.core.context import framework_of
from kbridge.core.errors import MixedFrameworksError, ShapeError
from kbridge.core.ops.shape import convert_to_numpy, convert_to_tensor
from tests.rows.losses import CLASSES, SHARES
from tests.rows.metrics import ROWS, Row

FRAMEWORKS = ("jax", "torch", "tensorflow")
WEIGHTS = np.array([0.5, 2.0, 0.0, 1.0, 3.0], "float32")


def make(module: Any, row: Row, **more: Any) -> Any:
    return getattr(module, row.name)(**row.arguments, **more)


def filled(metric: Any, row: Row, weighted: bool = False) -> Any:
    """The metric after both batches of a row."""
    start = 0
    for y_true, y_pred in row.batches:
        weight = WEIGHTS[start : start + len(y_true)] if weighted else None
        metric.update_state(y_true, y_pred, sample_weight=weight)
        start += len(y_true)
    return metric


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_result_as_keras(row: Row, weighted: bool, backend: str) -> None:
    wanted = float(filled(make(keras.metrics, row), row, weighted).result())
    result = filled(make(metrics, row), row, weighted).result()
    assert framework_of(result) == (None if backend == "numpy" else backend)
    assert float(result) == pytest.approx(wanted, rel=2e-5, abs=1e-6)


def function_name(row: Row) -> str:
    return getattr(make(keras.metrics, row), "_fn", keras.metrics.mean_squared_error).__name__


@pytest.mark.parametrize("row", [row for row in ROWS if hasattr(keras.metrics, function_name(row))], ids=str)
def test_function_as_keras(row: Row, backend: str) -> None:
    name = function_name(row)
    wanted = getattr(keras.metrics, name)(row.y_true.astype("float32"), row.y_pred, **row.arguments)
    got = getattr(metrics, name)(row.y_true.astype("float32"), row.y_pred, **row.arguments)
    np.testing.assert_allclose(convert_to_numpy(got), np.asarray(wanted), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(2,), (2, 1), (2, 3), (2, 3, 4), ()])
@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_weights_of_other_ranks_as_keras(name: str, shape: tuple[int, ...], backend: str) -> None:
    random = np.random.default_rng(3)
    values, weight = random.normal(size=(2, 3, 4)).astype("float32"), random.uniform(size=shape).astype("float32")
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    assert float(ours(values, sample_weight=weight)) == pytest.approx(
        float(theirs(values, sample_weight=weight)), rel=1e-5
    )


def test_mean_of_numbers(backend: str) -> None:
    mean = metrics.Mean()
    assert float(mean.result()) == 0
    mean.update_state(2.0)
    mean.update_state(5.0, sample_weight=3)
    mean.update_state(convert_to_tensor(1.0), sample_weight=convert_to_tensor(2.0))
    assert float(mean.result()) == pytest.approx((2 + 15 + 2) / 6)
    assert float(mean.count.numpy()) == 6


@pytest.mark.parametrize("framework", FRAMEWORKS)  # a NumPy array can't carry a mask
@pytest.mark.parametrize("weighted", [False, True])
def test_mask_as_keras(weighted: bool, framework: str) -> None:
    y_true, y_pred = np.random.default_rng(1).normal(size=(2, 2, 3, 4)).astype("float32")
    weight = np.array([[1, 2, 3], [4, 5, 6]], "float32") if weighted else None
    mask = np.array([[1, 1, 0], [0, 1, 0]], bool)
    theirs = keras.ops.convert_to_tensor(y_pred)
    theirs._keras_mask = keras.ops.convert_to_tensor(mask)
    with kbridge.backend_scope(framework):
        ours = convert_to_tensor(y_pred)
        ours._keras_mask = convert_to_tensor(mask)
    wanted = keras.metrics.MeanSquaredError()(y_true, theirs, sample_weight=weight)
    assert float(metrics.MeanSquaredError()(y_true, ours, sample_weight=weight)) == pytest.approx(
        float(wanted), rel=1e-6
    )


def test_accuracy_as_sklearn(backend: str) -> None:
    scores = np.random.default_rng(0).normal(size=(200, 7)).astype("float32")
    y = np.random.default_rng(1).integers(0, 7, 200)
    wanted = sklearn_metrics.accuracy_score(y, scores.argmax(-1))
    assert float(metrics.SparseCategoricalAccuracy()(y, scores)) == pytest.approx(wanted)
    wanted = sklearn_metrics.top_k_accuracy_score(y, scores, k=3)
    assert float(metrics.SparseTopKCategoricalAccuracy(3)(y, scores)) == pytest.approx(wanted)
    assert float(metrics.MeanAbsoluteError()(scores[:, 0], scores[:, 1])) == pytest.approx(
        sklearn_metrics.mean_absolute_error(scores[:, 0], scores[:, 1]), rel=1e-5
    )


# --- state -----------------------------------------------------------------------------------------


def test_reset(backend: str) -> None:
    metric = filled(metrics.SparseCategoricalAccuracy(), ROWS[6])
    metric.reset_state()
    assert [float(v.numpy()) for v in metric.variables] == [0, 0]
    assert float(metric.result()) == 0
    assert metric.total.home == (backend if backend != "numpy" else "numpy")


def test_variables_as_keras() -> None:
    ours, theirs = metrics.MeanSquaredError(name="a/b"), keras.metrics.MeanSquaredError(name="a/b")
    assert [(v.path, v.dtype) for v in ours.variables] == [(v.path, v.dtype) for v in theirs.variables]
    assert not any(v.trainable for v in ours.variables)


def test_state_moves_with_the_data() -> None:
    metric = metrics.SparseCategoricalAccuracy()
    for framework in FRAMEWORKS:
        with kbridge.backend_scope(framework):
            y_pred = convert_to_tensor(SHARES)
        metric.update_state(CLASSES, y_pred)
        assert metric.total.home == framework
        assert framework_of(metric.result()) == framework
    assert float(metric.count.numpy()) == 15


def test_two_frameworks_are_refused() -> None:
    import jax.numpy as jnp
    import torch

    with pytest.raises(MixedFrameworksError, match="torch"):
        metrics.MeanSquaredError().update_state(jnp.zeros((2, 3)), torch.zeros((2, 3)))


def test_no_gradient_is_kept() -> None:
    import torch

    metric = metrics.Mean()
    metric.update_state(torch.ones(3, requires_grad=True) * 2)
    assert not metric.total.value.requires_grad
    assert metric.total.value.grad_fn is None


def test_half_policy_leaves_the_sums_whole() -> None:
    kbridge.config.set_dtype_policy("mixed_float16")
    try:
        metric = metrics.Mean()
        for _ in range(3):
            metric.update_state(convert_to_tensor([40_000.0] * 4, "float16"))
        assert float(metric.result()) == pytest.approx(40_000, rel=1e-3)
        assert metric.total.dtype == "float32"
    finally:
        kbridge.config.set_dtype_policy("float32")


def test_copies_are_apart(backend: str) -> None:
    metric = filled(metrics.SparseCategoricalAccuracy(), ROWS[6])
    before = float(metric.result())
    for twin in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        assert float(twin.result()) == before
        twin.reset_state()
    assert float(metric.result()) == before


# --- pure forms ------------------------------------------------------------------------------------


def traced(framework: str) -> Callable[[Any], Any]:
    """What compiles a function of tensors in that framework."""
    if framework == "jax":
        import jax

        return jax.jit
    if framework == "tensorflow":
        import tensorflow as tf

        return tf.function
    import torch

    torch.compiler.reset()  # it counts what other tests compiled of the same code
    return lambda function: torch.compile(function, backend="eager", fullgraph=True)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("row", [ROWS[0], ROWS[1], ROWS[3], ROWS[6], ROWS[11], ROWS[16], ROWS[28]], ids=str)
def test_pure_forms_in_a_trace(row: Row, framework: str) -> None:
    metric = make(metrics, row)
    update = traced(framework)(metric.stateless_update_state)
    with kbridge.backend_scope(framework):
        state = metric.stateless_reset_state()
        for batch in row.batches:
            state = update(state, *map(convert_to_tensor, batch))
    assert [framework_of(value) for value in state] == [framework] * 2
    result = traced(framework)(metric.stateless_result)(state)
    assert float(result) == pytest.approx(float(filled(make(metrics, row), row).result()), rel=1e-5)
    assert [float(v.numpy()) for v in metric.variables] == [0, 0]


def test_tf_function_writes_the_variables() -> None:
    import tensorflow as tf

    metric = metrics.SparseCategoricalAccuracy()
    update = tf.function(metric.update_state, autograph=False, input_signature=[
        tf.TensorSpec([None], "int32"), tf.TensorSpec([None, 4], "float32"),
    ])  # fmt: skip
    update(tf.constant(CLASSES, "int32"), tf.constant(SHARES))
    update(tf.constant(CLASSES[:2], "int32"), tf.constant(SHARES[:2]))
    right = SHARES.argmax(-1) == CLASSES
    assert float(metric.result()) == pytest.approx((right.sum() + right[:2].sum()) / 7)


@pytest.mark.parametrize(
    "call", [lambda m: m.stateless_result([1.0]), lambda m: m.stateless_update_state([1.0], [1.0])]
)
def test_wrong_number_of_values(call: Any) -> None:
    with pytest.raises(ShapeError, match="2 variables"):
        call(metrics.Mean())


# --- own metrics, names, configs -------------------------------------------------------------------


class Longest(metrics.Metric):
    """The largest norm so far, and how many were seen, by a metric inside."""

    def __init__(self, name: str = "longest", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.seen = metrics.Sum()
        self.longest = self.add_weight(name="longest", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        size = ops.sqrt(ops.sum(ops.square(y_pred), -1))
        self.longest.assign(ops.maximum(self.longest, ops.max(size)))
        self.seen.update_state(ops.ones_like(size))

    def result(self) -> dict[str, Any]:
        return {"longest": ops.convert_to_tensor(self.longest), "seen": self.seen.result()}


def test_own_metric(backend: str) -> None:
    metric = Longest()
    assert len(metric.variables) == 2
    for batch in (SHARES[:2], SHARES[2:]):
        metric.update_state(None, batch)
    result = metric.result()
    assert float(result["longest"]) == pytest.approx(np.linalg.norm(SHARES, axis=-1).max(), rel=1e-6)
    assert float(result["seen"]) == 5
    metric.reset_state()
    assert float(metric.result()["seen"]) == 0


def test_own_metric_on_native_tensors() -> None:
    import torch

    metric = Longest()
    metric.update_state(None, torch.from_numpy(SHARES))
    assert metric.longest.home == "torch"


@pytest.mark.parametrize(
    "name",
    [
        "mse",
        "MAE",
        "bce",
        "mape",
        "msle",
        "sparse_categorical_accuracy",
        "MeanSquaredError",
        "top_k_categorical_accuracy",
    ],
)
def test_name_as_keras(name: str) -> None:
    ours, theirs = metrics.get(name), keras.metrics.get(name)
    assert (type(ours).__name__, ours.name) == (type(theirs).__name__, theirs.name)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_config_goes_both_ways(row: Row) -> None:
    ours, theirs = make(metrics, row, name="mine"), make(keras.metrics, row, name="mine")
    wanted = float(filled(ours, row).result())
    here = metrics.deserialize(keras.metrics.serialize(theirs))
    there = keras.metrics.deserialize(metrics.serialize(ours))
    again = metrics.deserialize(metrics.serialize(ours))
    for other in (here, there, again):
        assert other.name == "mine"
        assert float(filled(other, row).result()) == pytest.approx(wanted, rel=2e-5, abs=1e-6)


def test_direction_as_keras() -> None:
    for row in ROWS:
        theirs = getattr(make(keras.metrics, row), "_direction", None)
        assert theirs is None or make(metrics, row)._direction == theirs


def test_wrapper_from_kerass_config() -> None:
    theirs = keras.metrics.MeanMetricWrapper(keras.losses.huber, name="h", delta=0.5)
    ours = metrics.deserialize(keras.metrics.serialize(theirs))
    np.testing.assert_allclose(float(ours(SHARES, -SHARES)), float(theirs(SHARES, -SHARES)), rtol=1e-6)
    again = metrics.MeanMetricWrapper.from_config(ours.get_config())
    assert (again.name, again._fn, again._fn_kwargs) == ("h", metrics.huber, {"delta": 0.5})


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (lambda: metrics.get("acuracy"), "Did you mean"),
        (lambda: metrics.get(3), "A metric is a name"),
        (lambda: metrics.Metric().update_state(), "needs an update_state"),
        (lambda: metrics.Metric().result(), "needs a result"),
    ],
)
def test_errors_say_what_to_do(bad: Any, said: str) -> None:
    with pytest.raises((ValueError, NotImplementedError), match=said):
        bad()
