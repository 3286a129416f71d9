"""A dense layer whose axes an einsum equation names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbridge.core import activations
from kbridge.core.errors import ShapeError
from kbridge.core.initializers.random import VarianceScaling
from kbridge.core.layers.base import Layer
from kbridge.core.layers.options import (
    add_optioned_weight,
    inner_sizes,
    refuse_attached,
    set_options,
    without,
)
from kbridge.core.ops.elementwise import add
from kbridge.core.ops.linalg import affine, einsum
from kbridge.core.ops.shape import reshape

ELIDED = "ZYXWVUTS"  # stand for the axes of an ellipsis


class EinsumDense(Layer):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: as for `einsum`: "abc,cd->abd", "...x,xy->...y".
        output_shape: sizes of the outputs without the batch and without the axes of an ellipsis; None
            where free.
        activation: a name or function; None for none.
        bias_axes: the letters of the outputs that the bias has; no bias if None.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, kernel_constraint,
            bias_constraint: as in `Dense`.
    """

    activation: Any
    kernel_initializer: Any
    stored_when_none = frozenset({"activity_regularizer"})

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: None = None,
        lora_alpha: None = None,
        gptq_unpacked_column_size: None = None,
        quantization_config: None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse_attached(self, lora_rank=lora_rank, quantization_config=quantization_config)
        self.equation, self.bias_axes = equation, bias_axes
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        set_options(
            self, activation=activation,
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.bias = None

    def build(self, input_shape: Any) -> None:
        terms = self._terms = EinsumTerms(self.equation, input_shape, self.partial_output_shape)
        self.kernel = add_optioned_weight(self, "kernel", terms.sizes_of(terms.weights), self._initializer())
        bias = terms.bias_shape(self.bias_axes)
        if bias is not None:
            self.bias = add_optioned_weight(self, "bias", bias)
        self._flat = terms.flat and (bias is None or bias == terms.sizes_of(terms.new))

    def _initializer(self) -> Any:
        """How the kernel starts: for a variance-scaling draw, fans are those of the matrix it amounts to."""
        initializer, terms = self.kernel_initializer, self._terms
        if not isinstance(initializer, VarianceScaling):
            return initializer
        summed = [i for i, c in enumerate(terms.weights) if c not in terms.outputs]
        order = summed + [i for i in range(len(terms.weights)) if i not in summed]

        def draw(sizes: Any, dtype: Any = None) -> Any:
            ordered = [sizes[i] for i in order]
            rows = math.prod(ordered[: len(summed)])
            matrix = np.asarray(initializer((rows, math.prod(sizes) // rows), dtype))
            return matrix.reshape(ordered).transpose(np.argsort(order))

        return draw

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        outputs = self._product(inputs) if self._flat else self._einsum(inputs)
        return outputs if self.activation is activations.linear else self.activation(outputs)

    def _einsum(self, inputs: Any) -> Any:
        outputs = einsum(self.equation, inputs, self.kernel)
        return outputs if self.bias is None else add(outputs, self.bias)

    def _product(self, inputs: Any) -> Any:
        """The same as one product of matrices, which every framework and format does fastest."""
        terms = self._terms
        new = terms.sizes_of(terms.new)
        rows, columns = math.prod(terms.sizes_of(terms.summed)), math.prod(new)
        kernel = self.kernel if len(self.kernel.shape) == 2 else reshape(self.kernel, (rows, columns))
        bias = self.bias if self.bias is None or len(new) == 1 else reshape(self.bias, (columns,))
        kept = len(inputs.shape) - len(terms.summed)
        flat = inputs if len(terms.summed) == 1 else reshape(inputs, (-1, *inner_sizes(inputs, kept), rows))
        outputs = affine(flat, kernel, bias)
        return outputs if len(new) == 1 else reshape(outputs, (-1, *inner_sizes(inputs, kept), *new))

    def get_config(self) -> dict[str, Any]:
        config = without(super().get_config(), "lora_rank", "lora_alpha", "gptq_unpacked_column_size")
        return {**config, "output_shape": list(self.partial_output_shape)}


class EinsumTerms:
    """The letters of an equation and their sizes.

    Attributes:
        inputs, weights, outputs: the letters of each term, an ellipsis as letters too.
        summed: the letters that are summed over; `new`: those that come from the kernel.
        flat: whether the product is `(kept, summed) @ (summed, new)` as the axes lie.
    """

    def __init__(self, equation: str, input_shape: Any, output_shape: Any) -> None:
        left, _, outputs = equation.replace(" ", "").partition("->")
        inputs, _, weights = left.partition(",")
        if not outputs or not weights or inputs.count("...") != outputs.count("..."):
            raise ShapeError(f'An equation looks like "ab,bc->ac" or "...a,ab->...b", got {equation!r}.')
        elided = len(input_shape) - len(inputs.replace("...", ""))
        if elided < 0 or (elided and "..." not in inputs):
            raise ShapeError(f"The equation {equation!r} doesn't fit inputs of shape {input_shape}.")
        dots = ELIDED[:elided]
        self.inputs, self.outputs = inputs.replace("...", dots), outputs.replace("...", dots)
        self.weights = weights
        free = [c for c in self.outputs if c not in dots]
        if self.outputs[:1] not in dots:
            free = free[1:]  # the batch
        if len(free) != len(output_shape):
            raise ShapeError(
                f"output_shape {tuple(output_shape)} has to give sizes for {', '.join(free)} of {equation!r}."
            )
        self.sizes: dict[str, Any] = dict(zip(free, output_shape, strict=True))
        for letter, size in zip(self.inputs, input_shape, strict=True):
            given = self.sizes.get(letter)
            if given is not None and size is not None and given != size:
                raise ShapeError(f"{letter} of {equation!r} is {size} in the inputs and {given} in output_shape.")
            self.sizes[letter] = size if given is None else given
        unknown = [c for c in self.weights if self.sizes.get(c) is None]
        if unknown:
            raise ShapeError(f"The sizes of {', '.join(unknown)} in {equation!r} aren't known; inputs {input_shape}.")
        self.summed = "".join(c for c in self.inputs if c not in self.outputs)
        self.new = "".join(c for c in self.outputs if c not in self.inputs)
        kept = self.inputs.removesuffix(self.summed)
        self.flat = self.weights == self.summed + self.new and self.outputs == kept + self.new != kept

    def sizes_of(self, letters: str) -> tuple[int, ...]:
        """The sizes of some letters."""
        return tuple(self.sizes[c] for c in letters)

    def bias_shape(self, bias_axes: str | None) -> tuple[int, ...] | None:
        """The bias has the sizes of its letters, and 1 for the letters between and behind them."""
        if bias_axes is None:
            return None
        if not bias_axes or any(c not in self.outputs for c in bias_axes):
            raise ShapeError(f"bias_axes {bias_axes!r} has to name axes of the outputs {self.outputs!r}.")
        first = min(self.outputs.index(c) for c in bias_axes)
        return tuple(self.sizes[c] if c in bias_axes else 1 for c in self.outputs[first:])
