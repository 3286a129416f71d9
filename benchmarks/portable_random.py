"""`set_rng("portable")`, the same numbers on every backend, against each framework's own generator.

A million numbers: NumPy and torch eagerly, JAX under jit, TensorFlow in a tf.function. And one training step of a
model with dropout, kbridge with the one generator beside kbridge with the other.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.api import BACKENDS, finished, keras_like
from benchmarks.table import Figure, Row
from benchmarks.turns import Options, take_turns
from benchmarks.worker import Prepared, Spec, per_call

COUNT = 1_000_000
FEATURES, WIDTH, CLASSES, BATCH = 64, 512, 10, 256


def own_generator(backend: str, case: str) -> Callable[[], Any]:
    """The framework's way to draw that many numbers in float32."""
    if backend == "numpy":
        generator = np.random.default_rng(0)
        draw = generator.random if case == "uniform" else generator.standard_normal
        return lambda: draw(COUNT, "float32")
    if backend == "torch":
        import torch

        source = torch.Generator().manual_seed(0)
        return lambda: (torch.rand if case == "uniform" else torch.randn)(COUNT, generator=source)
    if backend == "jax":
        import jax

        key, random = jax.random.key(0), jax.random.uniform if case == "uniform" else jax.random.normal
        compiled = jax.jit(lambda key: random(key, (COUNT,)))
        return lambda: compiled(key)
    import tensorflow as tf

    seed = tf.Variable([0, 0])
    stateless = tf.random.stateless_uniform if case == "uniform" else tf.random.stateless_normal
    return tf.function(lambda: stateless((COUNT,), seed.assign_add([0, 1])), autograph=False)


def portable(backend: str, case: str) -> Callable[[], Any]:
    """The same by kbridge's generator."""
    kbridge, scope = keras_like("kbridge", backend)
    generator = kbridge.random.SeedGenerator(0)
    draw = getattr(kbridge.random, case)

    def numbers() -> Any:
        with scope():
            return draw((COUNT,), seed=generator)

    if backend == "jax":
        import jax

        def stateless(state: Any) -> Any:
            with kbridge.StatelessScope([(generator.state, state)]):
                return numbers()

        with scope():
            state = kbridge.ops.convert_to_tensor(generator.state)
        compiled = jax.jit(stateless)
        return lambda: compiled(state)
    if backend == "tensorflow":
        import tensorflow as tf

        numbers()  # the variable of the state is made outside of the function
        return tf.function(numbers, autograph=False)
    return numbers


def training_step(backend: str) -> Callable[[], Any]:
    """A step of a small model, a fifth of whose features are dropped twice."""
    kbridge, scope = keras_like("kbridge", backend)
    layers, random = kbridge.layers, np.random.default_rng(0)
    x = random.normal(size=(BATCH, FEATURES)).astype("float32")
    y = random.integers(0, CLASSES, BATCH).astype("int32")
    with scope():
        model = kbridge.Sequential(
            [
                kbridge.Input((FEATURES,)), layers.Dense(WIDTH, "relu"), layers.Dropout(0.2),
                layers.Dense(WIDTH, "relu"), layers.Dropout(0.2), layers.Dense(CLASSES),
            ]
        )  # fmt: skip
        model.compile("adam", kbridge.losses.SparseCategoricalCrossentropy(from_logits=True))

    def step() -> None:
        with scope():
            model.train_on_batch(x, y)

    return step


def prepare(spec: Spec) -> Prepared:
    """Worker: one draw, or one training step, by the generator of the side."""
    from kbridge import config

    rng = "portable" if spec.side == "kbridge" else "native"
    config.set_rng(rng)
    if spec.case == "training step":
        call = training_step(spec.backend)
    else:
        call = (portable if rng == "portable" else own_generator)(spec.backend, spec.case)
    wait = finished(spec.backend)

    def run() -> None:
        config.set_rng(rng)  # the other side shares this process
        wait(call())

    return Prepared(per_call(run, spec.duration))


def figure(options: Options) -> Figure:
    """Time by the framework's generator, by the portable one, and the ratio."""
    result = Figure(
        "portable_random",
        'A million numbers, and a training step with dropout, after `set_rng("portable")`',
        ["own generator", "portable"],
        "portable / own",
    )
    for case in ("uniform", "normal", "training step"):
        for backend in ("numpy", *BACKENDS):
            if (case, backend) == ("training step", "numpy"):
                continue  # it has no gradients
            sides = [
                Spec("portable_random", side, backend, case, options.quick, paired=True)
                for side in ("native", "kbridge")
            ]
            outcome = take_turns([sides], options)
            cells = [outcome["native"], outcome["kbridge"]]
            result.rows.append(Row(f"{case}, {backend}", cells, outcome.ratio("kbridge", "native")))
            result.notes += outcome.errors
    return result
