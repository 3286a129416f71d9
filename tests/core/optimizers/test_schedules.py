"""Learning rate schedules against the installed Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import kbridge
from kbridge import optimizers
from kbridge.core.ops.shape import convert_to_numpy
from kbridge.core.tensor.variable import Variable
from kbridge.optimizers import schedules

ROWS: list[tuple[str, dict[str, Any]]] = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.9}),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.9, "staircase": True}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.9}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.9, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [6, 14], "values": [1.0, 0.5, 0.25]}),
    ("PiecewiseConstantDecay", {"boundaries": [7], "values": [1.0, 0.5]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 14}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "end_learning_rate": 0.01, "power": 2.0}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "power": 0.5, "cycle": True}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 14}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 14, "alpha": 0.2}),
    ("CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 9, "warmup_target": 0.1, "warmup_steps": 7}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 7, "m_mul": 0.8}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 1.0, "alpha": 0.1}),
]  # fmt: skip
STEPS = [0, 1, 6, 7, 8, 14, 15, 16, 17, 30]
NAMES = [f"{name}-{list(arguments)[-1]}" for name, arguments in ROWS]


@pytest.mark.parametrize(("name", "arguments"), ROWS, ids=NAMES)
def test_rate_as_keras(name: str, arguments: dict[str, Any], backend: str) -> None:
    ours, theirs = getattr(schedules, name)(**arguments), getattr(keras.optimizers.schedules, name)(**arguments)
    got = [float(convert_to_numpy(ours(step))) for step in STEPS]
    np.testing.assert_allclose(got, [float(theirs(step)) for step in STEPS], rtol=2e-6, atol=1e-8)


@pytest.mark.parametrize(("name", "arguments"), ROWS, ids=NAMES)
def test_optimizer_follows(name: str, arguments: dict[str, Any], backend: str) -> None:
    optimizer, variable = (
        optimizers.SGD(getattr(schedules, name)(**arguments)),
        Variable(np.zeros(1, "float32"), name="w"),
    )
    theirs = getattr(keras.optimizers.schedules, name)(**arguments)
    for _ in range(16):
        optimizer.apply([np.ones(1, "float32")], [variable])
    np.testing.assert_allclose(variable.numpy(), [-sum(float(theirs(i)) for i in range(16))], rtol=1e-5)
    assert len(optimizer.variables) == 1


@pytest.mark.parametrize(("name", "arguments"), ROWS, ids=NAMES)
def test_in_a_trace(name: str, arguments: dict[str, Any]) -> None:
    import jax
    import tensorflow as tf

    schedule = getattr(schedules, name)(**arguments)
    wanted = [float(convert_to_numpy(schedule(step))) for step in STEPS]
    jitted, graph = jax.jit(schedule), tf.function(schedule, input_signature=[tf.TensorSpec([], "int32")])
    np.testing.assert_allclose([float(jitted(step)) for step in STEPS], wanted, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose([float(graph(step)) for step in STEPS], wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("name", "arguments"), ROWS, ids=NAMES)
def test_config_goes_both_ways(name: str, arguments: dict[str, Any]) -> None:
    ours = optimizers.Adam(getattr(schedules, name)(**arguments), name="a")
    theirs = keras.optimizers.Adam(getattr(keras.optimizers.schedules, name)(**arguments), name="a")
    here = optimizers.deserialize(keras.optimizers.serialize(theirs))
    there = keras.optimizers.deserialize(optimizers.serialize(ours))
    step = 5
    wanted = float(convert_to_numpy(ours._learning_rate(step)))
    assert float(convert_to_numpy(here._learning_rate(step))) == pytest.approx(wanted)
    assert float(there._learning_rate(step)) == pytest.approx(wanted)
    again = schedules.deserialize(schedules.serialize(ours._learning_rate))
    assert float(convert_to_numpy(again(step))) == pytest.approx(wanted)


def test_own_schedule(backend: str) -> None:
    class Halved(schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return kbridge.ops.divide(0.5, step + 1)

    optimizer, variable = optimizers.SGD(Halved()), Variable(np.zeros(1, "float32"), name="w")
    for _ in range(2):
        optimizer.apply([np.ones(1, "float32")], [variable])
    np.testing.assert_allclose(variable.numpy(), [-0.75])


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps must be positive"),
        (lambda: schedules.CosineDecay(0.1, -1), "decay_steps must be positive"),
        (lambda: schedules.CosineDecayRestarts(0.1, 0), "first_decay_steps must be positive"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1]), "between two values"),
        (lambda: schedules.LearningRateSchedule()(0), "needs a __call__"),
    ],
)
def test_errors_say_what_to_do(bad: Any, said: str) -> None:
    with pytest.raises((ValueError, NotImplementedError), match=said):
        bad()
