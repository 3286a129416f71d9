"""Convolution layers: one class, its rank is data."""

from __future__ import annotations

from typing import Any

from kbridge.core import activations
from kbridge.core.errors import ShapeError
from kbridge.core.layers.base import Layer
from kbridge.core.layers.options import (
    add_optioned_weight,
    need_rank,
    one_of,
    over_space,
    positive,
    set_options,
)
from kbridge.core.ops.conv import biased_conv, sizes_of
from kbridge.core.ops.shape import pad
from kbridge.core.settings import check_data_format


class Filters(Layer):
    """What convolution layers share, whichever way round they go: a window of weights, a bias and an activation."""

    rank: int
    kernel_size: tuple[int, ...]
    activation: Any
    paddings: tuple[str, ...] = ("valid", "same")
    stored_when_none = frozenset({"activity_regularizer"})

    def _settle(
        self, filters: int, kernel_size: Any, strides: Any, padding: str, data_format: str | None, dilation_rate: Any,
        use_bias: bool, **options: Any,
    ) -> None:  # fmt: skip
        self.filters = positive(filters, "filters")
        self.kernel_size = sizes_of(kernel_size, self.rank, "kernel_size")
        self.strides = sizes_of(strides, self.rank, "strides")
        self.dilation_rate = sizes_of(dilation_rate, self.rank, "dilation_rate")
        self.padding = one_of(padding, "padding", self.paddings)
        self.data_format = check_data_format(data_format)
        self.use_bias = use_bias
        set_options(self, **options)
        self.bias = None
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"Either strides or dilation_rate may be above 1, got {self.strides} and {self.dilation_rate}."
            )

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def _make_weights(self, channels: int, kernel_shape: tuple[int, ...]) -> None:
        self._channels = channels
        self.kernel = add_optioned_weight(self, "kernel", kernel_shape)
        if self.use_bias:
            self.bias = add_optioned_weight(self, "bias", (self.filters,))

    def _check_inputs(self, inputs: Any) -> None:
        need_rank(self, inputs, self.rank + 2)
        if inputs.shape[self._channel_axis] not in (self._channels, None):
            raise ShapeError(
                f"{self.name} was built for {self._channels} channels and got inputs of shape {tuple(inputs.shape)}."
            )

    def _activated(self, outputs: Any) -> Any:
        return outputs if self.activation is activations.linear else self.activation(outputs)


class Conv(Filters):
    """`activation(convolution(inputs, kernel) + bias)`. The public classes fix the rank.

    Args:
        filters: channels of the outputs.
        kernel_size: the window, a number or one for each axis of space.
        strides: steps of the window.
        padding: "valid" (none), "same" (zeros; outputs as large as inputs over strides), or, in one
            dimension, "causal" (zeros in front: an output sees no later input).
        data_format: "channels_last" or "channels_first"; the default layout if None.
        dilation_rate: distance between the inputs that a window takes.
        groups: the channels are cut into this many groups, each convolved by itself.
        activation: a name or function; None for none.
        use_bias: whether to add a bias.
        kernel_initializer, bias_initializer: how the weights start.
        kernel_regularizer, bias_regularizer, activity_regularizer: losses on weights and outputs.
        kernel_constraint, bias_constraint: functions applied to the weights after each step.

    Shapes: `(batch, *space, channels) -> (batch, *space, filters)`; kernel
    `(*window, channels / groups, filters)`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        self.groups = positive(groups, "groups")
        if filters % groups:
            raise ValueError(f"filters must be a multiple of groups, got {filters} and {groups}.")

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self._channel_axis]
        if len(input_shape) != self.rank + 2 or channels is None or channels % self.groups:
            raise ShapeError(
                f"{type(self).__name__} takes inputs of rank {self.rank + 2} with a known number of channels, "
                f"a multiple of groups={self.groups}, at axis {self._channel_axis}. Got {input_shape}."
            )
        self._make_weights(channels, (*self.kernel_size, channels // self.groups, self.filters))

    def call(self, inputs: Any) -> Any:
        self._check_inputs(inputs)
        padding = self.padding
        if padding == "causal":
            ahead = self.dilation_rate[0] * (self.kernel_size[0] - 1)
            inputs, padding = pad(inputs, over_space([(ahead, 0)], self.data_format, (0, 0))), "valid"
        outputs = biased_conv(
            inputs, self.kernel, self.bias, self.strides, padding, self.data_format, self.dilation_rate
        )
        return self._activated(outputs)


class Conv1D(Conv):
    """Convolution along one axis, such as time: `(batch, length, channels)`. See `Conv`."""

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(Conv):
    """Convolution of images: `(batch, height, width, channels)`. See `Conv`."""

    rank = 2


class Conv3D(Conv):
    """Convolution of volumes: `(batch, depth, height, width, channels)`. See `Conv`."""

    rank = 3
