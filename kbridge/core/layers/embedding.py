"""Vectors for whole numbers."""

from __future__ import annotations

from typing import Any

from kbridge.core.layers.base import Layer
from kbridge.core.layers.options import (
    add_optioned_weight,
    positive,
    refuse_attached,
    set_options,
    without,
)
from kbridge.core.ops.elementwise import cast, not_equal
from kbridge.core.ops.outermost import dtype_of
from kbridge.core.ops.shape import take
from kbridge.core.tensor.dtypes import is_float


class Embedding(Layer):
    """Row `i` of a trained table for each whole number `i` of the inputs.

    Args:
        input_dim: how many different numbers there are (the largest plus one).
        output_dim: length of a row.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: as in `Dense`.
        mask_zero: whether 0 is padding that later layers shall skip.
        weights: a table to start from.

    Shapes: `(batch, ...) -> (batch, ..., output_dim)`.
    """

    stored_when_none = frozenset({"activity_regularizer"})

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: None = None,
        lora_alpha: None = None,
        quantization_config: None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("input_length", None)  # in files of Keras 2; it says nothing
        super().__init__(**kwargs)
        refuse_attached(self, lora_rank=lora_rank, quantization_config=quantization_config)
        self.input_dim, self.output_dim = positive(input_dim, "input_dim"), positive(output_dim, "output_dim")
        set_options(
            self, embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer, embeddings_constraint=embeddings_constraint,
        )  # fmt: skip
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False  # float16 can't hold large indices
        if weights is not None:
            self.build(())
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [weights])

    def build(self, input_shape: Any) -> None:
        sizes = (self.input_dim, self.output_dim)
        # not read in half precision: casting the rows that are taken costs less than casting the table
        self.embeddings = add_optioned_weight(self, "embeddings", sizes, autocast=False)

    def call(self, inputs: Any) -> Any:
        indices = cast(inputs, "int32") if is_float(dtype_of(inputs)) else inputs
        rows = take(self.embeddings, indices, 0)
        return rows if self.compute_dtype == self.variable_dtype else cast(rows, self.compute_dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        return without(super().get_config(), "weights", "lora_rank", "lora_alpha", "autocast")
