"""What is JAX's own: tracers, 64-bit types, writes that would leak."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from kbridge.core.context import backend_scope, load_backend, local, running
from kbridge.core.errors import BackendError
from kbridge.core.ops.activate import relu, softmax
from kbridge.core.ops.elementwise import add, exp, multiply
from kbridge.core.tensor.lens import Lens
from kbridge.core.tensor.variable import Variable

JAX = load_backend("jax")


@pytest.mark.parametrize(
    "transform",
    [jax.jit, jax.vmap, lambda f: jax.vmap(jax.jit(f)), jax.checkpoint, lambda f: lambda x: jax.jvp(f, (x,), (x,))[0]],
    ids=["jit", "vmap", "vmap of jit", "checkpoint", "jvp"],
)
def test_transformations(transform: Any) -> None:
    x = jnp.linspace(-1, 1, 6).reshape(2, 3)
    function = lambda x: softmax(multiply(relu(exp(x)), 2.0))  # noqa: E731
    np.testing.assert_allclose(transform(function)(x), jax.nn.softmax(2 * jnp.exp(x)), rtol=1e-5)


def test_second_derivatives() -> None:
    cube = lambda x: multiply(multiply(x, x), x)  # noqa: E731
    assert jax.grad(jax.grad(cube))(2.0) == pytest.approx(12.0)
    np.testing.assert_allclose(jax.hessian(lambda x: cube(x).sum())(jnp.ones(2)), 6 * np.eye(2))


def test_tracer_classes_become_ready_and_stay_jax() -> None:
    seen = []
    jax.jit(lambda x: (seen.append(type(x)), exp(x))[1])(jnp.ones(2))
    assert seen[0] in JAX.ready
    assert seen[0] in JAX.ready_or_number
    assert JAX.is_tensor_type(seen[0])


def test_is_tracing() -> None:
    answers = []

    def note(x: Any) -> Any:
        answers.append(JAX.is_tracing())
        return x.sum()

    note(jnp.ones(2))
    jax.jit(note)(jnp.ones(2))
    jax.grad(note)(jnp.ones(2))
    jax.eval_shape(note, jnp.ones(3))
    assert answers == [False, True, True, True]
    assert not JAX.is_tracing()


def test_inner_jits_leave_no_trace_in_an_outer_one() -> None:
    text = str(jax.make_jaxpr(lambda x: softmax(add(x, 1)))(jnp.ones((2, 3))))
    assert "affine" not in text
    assert "name=_reduce" not in text


# --- variables ------------------------------------------------------------------------------------


def home_variable() -> Variable:
    variable = Variable(np.ones(3, "float32"), name="kernel")
    variable.settle(JAX)
    return variable


@pytest.mark.parametrize("transform", [jax.jit, lambda f: jax.grad(lambda x: f(x).sum())], ids=["jit", "grad"])
def test_a_tracer_is_never_stored(transform: Any) -> None:
    variable = home_variable()

    def function(x: Any) -> Any:
        with running(JAX):
            variable.assign(x)
        return x

    with pytest.raises(BackendError, match="stateless_call"):
        transform(function)(jnp.zeros(3))
    np.testing.assert_array_equal(variable.numpy(), np.ones(3))


def test_a_write_goes_to_the_overlay() -> None:
    variable = home_variable()

    @jax.jit
    def function(value: Any) -> Any:
        overlay = {variable: value}
        local.lens, before = Lens(overlay, None), local.lens
        try:
            with running(JAX):
                variable.assign(multiply(variable, 3.0))
        finally:
            local.lens = before
        return overlay[variable]

    np.testing.assert_array_equal(function(jnp.full(3, 2.0)), np.full(3, 6.0))
    np.testing.assert_array_equal(variable.numpy(), np.ones(3))


def test_a_host_variable_moves_in_the_middle_of_a_trace() -> None:
    variable = Variable(np.full(3, 2.0, "float32"))
    result = jax.jit(lambda x: multiply(x, variable))(jnp.ones(3))
    np.testing.assert_array_equal(result, np.full(3, 2.0))
    assert variable.home == "jax"
    assert not isinstance(variable.home_value, jax.core.Tracer)
    np.testing.assert_array_equal(variable.numpy(), np.full(3, 2.0))


def test_a_variable_of_torch_is_captured_in_a_trace_and_stays() -> None:
    variable = Variable(np.full(3, 2.0, "float32"))
    variable.settle(load_backend("torch"))
    np.testing.assert_array_equal(jax.jit(lambda x: multiply(x, variable))(jnp.ones(3)), np.full(3, 2.0))
    assert variable.home == "torch"

    def write(x: Any) -> Any:
        with running(JAX):
            variable.assign(x)
        return x

    with pytest.raises(BackendError, match="another framework holds it"):
        jax.jit(write)(jnp.zeros(3))


def test_a_copy_has_a_buffer_of_its_own() -> None:
    variable = home_variable()
    twin = deepcopy(variable)
    jax.jit(lambda x: x + 1, donate_argnums=0)(variable.home_value)
    np.testing.assert_array_equal(twin.numpy(), np.ones(3))


def test_number_types_follow_the_tensor() -> None:
    with backend_scope("jax"):
        assert add(np.ones(2, "float16"), 1.5).dtype == "float16"
        assert not add(np.ones(2, "float32"), 1).weak_type
