"""The base of optimizers: state, learning rate, and the way of a list of gradients into the variables."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kbridge.core.context import local, running
from kbridge.core.errors import NotBuiltError, ShapeError
from kbridge.core.initializers.constant import Constant
from kbridge.core.ops.elementwise import (
    add,
    cast,
    divide,
    equal,
    floor_divide,
    mod,
    multiply,
    not_equal,
    subtract,
    where,
)
from kbridge.core.ops.outermost import as_tensor, backend_for, outermost
from kbridge.core.optimizers import clip
from kbridge.core.optimizers.schedules import LearningRateSchedule
from kbridge.core.optimizers.state import State
from kbridge.core.saving.allow import is_entry
from kbridge.core.saving.config import object_of, serialize_keras_object
from kbridge.core.settings import floatx
from kbridge.core.tensor.lens import laid_over
from kbridge.core.tensor.variable import Variable


class Optimizer(State):
    """Changes variables by their gradients.

    Subclasses make state for each variable in `build`, with `add_optimizer_variables`, and give
    `update_step(gradient, variable, learning_rate)`.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments.
        weight_decay: share (times the learning rate) taken off each variable before each step.
        clipnorm, clipvalue, global_clipnorm: at most one: the greatest length of each gradient, the
            greatest size of each element, the greatest length of all gradients together.
        use_ema: whether to keep a moving average of the variables, with `ema_momentum`; it replaces
            them every `ema_overwrite_frequency` steps and in `finalize_variable_values`.
        loss_scale_factor: what the loss was multiplied by; gradients are divided by it.
        gradient_accumulation_steps: how many gradients are averaged for one step.
        name: a name, made up if None.

    Everything that calls an optimizer needs `build`, `apply`, `stateless_apply`, `variables` and
    `iterations` of it and nothing else: that is what a wrapped optimizer of another library offers.
    """

    fused: str | None = None  # the backend's own way to do every `update_step` at once, if it has one

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update_step" in cls.__dict__ and "fused" not in cls.__dict__:
            cls.fused = None  # the rule has changed, so the parent's kernel no longer computes it

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise TypeError(f"{type(self).__name__} has no argument {', '.join(map(repr, kwargs))}.")
        _check_clipping(clipnorm=clipnorm, clipvalue=clipvalue, global_clipnorm=global_clipnorm)
        _check_averaging(use_ema, ema_momentum, ema_overwrite_frequency, gradient_accumulation_steps)
        super().__init__(name)
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum = use_ema, ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._trainable_variables: list[Variable] = []
        self._index: dict[Variable, int] = {}
        self._averages: list[Variable] = []
        self._accumulated: list[Variable] = []
        self._undecayed: Callable[[Variable], bool] = lambda variable: False
        self._iterations = self.add_variable((), dtype="int32", name="iteration")
        self._learning_rate = self._settled_rate(learning_rate)
        self._unbuilt = len(self._variables)

    # --- state -------------------------------------------------------------------------------------

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the state for these variables."""
        variables = list(variables)
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulated = self.add_optimizer_variables(variables, "gradient_accumulator")
        self._trainable_variables = variables
        self._index = {variable: i for i, variable in enumerate(variables)}
        self.built = True

    @property
    def iterations(self) -> Any:
        """How many steps were done; with accumulation, how many changed the variables."""
        if self.gradient_accumulation_steps:
            return floor_divide(self._iterations, self.gradient_accumulation_steps)
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next step: a Variable, or what the schedule gives."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            return rate
        return rate(self._iterations) if isinstance(rate, LearningRateSchedule) else rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        if callable(learning_rate):
            if isinstance(self._learning_rate, Variable):
                self._variables = [v for v in self._variables if v is not self._learning_rate]
                self._unbuilt -= 1
            self._learning_rate = learning_rate
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(learning_rate)
        else:
            raise TypeError(
                f"{self.name} follows {self._learning_rate!r}, so its learning rate can't be set to a number. "
                "Make the optimizer with a number to be able to change it."
            )

    def _settled_rate(self, rate: Any) -> Any:
        if isinstance(rate, dict) and is_entry(rate):
            rate = object_of("optimizers.schedules", rate)
        if isinstance(rate, LearningRateSchedule) or (callable(rate) and not isinstance(rate, Variable)):
            return rate
        if isinstance(rate, bool) or not hasattr(rate, "__float__"):
            raise ValueError(f"learning_rate is a number, a LearningRateSchedule or a function, got {rate!r}.")
        start = float(rate)
        return self.add_variable((), Constant(start), floatx(), "learning_rate")

    # --- steps -------------------------------------------------------------------------------------

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one variable by its gradient."""
        raise NotImplementedError(f"{type(self).__name__} needs an update_step(gradient, variable, learning_rate).")

    def update_together(
        self, fused: Callable[..., bool], gradients: list[Any], variables: list[Variable], learning_rate: Any
    ) -> bool:
        """Change all variables by the backend's kernel; False if it can't, and then nothing has changed."""
        return False

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """`apply` for pairs of a gradient and its variable; returns the number of steps done."""
        gradients, variables = zip(*grads_and_vars, strict=True)
        self.apply(gradients, variables)
        return self._iterations

    @outermost
    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Do one step.

        Args:
            grads: a gradient per variable, None where there is none.
            trainable_variables: the variables; those of `build` if None.
        """
        variables = self._known_variables(grads, trainable_variables)
        if not variables:
            return
        grads, variables = self._given_gradients(grads, variables)
        if self.loss_scale_factor is not None:
            grads = [divide(g, self.loss_scale_factor) for g in grads]
        if self.gradient_accumulation_steps:
            self._accumulate(grads, variables)
        else:
            self._step(grads, variables)
        if self.use_ema:
            self._average()
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
        self._iterations.assign_add(1)

    def _known_variables(self, grads: Sequence[Any], given: Sequence[Variable] | None) -> list[Variable]:
        if given is None:
            if not self.built:
                raise NotBuiltError(f"{self.name} has no variables yet: pass them, or call build(variables) first.")
            variables = self._trainable_variables
        else:
            variables = list(given)
            if not self.built:
                self.build(variables)
            unknown = [v.path for v in variables if v not in self._index]
            if unknown:
                raise ValueError(
                    f"{self.name} was built without {', '.join(unknown)}. Make a new optimizer for other variables."
                )
        if len(grads) != len(variables):
            raise ShapeError(f"{self.name} got {len(grads)} gradients for {len(variables)} variables.")
        return variables

    def _given_gradients(self, grads: Sequence[Any], variables: list[Variable]) -> tuple[list[Any], list[Variable]]:
        """Gradients as tensors, without the variables that have none."""
        if all(g is not None for g in grads):
            return [as_tensor(g) for g in grads], variables
        missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
        if len(missing) == len(variables):
            raise ValueError("None of the variables has a gradient. Does the loss depend on them?")
        warnings.warn(f"No gradients for {', '.join(missing)}: the loss doesn't depend on them.", stacklevel=3)
        kept = [(as_tensor(g), v) for g, v in zip(grads, variables, strict=True) if g is not None]
        return [g for g, _ in kept], [v for _, v in kept]

    def _step(self, grads: list[Any], variables: list[Variable]) -> None:
        """Clip, decay and update."""
        grads = self._clipped(grads)
        rate = self.learning_rate
        if self.weight_decay is not None:
            self._decay(variables, rate)
        lens = local.lens
        if self.fused is not None and (lens is None or lens.overlay is None):
            fused = local.running.fused_updates.get(self.fused)
            if fused is not None and self.update_together(fused, grads, variables, rate):
                return
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(cast(gradient, variable.dtype), variable, cast(rate, variable.dtype))

    def _clipped(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm:
            return [clip.by_norm(g, self.clipnorm) for g in grads]
        if self.global_clipnorm:
            return clip.by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue:
            return [clip.by_value(g, self.clipvalue) for g in grads]
        return grads

    def _decay(self, variables: list[Variable], rate: Any) -> None:
        for variable in variables:
            if not self._undecayed(variable):
                share = multiply(cast(rate, variable.dtype), self.weight_decay)
                variable.assign(subtract(variable, multiply(variable, share)))

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Spare these variables, and those whose name holds one of `var_names`, the weight decay."""
        spared = set(var_list or ())
        pattern = re.compile("|".join(var_names)) if var_names else None
        self._undecayed = lambda v: v in spared or (pattern is not None and bool(pattern.search(v.name)))

    # --- accumulation and averages -----------------------------------------------------------------

    def _accumulate(self, grads: list[Any], variables: list[Variable]) -> None:
        steps = self.gradient_accumulation_steps
        sums = [self._accumulated[self._index[v]] for v in variables]
        for total, gradient in zip(sums, grads, strict=True):
            total.assign_add(cast(gradient, total.dtype))

        def step() -> None:
            self._step([divide(total, steps) for total in sums], variables)
            for total in sums:
                total.assign(multiply(total, 0))

        self._only_if(equal(mod(add(self._iterations, 1), steps), 0), step)

    def _average(self) -> None:
        later = not_equal(self.iterations, 0)
        for variable, average in zip(self._trainable_variables, self._averages, strict=True):
            momentum = multiply(cast(later, variable.dtype), self.ema_momentum)
            average.assign(add(multiply(momentum, average), multiply(subtract(1, momentum), variable)))
        if self.ema_overwrite_frequency:
            due = equal(mod(add(self.iterations, 1), self.ema_overwrite_frequency), 0)
            self._only_if(due, lambda: self.finalize_variable_values(self._trainable_variables))

    def _only_if(self, condition: Any, change: Callable[[], None]) -> None:
        """Do `change` if the condition holds; in a trace, where nobody knows yet, choose the values after it."""
        if not local.running.is_tracing():
            if bool(condition):
                change()
            return
        variables = [*self._trainable_variables, *self._variables]
        before = {variable: as_tensor(variable) for variable in variables}
        after = dict(before)
        with laid_over(after):
            change()
        for variable in variables:
            if after[variable] is not before[variable]:
                variable.assign(where(condition, after[variable], before[variable]))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Put the moving averages, if there are any, in the variables' place."""
        if self.use_ema:
            for variable in var_list:
                variable.assign(self._averages[self._index[variable]])

    # --- pure form ---------------------------------------------------------------------------------

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """One step from values to values; the optimizer and the variables stay as they are.

        Returns:
            `(trainable_variables, optimizer_variables)` after the step.
        """
        if not self.built:
            raise NotBuiltError(f"{self.name} isn't built: call build(trainable_variables) first.")
        for kind, own, given in (
            ("trainable", self._trainable_variables, trainable_variables),
            ("optimizer", self._variables, optimizer_variables),
        ):
            if len(own) != len(given):
                raise ShapeError(f"{self.name} has {len(own)} {kind} variables and got {len(given)} values.")
        overlay = dict(
            zip(
                (*self._trainable_variables, *self._variables),
                (*trainable_variables, *optimizer_variables),
                strict=True,
            )
        )
        backend = local.running or backend_for([*grads, *overlay.values()])
        with running(backend), laid_over(overlay):
            self.apply(grads)
        return [overlay[v] for v in self._trainable_variables], [overlay[v] for v in self._variables]

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else multiply(loss, self.loss_scale_factor)

    # --- saving ------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, ready for JSON; the learning rate as it is now."""
        config = super().get_config()
        rate = self._learning_rate
        config["learning_rate"] = float(rate.numpy()) if isinstance(rate, Variable) else serialize_keras_object(rate)
        return {"name": config.pop("name"), **config}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def containers(variables: Iterable[Variable]) -> list[Any]:
    """What the running backend keeps the variables' values in; its kernels write there."""
    return [variable.value for variable in variables]


def _check_clipping(**given: float | None) -> None:
    chosen = {name: value for name, value in given.items() if value is not None}
    if len(chosen) > 1:
        raise ValueError(f"Only one of clipnorm, clipvalue and global_clipnorm can be set, got {chosen}.")


def _check_averaging(use_ema: bool, momentum: float, frequency: int | None, steps: int | None) -> None:
    if use_ema and not 0 <= momentum <= 1:
        raise ValueError(f"ema_momentum lies between 0 and 1, got {momentum}.")
    if use_ema and frequency is not None and (not isinstance(frequency, int) or frequency < 1):
        raise ValueError(f"ema_overwrite_frequency is a positive whole number or None, got {frequency!r}.")
    if steps is not None and (not isinstance(steps, int) or steps < 2):
        raise ValueError(f"gradient_accumulation_steps is a whole number from 2 up, or None, got {steps!r}.")
