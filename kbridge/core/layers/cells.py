"""What recurrent layers do at one step of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kbridge.core.layers.base import Layer
from kbridge.core.layers.options import add_optioned_weight, fraction, positive, set_options
from kbridge.core.ops.activate import sigmoid
from kbridge.core.ops.control import fused_lstm
from kbridge.core.ops.elementwise import add, multiply, subtract, tanh
from kbridge.core.ops.linalg import affine, einsum, matmul
from kbridge.core.ops.random import SeedGenerator, dropout
from kbridge.core.ops.shape import (
    convert_to_tensor,
    expand_dims,
    get_item,
    ones_like,
    reshape,
    shape,
    split,
    squeeze,
    tile,
    zeros,
)
from kbridge.core.saving.config import deserialize_keras_object

Step = Callable[[Any, list[Any]], tuple[Any, list[Any]]]


class GatedCell(Layer):
    """The base of the cells below: a kernel for the inputs, one for the state, each `gates` times as wide.

    Subclasses give `stepper`.
    """

    gates: int
    activation: Any
    recurrent_activation: Any  # of the cells that have gates
    bias_initializer: Any
    recurrent_initializer: Any
    recurrent_regularizer: Any
    recurrent_constraint: Any

    def set_up(
        self, units: int, use_bias: bool, dropout: float, recurrent_dropout: float, seed: Any, **options: Any
    ) -> None:
        """Take the constructor's arguments."""
        self.units, self.use_bias = positive(units, "units"), use_bias
        self.dropout = fraction(dropout, "dropout")
        self.recurrent_dropout = fraction(recurrent_dropout, "recurrent_dropout")
        set_options(self, **options)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        self.state_size: Any = units
        self.output_size = units
        self.bias = None

    def build(self, input_shape: Any) -> None:
        width = self.units * self.gates
        self.kernel = add_optioned_weight(self, "kernel", (input_shape[-1], width))
        self.recurrent_kernel = self.add_weight(
            (self.units, width), self.recurrent_initializer, regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint, name="recurrent_kernel",
        )  # fmt: skip
        if self.use_bias:
            self.bias = add_optioned_weight(self, "bias", *self.bias_start(width))

    def bias_start(self, width: int) -> tuple[Any, Any]:
        """The shape and the initializer of the bias."""
        return (width,), self.bias_initializer

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """The state before the first step: zeros."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [zeros((batch_size, size), self.compute_dtype) for size in sizes]

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        listed = isinstance(states, (list, tuple))
        projected, step = self.stepper(inputs, training)
        output, new = step(projected, list(states) if listed else [states])
        return output, new if listed else new[0]

    def stepper(self, inputs: Any, training: bool | None) -> tuple[Any, Step]:
        """What the inputs add at each step, worked out for all steps at once, and a function for one step.

        Args:
            inputs: `(batch, features)`, or `(time, batch, features)`.
            training: whether to drop out; the choice is the same for all steps.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a stepper.")

    def whole(self, inputs: Any, states: list[Any], training: bool | None) -> Any:
        """All steps at once: the outputs and the last states; None where there is no kernel for that."""
        return None

    # --- dropout -----------------------------------------------------------------------------------

    def _input_mask(self, inputs: Any, training: bool | None) -> Any:
        """What the inputs are multiplied by: `(batch, 1 or gates, features)`, None if nothing drops out."""
        first = inputs if len(inputs.shape) == 2 else get_item(inputs, 0)
        return self._drawn(first, self.dropout, training)

    def _state_mask(self, inputs: Any, training: bool | None) -> Any:
        first = inputs if len(inputs.shape) == 2 else get_item(inputs, 0)
        state = tile(get_item(first, (slice(None), slice(0, 1))), (1, self.units))
        return self._drawn(state, self.recurrent_dropout, training)

    def _drawn(self, like: Any, rate: float, training: bool | None) -> Any:
        if not training or not 0 < rate < 1:
            return None
        # gates share one draw, unless the state drops out as well (as in Keras)
        count = self.gates if self.recurrent_dropout else 1
        ones = tile(expand_dims(ones_like(like), 1), (1, count, 1))
        return dropout(ones, rate, seed=self.seed_generator)

    def project(self, inputs: Any, bias: Any, training: bool | None) -> Any:
        """What the inputs of all steps add to the gates; one product of matrices."""
        mask = self._input_mask(inputs, training)
        if mask is not None and mask.shape[1] == 1:
            inputs, mask = multiply(inputs, squeeze(mask, 1)), None
        if mask is not None:
            result = self.product(inputs, self.kernel, mask)
            return result if bias is None else add(result, bias)
        if len(inputs.shape) == 2:
            return affine(inputs, self.kernel, bias)
        length = shape(inputs)[0] if inputs.shape[0] is None else inputs.shape[0]
        flat = affine(reshape(inputs, (-1, inputs.shape[-1])), self.kernel, bias)
        return reshape(flat, (length, -1, self.units * self.gates))

    def product(self, x: Any, weights: Any, mask: Any) -> Any:
        """`x @ weights`, each gate seeing `x` through its own mask."""
        if mask is None:
            return matmul(x, weights)
        dropped = multiply(expand_dims(x, -2), mask)
        gates = reshape(weights, (weights.shape[0], self.gates, self.units))
        result = einsum("...gf,fgu->...gu", dropped, gates)
        return reshape(result, (*shape(result)[:-2], self.gates * self.units))


class LSTMCell(GatedCell):
    """One step of an LSTM (Hochreiter and Schmidhuber, 1997), its gates in the order i, f, c, o.

    Args:
        units: size of the outputs and of each of the two states.
        activation: of the candidate and of the outputs.
        recurrent_activation: of the gates.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights start.
        unit_forget_bias: whether the forget gate's bias starts at 1 (https://proceedings.mlr.press/v37/jozefowicz15.html).
        kernel_regularizer, recurrent_regularizer, bias_regularizer: losses on weights.
        kernel_constraint, recurrent_constraint, bias_constraint: functions applied after each step.
        dropout, recurrent_dropout: rates for the inputs and for the state.
        seed: of the dropout.
    """

    gates = 4

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("implementation", None)  # in older files; a choice between equal results
        super().__init__(**kwargs)
        self.set_up(
            units, use_bias, dropout, recurrent_dropout, seed,
            activation=activation, recurrent_activation=recurrent_activation,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
        )  # fmt: skip
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [units, units]

    def bias_start(self, width: int) -> tuple[Any, Any]:
        if not self.unit_forget_bias:
            return super().bias_start(width)
        units, start = self.units, self.bias_initializer

        def draw(sizes: Any, dtype: Any = None) -> Any:
            parts = start((units,), dtype), np.ones(units, dtype), start((2 * units,), dtype)
            return np.concatenate([np.asarray(p) for p in parts])

        return (width,), draw

    def whole(self, inputs: Any, states: list[Any], training: bool | None) -> Any:
        standard = self.activation is tanh and self.recurrent_activation is sigmoid
        if not standard or (training and (self.dropout or self.recurrent_dropout)):
            return None
        return fused_lstm(inputs, states, [self.kernel, self.recurrent_kernel, self.bias])

    def stepper(self, inputs: Any, training: bool | None) -> tuple[Any, Step]:
        projected = self.project(inputs, self.bias, training)
        mask, recurrent = self._state_mask(inputs, training), convert_to_tensor(self.recurrent_kernel)
        gate, activation = self.recurrent_activation, self.activation

        def step(z: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            i, f, c, o = split(add(z, self.product(states[0], recurrent, mask)), 4, -1)
            carry = add(multiply(gate(f), states[1]), multiply(gate(i), activation(c)))
            output = multiply(gate(o), activation(carry))
            return output, [output, carry]

        return projected, step


class GRUCell(GatedCell):
    """One step of a GRU (https://arxiv.org/abs/1406.1078), its gates in the order z, r, h.

    Args:
        units: size of the outputs and of the state.
        reset_after: whether the reset gate acts behind the product with the state's kernel, as cuDNN
            has it; the state then has a bias of its own.
        (others): see `LSTMCell`.
    """

    gates = 3

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("implementation", None)
        super().__init__(**kwargs)
        self.set_up(
            units, use_bias, dropout, recurrent_dropout, seed,
            activation=activation, recurrent_activation=recurrent_activation,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
        )  # fmt: skip
        self.reset_after = reset_after

    def bias_start(self, width: int) -> tuple[Any, Any]:
        return ((2, width) if self.reset_after else (width,)), self.bias_initializer

    def stepper(self, inputs: Any, training: bool | None) -> tuple[Any, Step]:
        ahead, behind = self.bias, None  # of the inputs; of the state, for the reset gate to act on
        if self.bias is not None and self.reset_after:
            ahead, behind = get_item(self.bias, 0), get_item(self.bias, 1)
        projected = self.project(inputs, ahead, training)
        mask, recurrent = self._state_mask(inputs, training), convert_to_tensor(self.recurrent_kernel)
        gate, activation, units = self.recurrent_activation, self.activation, self.units
        last = get_item(recurrent, (slice(None), slice(2 * units, None)))

        def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            state = states[0]
            xz, xr, xh = split(x, 3, -1)
            inner = self.product(state, recurrent, mask)
            z, r, h = split(inner if behind is None else add(inner, behind), 3, -1)
            z, r = gate(add(xz, z)), gate(add(xr, r))
            if self.reset_after:
                h = multiply(r, h)
            else:
                seen = state if mask is None else multiply(state, get_item(mask, (slice(None), 2)))
                h = matmul(multiply(r, seen), last)
            output = add(multiply(z, state), multiply(subtract(1.0, z), activation(add(xh, h))))
            return output, [output]

        return projected, step


class SimpleRNNCell(GatedCell):
    """One step of a plain recurrent layer: `activation(inputs @ kernel + state @ recurrent_kernel + bias)`.

    Args:
        units: size of the outputs, which are the state.
        (others): see `LSTMCell`.
    """

    gates = 1

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.set_up(
            units, use_bias, dropout, recurrent_dropout, seed, activation=activation,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
        )  # fmt: skip

    def call(self, sequence: Any, states: Any, training: bool = False) -> Any:
        return super().call(sequence, states, training)

    def stepper(self, inputs: Any, training: bool | None) -> tuple[Any, Step]:
        projected = self.project(inputs, self.bias, training)
        mask, recurrent = self._state_mask(inputs, training), convert_to_tensor(self.recurrent_kernel)

        def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            output = self.activation(add(x, self.product(states[0], recurrent, mask)))
            return output, [output]

        return projected, step


class StackedRNNCells(Layer):
    """Cells on top of each other, as one cell; its state is the list of theirs.

    Args:
        cells: the cells, the first one next to the inputs.
    """

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for cell in cells:
            need_cell(cell)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The state sizes of the cells."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The size of the last cell's outputs."""
        return output_size_of(self.cells[-1])

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
            input_shape = (input_shape[0], output_size_of(cell))

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        new = []
        for cell, state in zip(self.cells, states, strict=True):
            listed = isinstance(state, (list, tuple))
            inputs, after = step_of(cell, training)(inputs, list(state) if listed else [state])
            new.append(after if listed else after[0])
        return inputs, new

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> StackedRNNCells:
        """The cells of that config."""
        return cls(**{**config, "cells": [deserialize_keras_object(cell) for cell in config["cells"]]})


def need_cell(cell: Any) -> None:
    """An error if `cell` can't be used as one."""
    if not hasattr(cell, "call") or not hasattr(cell, "state_size"):
        raise ValueError(
            f"A cell has a call(inputs, states) and a state_size (a whole number, or a list of them); got {cell!r}."
        )


def output_size_of(cell: Any) -> int:
    """The size of a cell's outputs; its first state's if it doesn't say."""
    size = getattr(cell, "output_size", None) or cell.state_size
    return size[0] if isinstance(size, (list, tuple)) else size


def step_of(cell: Any, training: bool | None) -> Step:
    """One step of any cell: `(inputs, list of states) -> (output, list of states)`."""
    takes_training = isinstance(cell, Layer) and cell._signature.takes_training
    options = {"training": training} if takes_training else {}
    run = cell if callable(cell) else cell.call

    def step(inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        output, new = run(inputs, states, **options)
        return output, list(new) if isinstance(new, (list, tuple)) else [new]

    return step
