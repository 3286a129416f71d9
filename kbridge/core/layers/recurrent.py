"""Recurrent layers: one driver over time, the cells are data."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from kbridge.core import initializers
from kbridge.core.config import constructor_parameters
from kbridge.core.errors import ShapeError
from kbridge.core.layers.base import Layer
from kbridge.core.layers.cells import (
    GatedCell,
    GRUCell,
    LSTMCell,
    SimpleRNNCell,
    StackedRNNCells,
    need_cell,
)
from kbridge.core.layers.options import without
from kbridge.core.layers.over_time import listed, run_over_time, state_dtype, time_and_batch_swapped, zero_state
from kbridge.core.naming import snake_case
from kbridge.core.ops.elementwise import add, cast
from kbridge.core.ops.shape import flip, get_item, transpose, zeros
from kbridge.core.saving.config import deserialize_keras_object
from kbridge.core.tensor.variable import Variable


class RNN(Layer):
    """A cell run along the time axis.

    Args:
        cell: has a `call(inputs, states)` that returns `(outputs, states)` and a `state_size`; or a list
            of cells, to be stacked.
        return_sequences: whether to return the output of every step, not the last one's only.
        return_state: whether to return the last state too.
        go_backwards: whether time runs backwards; the outputs then are in that order as well.
        stateful: whether a batch starts with the state that the one before ended with.
        unroll: whether to write the loop out; needs a known number of steps.
        zero_output_for_mask: whether a masked step gives zeros, not the output of the step before.

    Call arguments: `sequences` `(batch, time, features)`, `initial_state` (a list; zeros if None), `mask`
    `(batch, time)`, False where a step is skipped.

    Returns:
        `(batch, units)` or `(batch, time, units)`; with `return_state` a tuple of that and the states.
    """

    supports_masking = True
    untracked = frozenset({"states"})  # not weights: files don't hold them

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else cell
        need_cell(cell)
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful, self.unroll = go_backwards, stateful, unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.states: list[Any] | None = None

    @property
    def _cells(self) -> list[Any]:
        return list(self.cell.cells) if isinstance(self.cell, StackedRNNCells) else [self.cell]

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        if len(sequences_shape) < 3:
            raise ShapeError(f"{type(self).__name__} takes (batch, time, features), got shape {sequences_shape}.")
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((sequences_shape[0], *sequences_shape[2:]))
        if self.stateful:
            self.states = self._kept_states(sequences_shape[0])

    # --- the state ---------------------------------------------------------------------------------

    def _kept_states(self, batch: int | None) -> list[Any]:
        """A variable for each state, nested as `initial_state` is."""
        if batch is None:
            raise ShapeError(f"{self.name} is stateful, so its batch size must be fixed: Input(..., batch_size=32).")

        def kept(size: Any) -> Any:
            if isinstance(size, (list, tuple)):
                return [kept(s) for s in size]
            return Variable(
                initializers.get("zeros"), (batch, size), self.variable_dtype, trainable=False, name="rnn_state"
            )

        size = self.cell.state_size
        return [kept(s) for s in (size if isinstance(size, (list, tuple)) else [size])]

    def carried_variables(self) -> list[Variable]:
        return [*super().carried_variables(), *(v for state in self._by_cell(self.states or []) for v in state)]

    def reset_state(self) -> None:
        """Let the next batch start from zeros."""
        for state in self._by_cell(self.states or []):
            for variable in state:
                variable.assign(initializers.get("zeros")(variable.shape, variable.dtype))

    reset_states = reset_state  # its name in Keras 2

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """The state before the first step, as `call` takes it."""
        if hasattr(self.cell, "get_initial_state"):
            return list(listed(self.cell.get_initial_state(batch_size=batch_size)))
        return [
            [zeros((batch_size, s), self.compute_dtype) for s in size] if isinstance(size, (list, tuple))
            else zeros((batch_size, size), self.compute_dtype)
            for size in listed(self.cell.state_size)
        ]  # fmt: skip

    def _by_cell(self, states: Any) -> list[list[Any]]:
        """States as `call` takes them, as one list for each cell."""
        states = list(listed(states))
        return [list(listed(s)) for s in states] if isinstance(self.cell, StackedRNNCells) else [states]

    def _first_states(self, sequences: Any, given: Any) -> list[list[Any]]:
        if given is None and not self.stateful:
            first = get_item(sequences, (slice(None), 0))
            return [zero_state(cell, first) for cell in self._cells]
        states = self._by_cell(self.states if given is None else given)
        kept, batch = states[0][0].shape[0], sequences.shape[0]
        if isinstance(kept, int) and isinstance(batch, int) and kept != batch:
            raise ShapeError(f"{self.name} got {batch} sequences and states for {kept}.")
        # a copy: what gradients need of the old state must survive that the new one is written over it
        return [
            [cast(add(s, 0), state_dtype(cell, sequences)) for s in state]
            for cell, state in zip(self._cells, states, strict=True)
        ]

    # --- computing ---------------------------------------------------------------------------------

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        if self.unroll and sequences.shape[1] is None:
            raise ShapeError(f"{self.name} has unroll=True and needs a known number of steps: Input((10, 8)).")
        states = self._first_states(sequences, initial_state)
        outputs = time_and_batch_swapped(sequences)
        mask = None if mask is None else transpose(cast(mask, "bool"))
        if self.go_backwards:
            outputs, mask = flip(outputs, 0), None if mask is None else flip(mask, 0)
        last = None
        for i, cell in enumerate(self._cells):
            # a stack, cell by cell: each layer of it for all steps at once
            zeros_where_masked = self.zero_output_for_mask and cell is self._cells[-1]
            outputs, states[i], last = run_over_time(
                cell, outputs, states[i], mask, training, self.unroll, zeros_where_masked
            )
        if self.stateful:
            for kept, state in zip(self._by_cell(self.states), states, strict=True):
                for variable, value in zip(kept, state, strict=True):
                    variable.assign(value)
        result = time_and_batch_swapped(outputs) if self.return_sequences else last
        return (result, *self._as_given(states)) if self.return_state else result

    def _as_given(self, states: list[list[Any]]) -> list[Any]:
        if not isinstance(self.cell, StackedRNNCells):
            return states[0]
        sizes = self.cell.state_size
        return [s if isinstance(size, (list, tuple)) else s[0] for s, size in zip(states, sizes, strict=True)]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        mask = previous_mask if self.return_sequences else None
        return [mask, *[None] * len(listed(self.cell.state_size))] if self.return_state else mask

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The layer of that config."""
        return cls(**{k: deserialize_keras_object(v) if k == "cell" else v for k, v in config.items()})


class GatedRNN(RNN):
    """What LSTM, GRU and SimpleRNN share: their arguments are their cell's, then `RNN`'s."""

    cell_class: type[GatedCell]
    stored_when_none = frozenset({"activity_regularizer"})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in own_parameters(cls.cell_class):
            setattr(cls, name, property(attrgetter(f"cell.{name}")))

    def make_cell(self, given: dict[str, Any]) -> GatedCell:
        """The cell, from a constructor's arguments."""
        options = {name: given[name] for name in own_parameters(self.cell_class)}
        shared = {name: given["kwargs"][name] for name in ("dtype", "trainable") if name in given["kwargs"]}
        given["kwargs"].pop("implementation", None)  # in older files; a choice between equal results
        return self.cell_class(**options, **shared, name=snake_case(self.cell_class.__name__))

    def get_config(self) -> dict[str, Any]:
        return without(super().get_config(), "cell", "use_cudnn")


def own_parameters(kind: Any) -> list[str]:
    """The parameters that a layer class has beyond those of all layers."""
    return [name for name in constructor_parameters(kind) if name not in constructor_parameters(Layer)]


class LSTM(GatedRNN):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997). See `LSTMCell` and `RNN`.

    Args:
        use_cudnn: kept for Keras's signature.
    """

    cell_class = LSTMCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            self.make_cell(locals()), return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip


class GRU(GatedRNN):
    """Gated recurrent unit (https://arxiv.org/abs/1406.1078). See `GRUCell` and `RNN`.

    Args:
        use_cudnn: kept for Keras's signature.
    """

    cell_class = GRUCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            self.make_cell(locals()), return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip


class SimpleRNN(GatedRNN):
    """A plain recurrent layer. See `SimpleRNNCell` and `RNN`."""

    cell_class = SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            self.make_cell(locals()), return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
