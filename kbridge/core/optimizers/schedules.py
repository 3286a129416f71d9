"""Learning rates that change with the number of steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kbridge.core import registry
from kbridge.core.config import Configured
from kbridge.core.ops.elementwise import (
    add,
    cast,
    ceil,
    cos,
    divide,
    floor,
    less,
    less_equal,
    log,
    maximum,
    minimum,
    multiply,
    power,
    subtract,
    where,
)
from kbridge.core.ops.outermost import as_tensor, outermost
from kbridge.core.saving.config import deserialize_keras_object, serialize_keras_object
from kbridge.core.settings import floatx


class LearningRateSchedule(Configured):
    """A function of the number of steps done, `(step) -> learning rate`, that optimizers take."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__call__" in cls.__dict__:
            cls.__call__ = outermost(cls.__dict__["__call__"])  # type: ignore[method-assign]

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a __call__(step).")


def _check_steps(decay_steps: float, name: str = "decay_steps") -> None:
    if decay_steps <= 0:
        raise ValueError(f"{name} must be positive, got {decay_steps}.")


def _passed(step: Any, decay_steps: float, staircase: bool) -> Any:
    """How many times `decay_steps` have passed; whole times only on a staircase."""
    share = divide(cast(as_tensor(step), floatx()), decay_steps)
    return floor(share) if staircase else share


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: after how many steps the rate is `decay_rate` times as large.
        decay_rate: that factor.
        staircase: whether the rate changes only every `decay_steps`.
        name: kept for Keras's signature.

    >>> round(float(ExponentialDecay(0.1, 10, 0.5)(20)), 6)
    0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        _check_steps(decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps, self.decay_rate = decay_steps, decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        times = _passed(step, self.decay_steps, self.staircase)
        return multiply(power(self.decay_rate, times), self.initial_learning_rate)


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`; arguments as in `ExponentialDecay`."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        _check_steps(decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps, self.decay_rate = decay_steps, decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        times = _passed(step, self.decay_steps, self.staircase)
        return divide(self.initial_learning_rate, add(multiply(times, self.decay_rate), 1.0))


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and including step `boundaries[0]`, then `values[1]`, and so on.

    >>> schedule = PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.25])
    >>> [float(schedule(step)) for step in (10, 11, 21)]
    [1.0, 0.5, 0.25]
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"Each of the {len(boundaries)} boundaries lies between two values, so there are "
                f"{len(boundaries) + 1} values; got {len(values)}."
            )
        self.boundaries, self.values = list(boundaries), list(values)
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = as_tensor(step)
        rate = as_tensor(float(self.values[-1]))
        for boundary, value in reversed(list(zip(self.boundaries, self.values, strict=False))):
            rate = where(less_equal(step, boundary), float(value), rate)
        return rate


class PolynomialDecay(LearningRateSchedule):
    """From `initial_learning_rate` to `end_learning_rate` in `decay_steps`, as `(1 - step / decay_steps) ** power`.

    Args:
        initial_learning_rate, end_learning_rate: the rates at the start and at the end.
        decay_steps: how many steps lie between.
        power: the exponent; 1 is a straight line.
        cycle: whether to go on at the end, with `decay_steps` drawn out to the next multiple.
        name: kept for Keras's signature.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        _check_steps(decay_steps)
        self.initial_learning_rate, self.end_learning_rate = initial_learning_rate, end_learning_rate
        self.decay_steps = decay_steps
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = cast(as_tensor(step), floatx())
        if self.cycle:
            cycles = maximum(ceil(divide(step, self.decay_steps)), 1.0)
            share = divide(step, multiply(cycles, self.decay_steps))
        else:
            share = divide(minimum(step, float(self.decay_steps)), self.decay_steps)
        left = power(subtract(1.0, share), self.power)
        return add(multiply(left, self.initial_learning_rate - self.end_learning_rate), self.end_learning_rate)


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial rate to `alpha` times it (https://arxiv.org/abs/1608.03983), after a warm-up.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: how many steps the cosine takes.
        alpha: the rate at the end, as a share of the rate at the start of the cosine.
        name: kept for Keras's signature.
        warmup_target: the rate that a straight line reaches first, in `warmup_steps`; None for no warm-up.
        warmup_steps: the steps of the warm-up, before the cosine starts.

    >>> schedule = CosineDecay(0.0, 100, warmup_target=1.0, warmup_steps=10)
    >>> [round(float(schedule(step)), 4) for step in (5, 10, 60, 110)]
    [0.5, 1.0, 0.5, 0.0]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        _check_steps(decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def __call__(self, step: Any) -> Any:
        step = cast(as_tensor(step), floatx())
        if self.warmup_target is None:
            return self._cosine(step, self.initial_learning_rate)
        peak, rise = self.warmup_target, self.warmup_target - self.initial_learning_rate
        cosine = self._cosine(subtract(step, float(self.warmup_steps)), peak)
        if not self.warmup_steps:
            return cosine
        line = add(multiply(divide(step, self.warmup_steps), rise), self.initial_learning_rate)
        return where(less(step, self.warmup_steps), line, cosine)

    def _cosine(self, step: Any, peak: float) -> Any:
        share = divide(minimum(step, float(self.decay_steps)), self.decay_steps)
        wave = multiply(add(cos(multiply(share, math.pi)), 1.0), 0.5)
        return multiply(add(multiply(wave, 1 - self.alpha), self.alpha), peak)


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines one after the other, each starting anew (https://arxiv.org/abs/1608.03983).

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: how many steps the first cosine takes.
        t_mul: how many times longer each cosine is than the one before.
        m_mul: how many times higher each starts.
        alpha: the rate that all fall to, as a share of `initial_learning_rate`.
        name: kept for Keras's signature.

    >>> schedule = CosineDecayRestarts(1.0, 10, m_mul=0.5)
    >>> [round(float(schedule(step)), 4) for step in (0, 5, 10, 30, 70)]
    [1.0, 0.5, 0.5, 0.25, 0.125]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        _check_steps(first_decay_steps, "first_decay_steps")
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul, self.m_mul = t_mul, m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Any:
        passed = divide(cast(as_tensor(step), floatx()), self.first_decay_steps)  # in lengths of the first cosine
        if self.t_mul == 1.0:
            round_ = floor(passed)
            share = subtract(passed, round_)
        else:  # n cosines take (1 - t**n) / (1 - t) of those lengths
            round_ = floor(divide(log(add(multiply(passed, self.t_mul - 1.0), 1.0)), math.log(self.t_mul)))
            length = power(float(self.t_mul), round_)
            share = divide(subtract(passed, divide(subtract(length, 1.0), self.t_mul - 1.0)), length)
        height = multiply(power(float(self.m_mul), round_), 0.5)
        wave = multiply(height, add(cos(multiply(share, math.pi)), 1.0))
        return multiply(add(multiply(wave, 1 - self.alpha), self.alpha), self.initial_learning_rate)


def serialize(learning_rate_schedule: LearningRateSchedule) -> Any:
    """The JSON form of a schedule."""
    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule of a JSON form."""
    with registry.custom_object_scope(custom_objects):
        return deserialize_keras_object(config)
