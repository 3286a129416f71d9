"""Activation functions as layers."""

from __future__ import annotations

from typing import Any

from kbridge.core import activations
from kbridge.core.errors import ShapeError
from kbridge.core.layers.base import Layer
from kbridge.core.layers.options import add_optioned_weight, set_options
from kbridge.core.ops import activate
from kbridge.core.ops.elementwise import greater, minimum, multiply, negative, subtract, where
from kbridge.core.ops.outermost import dtype_of


class Activation(Layer):
    """Any activation, by name or as a function."""

    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)


def _not_negative(value: Any, name: str) -> Any:
    if value is None or value < 0:
        raise ValueError(f"{name} must be zero or more, got {value!r}.")
    return value


class ReLU(Layer):
    """`x` above `threshold`, at most `max_value`; `negative_slope * (x - threshold)` below.

    Args:
        max_value: upper bound; none if None.
        negative_slope: slope below the threshold.
        threshold: where the function begins.
    """

    supports_masking = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = max_value if max_value is None else _not_negative(max_value, "max_value")
        self.negative_slope = _not_negative(negative_slope, "negative_slope")
        self.threshold = _not_negative(threshold, "threshold")

    def call(self, inputs: Any) -> Any:
        threshold, slope = self.threshold, self.negative_slope
        outputs = where(greater(inputs, threshold), inputs, 0.0) if threshold else activate.relu(inputs)
        if self.max_value is not None:
            outputs = minimum(outputs, self.max_value)
        if slope:
            below = activate.relu(subtract(threshold, inputs) if threshold else negative(inputs))
            outputs = subtract(outputs, multiply(below, slope))
        return outputs


class LeakyReLU(Layer):
    """`x`, times `negative_slope` where it is negative."""

    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:  # its name in Keras 2
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        self.negative_slope = _not_negative(negative_slope, "negative_slope")

    def call(self, inputs: Any) -> Any:
        return activate.leaky_relu(inputs, self.negative_slope)


class ELU(Layer):
    """`x`, or `alpha * (exp(x) - 1)` where it is negative (https://arxiv.org/abs/1511.07289)."""

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        return activate.elu(inputs, self.alpha)


class PReLU(Layer):
    """`x`, times a trained `alpha` where it is negative (https://arxiv.org/abs/1502.01852).

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: as in `Dense`.
        shared_axes: axes along which one alpha serves all.
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        set_options(
            self, alpha_initializer=alpha_initializer, alpha_regularizer=alpha_regularizer,
            alpha_constraint=alpha_constraint,
        )  # fmt: skip
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes

    def build(self, input_shape: Any) -> None:
        shared = self.shared_axes or ()
        sizes = tuple(1 if i in shared else s for i, s in enumerate(input_shape))[1:]
        if None in sizes:
            raise ShapeError(f"PReLU needs to know the sizes of the axes it doesn't share, got {input_shape}.")
        self.alpha = add_optioned_weight(self, "alpha", sizes)

    def call(self, inputs: Any) -> Any:
        return subtract(activate.relu(inputs), multiply(self.alpha, activate.relu(negative(inputs))))


class Softmax(Layer):
    """exp(x), scaled to sum to 1 along `axis`.

    Args:
        axis: the axis or axes.

    Call arguments: `mask`, which broadcasts to the inputs, is False where the outputs shall be 0.
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return activate.softmax(inputs, self.axis)
        if len(mask.shape) > len(inputs.shape):
            raise ShapeError(f"A mask of shape {tuple(mask.shape)} doesn't broadcast to {tuple(inputs.shape)}.")
        if dtype_of(mask) != "bool":
            mask = greater(mask, 0.5)
        low = -3e4 if dtype_of(inputs) == "float16" else -1e9  # float16 ends at 65504
        outputs = activate.softmax(where(mask, inputs, low), self.axis)
        return where(mask, outputs, 0.0)  # where nothing was kept, softmax would spread evenly
