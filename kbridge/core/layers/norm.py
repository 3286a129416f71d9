"""Normalisation layers."""

from __future__ import annotations

from typing import Any

from kbridge.core import settings
from kbridge.core.errors import ShapeError
from kbridge.core.layers.base import Layer
from kbridge.core.layers.options import add_optioned_weight, set_options
from kbridge.core.ops.elementwise import add, cast, divide, multiply, rsqrt, square, subtract, where
from kbridge.core.ops.nn import batch_norm, layer_norm, normalize_batch
from kbridge.core.ops.reduce import mean as mean_over
from kbridge.core.ops.reduce import sum as sum_over
from kbridge.core.ops.shape import broadcast_to, expand_dims, reshape, shape
from kbridge.core.tensor.shapes import every_axis, one_axis

HALVES = ("float16", "bfloat16")


class BatchNormalization(Layer):
    """Each channel with mean 0 and variance 1 over the batch, times gamma, plus beta.

    While training, with the mean and variance of the batch, which also feed the moving ones; else, and
    when the layer is frozen (`trainable = False`), with the moving ones. Half-precision inputs are
    treated in float32. Source: https://arxiv.org/abs/1502.03167.

    Args:
        axis: the axis of the channels.
        momentum: how much of a moving statistic a training step keeps.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer,
            beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: as in `Dense`.
        renorm, renorm_clipping, renorm_momentum: batch renormalisation; not supported.
        synchronized: kept for Keras's signature; the statistics are those of the batch that a call sees.

    Call arguments: `mask`, with one axis less than the inputs, leaves elements out of the statistics.
    """

    supports_masking = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if renorm:
            raise ValueError("renorm=True (batch renormalisation) isn't supported. Use renorm=False.")
        self.axis, self.momentum, self.epsilon = int(axis), float(momentum), float(epsilon)
        self.center, self.scale = center, scale
        set_options(
            self, beta_initializer=beta_initializer, gamma_initializer=gamma_initializer,
            moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer,
            beta_regularizer=beta_regularizer, gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint, gamma_constraint=gamma_constraint,
        )  # fmt: skip
        self.gamma = self.beta = None
        self._widens = self.compute_dtype in HALVES

    def build(self, input_shape: Any) -> None:
        self._axis = one_axis(self.axis, len(input_shape))
        sizes = (_known(self, input_shape, self._axis),)
        if self.scale:
            self.gamma = add_optioned_weight(self, "gamma", sizes, autocast=False)
        if self.center:
            self.beta = add_optioned_weight(self, "beta", sizes, autocast=False)
        self.moving_mean = add_optioned_weight(self, "moving_mean", sizes, trainable=False, autocast=False)
        self.moving_variance = add_optioned_weight(self, "moving_variance", sizes, trainable=False, autocast=False)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        x, beta, gamma, mean, variance = inputs, self.beta, self.gamma, self.moving_mean, self.moving_variance
        if self._widens:
            x, beta, gamma, mean, variance = (
                v if v is None else cast(v, "float32") for v in (x, beta, gamma, mean, variance)
            )
        if training and self._trainable:
            if mask is None:
                outputs, mean, variance = normalize_batch(x, beta, gamma, self._axis, self.epsilon)
            else:
                mean, variance = self._masked_statistics(x, mask)
                outputs = batch_norm(x, mean, variance, beta, gamma, self._axis, self.epsilon)
            self._follow_up(self.moving_mean, mean)
            self._follow_up(self.moving_variance, variance)
        else:
            outputs = batch_norm(x, mean, variance, beta, gamma, self._axis, self.epsilon)
        return cast(outputs, self.compute_dtype) if self._widens else outputs

    def _follow_up(self, moving: Any, value: Any) -> None:
        moving.assign(add(multiply(moving, self.momentum), multiply(value, 1.0 - self.momentum)))

    def _masked_statistics(self, x: Any, mask: Any) -> Any:
        axes = tuple(i for i in range(len(x.shape)) if i != self._axis)
        if len(mask.shape) != len(x.shape) - 1:
            raise ShapeError(f"A mask has one axis less than the inputs; got {tuple(mask.shape)} for {tuple(x.shape)}.")
        counted = broadcast_to(expand_dims(cast(mask, "bool"), -1), shape(x))
        count = add(sum_over(cast(counted, x.dtype), axes, True), settings.epsilon())
        mean = divide(sum_over(where(counted, x, 0), axes, True), count)
        away = where(counted, subtract(x, mean), 0)
        variance = divide(sum_over(square(away), axes, True), count)
        return reshape(mean, (-1,)), reshape(variance, (-1,))


class LayerNormalization(Layer):
    """Each sample with mean 0 and variance 1 along `axis`, times gamma, plus beta.

    Source: https://arxiv.org/abs/1607.06450.

    Args:
        axis: the axis or axes to normalise along.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint: as in `Dense`.
    """

    supports_masking = True

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("rms_scaling", False):  # old files still hold the key
            raise ValueError("LayerNormalization has no rms_scaling any more. Use RMSNormalization.")
        super().__init__(**kwargs)
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(f"axis is a whole number or a list of them, got {axis!r}.")
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.epsilon, self.center, self.scale = epsilon, center, scale
        set_options(
            self, beta_initializer=beta_initializer, gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer, gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint, gamma_constraint=gamma_constraint,
        )  # fmt: skip
        self.gamma = self.beta = None

    def build(self, input_shape: Any) -> None:
        sizes = tuple(_known(self, input_shape, a) for a in every_axis(self.axis, len(input_shape)))
        if self.scale:
            self.gamma = add_optioned_weight(self, "gamma", sizes, autocast=False)
        if self.center:
            self.beta = add_optioned_weight(self, "beta", sizes, autocast=False)

    def call(self, inputs: Any) -> Any:
        return layer_norm(inputs, self.gamma, self.beta, self.axis, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rms_scaling": False}


class RMSNormalization(Layer):
    """The inputs over the root of their mean square along `axis`, times `scale`.

    Source: https://arxiv.org/abs/1910.07467.

    Args:
        axis: the axis or axes to normalise along.
        epsilon: added to the mean square.
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis, self.epsilon = axis, epsilon

    def build(self, input_shape: Any) -> None:
        axes = every_axis(self.axis, len(input_shape))
        sizes = tuple(_known(self, input_shape, a) for a in axes)
        self._broadcast = tuple(input_shape[i] if i in axes else 1 for i in range(len(input_shape)))
        self.scale = self.add_weight(sizes, "ones", autocast=False, name="scale")

    def call(self, x: Any) -> Any:
        widens = self.compute_dtype in HALVES
        wide = cast(x, "float32") if widens else x
        y = multiply(wide, rsqrt(add(mean_over(square(wide), self.axis, True), self.epsilon)))
        y = multiply(y, reshape(self.scale, self._broadcast))
        return cast(y, self.compute_dtype) if widens else y


def _known(layer: Any, shape: Any, axis: int) -> int:
    size = shape[axis]
    if size is None:
        raise ShapeError(
            f"{type(layer).__name__} needs to know the size of axis {axis}, got {shape}. "
            "Give the model an Input with it."
        )
    return int(size)
