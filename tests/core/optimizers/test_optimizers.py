"""Optimizers against the installed Keras, torch.optim, and their own other forms."""

from __future__ import annotations

import copy
from typing import Any

import keras
import numpy as np
import pytest

import kbridge
from kbridge import optimizers
from kbridge.core.context import framework_of
from kbridge.core.errors import NotBuiltError, ShapeError
from kbridge.core.ops.shape import convert_to_numpy, convert_to_tensor
from kbridge.core.tensor.variable import Variable
from tests.rows.optimizers import GRADIENTS, OPTIONS, ROWS, RULES, STARTS, Row

FRAMEWORKS = ("jax", "torch", "tensorflow")


def make(module: Any, row: Row, **more: Any) -> Any:
    return getattr(module, row.name)(**row.arguments, **more)


def variables() -> list[Variable]:
    return [Variable(start, name=f"w{i}") for i, start in enumerate(STARTS)]


def values(variables: Any) -> list[np.ndarray]:
    return [np.asarray(v.numpy()) for v in variables]


def close(got: Any, wanted: Any, rtol: float = 2e-5) -> None:
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(convert_to_numpy(a), np.asarray(b), rtol=rtol, atol=1e-6)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_steps_as_keras(row: Row, backend: str) -> None:
    ours, theirs = make(optimizers, row), make(keras.optimizers, row)
    mine, others = variables(), [keras.Variable(start) for start in STARTS]
    for gradients in GRADIENTS:
        ours.apply(gradients, mine)
        theirs.apply([keras.ops.convert_to_tensor(g) for g in gradients], others)
    close(values(mine), values(others))
    close(values(ours.variables), values(theirs.variables))
    assert mine[0].home == backend
    ours.finalize_variable_values(mine)
    theirs.finalize_variable_values(others)
    close(values(mine), values(others))


@pytest.mark.parametrize("row", [*RULES, *OPTIONS[4:]], ids=str)
def test_state_has_kerass_order_and_names(row: Row) -> None:
    ours, theirs = make(optimizers, row, name="o"), make(keras.optimizers, row, name="o")
    ours.build([Variable(start, name="w") for start in STARTS])
    theirs.build([keras.Variable(start, name="w") for start in STARTS])
    facts = [[(v.path, tuple(v.shape), v.dtype) for v in o.variables] for o in (ours, theirs)]
    assert facts[0][1:] == facts[1][1:]
    assert facts[0][0] == ("o/iteration", (), "int32")  # Keras: int32 or int64, as its backend likes


# --- one rule, several forms -----------------------------------------------------------------------


def without_kernels(kind: type) -> type:
    """The class with its ops only: no kernel of the backend stands in for them."""
    return type(kind.__name__, (kind,), {"update_step": kind.update_step})


@pytest.mark.parametrize("row", RULES[:8], ids=str)
@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_kernels_do_what_the_ops_do(row: Row, framework: str) -> None:
    kind = getattr(optimizers, row.name)
    results = []
    for each in (kind, without_kernels(kind)):
        optimizer, mine = each(**row.arguments), variables()
        with kbridge.backend_scope(framework):
            for gradients in GRADIENTS:
                optimizer.apply(gradients, mine)
        results.append(values([*mine, *optimizer.variables]))
    assert kind.fused is not None
    assert without_kernels(kind).fused is None
    close(*results, rtol=2e-6)


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_kernel_is_what_runs(name: str, framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the ops ran")

    kind = getattr(optimizers, name)
    monkeypatch.setattr(kind, "update_step", refuse)
    with kbridge.backend_scope(framework):
        kind().apply(GRADIENTS[0], variables())


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_other_types(name: str, dtype: str, framework: str) -> None:
    start = np.ones(3, dtype)
    with kbridge.backend_scope(framework):
        mine = Variable(start, name="w", dtype=dtype)
        getattr(optimizers, name)(0.125).apply([np.ones(3, "float32")], [mine])
    assert mine.dtype == dtype
    np.testing.assert_allclose(mine.numpy(), 0.875, rtol=1e-3)


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_pure_form(row: Row, framework: str) -> None:
    wanted, mine = make(optimizers, row), variables()
    pure, untouched = make(optimizers, row), variables()
    pure.build(untouched)
    step = pure.stateless_apply
    if framework == "jax":
        import jax

        step = jax.jit(step)
    elif framework == "tensorflow":
        import tensorflow as tf

        step = tf.function(step)
    with kbridge.backend_scope(framework):
        trained = [convert_to_tensor(start) for start in STARTS]
        state = [convert_to_tensor(v.numpy()) for v in pure.variables]
        for gradients in GRADIENTS:
            trained, state = step(state, [convert_to_tensor(g) for g in gradients], trained)
            wanted.apply(gradients, mine)
        assert [framework_of(value) for value in trained] == [framework] * 3
    close(trained, values(mine))
    close(state, values(wanted.variables))
    close(values(untouched), STARTS, rtol=0)
    assert int(pure.variables[0].numpy()) == 0


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_inside_tf_function(row: Row) -> None:
    import tensorflow as tf

    wanted, mine = make(optimizers, row), variables()
    graph, traced = make(optimizers, row), variables()
    graph.build(traced)
    step = tf.function(lambda *gradients: graph.apply(list(gradients)), autograph=False)
    with kbridge.backend_scope("tensorflow"):
        for gradients in GRADIENTS:
            step(*map(tf.constant, gradients))
            wanted.apply(gradients, mine)
    close(values(traced), values(mine))
    close(values(graph.variables), values(wanted.variables))


@pytest.mark.parametrize("row", RULES[:4], ids=str)
def test_inside_torch_compile(row: Row) -> None:
    import torch

    torch.compiler.reset()
    wanted, mine = make(optimizers, row), variables()
    compiled, traced = make(optimizers, row), variables()
    with kbridge.backend_scope("torch"), torch.no_grad():
        compiled.apply(GRADIENTS[0], traced)  # the values move to torch outside of a trace
        wanted.apply(GRADIENTS[0], mine)
        step = torch.compile(lambda *gradients: compiled.apply(list(gradients)), backend="eager", fullgraph=True)
        for gradients in GRADIENTS[1:]:
            step(*map(torch.from_numpy, gradients))
            wanted.apply(gradients, mine)
    close(values(traced), values(mine))


def test_native_gradients_decide() -> None:
    for framework in FRAMEWORKS:
        mine = variables()
        with kbridge.backend_scope(framework):
            gradients = [convert_to_tensor(g) for g in GRADIENTS[0]]
        optimizers.Adam().apply(gradients, mine)
        assert [v.home for v in mine] == [framework] * 3


def test_one_optimizer_on_each_framework_in_turn() -> None:
    ours, theirs = optimizers.Adam(0.05), keras.optimizers.Adam(0.05)
    mine, others = variables(), [keras.Variable(start) for start in STARTS]
    for i, gradients in enumerate(GRADIENTS):
        with kbridge.backend_scope(("torch", "jax", "tensorflow", "numpy")[i % 4]):
            ours.apply(gradients, mine)
        theirs.apply([keras.ops.convert_to_tensor(g) for g in gradients], others)
    close(values(mine), values(others))


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_sgd_as_torch(momentum: float, nesterov: bool, backend: str) -> None:
    import torch

    parameters = [torch.nn.Parameter(torch.from_numpy(start.copy())) for start in STARTS]
    theirs = torch.optim.SGD(parameters, lr=0.1, momentum=momentum, nesterov=nesterov)
    ours, mine = optimizers.SGD(0.1, momentum, nesterov), variables()
    for gradients in GRADIENTS:
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = torch.from_numpy(gradient.copy())
        theirs.step()
        ours.apply(gradients, mine)
    close(values(mine), [p.detach().numpy() for p in parameters])


def test_adam_as_optax(backend: str) -> None:
    import jax
    import optax

    theirs = optax.adam(0.05, eps=1e-12)  # epsilon sits elsewhere in its formula, so both go without
    tree = [jax.numpy.asarray(start) for start in STARTS]
    state = theirs.init(tree)
    ours, mine = optimizers.Adam(0.05, epsilon=1e-12), variables()
    for gradients in GRADIENTS:
        updates, state = theirs.update(gradients, state, tree)
        tree = optax.apply_updates(tree, updates)
        ours.apply(gradients, mine)
    close(values(mine), tree)


# --- what surrounds a step -------------------------------------------------------------------------


def test_learning_rate_can_be_changed(backend: str) -> None:
    optimizer, mine = optimizers.SGD(0.5), variables()
    optimizer.learning_rate = 0.25
    optimizer.apply(GRADIENTS[0], mine)
    close(values(mine), [start - 0.25 * g for start, g in zip(STARTS, GRADIENTS[0], strict=True)])
    assert float(optimizer.learning_rate.numpy()) == 0.25
    optimizer.learning_rate = optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    optimizer.apply(GRADIENTS[0], mine)
    close(values(mine), [start - 0.5 * g for start, g in zip(STARTS, GRADIENTS[0], strict=True)])
    with pytest.raises(TypeError, match="can't be set to a number"):
        optimizer.learning_rate = 0.1


def test_learning_rate_may_be_a_function(backend: str) -> None:
    mine = variables()
    optimizers.SGD(lambda: 0.25).apply(GRADIENTS[0], mine)
    close(values(mine), [start - 0.25 * g for start, g in zip(STARTS, GRADIENTS[0], strict=True)])


def test_constraint_holds_after_a_step(backend: str) -> None:
    mine = variables()
    mine[0].constraint = lambda w: kbridge.ops.maximum(w, 0.0)
    optimizers.SGD(0.1).apply(GRADIENTS[0], mine)
    np.testing.assert_allclose(mine[0].numpy(), np.maximum(STARTS[0] - 0.1 * GRADIENTS[0][0], 0), rtol=1e-6)


def test_missing_gradient_leaves_its_variable(backend: str) -> None:
    mine, optimizer = variables(), optimizers.Adam(0.1)
    with pytest.warns(UserWarning, match="No gradients for w1"):
        optimizer.apply([GRADIENTS[0][0], None, GRADIENTS[0][2]], mine)
    np.testing.assert_array_equal(mine[1].numpy(), STARTS[1])
    assert (mine[2].numpy() != STARTS[2]).all()
    assert int(optimizer.iterations.numpy()) == 1


def test_some_variables_of_many(backend: str) -> None:
    """Slots follow their variable, not its place in the list."""
    whole, part = optimizers.Adam(0.1), optimizers.Adam(0.1)
    first, second = variables(), variables()
    part.build(second)
    whole.apply_gradients(zip(GRADIENTS[0], first, strict=True))
    part.apply_gradients(zip(GRADIENTS[0][::-1], second[::-1], strict=True))
    close(values(second), values(first))
    close(values(part.variables), values(whole.variables))


def test_weight_decay_can_be_excluded(backend: str) -> None:
    mine, optimizer = variables(), optimizers.SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[mine[0]], var_names=["w2"])
    optimizer.apply([np.zeros_like(start) for start in STARTS], mine)
    close(values(mine), [STARTS[0], STARTS[1] * 0.75, STARTS[2]])


def test_positional_arguments_as_keras() -> None:
    ours, theirs = (m.SGD(0.1, 0.9, True, 0.01).get_config() for m in (optimizers, keras.optimizers))
    assert {k: ours[k] for k in ("momentum", "nesterov", "weight_decay")} == {
        k: theirs[k] for k in ("momentum", "nesterov", "weight_decay")
    }


class Signs(optimizers.Optimizer):
    """A rule of one's own, written with ops as in Keras."""

    def build(self, variables: Any) -> None:
        super().build(variables)
        self.counts = self.add_optimizer_variables(variables, "count")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        variable.assign_sub(kbridge.ops.sign(gradient) * learning_rate)
        self.counts[self._index[variable]].assign_add(kbridge.ops.ones_like(gradient))


def test_own_optimizer(backend: str) -> None:
    optimizer, mine = Signs(0.5), variables()
    optimizer.apply(GRADIENTS[0], mine)
    close(values(mine), [start - 0.5 * np.sign(g) for start, g in zip(STARTS, GRADIENTS[0], strict=True)])
    assert optimizer.variables[2].numpy().sum() == 12


# --- saving ----------------------------------------------------------------------------------------


def test_state_goes_through_a_store(backend: str) -> None:
    optimizer, mine = optimizers.Adam(0.1), variables()
    optimizer.apply(GRADIENTS[0], mine)
    store: dict[str, Any] = {}
    optimizer.save_own_variables(store)
    other, theirs = optimizers.Adam(0.3), [Variable(v.numpy(), name=v.name) for v in mine]
    other.build(theirs)
    other.load_own_variables(store)
    for each, own in ((optimizer, mine), (other, theirs)):
        each.apply(GRADIENTS[1], own)
    close(values(theirs), values(mine), rtol=1e-7)
    close(values(other.variables), values(optimizer.variables), rtol=1e-7)


def test_kerass_state_is_taken_up(backend: str) -> None:
    theirs, others = keras.optimizers.Adam(0.1, amsgrad=True), [keras.Variable(start) for start in STARTS]
    theirs.apply([keras.ops.convert_to_tensor(g) for g in GRADIENTS[0]], others)
    store: dict[str, Any] = {}
    theirs.save_own_variables(store)
    ours, mine = optimizers.Adam(0.5, amsgrad=True), [Variable(np.asarray(v), name="w") for v in others]
    ours.build(mine)
    ours.load_own_variables(store)
    ours.apply(GRADIENTS[1], mine)
    theirs.apply([keras.ops.convert_to_tensor(g) for g in GRADIENTS[1]], others)
    close(values(mine), values(others))


def test_store_of_an_optimizer_that_never_ran() -> None:
    store: dict[str, Any] = {}
    optimizers.Adam(0.25).save_own_variables(store)
    optimizer = optimizers.Adam(0.5)
    optimizer.build(variables())
    optimizer.load_own_variables(store)
    assert float(optimizer.learning_rate.numpy()) == 0.25
    with pytest.raises(ShapeError, match="build"):
        optimizers.Adam().load_own_variables({str(i): 0 for i in range(8)})


def test_weights_fit_or_nothing_changes() -> None:
    optimizer = optimizers.SGD(0.5, momentum=0.9)
    optimizer.build(variables())
    before = values(optimizer.variables)
    with pytest.raises(ShapeError, match="w2_momentum"):
        optimizer.set_weights([*[b + 1 for b in before[:-1]], np.zeros((2, 2))])
    close(values(optimizer.variables), before, rtol=0)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_config_goes_both_ways(row: Row) -> None:
    ours, theirs = make(optimizers, row, name="o"), make(keras.optimizers, row, name="o")
    assert ours.get_config() == theirs.get_config()
    here = optimizers.deserialize(keras.optimizers.serialize(theirs))
    there = keras.optimizers.deserialize(optimizers.serialize(ours))
    assert here.get_config() == there.get_config() == theirs.get_config()


def test_copies_are_apart(backend: str) -> None:
    optimizer, mine = optimizers.SGD(0.1), variables()
    optimizer.apply(GRADIENTS[0], mine)
    twin = copy.deepcopy(optimizer)
    optimizer.learning_rate = 0.5
    assert float(twin.learning_rate.numpy()) == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["sgd", "SGD", "adam", "Adam", "adamw", "rmsprop", "RMSprop"])
def test_name_as_keras(name: str) -> None:
    assert type(optimizers.get(name)).__name__ == type(keras.optimizers.get(name)).__name__


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (lambda: optimizers.get("adm"), "Did you mean adam"),
        (lambda: optimizers.get(3), "An optimizer is a name"),
        (lambda: optimizers.SGD("fast"), "learning_rate is a number"),
        (lambda: optimizers.SGD(0.1, momentum=2.0), "momentum lies between"),
        (lambda: optimizers.SGD(clipnorm=1.0, clipvalue=1.0), "Only one of"),
        (lambda: optimizers.SGD(gradient_accumulation_steps=1), "from 2 up"),
        (lambda: optimizers.SGD(use_ema=True, ema_momentum=2), "between 0 and 1"),
        (lambda: optimizers.SGD(use_ema=True, ema_overwrite_frequency=0), "positive whole number"),
        (lambda: optimizers.SGD(decay=0.1), "no argument 'decay'"),
        (lambda: optimizers.AdamW(weight_decay=None), "needs a weight_decay"),
        (lambda: optimizers.SGD().apply([GRADIENTS[0][0]]), "build"),
        (lambda: optimizers.SGD().stateless_apply([], [], []), "build"),
        (lambda: optimizers.SGD().apply([GRADIENTS[0][0]], variables()), "1 gradients for 3 variables"),
        (lambda: optimizers.SGD().apply([None, None, None], variables()), "None of the variables"),
        (lambda: optimizers.Optimizer(0.1).apply(GRADIENTS[0], variables()), "needs an update_step"),
    ],
)
def test_errors_say_what_to_do(bad: Any, said: str) -> None:
    with pytest.raises((ValueError, TypeError, NotBuiltError, NotImplementedError), match=said):
        bad()


def test_unknown_variable_is_refused() -> None:
    optimizer = optimizers.SGD()
    optimizer.build(variables())
    with pytest.raises(ValueError, match="built without stranger"):
        optimizer.apply([GRADIENTS[0][1]], [Variable(STARTS[1], name="stranger")])
