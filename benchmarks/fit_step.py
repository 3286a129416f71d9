"""One training step inside `fit`: MLP, Adam, cross-entropy, accuracy; against a hand-written loop.

The loops do what `fit` does: shuffle, gather a batch from NumPy arrays, hand it to the framework,
step, and keep the epoch's loss and accuracy on the device until the end. Two warm-up epochs come
first, so nothing is compiled on the clock.
"""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.api import BACKENDS, keras_like
from benchmarks.table import Figure, Row
from benchmarks.turns import Options, side_by_side
from benchmarks.worker import Prepared, Spec

WIDTHS = (64, 128, 128, 10)
BATCH, RATE, EPSILON = 32, 1e-3, 1e-7
STEPS, QUICK_STEPS = 500, 100
BAR = 1.1

Epoch = Callable[[], tuple[float, float]]  # mean loss and accuracy of one pass over the data


def data(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs `(steps * 32, 64)` and labels that a linear rule gives."""
    random = np.random.default_rng(0)
    x = random.normal(size=(steps * BATCH, WIDTHS[0])).astype("float32")
    rule = random.normal(size=(WIDTHS[0], WIDTHS[-1]))
    return x, (x @ rule).argmax(1).astype("int64")


def batches(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Shuffled batches, endlessly different from epoch to epoch."""
    order = np.random.permutation(len(x))
    for start in range(0, len(x), BATCH):
        rows = order[start : start + BATCH]
        yield x[rows], y[rows]


def initial_weights() -> list[np.ndarray]:
    """Kernel, bias, kernel, bias, ... as Glorot and Bengio draw them."""
    random = np.random.default_rng(2)
    weights = []
    for rows, columns in pairwise(WIDTHS):
        limit = (6 / (rows + columns)) ** 0.5
        weights.append(random.uniform(-limit, limit, (rows, columns)).astype("float32"))
        weights.append(np.zeros(columns, "float32"))
    return weights


def torch_epoch(x: np.ndarray, y: np.ndarray, fused: bool) -> Epoch:
    """The loop from PyTorch's tutorials; `fused=True` asks torch for its one-kernel Adam."""
    import torch
    from torch.nn import Linear, ReLU, Sequential
    from torch.nn.functional import cross_entropy

    torch.manual_seed(0)
    net = Sequential(Linear(64, 128), ReLU(), Linear(128, 128), ReLU(), Linear(128, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, eps=EPSILON, fused=fused or None)

    def epoch() -> tuple[float, float]:
        total, correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for inputs, labels in batches(x, y):
            inputs, labels = torch.from_numpy(inputs), torch.from_numpy(labels)
            optimizer.zero_grad()
            scores = net(inputs)
            loss = cross_entropy(scores, labels)
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(labels)
            correct += (scores.argmax(1) == labels).sum()
        return total.item() / len(x), correct.item() / len(x)

    return epoch


def jax_epoch(x: np.ndarray, y: np.ndarray) -> Epoch:
    """One jitted step that donates its state: weights, optax's Adam, running totals."""
    import jax
    import jax.numpy as jnp
    import optax

    adam = optax.adam(RATE, eps=EPSILON)

    def loss_and_scores(weights: list[Any], inputs: Any, labels: Any) -> tuple[Any, Any]:
        k1, b1, k2, b2, k3, b3 = weights
        hidden = jax.nn.relu(jax.nn.relu(inputs @ k1 + b1) @ k2 + b2)
        scores = hidden @ k3 + b3
        return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean(), scores

    differentiate = jax.value_and_grad(loss_and_scores, has_aux=True)

    def step(state: Any, inputs: Any, labels: Any) -> Any:
        weights, moments, total, correct = state
        (loss, scores), slopes = differentiate(weights, inputs, labels)
        updates, moments = adam.update(slopes, moments)
        weights = optax.apply_updates(weights, updates)
        correct += (scores.argmax(1) == labels).sum()
        return weights, moments, total + loss * len(labels), correct

    compiled = jax.jit(step, donate_argnums=0)
    weights = [jnp.asarray(w) for w in initial_weights()]
    trained = [weights, adam.init(weights)]

    def epoch() -> tuple[float, float]:
        state = (*trained, jnp.zeros(()), jnp.zeros((), jnp.int32))
        for inputs, labels in batches(x, y.astype("int32")):
            state = compiled(state, inputs, labels)
        trained[:] = state[:2]
        return float(state[2]) / len(x), float(state[3]) / len(x)

    return epoch


def tensorflow_adam(tf: Any, weights: list[Any]) -> Callable[[list[Any]], None]:
    """One update of Adam on variables (Kingma and Ba 2015, end of section 2)."""
    means = [tf.Variable(tf.zeros_like(w)) for w in weights]
    squares = [tf.Variable(tf.zeros_like(w)) for w in weights]
    count = tf.Variable(0.0)

    def update(slopes: list[Any]) -> None:
        count.assign_add(1.0)
        rate = RATE * tf.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        for w, mean, square, slope in zip(weights, means, squares, slopes, strict=True):
            mean.assign_add(0.1 * (slope - mean))
            square.assign_add(0.001 * (slope * slope - square))
            w.assign_sub(rate * mean / (tf.sqrt(square) + EPSILON))

    return update


def tensorflow_epoch(x: np.ndarray, y: np.ndarray, jit_compile: bool) -> Epoch:
    """One `tf.function` step on variables; `jit_compile=True` hands it to XLA."""
    import tensorflow as tf

    weights = [tf.Variable(w) for w in initial_weights()]
    k1, b1, k2, b2, k3, b3 = weights
    update = tensorflow_adam(tf, weights)
    total, correct = tf.Variable(0.0), tf.Variable(0, dtype=tf.int64)

    @tf.function(jit_compile=jit_compile)
    def step(inputs: Any, labels: Any) -> None:
        with tf.GradientTape() as tape:
            hidden = tf.nn.relu(tf.nn.relu(inputs @ k1 + b1) @ k2 + b2)
            scores = hidden @ k3 + b3
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores))
        update(tape.gradient(loss, weights))
        total.assign_add(loss * float(BATCH))
        correct.assign_add(tf.reduce_sum(tf.cast(tf.argmax(scores, 1) == labels, tf.int64)))

    def epoch() -> tuple[float, float]:
        total.assign(0.0)
        correct.assign(0)
        for inputs, labels in batches(x, y):
            step(tf.constant(inputs), tf.constant(labels))
        return float(total) / len(x), float(correct) / len(x)

    return epoch


def fit_epoch(spec: Spec, x: np.ndarray, y: np.ndarray) -> Epoch:
    """The same in the Keras API."""
    keras, scope = keras_like(spec.side, spec.backend)
    with scope():
        hidden = [keras.layers.Dense(width, activation="relu") for width in WIDTHS[1:-1]]
        model = keras.Sequential([keras.Input(WIDTHS[:1]), *hidden, keras.layers.Dense(WIDTHS[-1])])
        model.compile(
            optimizer=keras.optimizers.Adam(RATE),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )

    def epoch() -> tuple[float, float]:
        with scope():
            history = model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0).history
        return history["loss"][0], history["accuracy"][0]

    return epoch


NATIVE = {
    ("native", "torch"): lambda x, y: torch_epoch(x, y, fused=False),
    ("native, variant", "torch"): lambda x, y: torch_epoch(x, y, fused=True),
    ("native", "jax"): jax_epoch,
    ("native", "tensorflow"): lambda x, y: tensorflow_epoch(x, y, jit_compile=False),
    ("native, variant", "tensorflow"): lambda x, y: tensorflow_epoch(x, y, jit_compile=True),
}
VARIANTS = {"torch": "fused Adam", "tensorflow": "XLA"}


def prepare(spec: Spec) -> Prepared:
    """Worker: seconds per step over one epoch, and what the warm-up epochs learned."""
    steps = QUICK_STEPS if spec.quick else STEPS
    x, y = data(steps)
    native = NATIVE.get((spec.side, spec.backend))
    epoch = native(x, y) if native else fit_epoch(spec, x, y)
    epoch()
    loss, accuracy = epoch()

    def measure() -> float:
        start = time.perf_counter()
        epoch()
        return (time.perf_counter() - start) / steps

    return Prepared(measure, {"second epoch": {"loss": loss, "accuracy": accuracy}})


def figure(options: Options) -> Figure:
    """Time per step and kbridge's ratio to the hand-written loop."""
    result = Figure(
        "fit_step",
        "One step of `fit`: MLP 64-128-128-10, batch 32, Adam, accuracy",
        ["native loop", "Keras", "kbridge"],
        "kbridge / native",
    )
    for backend in BACKENDS:
        more = ["native, variant"] if backend in VARIANTS else []
        outcome = side_by_side("fit_step", backend, "", options, variants=more)
        cells = [outcome["native"], outcome["keras"], outcome["kbridge"]]
        result.rows.append(Row(backend, cells, outcome.ratio("kbridge", "native"), BAR))
        for side in more:
            cells = [outcome[side], outcome["keras"], outcome["kbridge"]]
            result.rows.append(Row(f"{backend}, {VARIANTS[backend]}", cells, outcome.ratio("kbridge", side)))
        result.notes += outcome.errors
        learned = [f"{side} {facts['second epoch']['accuracy']:.3f}" for side, facts in outcome.facts.items() if facts]
        result.notes.append(f"Accuracy in the second epoch, {backend}: {', '.join(learned)}.")
        result.facts[backend] = outcome.facts
    return result
