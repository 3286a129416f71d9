"""Attention."""

from __future__ import annotations

import functools
import math
from typing import Any

from kbridge.core import constraints, initializers, regularizers
from kbridge.core.errors import ShapeError
from kbridge.core.layers.activation import Softmax
from kbridge.core.layers.base import Layer
from kbridge.core.layers.einsum_dense import EinsumDense
from kbridge.core.layers.options import fraction, positive, without
from kbridge.core.layers.regularization import Dropout
from kbridge.core.ops.elementwise import (
    absolute,
    cast,
    greater_equal,
    less,
    logical_and,
    multiply,
    subtract,
)
from kbridge.core.ops.linalg import matmul
from kbridge.core.ops.shape import expand_dims, positions, reshape, shape, transpose
from kbridge.core.saving.config import serialize_keras_object


class MultiHeadAttention(Layer):
    """Each query position takes a weighted mean of the values, in several heads side by side.

    Source: https://arxiv.org/abs/1706.03762.

    Args:
        num_heads: how many heads.
        key_dim: size of the queries and keys of a head.
        value_dim: size of the values of a head; `key_dim` if None.
        dropout: rate for the weights of the mean.
        use_bias: whether the projections have a bias.
        output_shape: size or sizes of the outputs; the query's last one if None.
        attention_axes: the axes to attend over; all between the batch and the features if None.
        sliding_window: how near, in positions, a key has to be to its query; no limit if None.
        flash_attention: kept for Keras's signature.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint: for each projection.
        use_gate: whether a sigmoid of the queries scales what the heads give.
        seed: of the dropout.

    Call arguments: `query` `(batch, time, features)`, `value` and `key` (the value if None)
    `(batch, source, features)`; `attention_mask` `(batch, time, source)`, True where attention is
    allowed; `use_causal_mask`, so that no position sees a later one. Masks of the inputs are kept to.

    Returns:
        `(batch, time, features)`, with `return_attention_scores` also `(batch, heads, time, source)`.
    """

    supports_masking = True

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads, self.key_dim = positive(num_heads, "num_heads"), positive(key_dim, "key_dim")
        self.value_dim = key_dim if value_dim is None else positive(value_dim, "value_dim")
        self.dropout, self.use_bias, self.use_gate = fraction(dropout, "dropout"), use_bias, use_gate
        self._output_shape = (output_shape,) if isinstance(output_shape, int) else output_shape
        self.attention_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self.sliding_window = None if sliding_window is None else positive(sliding_window, "sliding_window")
        self.seed = seed
        self._projection_options: dict[str, Any] = {
            "kernel_initializer": initializers.get(kernel_initializer),
            "bias_initializer": initializers.get(bias_initializer),
            "kernel_regularizer": regularizers.get(kernel_regularizer),
            "bias_regularizer": regularizers.get(bias_regularizer),
            "activity_regularizer": regularizers.get(activity_regularizer),
            "kernel_constraint": constraints.get(kernel_constraint),
            "bias_constraint": constraints.get(bias_constraint),
        }

    # --- weights -----------------------------------------------------------------------------------

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ShapeError(f"Value and key may differ in the last axis only, got {value_shape} and {key_shape}.")
        self._axes = AttentionAxes(self.attention_axes, len(query_shape))
        heads, width = self.num_heads, self.key_dim
        self.query_dense = self._projection("query", query_shape, 1, (heads, width))
        self.key_dense = self._projection("key", key_shape, 1, (heads, width))
        if self.use_gate:
            self._gate_dense = self._projection("gate", query_shape, 1, (heads, self.value_dim), "sigmoid")
        self.value_dense = self._projection("value", value_shape, 1, (heads, self.value_dim))
        self._softmax = Softmax(tuple(range(-self._axes.count, 0)), dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, dtype=self.dtype_policy, seed=self.seed)
        joined = (*query_shape[:-1], heads, self.value_dim)
        sizes = tuple(self._output_shape or query_shape[-1:])
        self.output_dense = self._projection("attention_output", joined, 2, sizes)

    def _projection(self, name: str, input_shape: Any, summed: int, new: Any, activation: Any = None) -> Any:
        """A dense layer that turns the last `summed` axes into axes of sizes `new`."""
        kept = "abcdefgh"[: len(input_shape) - summed]
        gone, made = "stuvwxyz"[:summed], "ijklmnop"[: len(new)]
        options = {k: v.clone() if hasattr(v, "clone") else v for k, v in self._projection_options.items()}
        layer = EinsumDense(
            f"{kept}{gone},{gone}{made}->{kept}{made}", (*[None] * (len(kept) - 1), *new), activation=activation,
            bias_axes=made if self.use_bias else None, name=name, dtype=self.dtype_policy, **options,
        )  # fmt: skip
        layer.build(tuple(input_shape))
        return layer

    # --- computing ---------------------------------------------------------------------------------

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        by_position = self._axes.position_masks(query, value, use_causal_mask, self.sliding_window)
        mask = joined_masks(query_mask, value_mask, key_mask, [attention_mask, *by_position])
        gate = self._gate_dense(query) if self.use_gate else None
        query = self.query_dense(query)
        key = self.key_dense(value if key is None else key)
        outputs, scores = self._attend(query, key, self.value_dense(value), mask, training)
        outputs = self.output_dense(outputs if gate is None else multiply(outputs, gate))
        return (outputs, scores) if return_attention_scores else outputs

    def _attend(self, query: Any, key: Any, value: Any, mask: Any, training: Any) -> Any:
        scores = self._axes.scores(multiply(query, 1.0 / math.sqrt(self.key_dim)), key)
        if mask is not None:
            missing = len(scores.shape) - len(mask.shape)
            heads = len(mask.shape) - 2 * self._axes.count
            mask = expand_dims(mask, tuple(range(heads, heads + missing))) if missing else mask
        scores = self._softmax(scores, mask=mask)
        weights = self._dropout_layer(scores, training=training) if self.dropout else scores
        return self._axes.combined(weights, value), scores

    def get_config(self) -> dict[str, Any]:
        options = {**self._projection_options, "output_shape": self._output_shape}
        config = without(super().get_config(), "flash_attention")
        return {**config, **{name: serialize_keras_object(value) for name, value in options.items()}}


class AttentionAxes:
    """The axes to attend over, and the orders of axes that the products of matrices need.

    Args:
        given: the axes; all between the batch and the features if None.
        rank: how many axes the query has before its projection into `(..., heads, size)`.
    """

    def __init__(self, given: Any, rank: int) -> None:
        self.attended = [a % rank for a in (range(1, rank - 1) if given is None else given)]
        self.count = len(self.attended)
        kept = [i for i in range(rank - 1) if i not in self.attended]
        self.lead = len(kept) + 1  # what lies before the attended axes: those kept, and the heads
        self.order = (*kept, rank - 1, *self.attended, rank)
        self.key_order = (*kept, rank - 1, rank, *self.attended)
        self.back = tuple(self.order.index(i) for i in range(rank + 1))

    def scores(self, query: Any, key: Any) -> Any:
        """`query @ key` for each head: `(kept, heads, attended of the query, attended of the key)`."""
        query, key = transpose(query, self.order), transpose(key, self.key_order)
        if self.count == 1:
            return matmul(query, key)
        far, near = shape(query)[self.lead : -1], shape(key)[self.lead + 1 :]
        scores = matmul(self._joined(query, self.lead), self._joined(key, self.lead + 1))
        return reshape(scores, (*shape(scores)[: self.lead], *far, *near))

    def combined(self, weights: Any, value: Any) -> Any:
        """The means of the values with these weights, the axes back in the query's order."""
        value = transpose(value, self.order)
        if self.count == 1:
            return transpose(matmul(weights, value), self.back)
        far = shape(weights)[self.lead : self.lead + self.count]
        weights = self._joined(self._joined(weights, self.lead), self.lead + 1)
        outputs = matmul(weights, self._joined(value, self.lead))
        sizes = (*shape(outputs)[: self.lead], *far, value.shape[-1])
        return transpose(reshape(outputs, sizes), self.back)

    def _joined(self, x: Any, start: int) -> Any:
        """The attended axes, which begin at `start`, as one."""
        sizes = shape(x)
        return reshape(x, (*sizes[:start], -1, *sizes[start + self.count :]))

    def position_masks(self, query: Any, value: Any, causal: bool, window: int | None) -> list[Any]:
        """Masks that follow from positions alone: `(1, time, source)`."""
        if not causal and window is None:
            return []
        if self.count > 1:
            raise ShapeError(
                "use_causal_mask and sliding_window need one axis to attend over; this layer attends over "
                f"axes {tuple(self.attended)}. Set attention_axes, or pass an attention_mask."
            )
        row = expand_dims(positions(query, self.attended[0]), (0, 2))
        column = expand_dims(positions(value, self.attended[0]), (0, 1))
        masks = [greater_equal(row, column)] if causal else []
        if window is not None:
            masks.append(less(absolute(subtract(row, column)), window))
        return masks


def joined_masks(query_mask: Any, value_mask: Any, key_mask: Any, others: list[Any]) -> Any:
    """All masks as one: `(batch or 1, time, source)`, None if there is none."""
    masks = [cast(m, "bool") for m in others if m is not None]
    if query_mask is not None:
        masks.append(expand_dims(cast(query_mask, "bool"), -1))
    masks += [expand_dims(cast(m, "bool"), -2) for m in (value_mask, key_mask) if m is not None]
    return functools.reduce(logical_and, masks) if masks else None
