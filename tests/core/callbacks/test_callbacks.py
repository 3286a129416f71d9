"""Callbacks: the same calls with the same logs as the installed Keras makes of them."""

from __future__ import annotations

import io
import math
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

import kbridge
from kbridge import callbacks, metrics, optimizers
from kbridge.core.callbacks.logs import LazyLogs


class Model:
    """What callbacks touch of a model; it notes what is done to it."""

    def __init__(self, module: Any) -> None:
        self.optimizer = module.optimizers.SGD(0.5)
        self.metrics = [module.metrics.SparseCategoricalAccuracy(name="accuracy"), module.metrics.MeanSquaredError()]
        self.stop_training = False
        self.weights = 0
        self.saved: list[str] = []
        self.history: Any = None

    def get_weights(self) -> list[int]:
        return [self.weights]

    def set_weights(self, weights: list[int]) -> None:
        self.weights = weights[0]

    def save(self, path: str, overwrite: bool = True) -> None:
        self.saved.append(path)

    def save_weights(self, path: str, overwrite: bool = True) -> None:
        self.saved.append(path)


def run(callback: Any, logs: list[dict[str, float]], module: Any = kbridge) -> Any:
    """Epochs with these logs, as `fit` calls them; returns the model."""
    model = Model(module)
    callback.set_model(model)
    callback.set_params({"verbose": 0, "epochs": len(logs), "steps": 2})
    model.rates, model.logs = [], []
    callback.on_train_begin()
    for epoch, given in enumerate(logs):
        entry = dict(given)
        callback.on_epoch_begin(epoch)
        model.rates.append(float(np.asarray(model.optimizer.learning_rate)))
        for batch in range(2):
            callback.on_train_batch_begin(batch)
            callback.on_train_batch_end(batch, entry)
        model.weights = epoch
        callback.on_epoch_end(epoch, entry)
        model.logs.append(entry)
        if model.stop_training:
            break
    callback.on_train_end()
    return model


def losses(*values: float) -> list[dict[str, float]]:
    return [{"loss": 2 * v, "val_loss": v, "val_accuracy": -v} for v in values]


FALLING, BUMPY = losses(5, 4, 3, 2, 1), losses(5, 4, 4.5, 4.2, 3.9, 6, 7, 8, 3, 9)
STUCK, WORSE = losses(*[1.0] * 8), losses(1, 2, 3, 4, 5)
RUNS = {"falling": FALLING, "bumpy": BUMPY, "stuck": STUCK, "worse": WORSE}


@pytest.mark.parametrize("logs", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize(
    "arguments",
    [
        {}, {"patience": 2}, {"patience": 2, "restore_best_weights": True}, {"patience": 1, "min_delta": 0.5},
        {"patience": 1, "baseline": 3.5}, {"patience": 1, "start_from_epoch": 3, "restore_best_weights": True},
        {"patience": 2, "monitor": "val_accuracy", "restore_best_weights": True},
        {"monitor": "val_loss", "mode": "max"},
    ],
    ids=str,
)  # fmt: skip
def test_early_stopping_as_keras(arguments: dict[str, Any], logs: Any) -> None:
    facts = []
    for module in (kbridge, keras):
        callback = module.callbacks.EarlyStopping(**arguments)
        if module is keras and arguments.get("monitor") == "val_accuracy":
            callback.mode = "max"  # Keras finds a metric's direction only in its own list of metrics
        model = run(callback, logs, module)
        facts.append((len(model.rates), model.stop_training, callback.stopped_epoch, model.weights))
    assert facts[0] == facts[1]


@pytest.mark.parametrize("logs", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize(
    "arguments",
    [{"patience": 1}, {"patience": 2, "factor": 0.5, "cooldown": 2}, {"patience": 1, "min_lr": 0.02}],
    ids=str,
)
def test_reduce_lr_on_plateau_as_keras(arguments: dict[str, Any], logs: Any) -> None:
    ours, theirs = (run(m.callbacks.ReduceLROnPlateau(**arguments), logs, m) for m in (kbridge, keras))
    np.testing.assert_allclose(ours.rates, theirs.rates, rtol=1e-6)
    np.testing.assert_allclose(
        [e["learning_rate"] for e in ours.logs], [e["learning_rate"] for e in theirs.logs], rtol=1e-6
    )


def test_learning_rate_scheduler_as_keras() -> None:
    ours, theirs = (
        run(m.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5 if epoch else rate), FALLING, m)
        for m in (kbridge, keras)
    )
    assert ours.rates == theirs.rates == [0.5, 0.25, 0.125, 0.0625, 0.03125]
    assert [e["learning_rate"] for e in ours.logs] == ours.rates


@pytest.mark.parametrize("logs", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize(
    "arguments",
    [
        {}, {"save_best_only": True}, {"save_best_only": True, "initial_value_threshold": 3.5}, {"save_freq": 3},
        {"save_best_only": True, "monitor": "val_accuracy", "mode": "max"},
    ],
    ids=str,
)  # fmt: skip
def test_model_checkpoint_as_keras(arguments: dict[str, Any], logs: Any, tmp_path: Path) -> None:
    name = "{epoch:02d}-{batch}.keras" if "save_freq" in arguments else "{epoch:02d}-{val_loss:.1f}.keras"
    ours, theirs = (
        run(m.callbacks.ModelCheckpoint(tmp_path / name, **arguments), logs, m).saved for m in (kbridge, keras)
    )
    assert ours == [str(path) for path in theirs]
    assert ours or logs is not FALLING


def test_checkpoint_of_weights(tmp_path: Path) -> None:
    model = run(callbacks.ModelCheckpoint(tmp_path / "deep" / "w.weights.h5", save_weights_only=True), FALLING)
    assert set(model.saved) == {str(tmp_path / "deep" / "w.weights.h5")}
    assert (tmp_path / "deep").is_dir()


@pytest.mark.parametrize("later", [{}, {"val_loss": 1.0}])
def test_csv_as_keras(later: dict[str, float], tmp_path: Path) -> None:
    rows = [{"loss": 0.5, "accuracy": 0.25, **later}, {"loss": 0.25, "accuracy": 0.5, "val_loss": 2.0}]
    for module in (kbridge, keras):
        path = tmp_path / f"{module.__name__}.csv"
        for append in (False, True):
            run(
                module.callbacks.CSVLogger(path if module is kbridge else str(path), separator=";", append=append),
                rows,
                module,
            )
    ours, theirs = (
        list(map(str.split, (tmp_path / f"{name}.csv").read_text().splitlines())) for name in ("kbridge", "keras")
    )
    assert ours == theirs
    assert len(ours) == 5


def test_history_as_keras() -> None:
    facts = []
    for module in (kbridge, keras):
        model = Model(module)
        hooks = module.callbacks.CallbackList([], add_history=True, model=model, epochs=5, steps=2, verbose=0)
        hooks.on_train_begin()
        for epoch, logs in enumerate(FALLING):
            hooks.on_epoch_end(epoch, logs)
        facts.append((model.history.epoch, model.history.history))
    assert facts[0] == facts[1]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_terminate_on_nan(loss: float, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(callbacks.TerminateOnNaN(), [{"loss": 1.0}, {"loss": loss}, {"loss": 1.0}]).stop_training
    assert "Batch 0" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="Lower the learning rate"):
        run(callbacks.TerminateOnNaN(raise_error=True), [{"loss": loss}])


def test_lambda_callback_calls_its_functions() -> None:
    seen: list[Any] = []
    given = {
        "on_train_begin": lambda logs: seen.append("start"),
        "on_train_batch_end": lambda batch, logs: seen.append(batch),
        "on_epoch_end": lambda epoch, logs: seen.append(logs["loss"]), "on_test_end": lambda logs: seen.append("test"),
    }  # fmt: skip
    callback = callbacks.LambdaCallback(**given)
    hooks = callbacks.CallbackList([callback])
    run(hooks, [{"loss": 1.0}])
    hooks.on_test_end()
    assert seen == ["start", 0, 1, 1.0, "test"]
    assert hooks.wants_train_batch_end
    assert not hooks.wants_train_batch_begin
    with pytest.raises(TypeError, match="no hook 'on_epoch_finish'"):
        callbacks.LambdaCallback(on_epoch_finish=print)


# --- the list --------------------------------------------------------------------------------------

RUN_HOOKS = [f"{run}_batch_{moment}" for run in ("train", "test", "predict") for moment in ("begin", "end")]


@pytest.mark.parametrize("hook", RUN_HOOKS)
def test_list_wants_what_a_callback_gives(hook: str) -> None:
    kind = type("Own", (callbacks.Callback,), {f"on_{hook}": lambda self, batch, logs=None: None})
    hooks = callbacks.CallbackList([callbacks.Callback(), kind()])
    assert [name for name in RUN_HOOKS if getattr(hooks, f"wants_{name}")] == [hook]


def test_old_batch_hooks_are_wanted_too() -> None:
    class Old(callbacks.Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            self.last = batch

    old = Old()
    hooks = callbacks.CallbackList(old)
    assert hooks.wants_train_batch_end
    hooks.on_train_batch_end(7)
    assert old.last == 7


def test_nobody_is_called_for_nothing() -> None:
    hooks = callbacks.CallbackList(
        [callbacks.EarlyStopping(), callbacks.ModelCheckpoint("m.keras")],
        add_history=True,
        add_progbar=True,
        verbose=2,
        epochs=1,
        steps=3,
    )
    assert not any(getattr(hooks, f"wants_{name}") for name in RUN_HOOKS)


def test_list_takes_what_looks_like_a_callback() -> None:
    seen: list[int] = []
    stranger = SimpleNamespace(
        set_params=lambda params: None,
        set_model=lambda model: None,
        on_epoch_end=lambda epoch, logs: seen.append(epoch),
    )
    hooks = callbacks.CallbackList([stranger], model=Model(kbridge), epochs=1)
    hooks.on_train_begin()
    hooks.on_epoch_end(3, {})
    assert seen == [3]


def test_logs_reach_the_callbacks_behind() -> None:
    class Adds(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["extra"] = 1.0

    model = Model(kbridge)
    hooks = callbacks.CallbackList([Adds()], add_history=True, model=model)
    hooks.on_train_begin()
    hooks.on_epoch_end(0, {"loss": 2.0})
    assert model.history.history == {"loss": [2.0], "extra": [1.0]}


def test_lazy_logs_ask_once_and_late() -> None:
    asked: list[int] = []

    def read() -> dict[str, float]:
        asked.append(1)
        return {"loss": 0.5}

    logs = LazyLogs(read)
    assert (logs or None) is logs
    assert not asked
    assert logs["loss"] == logs.get("loss") == 0.5
    assert dict(logs) == {"loss": 0.5}
    assert "{loss:.2f}".format(**logs) == "0.50"
    assert str(logs) == "{'loss': 0.5}"
    logs["more"] = 1
    assert {**logs} == {"loss": 0.5, "more": 1}
    del logs["more"]
    assert len(logs) == 1
    assert len(asked) == 1


# --- progress --------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """A terminal that keeps what is written."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def fit_like(verbose: Any, steps: int | None = 4, pause: float = 0.0, epochs: int = 2) -> list[int]:
    """Write the progress of a fit with validation; returns how often logs were read."""
    asked: list[int] = []

    def read() -> dict[str, float]:
        asked.append(1)
        return {"loss": 0.25}

    hooks = callbacks.CallbackList([], add_progbar=True, verbose=verbose, epochs=epochs, steps=steps)
    hooks.on_train_begin()
    for epoch in range(epochs):
        hooks.on_epoch_begin(epoch)
        for batch in range(4):
            time.sleep(pause)
            if hooks.wants_train_batch_end:
                hooks.on_train_batch_end(batch, LazyLogs(read))
        hooks.on_test_begin()
        hooks.on_test_batch_end(0, LazyLogs(read))
        hooks.on_test_end({"loss": 9.0})
        hooks.on_epoch_end(epoch, {"loss": 0.25, "accuracy": 1e-4, "val_loss": 0.5})
    hooks.on_train_end()
    return asked


@pytest.mark.parametrize(("verbose", "steps"), [(1, 4), ("auto", 4), (1, None)])
def test_bar_on_paper_is_a_line_per_epoch(verbose: Any, steps: int | None, capsys: pytest.CaptureFixture[str]) -> None:
    asked = fit_like(verbose, steps)
    lines = capsys.readouterr().out.splitlines()
    assert [lines[0], lines[2]] == ["Epoch 1/2", "Epoch 2/2"]
    assert len(lines) == 4
    for line in (lines[1], lines[3]):
        assert line.startswith("4/4 ━━━━━━━━━━━━━━━━━━━━ 0s ")
        assert line.endswith("s/step - loss: 0.2500 - accuracy: 1.0000e-04 - val_loss: 0.5000")
    assert not asked


def test_line_per_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    assert not fit_like(2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[1].startswith("4/4 - 0s - ")
    assert lines[1].endswith(" - loss: 0.2500 - accuracy: 1.0000e-04 - val_loss: 0.5000")


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    assert not fit_like(0)
    assert capsys.readouterr().out == ""


def test_bar_on_a_terminal_moves_but_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert not fit_like(1, epochs=1)  # the steps are faster than the eye
    monkeypatch.setattr(sys, "stdout", Terminal())
    asked = fit_like(1, pause=0.06, epochs=1)
    frames = sys.stdout.getvalue().split("\r")
    assert 1 <= len(asked) <= 2
    assert len(frames) == len(asked) + 2
    assert frames[1].startswith("2/4 ━━━━━━━━━━──────────")
    assert frames[-1].startswith("4/4 ━━━━━━━━━━━━━━━━━━━━")


def test_bar_where_letters_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", plain)
    fit_like(1)
    assert b"4/4 ====================" in plain.buffer.getvalue()


def test_evaluate_shows_its_own_progress(capsys: pytest.CaptureFixture[str]) -> None:
    hooks = callbacks.CallbackList([], add_progbar=True, verbose=1, epochs=1, steps=3)
    hooks.on_test_begin()
    hooks.on_test_end({"loss": 1.5})
    assert capsys.readouterr().out.endswith("s/step - loss: 1.5000\n")


# --- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (lambda: callbacks.EarlyStopping(mode="up"), '"min" or "max"'),
        (lambda: run(callbacks.EarlyStopping(monitor="val_f1"), [{"val_f1": v} for v in (0.0, 1.0)]), 'mode="max"'),
        (lambda: callbacks.ReduceLROnPlateau(factor=1.0), "below 1"),
        (lambda: callbacks.ModelCheckpoint("model.txt"), "ends in .keras"),
        (lambda: callbacks.ModelCheckpoint("w.keras", save_weights_only=True), "ends in .weights.h5"),
        (lambda: callbacks.ModelCheckpoint("m.keras", save_freq="batch"), "save_freq"),
        (lambda: run(callbacks.ModelCheckpoint("{f1}.keras"), FALLING), "f1"),
        (lambda: run(callbacks.LearningRateScheduler(lambda epoch, rate: "fast"), FALLING), "must return a float"),
        (lambda: callbacks.CSVLogger("log.csv").on_epoch_end(0, {}), "on_train_begin"),
    ],
)
def test_errors_say_what_to_do(bad: Any, said: str) -> None:
    with pytest.raises((ValueError, KeyError), match=said):
        bad()


def test_checkpoint_does_not_write_on_a_folder(tmp_path: Path) -> None:
    (tmp_path / "m.keras").mkdir()
    with pytest.raises(IsADirectoryError, match="Name a file"):
        run(callbacks.ModelCheckpoint(tmp_path / "m.keras"), FALLING)


def test_missing_value_is_said() -> None:
    with pytest.warns(UserWarning, match="val_loss.*loss"):
        run(callbacks.EarlyStopping(), [{"loss": 1.0}])


def test_model_without_an_optimizer() -> None:
    model = Model(kbridge)
    model.optimizer = None
    callback = callbacks.LearningRateScheduler(lambda epoch, rate: 0.1)
    callback.set_model(model)
    with pytest.raises(ValueError, match="Compile the model"):
        callback.on_epoch_begin(0)


def test_direction_comes_from_the_metric() -> None:
    model = run(callbacks.EarlyStopping("val_accuracy", patience=1), [{"val_accuracy": v} for v in (0.1, 0.2, 0.3)])
    assert not model.stop_training
    assert isinstance(model.metrics[0], metrics.SparseCategoricalAccuracy)
    assert isinstance(model.optimizer, optimizers.SGD)
