"""A step of training, evaluation or prediction, compiled by the backend."""

from __future__ import annotations

import inspect
from typing import Any

from kbridge.core.context import local
from kbridge.core.tensor.berth import moves


class Steps:
    """The step of one kind on one backend.

    Args:
        model: the model, compiled.
        backend: where it runs.
        kind: "train", "test" or "predict".
        trainable: which variables are trained; another choice needs another step.
    """

    def __init__(self, model: Any, backend: Any, kind: str, trainable: list[bool]) -> None:
        self.model = model
        self.backend = backend
        self.trainable = trainable
        self.trained = model.trainable_variables
        self.regularized = [v for v in model.trainable_weights if v.regularizer is not None]
        metrics = model.metrics_variables if kind != "predict" else []
        optimizer = list(model.optimizer.variables) if kind == "train" else []
        others = [v for v in model.variables if v not in set(self.trained)]
        self.state = (self.trained, others, optimizer, metrics)
        every = list(dict.fromkeys([*self.trained, *others, *optimizer, *metrics]))
        # what a step of this kind may write; the rest is only read
        self.written = {"train": every, "test": list(dict.fromkeys([*others, *metrics])), "predict": []}[kind]
        self.read = [v for v in every if v not in set(self.written)]
        function = getattr(model, f"{kind}_step")
        self.step = _with_state(function, self) if _takes_state(function) else function
        eager = bool(getattr(model, "run_eagerly", False))
        compiled = backend.compile_step(
            self.call, self.read, self.written, jit_compile=getattr(model, "jit_compile", "auto"), eager=eager
        )
        self.compiled = compiled
        self._settled = -1

    def call(self, batch: Any) -> Any:
        """The step itself, with what the model needs to know at hand for its time."""
        model = self.model
        before = local.loss_layers, local.masks
        local.loss_layers, local.masks = [], None
        model._step_now = self
        try:
            return self.step(batch)
        finally:
            for layer in local.loss_layers:
                layer._losses.clear()
            local.loss_layers, local.masks = before
            model._step_now = None

    def added_losses(self) -> list[Any]:
        """What `add_loss` and the regularizers add to the loss of this step."""
        layers = dict.fromkeys(local.loss_layers)
        return [
            *(loss for layer in layers for loss in layer._losses),
            *(variable.regularizer(variable) for variable in self.regularized),
        ]

    def settle(self) -> None:
        """Bring every variable to this backend: compiled steps don't look where they are."""
        for variable in (*self.read, *self.written):
            variable.settle(self.backend)
        self._settled = moves.count

    def __call__(self, batch: Any) -> Any:
        if moves.count != self._settled:  # a callback may have used them on another backend
            self.settle()
        return self.compiled(batch)


def _takes_state(function: Any) -> bool:
    """Whether an overridden step has Keras's JAX form, `train_step(self, state, data)`."""
    return "state" in inspect.signature(function).parameters


def _with_state(function: Any, steps: Steps) -> Any:
    def step(batch: Any) -> Any:
        state = tuple([v.value for v in group] for group in steps.state)
        logs, state = function(state, batch)
        for group, values in zip(steps.state, state, strict=False):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return logs

    return step
