"""fit, evaluate, predict on every backend: the same model, the same numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import kbridge as keras
from kbridge import Input, Model, backend_scope, callbacks, initializers, layers, losses, metrics, optimizers
from kbridge.core.context import local
from kbridge.core.errors import BackendError, NotBuiltError, ShapeError

TRAINING = ("jax", "torch", "tensorflow")
ALL = (*TRAINING, "numpy")


def problem(count: int = 50) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(0)
    x = draws.normal(size=(count, 6)).astype("float32")
    return x, (x @ draws.normal(size=(6, 3))).argmax(1)


def model_of(optimizer: Any, loss: Any = None, metrics: Any = ("accuracy",), seed: int = 0) -> Model:
    x = Input((6,))
    y = layers.Dense(8, "relu", kernel_initializer=initializers.GlorotUniform(seed + 1))(x)
    model = Model(x, layers.Dense(3, kernel_initializer=initializers.GlorotUniform(seed + 2))(y))
    model.compile(optimizer, loss or losses.SparseCategoricalCrossentropy(from_logits=True), metrics=list(metrics))
    return model


def steps(backend_names: list[str], make_optimizer: Any) -> list[float]:
    """The loss of each of some batches, each step run by the named backend; one model, one optimizer."""
    x, y = problem()
    model = model_of(make_optimizer())
    values = []
    for i, name in enumerate(backend_names):
        batch = slice(10 * i, 10 * i + 10)
        with backend_scope(name):
            model.reset_metrics()
            values.append(model.train_on_batch(x[batch], y[batch])[0])
    return values


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: optimizers.Adam(0.01),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_five_steps_give_the_same_losses_everywhere(optimizer: str) -> None:
    runs = {name: steps([name] * 5, OPTIMIZERS[optimizer]) for name in TRAINING}
    for name in TRAINING[1:]:
        np.testing.assert_allclose(runs[name], runs["jax"], rtol=1e-5)
    assert runs["jax"][-1] != runs["jax"][0]


def conv_steps(backend_names: list[str], make_optimizer: Any) -> list[float]:
    """Like `steps`, with a convnet: its weights and gradients don't lie in memory as they are indexed."""
    x = np.random.default_rng(0).normal(size=(50, 6, 6, 3)).astype("float32")
    y = np.random.default_rng(1).integers(0, 4, 50)
    image = Input((6, 6, 3))
    hidden = layers.Conv2D(5, 3, activation="relu", kernel_initializer=initializers.GlorotUniform(1))(image)
    hidden = layers.BatchNormalization()(hidden)
    hidden = layers.Flatten()(layers.MaxPooling2D(2)(hidden))
    model = Model(image, layers.Dense(4, kernel_initializer=initializers.GlorotUniform(2))(hidden))
    model.compile(make_optimizer(), losses.SparseCategoricalCrossentropy(from_logits=True))
    values = []
    for i, name in enumerate(backend_names):
        batch = slice(10 * i, 10 * i + 10)
        with backend_scope(name):
            model.reset_metrics()
            values.append(model.train_on_batch(x[batch], y[batch]))
    return values


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_convnet_trains_alike_everywhere_and_in_turn(optimizer: str) -> None:
    expected = conv_steps(["jax"] * 5, OPTIMIZERS[optimizer])
    for names in (["torch"] * 5, ["tensorflow"] * 5, ["torch", "jax", "tensorflow", "torch", "jax"]):
        np.testing.assert_allclose(conv_steps(names, OPTIMIZERS[optimizer]), expected, rtol=1e-5)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_backends_can_take_turns(optimizer: str) -> None:
    in_turn = steps(["torch", "jax", "tensorflow", "torch", "jax"], OPTIMIZERS[optimizer])
    alone = steps(["torch"] * 5, OPTIMIZERS[optimizer])
    np.testing.assert_allclose(in_turn, alone, rtol=1e-5)


@pytest.mark.parametrize("name", TRAINING)
def test_a_callback_may_use_the_model_on_another_backend(name: str) -> None:
    x, y = problem()
    other = TRAINING[TRAINING.index(name) - 1]
    seen = []

    class Look(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            with backend_scope(other):
                seen.append(self.model.predict(x, verbose=0))

    with backend_scope(name):
        watched, alone = model_of(optimizers.Adam(0.01)), model_of(optimizers.Adam(0.01))
        watched.fit(x, y, batch_size=10, shuffle=False, verbose=0, callbacks=[Look()])
        alone.fit(x, y, batch_size=10, shuffle=False, verbose=0)
        np.testing.assert_allclose(seen[-1], alone.predict(x, verbose=0), rtol=1e-4, atol=1e-5)
    assert len(seen) == 5
    assert all(np.abs(a - b).max() > 1e-4 for a, b in pairwise(seen))


def shared_kernels(name: str) -> list[np.ndarray]:
    """A layer's kernel after each step of two models that train it in turn."""
    x, y = problem(40)
    shared = layers.Dense(8, "relu", kernel_initializer=initializers.GlorotUniform(1))
    given, models, kernels = Input((6,)), [], []
    for seed in (2, 3):
        head = layers.Dense(3, kernel_initializer=initializers.GlorotUniform(seed))
        models.append(Model(given, head(shared(given))))
        models[-1].compile(optimizers.SGD(0.1), losses.SparseCategoricalCrossentropy(from_logits=True))
    with backend_scope(name):
        for model in models * 2:
            model.train_on_batch(x, y)
            kernels.append(shared.kernel.numpy())
    return kernels


def test_two_models_train_the_layer_they_share() -> None:
    expected = shared_kernels("torch")
    assert all(np.abs(a - b).max() > 1e-4 for a, b in pairwise(expected))
    for name in TRAINING:
        np.testing.assert_allclose(shared_kernels(name), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", TRAINING)
def test_fit_learns_and_tells(name: str) -> None:
    x, y = problem(200)
    with backend_scope(name):
        model = model_of(optimizers.Adam(0.02))
        history = model.fit(x, y, epochs=8, batch_size=32, validation_split=0.2, verbose=0)
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert all(isinstance(v, float) for v in history.history["loss"])
    assert history.history["loss"][-1] < 0.7 * history.history["loss"][0]
    assert len(history.epoch) == 8


@pytest.mark.parametrize("name", ALL)
def test_evaluate_and_predict_equal_numpy(name: str) -> None:
    x, y = problem(45)  # 32 and a rest
    model = model_of("sgd")
    kernels = model.get_weights()
    hidden = np.maximum(x @ kernels[0] + kernels[1], 0)
    logits = hidden @ kernels[2] + kernels[3]
    away = logits - logits.max(1, keepdims=True)
    logs = away - np.log(np.exp(away).sum(1, keepdims=True))
    with backend_scope(name):
        result = model.evaluate(x, y, verbose=0, return_dict=True)
        predicted = model.predict(x, verbose=0)
    np.testing.assert_allclose(predicted, logits, atol=1e-5)
    np.testing.assert_allclose(result["loss"], -logs[np.arange(45), y].mean(), rtol=1e-5)
    np.testing.assert_allclose(result["accuracy"], (logits.argmax(1) == y).mean(), rtol=1e-6)


@pytest.mark.parametrize("name", TRAINING)
def test_compiles_at_most_twice_for_a_partial_batch(name: str) -> None:
    """The model's Python runs once for each trace; eager torch runs it each step and is left out."""
    if name == "torch":
        pytest.skip("torch steps are eager: there is nothing to compile again")
    calls = []

    class Spy(layers.Layer):
        def call(self, inputs: Any) -> Any:
            calls.append(tuple(inputs.shape))
            return inputs * 1.0

    x, y = problem(50)
    inputs = Input((6,))
    with backend_scope(name):
        model = Model(inputs, layers.Dense(3)(Spy()(inputs)))
        model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
        calls.clear()
        model.fit(x, y, epochs=3, batch_size=16, verbose=0)
    traced = [shape for shape in calls if shape[0] is not None or name != "jax"]  # None: shapes only
    assert 1 <= len(traced) <= 2, calls


def test_numpy_refuses_to_train() -> None:
    x, y = problem()
    with backend_scope("numpy"), pytest.raises(BackendError, match="has no gradients"):
        model_of("sgd").fit(x, y, verbose=0)


@pytest.mark.parametrize("what", ["fit", "evaluate", "train_on_batch"])
def test_needs_compile(what: str) -> None:
    x = Input((6,))
    model = Model(x, layers.Dense(3)(x))
    with pytest.raises(NotBuiltError, match=r"Call model.compile\(\.\.\.\)"):
        getattr(model, what)(*problem())


def test_lengths_must_agree() -> None:
    x, y = problem()
    with backend_scope("torch"), pytest.raises(ShapeError, match="same number of samples"):
        model_of("sgd").fit(x, y[:-1], verbose=0)


def test_wrong_number_of_features_is_named() -> None:
    _, y = problem()
    with backend_scope("numpy"), pytest.raises(ShapeError, match="has shape"):
        model_of("sgd").evaluate(np.ones((50, 5), "float32"), y, verbose=0)


@pytest.mark.parametrize("name", TRAINING)
def test_no_mask_outlives_its_step(name: str) -> None:
    """A mask holds its tensor: those of a step would pile up, and tracers would leak out of a trace."""
    x = np.random.default_rng(0).integers(0, 5, (24, 7)).astype("int32")
    model = keras.Sequential([Input((7,), dtype="int32"), layers.Embedding(5, 3, mask_zero=True), layers.LSTM(2)])
    model.compile("sgd", "mse", run_eagerly=True)
    held: list[Any] = []
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_: held.append(local.masks))
    with backend_scope(name):
        model.fit(x, np.zeros((24, 2), "float32"), batch_size=8, verbose=0, callbacks=[watch])
        model.predict(x, verbose=0)
    assert [*held, local.masks] == [None] * 4


@pytest.mark.parametrize("name", TRAINING)
def test_sample_and_class_weights(name: str) -> None:
    x, y = problem(30)
    weights = np.where(y == 0, 3.0, 1.0).astype("float32")
    results = []
    for given in ({"sample_weight": weights}, {"class_weight": {0: 3.0, 1: 1.0, 2: 1.0}}, {}):
        with backend_scope(name):
            model = model_of("sgd")
            history = model.fit(x, y, batch_size=30, epochs=1, shuffle=False, verbose=0, **given)
            results.append(history.history["loss"][0])
    assert results[0] == pytest.approx(results[1], rel=1e-6)
    assert results[0] != pytest.approx(results[2], rel=1e-3)


@pytest.mark.parametrize("name", TRAINING)
def test_losses_that_layers_add_count_once_each_step(name: str) -> None:
    class Pull(layers.Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss(0.5)
            return inputs

    x, _ = problem(20)
    with backend_scope(name):
        inputs = Input((6,))
        plain = layers.Dense(1, kernel_initializer="zeros")
        regular = layers.Dense(1, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.1))
        model = Model(inputs, plain(Pull()(inputs)))
        model.compile(optimizers.SGD(0.0), "mse")
        model.fit(x, np.zeros((20, 1)), batch_size=10, epochs=2, verbose=0)
        assert model.evaluate(x, np.zeros((20, 1)), verbose=0) == pytest.approx(0.5)
        model = Model(inputs, regular(inputs * 0.0))
        model.compile(optimizers.SGD(0.0), "mse")
        assert model.train_on_batch(x, np.zeros((20, 1))) == pytest.approx(0.6, rel=1e-5)


@pytest.mark.parametrize("name", TRAINING)
def test_two_inputs_and_outputs(name: str) -> None:
    a, b = Input((6,), name="a"), Input((6,), name="b")
    left, right = layers.Dense(3, name="left")(a), layers.Dense(1, name="right")(b)
    x, y = problem(40)
    with backend_scope(name):
        model = Model([a, b], [left, right])
        model.compile(
            "sgd",
            [losses.SparseCategoricalCrossentropy(from_logits=True), "mse"],
            loss_weights=[1.0, 0.5],
            metrics=[["accuracy"], ["mae"]],
        )
        logs = model.fit([x, x], [y, x[:, :1]], verbose=0, batch_size=20).history
    assert set(logs) == {"loss", "left_loss", "right_loss", "left_accuracy", "right_mae"}
    assert logs["loss"][0] == pytest.approx(logs["left_loss"][0] + 0.5 * logs["right_loss"][0], rel=1e-4)


@pytest.mark.parametrize("name", TRAINING)
def test_subclassed_model_with_batch_norm_and_dropout(name: str) -> None:
    class Net(Model):
        def __init__(self) -> None:
            super().__init__()
            self.first = layers.Dense(8, "relu")
            self.norm = layers.BatchNormalization()
            self.drop = layers.Dropout(0.3, seed=3)
            self.out = layers.Dense(3)

        def call(self, inputs: Any, training: bool | None = None) -> Any:
            return self.out(self.drop(self.norm(self.first(inputs), training=training)))

    x, y = problem(100)
    with backend_scope(name):
        model = Net()
        model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        history = model.fit(x, y, epochs=12, batch_size=20, verbose=0)
        assert history.history["loss"][-1] < history.history["loss"][0]
        assert not np.allclose(model.norm.moving_mean.numpy(), 0)
        first, second = model.predict(x, verbose=0), model.predict(x, verbose=0)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", TRAINING)
def test_own_train_step_written_once(name: str) -> None:
    class Net(Model):
        def train_step(self, data: Any) -> Any:
            x, y = data

            def loss() -> Any:
                return keras.ops.mean(keras.ops.square(self(x, training=True) - y))

            value, gradients = keras.value_and_grad(loss, self.trainable_variables, states=self.variables)()
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"mine": value}

    x, _ = problem(40)
    inputs = Input((6,))
    with backend_scope(name):
        model = Net(inputs, layers.Dense(1)(inputs))
        model.compile(optimizers.SGD(0.1))
        history = model.fit(x, x[:, :1], epochs=10, batch_size=20, verbose=0).history
    assert history["mine"][-1] < 0.5 * history["mine"][0]


def test_own_train_step_in_keras_jax_form() -> None:
    import jax

    class Net(Model):
        def train_step(self, state: Any, data: Any) -> Any:
            trained, others, optimizer, metrics_state = state
            x, y = data

            def loss(trained: Any) -> Any:
                y_pred, _ = self.stateless_call(trained, others, x, training=True)
                return keras.ops.mean(keras.ops.square(y_pred - y))

            value, gradients = jax.value_and_grad(loss)(trained)
            trained, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trained)
            return {"mine": value}, (trained, others, optimizer, metrics_state)

    x, _ = problem(40)
    inputs = Input((6,))
    with backend_scope("jax"):
        model = Net(inputs, layers.Dense(1)(inputs))
        model.compile(optimizers.SGD(0.1))
        history = model.fit(x, x[:, :1], epochs=10, batch_size=20, verbose=0).history
    assert history["mine"][-1] < 0.5 * history["mine"][0]


def test_own_train_step_in_torch_form() -> None:
    import torch

    class Net(Model):
        def train_step(self, data: Any) -> Any:
            x, y = data
            with torch.enable_grad():
                loss = ((self(x, training=True) - y) ** 2).mean()
                for variable in self.trainable_variables:
                    variable.value.grad = None
                loss.backward()
            self.optimizer.apply([v.value.grad for v in self.trainable_variables], self.trainable_variables)
            return {"mine": loss.detach()}

    x, _ = problem(40)
    inputs = Input((6,))
    with backend_scope("torch"):
        model = Net(inputs, layers.Dense(1)(inputs))
        model.compile(optimizers.SGD(0.1))
        history = model.fit(x, x[:, :1], epochs=10, batch_size=20, verbose=0).history
    assert history["mine"][-1] < 0.5 * history["mine"][0]


def test_the_datas_framework_decides() -> None:
    import torch

    x, y = problem(20)
    model = model_of("sgd")
    model.fit(torch.from_numpy(x), torch.from_numpy(y), verbose=0)
    assert model.weights[0].home == "torch"


@pytest.mark.parametrize("name", TRAINING)
def test_datasets_of_batches(name: str) -> None:
    x, y = problem(40)

    class Batches:
        def __iter__(self) -> Any:
            return iter([(x[:20], y[:20]), (x[20:], y[20:])])

    with backend_scope(name):
        from_arrays, from_batches = model_of("sgd"), model_of("sgd")
        expected = from_arrays.fit(x, y, batch_size=20, shuffle=False, epochs=2, verbose=0).history["loss"]
        assert from_batches.fit(Batches(), epochs=2, verbose=0).history["loss"] == pytest.approx(expected, rel=1e-6)
        generator = (batch for _ in range(2) for batch in Batches())
        again = model_of("sgd").fit(generator, steps_per_epoch=2, epochs=2, verbose=0).history["loss"]
        assert again == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", TRAINING)
def test_frozen_layers_stay(name: str) -> None:
    x, y = problem(20)
    with backend_scope(name):
        model = model_of(optimizers.SGD(0.5))
        model.fit(x, y, verbose=0)
        model.layers[1].trainable = False
        model.compile(optimizers.SGD(0.5), losses.SparseCategoricalCrossentropy(from_logits=True))
        before = model.get_weights()
        model.fit(x, y, verbose=0)
        after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert not np.array_equal(before[2], after[2])


@pytest.mark.parametrize("name", TRAINING)
def test_mixed_precision_trains(name: str) -> None:
    x, y = problem(60)
    with backend_scope(name):
        inputs = Input((6,))
        hidden = layers.Dense(8, "relu", dtype="mixed_bfloat16")(inputs)
        model = Model(inputs, layers.Dense(3, dtype="float32")(hidden))
        model.compile(optimizers.Adam(0.02), losses.SparseCategoricalCrossentropy(from_logits=True))
        history = model.fit(x, y, epochs=10, batch_size=20, verbose=0).history["loss"]
    assert hidden.dtype == "bfloat16"
    assert model.weights[0].dtype == "float32"
    assert history[-1] < history[0]


@pytest.mark.parametrize("name", TRAINING)
def test_running_eagerly_changes_nothing(name: str) -> None:
    x, y = problem(40)
    results = []
    for eager in (False, True):
        with backend_scope(name):
            model = model_of("adam")
            model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=eager)
            results.append(model.fit(x, y, epochs=2, batch_size=20, shuffle=False, verbose=0).history["loss"])
    assert results[0] == pytest.approx(results[1], rel=1e-5)


def test_progress_bar_and_summary_print(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = problem(40)
    with backend_scope("torch"):
        model = model_of("sgd")
        model.fit(x, y, epochs=1, verbose=2)
        model.summary()
    shown = capsys.readouterr().out
    for word in ("loss", "accuracy", "dense", "Total params: 83"):
        assert word in shown


def test_same_seed_same_weights_on_every_backend() -> None:
    weights = []
    for name in ALL:
        keras.utils.set_random_seed(7)
        with backend_scope(name):
            x = Input((6,))
            model = Model(x, layers.Dense(3)(layers.Dense(5, kernel_initializer="he_normal")(x)))
            model(np.ones((1, 6), "float32"))
            weights.append(model.get_weights())
    for other in weights[1:]:
        for a, b in zip(weights[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_metrics_objects_and_names() -> None:
    x, y = problem(30)
    with backend_scope("jax"):
        model = model_of("sgd", metrics=[metrics.SparseCategoricalAccuracy(name="mine"), "acc"])
        logs = model.fit(x, y, verbose=0).history
    assert logs["mine"] == logs["acc"]
