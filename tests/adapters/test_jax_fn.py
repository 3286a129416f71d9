"""A model as a pure JAX function: jit, grad, vmap, sharding and optax work on it, and the model stays."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from kbridge import Sequential, backend_scope, layers
from kbridge.adapters import to_jax, write_back
from kbridge.core.errors import NotBuiltError, ShapeError
from kbridge.core.graph.node import leaves
from tests.rows.models import MODELS, call_inputs

names = pytest.mark.parametrize("name", MODELS)
HOMES = ("numpy", "jax", "torch", "tensorflow")


def same(got: Any, expected: Any, atol: float = 1e-5) -> None:
    for a, b in zip(leaves(got), leaves(expected), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=0, atol=atol)


@pytest.mark.parametrize("home", HOMES)
@names
def test_jitted_outputs_equal_the_models(name: str, home: str) -> None:
    model, given = MODELS[name].build(), call_inputs(MODELS[name], 3)
    with backend_scope(home):
        expected = [np.asarray(o.detach() if hasattr(o, "detach") else o) for o in leaves(model(given))]
    apply, params, state = to_jax(model)
    with jax.checking_leaks():
        outputs, _ = jax.jit(apply)(params, state, given)
    same(outputs, expected)


@names
def test_trees_are_nested_by_name_and_hold_every_weight(name: str) -> None:
    model = MODELS[name].build()
    _, params, state = to_jax(model)
    arrays = jax.tree.leaves((params, state))
    assert all(isinstance(a, jax.Array) for a in arrays)
    assert sorted(a.shape for a in arrays) == sorted(v.shape for v in model.weights)


def test_names() -> None:
    _, params, state = to_jax(MODELS["convnet"].build())
    assert {k: sorted(v) for k, v in params.items()} == {
        "conv": ["bias", "kernel"],
        "norm": ["beta", "gamma"],
        "conv2": ["bias", "kernel"],
        "out": ["bias", "kernel"],
    }
    assert {k: sorted(v) for k, v in state.items()} == {"norm": ["moving_mean", "moving_variance"]}


@names
def test_gradients_reach_every_parameter(name: str) -> None:
    model, given = MODELS[name].build(), call_inputs(MODELS[name], 4)
    apply, params, state = to_jax(model)

    def loss(params: Any) -> Any:
        outputs, _ = apply(params, state, given, training=True, rng=jax.random.key(0))
        return sum(jnp.sum(o * jnp.arange(o.size).reshape(o.shape)) for o in leaves(outputs))

    gradients = jax.jit(jax.grad(loss))(params)
    assert jax.tree.structure(gradients) == jax.tree.structure(params)
    silent = [k for k, g in jax.tree_util.tree_leaves_with_path(gradients) if not np.any(np.asarray(g))]
    # a key's bias shifts all scores of a softmax alike, so its gradient is zero in exact arithmetic
    assert [k for k in silent if "key_dense" not in str(k)] == []


@names
def test_vmap_equals_a_batch(name: str) -> None:
    model, given = MODELS[name].build(), call_inputs(MODELS[name], 3)
    apply, params, state = to_jax(model)
    one = jax.vmap(lambda *row: apply(params, state, [r[None] for r in row] if len(row) > 1 else row[0][None])[0])
    outputs = one(*(given if isinstance(given, list) else [given]))
    same([o[:, 0] for o in leaves(outputs)], leaves(apply(params, state, given)[0]))


def test_state_follows_and_the_model_stays() -> None:
    model, given = MODELS["convnet"].build(), call_inputs(MODELS["convnet"], 8)
    before = [v.numpy() for v in model.variables]
    apply, params, state = to_jax(model)
    step = jax.jit(lambda s, key: apply(params, s, given, training=True, rng=key))
    _, after = step(state, jax.random.key(1))
    assert not np.allclose(after["norm"]["moving_mean"], state["norm"]["moving_mean"])
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
        assert not isinstance(variable.home_value, jax.core.Tracer)
    assert model.losses == []


def test_the_key_decides_about_dropout() -> None:
    model, given = MODELS["convnet"].build(), call_inputs(MODELS["convnet"], 8)
    apply, params, state = to_jax(model)

    def run(seed: int) -> Any:
        return np.asarray(apply(params, state, given, training=True, rng=jax.random.key(seed))[0])

    np.testing.assert_array_equal(run(1), run(1))
    assert not np.allclose(run(1), run(2))
    with pytest.raises(ValueError, match="pass rng="):
        apply(params, state, given, training=True)


def test_an_optax_loop_trains_and_writes_back() -> None:
    model = MODELS["mlp"].build()
    x = np.random.default_rng(0).normal(size=(32, 6)).astype("float32")
    y = np.random.default_rng(1).integers(0, 3, 32)
    apply, params, state = to_jax(model)
    optimiser = optax.adam(0.02)
    memory = optimiser.init(params)

    @jax.jit
    def step(params: Any, memory: Any) -> Any:
        def loss(params: Any) -> Any:
            logits, _ = apply(params, state, x, training=True)
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

        value, gradients = jax.value_and_grad(loss)(params)
        updates, memory = optimiser.update(gradients, memory, params)
        return optax.apply_updates(params, updates), memory, value

    values = []
    for _ in range(40):
        params, memory, value = step(params, memory)
        values.append(float(value))
    assert values[-1] < 0.6 * values[0]
    write_back(model, params, state)
    with backend_scope("torch"):
        same(model(x).detach(), apply(params, state, x)[0])


def test_trees_that_dont_fit_are_refused_whole() -> None:
    model = MODELS["mlp"].build()
    apply, params, state = to_jax(model)
    before = model.get_weights()
    broken = {**params, "out": {"kernel": params["out"]["kernel"]}}
    for call in (lambda: apply(broken, state, np.ones((1, 6), "float32")), lambda: write_back(model, broken)):
        with pytest.raises(ShapeError, match=r"missing \['out.bias'\]"):
            call()
    wrong = {**params, "out": {**params["out"], "bias": np.ones(7)}}
    with pytest.raises(ShapeError, match=r"has shape \(3,\) and got \(7,\)"):
        write_back(model, wrong)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_refuses_what_has_no_weights_yet() -> None:
    with pytest.raises(NotBuiltError, match="isn't built"):
        to_jax(Sequential([layers.Dense(2)]))


def test_a_tracer_is_refused_by_other_frameworks() -> None:
    from kbridge.core.errors import ForeignGradientError

    model = MODELS["mlp"].build()

    def run(x: Any) -> Any:
        with backend_scope("torch"):
            return model(x)

    with pytest.raises(ForeignGradientError):
        jax.jit(run)(np.ones((1, 6), "float32"))


TWO_DEVICES = """
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from kbridge.adapters import to_jax
from tests.rows.models import MODELS
assert len(jax.devices()) == 2
model = MODELS["mlp"].build()
apply, params, state = to_jax(model)
x = MODELS["mlp"].inputs(8)[0]
expected = np.asarray(apply(params, state, x)[0])
mesh = Mesh(np.array(jax.devices()), ("batch",))
rows = jax.device_put(x, NamedSharding(mesh, PartitionSpec("batch")))
whole = jax.device_put((params, state), NamedSharding(mesh, PartitionSpec()))
sharded, _ = jax.jit(apply)(*whole, rows)
assert len(sharded.sharding.device_set) == 2
np.testing.assert_allclose(np.asarray(sharded), expected, atol=1e-5)
mapped = jax.pmap(lambda p, s, x: apply(p, s, x)[0], in_axes=(None, None, 0))(params, state, x.reshape(2, 4, -1))
np.testing.assert_allclose(np.asarray(mapped).reshape(8, -1), expected, atol=1e-5)
"""


def test_two_devices_share_the_work() -> None:
    flags = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES], env=flags, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
