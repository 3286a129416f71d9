"""Blocks around code: names in paths, the mark of symbolic runs, devices, and reading without changing."""

from __future__ import annotations

import threading
from typing import Any

import jax
import numpy as np
import pytest
import torch

from kbridge import (
    Input,
    Sequential,
    StatelessScope,
    SymbolicScope,
    Variable,
    backend_scope,
    device,
    layers,
    name_scope,
    ops,
)
from kbridge.core.errors import ArgumentError, ShapeError
from tests.test_imports import run_python

# --- names -----------------------------------------------------------------------------------------


def path() -> str:
    return Variable(0, name="v").path


def test_names_nest_and_end() -> None:
    with name_scope("outer") as outer:
        assert (outer.name, path()) == ("outer", "outer/v")
        with name_scope("inner"):
            assert path() == "outer/inner/v"
            layer = layers.Dense(1, name="dense")
            layer.build((None, 2))
            assert layer.kernel.path == "outer/inner/dense/kernel"
        assert path() == "outer/v"
    assert path() == "v"


def test_one_caller_opens_a_name_once() -> None:
    caller = object()
    with name_scope("a", caller=caller), name_scope("a", caller=caller):
        assert path() == "a/v"
        with name_scope("b"), name_scope("a", caller=caller):
            assert path() == "a/b/a/v"
    with name_scope("a", caller=caller, deduplicate=False), name_scope("a", caller=caller, deduplicate=False):
        assert path() == "a/a/v"
    with name_scope("a"), name_scope("a"):
        assert path() == "a/a/v"


def test_an_absolute_path() -> None:
    with name_scope("outer"), name_scope("middle", override_parent="/x/y"), name_scope("inner"):
        assert path() == "x/y/middle/inner/v"
    with name_scope("outer"), name_scope("top", override_parent=""):
        assert path() == "top/v"


def test_names_end_with_an_error_and_belong_to_a_thread() -> None:
    found = []

    def fail() -> None:
        with name_scope("outer"):
            thread = threading.Thread(target=lambda: found.append(path()))
            thread.start()
            thread.join()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (found, path()) == (["v"], "v")


@pytest.mark.parametrize("name", ["a/b", 4, None])
def test_what_is_no_name(name: Any) -> None:
    with pytest.raises(ArgumentError, match="string without '/'"):
        name_scope(name)


# --- symbolic runs ---------------------------------------------------------------------------------


def test_symbolic_runs_are_marked() -> None:
    seen = []

    class Asking(layers.Layer):
        def call(self, inputs: Any) -> Any:
            seen.append(SymbolicScope.active())
            return inputs + 1.0

    layer = Asking()
    layer(Input((2,)))
    layer(np.ones((1, 2), "float32"))
    with SymbolicScope(), SymbolicScope():
        layer(np.ones((1, 2), "float32"))
    assert seen == [True, False, True]
    assert not SymbolicScope.active()


# --- devices ---------------------------------------------------------------------------------------


def test_the_first_cpu_is_everywhere(backend: str) -> None:
    with device("cpu:0"):
        np.testing.assert_array_equal(ops.convert_to_numpy(ops.add(ops.ones((2,)), np.ones(2, "float32"))), [2, 2])


@pytest.mark.parametrize("name", ["cpu:99", "gpu:99", "nonsense", "cpu:x"])
def test_a_device_that_is_not_there(backend: str, name: str) -> None:
    if (backend, name) == ("torch", "cpu:99"):
        pytest.skip("torch calls the one CPU by any number")
    with pytest.raises(ArgumentError, match="device"), device(name):
        pass


def test_torch_makes_tensors_there() -> None:
    layer = layers.Dense(3)
    layer.build((None, 2))
    with backend_scope("torch"), device("meta"):
        made = [ops.zeros((2,)), ops.convert_to_tensor(np.ones(2)), ops.convert_to_tensor([1.0]), ops.add(1.0, 2.0)]
        assert {t.device.type for t in made} == {"meta"}
        assert layer.kernel.value.device.type == "meta"
    with backend_scope("torch"):
        assert ops.zeros((2,)).device.type == "cpu"
        assert ops.convert_to_tensor(np.ones(2)).device.type == "cpu"


TWO_CPUS = {
    "jax": "import os; os.environ['XLA_FLAGS'] = '--xla_force_host_platform_device_count=2'",
    "tensorflow": (
        "import tensorflow as tf; one = tf.config.LogicalDeviceConfiguration(); "
        "tf.config.set_logical_device_configuration(tf.config.list_physical_devices('CPU')[0], [one, one])"
    ),
}


@pytest.mark.parametrize("name", TWO_CPUS)
def test_the_second_cpu(name: str) -> None:
    code = f"""
{TWO_CPUS[name]}
import numpy as np, kbridge
from kbridge import ops
kbridge.set_backend("{name}")
variable = kbridge.Variable(np.ones(2, "float32"))
with kbridge.device("cpu:1"):
    for t in (ops.zeros((2,)), ops.convert_to_tensor(np.ones(2)), ops.exp(ops.ones(2)), variable.value):
        assert "1" in str(t.device).rpartition(":")[2] or "id=1" in str(t.device), t.device
where = str(ops.zeros((2,)).device)
assert "0" in where.rpartition(":")[2] or "id=0" in where, where
print("done")
"""
    assert run_python(code).endswith("done")


# --- reading without changing ----------------------------------------------------------------------


def host(value: Any) -> np.ndarray:
    return ops.convert_to_numpy(value)


def test_values_stand_in_and_writes_stay_inside(backend: str) -> None:
    given, free, written = (Variable(np.zeros(2, "float32")) for _ in range(3))
    with StatelessScope([(given, np.ones(2))]) as scope:
        np.testing.assert_array_equal(host(given + free), [1, 1])
        assert float(given[0]) == 1.0
        written.assign(given + 1.0)
        written.assign_add(np.ones(2, "float32"))
        np.testing.assert_array_equal(host(written), [3, 3])
        np.testing.assert_array_equal(host(written.value), [3, 3])
    np.testing.assert_array_equal(host(scope.get_current_value(written)), [3, 3])
    assert scope.get_current_value(free) is None
    for variable in (given, free, written):
        np.testing.assert_array_equal(host(variable), [0, 0])
    written.assign(scope.get_current_value(written))
    np.testing.assert_array_equal(host(written), [3, 3])


def test_the_values_decide_where_ops_run() -> None:
    variable = Variable(np.ones(2, "float32"))
    with StatelessScope([(variable, torch.zeros(2))]):
        assert isinstance(variable + 1.0, torch.Tensor)
        assert isinstance(variable.value, torch.Tensor)
    with StatelessScope([(variable, jax.numpy.zeros(2))]):
        assert isinstance(variable * 2.0, jax.Array)


def test_scopes_see_the_one_around_them() -> None:
    a, b = Variable(1.0), Variable(2.0)
    with StatelessScope([(a, 10.0)]) as outer, StatelessScope([(b, 20.0)]) as inner:
        assert float(a + b) == 30.0
        a.assign(11.0)
    assert inner.get_current_value(a) == 11.0
    assert outer.get_current_value(a) == 10.0
    assert (float(a), float(b)) == (1.0, 2.0)


def test_a_scope_can_be_opened_again() -> None:
    counter = Variable(0)
    scope = StatelessScope()
    for _ in range(2):
        with scope:
            counter.assign_add(1)
    assert (int(scope.get_current_value(counter)), int(counter)) == (2, 0)


def test_layers_change_nothing_and_random_streams_stay(backend: str) -> None:
    model = Sequential([Input((3,)), layers.BatchNormalization(), layers.Dropout(0.5, seed=1)])
    before = [v.numpy() for v in model.variables]
    with StatelessScope() as scope:
        model(np.random.default_rng(0).normal(size=(8, 3)).astype("float32"), training=True)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert scope.get_current_value(model.layers[0].moving_mean) is not None
    assert int(host(scope.get_current_value(model.layers[1].variables[0]))[1]) == 1


def test_losses_stay_inside(backend: str) -> None:
    class Adding(layers.Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss(ops.sum(inputs))
            return inputs

    layer, x = Adding(), np.ones(3, "float32")
    for collects, expected in ((True, [3.0, 3.0]), (False, [])):
        with StatelessScope(collect_losses=collects) as scope:
            layer(x)
            layer(x)
            assert [float(loss) for loss in layer.losses] == [3.0, 3.0]
        assert [float(loss) for loss in scope.losses] == expected
        assert layer.losses == []
    layer(x)
    assert len(layer.losses) == 1


def test_a_pure_function_for_jax() -> None:
    model = Sequential([Input((3,)), layers.Dense(2), layers.BatchNormalization()])
    model(jax.numpy.ones((4, 3)))
    variables = model.variables

    @jax.jit
    def pure(values: Any, x: Any) -> Any:
        with StatelessScope(zip(variables, values, strict=True)) as scope:
            y = model(x, training=True)
        return y, [scope.get_current_value(v) for v in variables]

    x = jax.numpy.asarray(np.random.default_rng(1).normal(size=(4, 3)), "float32")
    y, after = pure([v.value for v in variables], x)
    expected = model(x, training=True)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    for value, variable in zip(after, variables, strict=True):
        np.testing.assert_allclose(value, variable.numpy(), rtol=1e-5, atol=1e-6)


def test_gradients_reach_the_values_through_a_scope() -> None:
    weight = Variable(np.ones(3, "float32"))
    value = torch.full((3,), 2.0, requires_grad=True)
    with StatelessScope([(weight, value)]):
        ops.sum(weight * weight).backward()
    np.testing.assert_array_equal(value.grad, [4, 4, 4])


def test_updates_by_hand() -> None:
    variable = Variable(0.0)
    with StatelessScope() as scope:
        scope.add_update((variable, 5))
        scope.add_loss(1.0)
        assert float(variable) == 5.0
    assert scope.losses == []


def test_what_stands_for_no_variable() -> None:
    with pytest.raises(ArgumentError, match="is no variable"):
        StatelessScope([("name", 1.0)])  # type: ignore[list-item]
    with pytest.raises(ShapeError, match=r"shape \(2,\) and got a value of shape \(3,\)"):
        StatelessScope([(Variable(np.zeros(2)), np.zeros(3))])
