"""compile, fit, evaluate, predict: the part of a model that trains. One loop for every backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbridge.core.callbacks.callback_list import CallbackList
from kbridge.core.context import current_backend, decide, local, running
from kbridge.core.errors import BackendError, NotBuiltError
from kbridge.core.graph.node import leaves, map_leaves
from kbridge.core.layers.base import Layer
from kbridge.core.metrics.metric import Metric
from kbridge.core.metrics.reduction import Mean
from kbridge.core.ops.declare import kernel
from kbridge.core.optimizers.find import get as find_optimizer
from kbridge.core.registry import batch_source
from kbridge.core.saving.config import deserialize_keras_object, serialize_keras_object
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import spec_of
from kbridge.core.training.compile import CompiledLoss, CompiledMetrics
from kbridge.core.training.loop import Epochs, run_epoch
from kbridge.core.training.step import Steps


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and weights from a batch: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`."""
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(f"A batch is x, (x, y) or (x, y, sample_weight); got a tuple of {len(data)}.")
    x, y, sample_weight = [*data, None, None][:3]
    return x, y, sample_weight


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """A batch that `unpack_x_y_sample_weight` opens again: as short as it can be.

    >>> pack_x_y_sample_weight(1), pack_x_y_sample_weight([1, 2]), pack_x_y_sample_weight(1, 2)
    (1, ([1, 2],), (1, 2))
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (list, tuple)) else x


class Trainer(Layer):
    """Mixed into Model."""

    _graph: Any  # what `Model` runs, if it is made of one
    optimizer: Any = None
    compiled = False
    stop_training = False
    _arguments_of_compile: dict[str, Any]
    _step_now: Any = None  # the compiled step that is being run or traced

    # --- compile -----------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how the model is trained.

        Args:
            optimizer: a name or an Optimizer.
            loss: a name, function or Loss; a list or dict of them for several outputs.
            loss_weights: numbers that the losses of several outputs are multiplied by.
            metrics, weighted_metrics: names, functions or Metrics; weighted ones use the sample weights.
            run_eagerly: run steps without compiling them.
            steps_per_execution: accepted for Keras's signature; each step is its own execution.
            jit_compile: True compiles further (XLA on TensorFlow, torch.compile on torch).
            auto_scale_loss: accepted for Keras's signature.
        """
        self._arguments_of_compile = {
            "optimizer": optimizer, "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
            "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution, "jit_compile": jit_compile,
        }  # fmt: skip
        self.optimizer = find_optimizer(optimizer)
        self.loss = loss
        self.run_eagerly = run_eagerly
        self.jit_compile = jit_compile
        self._compiled_loss = CompiledLoss(loss, loss_weights) if loss is not None else None
        self._compiled_metrics = CompiledMetrics(metrics, weighted_metrics)
        self._loss_tracker = Mean(name="loss")
        self._steps: dict[Any, Any] = {}
        self.compiled = True

    def get_compile_config(self) -> dict[str, Any] | None:
        """What `compile` was called with, ready for JSON."""
        if not self.compiled:
            return None
        return {**serialize_keras_object({**self._arguments_of_compile, "optimizer": self.optimizer})}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with stored arguments."""
        known = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly", "jit_compile")
        given = {name: deserialize_keras_object(config[name]) for name in known if config.get(name) is not None}
        self.compile(**given)
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def _need_compile(self, what: str) -> None:
        if not self.compiled:
            raise NotBuiltError(f"Call model.compile(...) before model.{what}(...).")

    @property
    def metrics(self) -> list[Any]:
        """The loss tracker, the compiled metrics, and metrics held by the model's layers."""
        held = [m for layer in self._flatten_layers() for m in layer.__dict__.values() if isinstance(m, Metric)]
        if not self.compiled:
            return held
        ours: list[Any] = [self._loss_tracker]
        if self._compiled_loss is not None:
            ours += self._compiled_loss.trackers
        ours += self._compiled_metrics.metrics
        return ours + [m for m in held if m is not self._loss_tracker]

    @property
    def metrics_names(self) -> list[str]:
        """The names of the metrics."""
        return [m.name for m in self.metrics]

    @property
    def metrics_variables(self) -> list[Any]:
        """The variables of all metrics."""
        return [v for m in self.metrics for v in m.variables]

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    # --- steps, which users may override -----------------------------------------------------------

    def train_step(self, data: Any) -> Any:
        """One step of training on one batch: forward, loss, gradients, update, metrics."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        variables = self._trained_now()

        def forward() -> tuple[Any, Any]:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight, training=True)
            return self.optimizer.scale_loss(loss), (loss, y_pred)

        (_, (loss, y_pred)), gradients = kernel.gradients(forward, variables, self._written_now)
        self.optimizer.apply(gradients, variables)
        self._loss_tracker.update_state(loss, sample_weight=_batch_size(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> Any:
        """One step of evaluation on one batch."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        loss = self.compute_loss(x, y, y_pred, sample_weight, training=False)
        self._loss_tracker.update_state(loss, sample_weight=_batch_size(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The outputs for one batch."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The number to make small: the compiled loss and the losses that layers added."""
        parts = []
        if self._compiled_loss is not None:
            parts.append(self._compiled_loss(y, y_pred, sample_weight))
        parts += self._added_losses()
        if not parts:
            raise ValueError("There is no loss: give compile(loss=...) one, or add one with add_loss.")
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def _added_losses(self) -> list[Any]:
        """`losses`; inside a step, without walking the model to find them."""
        step = self._step_now
        return self.losses if step is None else step.added_losses()

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Update the compiled metrics. Returns None: their values are read when somebody looks."""
        self._compiled_metrics.update(y, y_pred, sample_weight)

    def get_metrics_result(self) -> dict[str, Any]:
        """The metrics' values now, by name, as tensors."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            results.update(value if isinstance(value, dict) else {metric.name: value})
        return results

    def _trained_now(self) -> list[Any]:
        step = self._step_now
        return self.trainable_variables if step is None else step.trained

    @property
    def _written_now(self) -> list[Any]:
        step = self._step_now
        return [*self.variables, *self.metrics_variables] if step is None else step.written

    # --- fit, evaluate, predict --------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Train for some epochs.

        Args:
            x, y: arrays (nested in lists or dicts for several inputs and outputs), or a dataset of batches.
            batch_size: samples in a step, 32 if None; not for datasets.
            epochs: the epoch to end with.
            verbose: 0 silent, 1 a progress bar, 2 a line per epoch.
            callbacks: called at the start and end of training, epochs and batches.
            validation_split: share of the samples, from the end, kept for validation.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or a dataset.
            shuffle: whether arrays are put in a new order in each epoch.
            class_weight: class number -> weight of its samples.
            sample_weight: weights of the samples.
            initial_epoch: the epoch to start with.
            steps_per_epoch, validation_steps: batches in an epoch, all if None.
            validation_batch_size: `batch_size` for validation.
            validation_freq: validate every that many epochs.

        Returns:
            A History: `history.history` holds the loss and the metrics of each epoch.

        Raises:
            NotBuiltError: `compile` wasn't called.
            BackendError: the backend has no gradients (NumPy).
        """
        self._need_compile("fit")
        backend = self._backend_for(x)
        if not backend.trains:
            raise BackendError(
                f"The {backend.name} backend has no gradients, so it can't train. Choose another: "
                '`with kbridge.backend_scope("jax"):`, or "torch", or "tensorflow".'
            )
        source = batch_source()(
            x,
            y,
            sample_weight,
            batch_size=batch_size,
            shuffle=shuffle,
            class_weight=class_weight,
            steps=steps_per_epoch,
        )
        if validation_split:
            source, validation_data = source.cut(validation_split)
        with running(backend):
            self._prepare(source.peek())
            steps = self._steps_on(backend, "train")
            epochs_run = Epochs(self, steps, source, callbacks, verbose, initial_epoch, epochs)
            validate = None
            if validation_data is not None:

                def validate() -> dict[str, float]:
                    inputs, targets, weights = unpack_x_y_sample_weight(validation_data)
                    results = self.evaluate(
                        inputs, targets, sample_weight=weights, batch_size=validation_batch_size or batch_size,
                        steps=validation_steps, verbose=0, return_dict=True, callbacks=epochs_run.callbacks,
                    )  # fmt: skip
                    return {f"val_{name}": value for name, value in results.items()}

            return epochs_run.run(validate, validation_freq)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and the metrics on data.

        Args:
            x, y, batch_size, sample_weight, callbacks, verbose: as in `fit`.
            steps: batches to use, all if None.
            return_dict: whether to return a dict instead of a list.
        """
        self._need_compile("evaluate")
        backend = self._backend_for(x)
        source = batch_source()(x, y, sample_weight, batch_size=batch_size, shuffle=False, steps=steps)
        with running(backend):
            self._prepare(source.peek())
            step = self._steps_on(backend, "test")
            hooks = _callback_list(self, callbacks, verbose, epochs=1, steps=source.steps)
            self.reset_metrics()
            hooks.on_test_begin()
            logs = run_epoch(self, step, source, hooks, "test")
            hooks.on_test_end(logs)
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for data, as NumPy arrays.

        Args:
            x, batch_size, verbose, callbacks: as in `fit`.
            steps: batches to use, all if None.
        """
        backend = self._backend_for(x)
        source = batch_source()(x, None, None, batch_size=batch_size, shuffle=False, steps=steps)
        with running(backend):
            self._build_on(source.peek()[0])
            step = self._steps_on(backend, "predict")
            hooks = _callback_list(self, callbacks, 0, epochs=1, steps=source.steps)
            hooks.on_predict_begin()
            parts = []
            for i, batch in enumerate(source.batches()):
                hooks.on_predict_batch_begin(i)
                parts.append(step(batch))
                hooks.on_predict_batch_end(i, {"outputs": parts[-1]})
            hooks.on_predict_end()
            flat = [[backend.to_numpy(t) for t in leaves(part)] for part in parts]
        joined = iter([np.concatenate(column) for column in zip(*flat, strict=True)])
        return map_leaves(lambda _: next(joined), parts[0])

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One step of training on this batch; returns the loss and the metrics so far."""
        self._need_compile("train_on_batch")
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and the metrics so far, after this batch."""
        self._need_compile("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        backend = self._backend_for(x)
        with running(backend):
            self._build_on(x)
            outputs = self._steps_on(backend, "predict")((x,))
            return map_leaves(backend.to_numpy, outputs)

    def _on_batch(self, kind: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, as_dict: bool) -> Any:
        backend = self._backend_for(x)
        if kind == "train" and not backend.trains:
            raise BackendError(f"The {backend.name} backend has no gradients, so it can't train. Choose another one.")
        size = len(leaves(x)[0])
        source = batch_source()(x, y, sample_weight, batch_size=size, shuffle=False, class_weight=class_weight)
        with running(backend):
            batch = source.peek()
            self._prepare(batch)
            logs = self._steps_on(backend, kind)(batch)
            values = _floats(logs if logs else self.get_metrics_result())
        if as_dict:
            return values
        return next(iter(values.values())) if len(values) == 1 else list(values.values())

    # --- behind them -------------------------------------------------------------------------------

    def _backend_for(self, x: Any) -> Any:
        """Scope, then the data's own framework, then the default."""
        if local.running is not None:
            return local.running
        return decide(leaves(x)) if not hasattr(x, "__next__") else current_backend()

    def _build_on(self, x: Any) -> None:
        """Make the weights, following the model on shapes only."""
        if not self.built:
            specs = map_leaves(_free_batch, x)
            self._build_for((specs,), {})
            if self._graph is None:
                self._follow((specs,), {})

    def _prepare(self, batch: Any) -> None:
        """Everything that must exist before the first step: weights, metrics, optimizer slots."""
        x, y, _ = unpack_x_y_sample_weight(batch)
        self._build_on(x)
        if not self._compiled_metrics.built and y is not None:
            specs = map_leaves(_free_batch, x)
            y_pred = self.compute_output_spec(specs)
            self._compiled_metrics.build(map_leaves(_free_batch, y), y_pred, self)
            if self._compiled_loss is not None:
                self._compiled_loss.build(y_pred, self)
        if self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def _steps_on(self, backend: Any, kind: str) -> Any:
        """The compiled step of that kind on that backend, made once; the variables are brought there."""
        known = self.__dict__.setdefault("_steps", {})
        steps = known.get((backend.name, kind))
        trainable = [v.trainable for v in self.variables]
        if steps is None or steps.trainable != trainable:
            steps = known[backend.name, kind] = Steps(self, backend, kind, trainable)
        return steps

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name not in ("_steps", "_step_now")}


def _batch_size(x: Any) -> Any:
    """How many samples a batch has."""
    return kernel.shape_of(leaves(x)[0])[0]


def _free_batch(value: Any) -> Any:
    """The spec of an array, the size of the batch left open."""
    if value is None or isinstance(value, str):
        return value
    spec = spec_of(value)
    return KerasTensor((None, *spec.shape[1:]), spec.dtype)


def _floats(logs: dict[str, Any]) -> dict[str, float]:
    return {name: float(kernel.to_numpy(kernel.convert(value))) for name, value in logs.items()}


def _callback_list(model: Any, callbacks: Any, verbose: Any, epochs: int, steps: int | None) -> CallbackList:
    if isinstance(callbacks, CallbackList):
        return callbacks
    return CallbackList(
        callbacks, add_history=True, add_progbar=verbose not in (0, False), verbose=verbose, epochs=epochs,
        steps=steps, model=model,
    )  # fmt: skip


__all__: Sequence[str] = ("Trainer", "unpack_x_y_sample_weight")
