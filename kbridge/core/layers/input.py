"""Where a symbolic graph starts."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.graph.node import record_call
from kbridge.core.layers.base import Layer
from kbridge.core.settings import floatx
from kbridge.core.tensor.dtypes import standardize_dtype
from kbridge.core.tensor.shapes import standardize_shape
from kbridge.core.tensor.symbolic import KerasTensor


class InputLayer(Layer):
    """Holds the symbolic tensor that a graph starts from. `Input` makes one."""

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name)
        if sparse and ragged:
            raise ArgumentError("An input is sparse or ragged, not both.")
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        if (shape is None) == (batch_shape is None):
            raise ShapeError("Give Input either `shape` (without the batch) or `batch_shape` (with it).")
        if batch_shape is None:
            batch_shape = (batch_size, *standardize_shape(shape))
        self.batch_shape = standardize_shape(batch_shape)
        self._input_dtype = standardize_dtype(dtype) if dtype is not None else floatx()
        self.sparse, self.ragged, self.optional = bool(sparse), bool(ragged), optional
        self.built = True
        self._called = True
        tensor = input_tensor if isinstance(input_tensor, KerasTensor) else None
        if tensor is None:
            tensor = KerasTensor(self.batch_shape, self._input_dtype, self.sparse, self.ragged, self.name)
        record_call(self, (), {}, tensor)
        self._inbound.append(tensor.history[0])

    def call(self) -> Any:
        raise ValueError("An InputLayer holds a symbolic tensor and can't be called. Use `Input(...)`.")

    @property
    def dtype(self) -> str:
        return self._input_dtype

    @property
    def output(self) -> Any:
        return self._inbound[0].outputs[0]

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": list(self.batch_shape),
            "dtype": self._input_dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "optional": self.optional,
            "name": self.name,
        }


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> KerasTensor:
    """A symbolic tensor to build a functional model from.

    Args:
        shape: sizes without the batch, None where free.
        batch_size: size of the batch; free if None.
        dtype: element type; the default float type if None.
        sparse: whether the model is called with sparse tensors.
        ragged: whether it is called with ragged ones (TensorFlow's).
        batch_shape: sizes with the batch, instead of `shape`.
        name: name of the input.
        tensor: a symbolic tensor to use as it is.
        optional: whether the model may be called with None here.

    >>> Input((28, 28, 1)).shape
    (None, 28, 28, 1)
    """
    layer = InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, sparse=sparse, ragged=ragged, batch_shape=batch_shape,
        input_tensor=tensor, optional=optional, name=name,
    )  # fmt: skip
    return layer.output
