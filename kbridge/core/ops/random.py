"""Random draws. The seed is a `SeedGenerator`, whose state is a variable, or a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbridge.core.context import SYMBOLIC, framework_of, local, running
from kbridge.core.errors import ArgumentError, DTypeError
from kbridge.core.ops import philox, rules
from kbridge.core.ops.declare import NUMBERS, kernel, op
from kbridge.core.ops.elementwise import (
    add,
    cast,
    clip,
    divide,
    log,
    logical_and,
    maximum,
    multiply,
    negative,
    power,
    sqrt,
    square,
    subtract,
    where,
)
from kbridge.core.ops.math import erfinv
from kbridge.core.ops.outermost import as_tensor, backend_for
from kbridge.core.ops.reduce import argmax
from kbridge.core.ops.reduce import sum as sum_over
from kbridge.core.ops.shape import broadcast_to, expand_dims, squeeze, take, take_along_axis
from kbridge.core.ops.sort import argsort
from kbridge.core.settings import rng
from kbridge.core.tensor.dtypes import is_float, standardize_dtype
from kbridge.core.tensor.shapes import one_axis
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import Variable

_fresh = np.random.default_rng()


def set_global_seed(seed: int) -> None:
    """Make every seed that is drawn for "no seed given" from now on follow from `seed`."""
    global _fresh
    _fresh = np.random.default_rng(seed)


def make_seed() -> int:
    """A seed for something that was given none."""
    return int(_fresh.integers(0, 2**31 - 1))


class SeedGenerator:
    """A stream of seeds: the same seed gives the same stream.

    Args:
        seed: a whole number of 32 bits; drawn if None.
        name: kept for Keras's signature.
        unknown: anything else is an error.

    The state is a variable `(seed, draws so far)`, so that compiled steps carry it along.

    Raises:
        ArgumentError: `seed` isn't a whole number of 32 bits, or there are other arguments.

    >>> uniform((2,), seed=SeedGenerator(7)).shape
    (2,)
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **unknown: Any) -> None:
        if unknown:
            raise ArgumentError(f"Unrecognized keyword arguments: {', '.join(unknown)}. There are seed and name.")
        start = _start(make_seed() if seed is None else seed)
        self.seed = int(start[0]) if seed is None else int(seed)
        self.name = name or "seed_generator"
        self.state = Variable(start, trainable=False, autocast=False, name="seed_generator_state")

    def next(self, ordered: bool = True) -> Any:
        """The state moves on; returns what to draw from, a tensor that later moves leave alone.

        Args:
            ordered: kept for Keras's signature; draws always follow each other.
        """
        if local.running is None:
            with running(backend_for([self.state.seen_value])):
                return self.next()
        upcoming = kernel.next_seed(self.state.value)
        self.state.assign(upcoming)
        return upcoming

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """The generator of that config."""
        return cls(**config)


def _start(seed: Any) -> Any:
    """The state that a number stands for: its lower 32 bits, and no draws so far."""
    if not isinstance(seed, (int, np.integer)) or not -(2**31) <= seed < 2**32:
        raise ArgumentError(f"Argument `seed` must be an integer of 32 bits, from -2**31 to 2**32 - 1; got {seed!r}.")
    return np.array([philox.signed(int(seed)), 0], "int32")


def _draw_from(seed: Any) -> Any:
    """The state to draw from; None lets the framework's global generator draw."""
    if local.framework_random:
        return None
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        return kernel.unseeded_state(make_seed)
    if isinstance(seed, np.ndarray) or framework_of(seed) is not None:
        return _state_of_key(kernel.convert(seed))
    return kernel.convert(_start(seed))


def _state_of_key(key: Any) -> Any:
    """The state of a key that someone else made, such as `jax.random.key(0)`."""
    state = kernel.state_of_key(key)
    if tuple(state.shape) != (2,):
        raise ArgumentError(f"As a seed, a tensor has to be one key, two whole numbers; got shape {tuple(key.shape)}.")
    return state


def _apart(state: Any, stream: int) -> Any:
    """A state for another stream of the same draw."""
    if state is None:
        return None
    return kernel.bitwise_xor(state, kernel.convert(np.array([philox.signed(stream * 0x9E3779B9), 0], "int32")))


def _source(state: Any) -> tuple[Any, Any, Any]:
    """Uniform, normal and whole numbers by the generator that is set."""
    if state is not None and rng() == "portable":
        return philox.uniform, philox.normal, philox.integers
    return kernel.random_uniform, kernel.random_normal, kernel.random_integers


def _drawn(shape: Any, dtype: Any, seed: Any, draw: Any, *parameters: Any, kind: Any = is_float) -> Any:
    """What all draws of a shape share: the dtype's check, symbolic runs, the state."""
    dtype = standardize_dtype(dtype)
    if not kind(dtype):
        raise DTypeError(
            f"These numbers can't be drawn as {dtype}; choose a {'float' if kind is is_float else 'whole'} type."
        )
    if local.running is SYMBOLIC or any(isinstance(p, KerasTensor) for p in parameters):
        return KerasTensor(tuple(shape), dtype)
    with running(local.running or backend_for([*parameters, seed])):
        return draw(tuple(shape), dtype, _draw_from(seed))


def _spread(drawn: Any, factor: Any, shift: Any, dtype: str) -> Any:
    """`drawn * factor + shift`, which for 1 and 0 is `drawn`: two passes over all numbers less."""
    if isinstance(factor, NUMBERS) and isinstance(shift, NUMBERS) and factor == 1 and shift == 0:
        return drawn
    return cast(add(multiply(drawn, factor), shift), dtype)


def uniform(shape: Sequence[int], minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers spread evenly over `[minval, maxval)`.

    Args:
        shape: sizes of the result.
        minval, maxval: the ends, numbers or tensors that broadcast to `shape`.
        dtype: a float type, floatx if None.
        seed: a number or a key (a tensor of two numbers, or JAX's), which give the same numbers each time, a
            `SeedGenerator`, or None.

    Raises:
        ArgumentError: `seed` is None in a function that JAX traces, where the draw would be a constant.
        DTypeError: the type holds no fractions.

    >>> from kbridge.core.ops.shape import shape
    >>> shape(uniform((2, 3), seed=1))
    (2, 3)
    """

    def draw(sizes: Any, kind: str, state: Any) -> Any:
        numbers = isinstance(minval, NUMBERS) and isinstance(maxval, NUMBERS)
        span = maxval - minval if numbers else subtract(maxval, minval)
        return _spread(_source(state)[0](sizes, kind, state), span, minval, kind)

    return _drawn(shape, dtype, seed, draw, minval, maxval)


def normal(shape: Sequence[int], mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers from a normal distribution.

    Args:
        shape, dtype, seed: as in `uniform`.
        mean, stddev: numbers or tensors that broadcast to `shape`.

    Raises:
        ArgumentError, DTypeError: as in `uniform`.

    >>> normal((2, 3), mean=5.0, seed=7).shape
    (2, 3)
    """

    def draw(sizes: Any, kind: str, state: Any) -> Any:
        return _spread(_source(state)[1](sizes, kind, state), stddev, mean, kind)

    return _drawn(shape, dtype, seed, draw, mean, stddev)


def truncated_normal(
    shape: Sequence[int], mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Numbers from a normal distribution, none farther than two standard deviations from the mean.

    Args:
        shape, dtype, seed: as in `uniform`.
        mean, stddev: of the distribution before the tails are cut off.

    Raises:
        ArgumentError, DTypeError: as in `uniform`.

    >>> bool(abs(truncated_normal((100,), seed=7)).max() <= 2)
    True
    """
    reach = math.erf(math.sqrt(2.0))  # the share of a normal distribution within two standard deviations

    def draw(sizes: Any, kind: str, state: Any) -> Any:
        wide = "float64" if kind == "float64" else "float32"
        u = _source(state)[0](sizes, wide, state)
        z = multiply(erfinv(multiply(subtract(multiply(u, 2.0), 1.0), reach)), math.sqrt(2.0))
        return cast(add(multiply(clip(z, -2.0, 2.0), stddev), mean), kind)

    return _drawn(shape, dtype, seed, draw, mean, stddev)


def randint(shape: Sequence[int], minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    """Whole numbers from `minval` to `maxval - 1`, each as likely.

    Args:
        shape, seed: as in `uniform`.
        minval, maxval: the ends, within 32 bits.
        dtype: a whole-number type.

    Raises:
        DTypeError: the type isn't one of whole numbers.
        ArgumentError: as for `uniform`.

    >>> sorted({int(n) for n in randint((100,), 1, 4, seed=7)})
    [1, 2, 3]
    """

    def draw(sizes: Any, kind: str, state: Any) -> Any:
        low, high = (as_tensor(end, "int32") for end in (minval, maxval))
        return _source(state)[2](sizes, low, high, kind, state)

    return _drawn(shape, dtype, seed, draw, minval, maxval, kind=lambda name: not is_float(name))


def gamma(shape: Sequence[int], alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers from a gamma distribution of shape `alpha` and scale 1.

    Args:
        shape, dtype, seed: as in `uniform`.
        alpha: above 0, a number or a tensor that broadcasts to `shape`.

    Raises:
        ArgumentError, DTypeError: as in `uniform`.

    >>> bool((gamma((100,), alpha=2.0, seed=7) > 0).all())
    True
    """
    return _drawn(shape, dtype, seed, lambda *how: _gamma(alpha, *how), alpha)


def _gamma(alpha: Any, sizes: Any, kind: str, state: Any) -> Any:
    wide = "float64" if kind == "float64" else "float32"
    alpha = broadcast_to(as_tensor(alpha, wide), sizes)
    if state is None or rng() != "portable":
        return cast(kernel.random_gamma(alpha, state), kind)
    return cast(_gamma_by_rejection(alpha, sizes, wide, state), kind)


TRIALS = 8  # a trial fails in less than 5 % of cases; with eight of them no draw in 10**10 is left without one


def _gamma_by_rejection(alpha: Any, sizes: Any, kind: str, state: Any) -> Any:
    """All trials at once, and the first that holds (https://doi.org/10.1145/358407.358414)."""
    small = kernel.less(alpha, 1.0)
    d = subtract(where(small, add(alpha, 1.0), alpha), 1 / 3)
    x = philox.normal((TRIALS, *sizes), kind, _apart(state, 1))
    u = philox.uniform((TRIALS, *sizes), kind, _apart(state, 2))
    v = power(add(divide(x, multiply(sqrt(d), 3.0)), 1.0), 3)
    positive = kernel.greater(v, 0.0)
    log_v = log(where(positive, v, 1.0))
    bound = add(multiply(square(x), 0.5), multiply(d, add(subtract(1.0, v), log_v)))
    holds = logical_and(positive, kernel.less(log(subtract(1.0, u)), bound))
    first = expand_dims(argmax(cast(holds, "int32"), 0), 0)
    taken = multiply(d, squeeze(take_along_axis(v, first, 0), 0))
    # below 1: https://doi.org/10.1145/358407.358414, its note at the end
    boost = power(subtract(1.0, philox.uniform(sizes, kind, _apart(state, 3))), divide(1.0, alpha))
    return where(small, multiply(taken, boost), taken)


def beta(shape: Sequence[int], alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers from a beta distribution: the share of one gamma draw in the sum of two.

    Args:
        shape, dtype, seed: as in `uniform`.
        alpha, beta: above 0, numbers or tensors that broadcast to `shape`.

    Raises:
        ArgumentError, DTypeError: as in `uniform`.

    >>> bool((beta((100,), alpha=2.0, beta=3.0, seed=7) < 1).all())
    True
    """

    def draw(sizes: Any, kind: str, state: Any) -> Any:
        wide = "float64" if kind == "float64" else "float32"
        first, second = _gamma(alpha, sizes, wide, _apart(state, 4)), _gamma(beta, sizes, wide, _apart(state, 5))
        return cast(divide(first, add(first, second)), kind)

    return _drawn(shape, dtype, seed, draw, alpha, beta)


def binomial(shape: Sequence[int], counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Any:
    """How many of `counts` trials succeed, each with one of `probabilities`.

    Args:
        shape, dtype, seed: as in `uniform`.
        counts: trials, a number or a tensor that broadcasts to `shape`.
        probabilities: from 0 to 1, likewise.

    Raises:
        ArgumentError: the portable generator is set and `counts` isn't a number: it draws each trial.

    >>> bool((binomial((100,), counts=5, probabilities=0.5, seed=7) <= 5).all())
    True
    """

    def draw(sizes: Any, kind: str, state: Any) -> Any:
        chance = broadcast_to(as_tensor(probabilities, "float32"), sizes)
        if state is None or rng() != "portable":
            return cast(kernel.random_binomial(broadcast_to(as_tensor(counts, "float32"), sizes), chance, state), kind)
        if not isinstance(counts, (int, float)):
            raise ArgumentError(
                "The portable generator draws a binomial number trial by trial, so counts has to be a Python number; "
                "got a tensor. Use kbridge.config.set_rng('native') for this."
            )
        trials = philox.uniform((int(counts), *sizes), "float32", state)
        return cast(sum_over(cast(kernel.less(trials, chance), "int32"), 0), kind)

    return _drawn(shape, dtype, seed, draw, counts, probabilities)


@op(lambda logits, num_samples, dtype="int32", seed=None: KerasTensor((logits.shape[0], num_samples), dtype or "int32"))
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Class numbers, drawn with the probabilities `softmax(logits)`.

    The largest of logits + Gumbel noise has that distribution (https://arxiv.org/abs/1611.01144).

    Args:
        logits: `(batch, classes)`.
        num_samples: draws for each row.
        dtype: a whole-number type.
        seed: as in `uniform`.

    Returns:
        `(batch, num_samples)`.

    Raises:
        ArgumentError, DTypeError: as in `uniform`.

    >>> categorical([[0.0, -1000.0]], 3, seed=7)
    array([[0, 0, 0]], dtype=int32)
    """
    batch, classes = kernel.shape_of(logits)
    state = _draw_from(seed)
    u = _source(state)[0]((batch, num_samples, classes), "float32", state)
    noise = negative(log(negative(log(maximum(u, 1e-30)))))
    picked = argmax(add(expand_dims(cast(logits, "float32"), 1), noise), -1)
    return cast(picked, standardize_dtype(dtype))


@op(lambda x, axis=0, seed=None: rules.same(x))
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """The input with the slices along `axis` in a random order.

    `seed` is as in `uniform`, which raises the same.

    >>> sorted(shuffle([3, 1, 2], seed=7).tolist())
    [1, 2, 3]
    """
    axis = one_axis(axis, len(x.shape))
    state = _draw_from(seed)
    order = argsort(_source(state)[0]((kernel.shape_of(x)[axis],), "float32", state))
    return take(x, order, axis)


@op(lambda inputs, rate, noise_shape=None, seed=None: rules.same(inputs))
def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Each element set to zero with probability `rate`, the others scaled by 1 / (1 - rate).

    `noise_shape` has 1 where an axis shares one decision. Source: https://jmlr.org/papers/v15/srivastava14a.html.

    Args:
        inputs: any tensor.
        rate: from 0 to 1.
        noise_shape: sizes that broadcast to those of the inputs; those of the inputs if None.
        seed: as in `uniform`, which raises the same.

    >>> sorted({float(x) for x in dropout([1.0] * 100, rate=0.5, seed=7)})
    [0.0, 2.0]
    """
    if rate == 0:
        return inputs
    if rate == 1:
        return kernel.full_like(inputs, 0, kernel.dtype_of(inputs))
    sizes = kernel.shape_of(inputs)
    if noise_shape is not None:
        sizes = tuple(s if n is None else n for s, n in zip(sizes, noise_shape, strict=True))
    state = _draw_from(seed)
    if state is not None and rng() == "portable":
        kept = kernel.greater_equal(philox.uniform(sizes, "float32", state), rate)
        return where(kept, divide(inputs, 1 - rate), 0)
    return kernel.dropout(inputs, rate, sizes, state)
