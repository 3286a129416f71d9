"""One model, four frameworks, one process.

A small convnet learns handwritten digits in JAX. The same weights are then trained on in a torch loop, in a
JAX loop with optax and in a TensorFlow loop, each written by hand as that framework's users write them. At
the end `kbridge export` turns the file into six targets and runs each in its own runtime.

    python examples/demo.py [--out demo_output]

Writes digits.keras, exported/ and predictions.png. Ends with exit code 1 if the accuracy on unseen digits
falls below 97 % or an export fails.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow is imported
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # by torch: its threads sleep while the others' work

import jax
import matplotlib
import numpy as np
import optax
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import kbridge as keras
from kbridge import cli, layers
from kbridge.adapters import to_jax, to_torch, write_back
from kbridge.adapters.export import WRITERS
from kbridge.adapters.quiet import quietly
from kbridge.core.errors import MissingDependencyError

with quietly():  # it announces its kernels on standard error
    import tensorflow as tf

matplotlib.use("Agg")  # no display needed
from picture import draw

SEED = 0
BATCH = 64
GOAL = 0.97  # share of unseen digits that must be read rightly
ROUNDS, EPOCHS = 6, 5  # at most that many rounds of that many epochs, until the goal is reached
FINE_EPOCHS = 2
ADAM_RATE, DESCENT_RATE = 2e-4, 1e-2


class Digits(NamedTuple):
    """Images `(n, 8, 8, 1)`, brightness 0 to 16, and what they show, for training and for testing."""

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray

    def batches(self, epochs: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The training digits in shuffled, whole batches."""
        stream = np.random.default_rng(SEED)
        for _ in range(epochs):
            order = stream.permutation(len(self.x))
            for start in range(0, len(order) - BATCH + 1, BATCH):
                picked = order[start : start + BATCH]
                yield self.x[picked], self.y[picked]


def read_digits() -> Digits:
    """1,797 real digits, bundled with scikit-learn; every fourth is kept for testing."""
    x, y = load_digits(return_X_y=True)
    x = x.reshape(-1, 8, 8, 1).astype("float32")
    x, test_x, y, test_y = train_test_split(x, y.astype("int32"), test_size=0.25, stratify=y, random_state=SEED)
    return Digits(x, y, test_x, test_y)


def build() -> keras.Model:
    """A convnet that gives a score for each of the ten digits."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Rescaling(1 / 16, name="scale"),
            layers.Conv2D(16, 3, padding="same", use_bias=False, name="strokes"),
            layers.BatchNormalization(momentum=0.9, name="norm"),
            layers.Activation("relu", name="relu"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="shapes"),
            layers.Flatten(name="flat"),
            layers.Dropout(0.3, name="drop"),
            layers.Dense(10, name="digit"),
        ],
        name="digits",
    )


def fit_in_jax(model: keras.Model, digits: Digits) -> None:
    """Keras's own way: compile and fit."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with keras.backend_scope("jax"):
        model.compile(keras.optimizers.Adam(2e-3), loss, metrics=["accuracy"])
        for _ in range(ROUNDS):
            model.fit(digits.x, digits.y, batch_size=BATCH, epochs=EPOCHS, verbose=0)
            if model.evaluate(digits.test_x, digits.test_y, verbose=0, return_dict=True)["accuracy"] >= GOAL:
                break


def train_in_torch(model: keras.Model, digits: Digits) -> None:
    """A torch loop: the module's parameters are the model's weights."""
    torch.manual_seed(SEED)
    net = to_torch(model).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=ADAM_RATE)
    for x, y in digits.batches(FINE_EPOCHS):
        loss = torch.nn.functional.cross_entropy(net(torch.from_numpy(x)), torch.from_numpy(y).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def train_in_jax(model: keras.Model, digits: Digits) -> None:
    """A JAX loop: a pure function, pytrees, optax; the result is written back at the end."""
    apply, params, state = to_jax(model)
    optimizer = optax.adamw(ADAM_RATE)

    def loss(params, state, x, y, key):
        scores, state = apply(params, state, x, training=True, rng=key)
        return optax.softmax_cross_entropy_with_integer_labels(scores, y).mean(), state

    @jax.jit
    def step(params, state, slots, x, y, key):
        gradients, state = jax.grad(loss, has_aux=True)(params, state, x, y, key)
        updates, slots = optimizer.update(gradients, slots, params)
        return optax.apply_updates(params, updates), state, slots

    slots = optimizer.init(params)
    for number, (x, y) in enumerate(digits.batches(FINE_EPOCHS)):
        params, state, slots = step(params, state, slots, x, y, jax.random.key(number))
    write_back(model, params, state)


def train_in_tensorflow(model: keras.Model, digits: Digits) -> None:
    """A GradientTape loop: the model is called on TensorFlow's tensors, its weights are tf.Variables."""
    for x, y in digits.batches(FINE_EPOCHS):
        with tf.GradientTape() as tape:
            scores = model(tf.constant(x), training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, scores))
        weights = [variable.value for variable in model.trainable_variables]
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(DESCENT_RATE * gradient)


STEPS = (
    ("jax", "model.fit", fit_in_jax),
    ("torch", "torch.optim.AdamW on to_torch(model)", train_in_torch),
    ("jax", "optax.adamw on to_jax(model)", train_in_jax),
    ("tensorflow", "tf.GradientTape on model(x)", train_in_tensorflow),
)


def accuracy_of(model: keras.Model, digits: Digits, backend: str) -> float:
    """The share of unseen digits that the model reads rightly."""
    with keras.backend_scope(backend):
        scores = model.predict(digits.test_x, verbose=0)
    return float(np.mean(np.argmax(scores, -1) == digits.test_y))


def train(model: keras.Model, digits: Digits) -> None:
    """Train the one model in each framework in turn, and print how well it reads after each."""
    print(f"{len(digits.x):,} digits to learn from, {len(digits.test_x)} unseen ones to test on\n")
    for backend, how, step in STEPS:
        start = time.perf_counter()
        step(model, digits)
        seconds = time.perf_counter() - start
        accuracy = accuracy_of(model, digits, backend)
        print(f"{backend:<10}  {how:<38}  {seconds:5.1f} s   accuracy {accuracy:.1%}", flush=True)
        if accuracy < GOAL:
            sys.exit(f"The accuracy after {how} is {accuracy:.2%}; at least {GOAL:.0%} is expected.")


def with_probabilities(model: keras.Model) -> keras.Model:
    """The model with a softmax behind it: the same layers and weights."""
    return keras.Model(model.inputs, layers.Softmax(name="probability")(model.outputs[0]), name="digits")


def predictions(model: keras.Model, folder: Path, x: np.ndarray) -> dict[str, np.ndarray]:
    """The probabilities that the model and each artefact give, by name; artefacts that can't run here are left out."""
    with keras.backend_scope("jax"):
        found = {"kbridge on JAX": model.predict(x, verbose=0)}
    for name, target in cli.TARGETS.items():
        with quietly():
            try:
                runner = WRITERS[target.format].run(folder / target.file)
            except MissingDependencyError:  # TF.js without Node
                continue
            found[NAMES[name]] = runner([x])[0]
    return found


def agreement(found: dict[str, np.ndarray]) -> str:
    """How many digits all runtimes read alike, and how far their probabilities lie apart."""
    answers = np.stack([each.argmax(-1) for each in found.values()])
    alike = int(np.sum(np.all(answers == answers[0], axis=0)))
    apart = np.ptp(np.stack(list(found.values())), axis=0).max()
    return (
        f"{len(found)} runtimes read {alike} of {answers.shape[1]} unseen digits alike; "
        f"their probabilities lie at most {apart:.1e} apart"
    )


NAMES = {
    "torch": "torch .pt2",
    "jax": "jax.export",
    "savedmodel": "SavedModel",
    "litert": "LiteRT",
    "onnx": "ONNX Runtime",
    "tfjs": "TF.js in Node",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", type=Path, default=Path("demo_output"), help="folder to write to (default: %(default)s)"
    )
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()

    keras.utils.set_random_seed(SEED)
    digits, model = read_digits(), build()
    train(model, digits)

    file = out / "digits.keras"
    final = with_probabilities(model)
    final.save(file)
    print(f"\nsaved {file}\n\n$ kbridge export {file} --out {out / 'exported'} --backend jax", flush=True)
    code = cli.main(["export", str(file), "--out", str(out / "exported"), "--backend", "jax"])
    if code:
        return code

    found = predictions(final, out / "exported", digits.test_x)
    print(f"\n{agreement(found)}")
    draw(out / "predictions.png", digits.test_x, digits.test_y, found)
    print(f"picture: {out / 'predictions.png'}\n{time.perf_counter() - start:.0f} s, after the imports")
    return 0


if __name__ == "__main__":
    sys.exit(main())
