"""Convolution layers turned round: small images grow. One class, its rank is data."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import ShapeError
from kbridge.core.layers.conv import Filters
from kbridge.core.ops.arithmetic import add
from kbridge.core.ops.conv import conv_transpose, sizes_of
from kbridge.core.ops.shape import reshape


class ConvTranspose(Filters):
    """`activation(transposed convolution(inputs, kernel) + bias)`. The public classes fix the rank.

    Each input spreads over a window of outputs, and windows that meet add up: the gradient of a
    convolution for its inputs.

    Args:
        filters: channels of the outputs.
        kernel_size: the window, a number or one for each axis of space.
        strides: how far the windows of neighbours lie apart.
        padding: "valid" (all outputs that a window reaches) or "same" (inputs times strides).
        output_padding: settles the size in place of `strides`, below which it must be: see `ops.conv_transpose`.
        data_format: "channels_last" or "channels_first"; the default layout if None.
        dilation_rate: distance between the outputs that a window reaches.
        activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint: as in `Conv`.

    Shapes: `(batch, *space, channels) -> (batch, *space, filters)`; kernel `(*window, filters, channels)`.

    Source: https://arxiv.org/abs/1603.07285, chapter 4.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._settle(
            filters, kernel_size, strides, padding, data_format, dilation_rate, use_bias, activation=activation,
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.output_padding = output_padding
        if output_padding is not None:
            self.output_padding = sizes_of(output_padding, self.rank, "output_padding", 0)
            if any(more >= stride for more, stride in zip(self.output_padding, self.strides, strict=True)):
                raise ValueError(f"output_padding must be below strides, got {output_padding} and {self.strides}.")

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self._channel_axis]
        if len(input_shape) != self.rank + 2 or channels is None:
            raise ShapeError(
                f"{type(self).__name__} takes inputs of rank {self.rank + 2} with a known number of channels at axis "
                f"{self._channel_axis}. Got {input_shape}."
            )
        self._make_weights(channels, (*self.kernel_size, self.filters, channels))

    def call(self, inputs: Any) -> Any:
        self._check_inputs(inputs)
        outputs = conv_transpose(
            inputs, self.kernel, self.strides, self.padding, self.output_padding, self.data_format, self.dilation_rate
        )
        if self.bias is not None:
            last = self.data_format == "channels_last"
            outputs = add(outputs, self.bias if last else reshape(self.bias, (self.filters, *(1,) * self.rank)))
        return self._activated(outputs)


class Conv1DTranspose(ConvTranspose):
    """A convolution along one axis, turned round: `(batch, length, channels)`. See `ConvTranspose`."""

    rank = 1


class Conv2DTranspose(ConvTranspose):
    """A convolution of images, turned round: `(batch, height, width, channels)`. See `ConvTranspose`."""

    rank = 2


class Conv3DTranspose(ConvTranspose):
    """A convolution of volumes, turned round: `(batch, depth, height, width, channels)`. See `ConvTranspose`."""

    rank = 3

    def __init__(  # Keras has `data_format` before `output_padding` here, and only here
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
