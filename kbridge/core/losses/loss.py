"""The base of losses: what happens to the value of each sample until one number is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbridge.core.config import Configured
from kbridge.core.context import local
from kbridge.core.graph.node import map_leaves
from kbridge.core.layers.base import is_tensor
from kbridge.core.layers.masks import mask_of
from kbridge.core.losses.reduction import (
    check_reduction,
    match_ranks,
    reduce_weighted_values,
)
from kbridge.core.naming import auto_name
from kbridge.core.ops.elementwise import logical_and
from kbridge.core.ops.outermost import as_tensor, outermost
from kbridge.core.saving.config import serialize_keras_object
from kbridge.core.settings import floatx
from kbridge.core.tensor.policy import policy_of


class Loss(Configured):
    """A number to make small: how far predictions are from targets.

    Subclasses give `call(y_true, y_pred)`, which returns the loss of each sample.

    Args:
        name: a name, made up if None.
        reduction: "sum_over_batch_size" or "mean" (the mean of all values), "sum",
            "mean_with_sample_weight" (the weighted mean), "none" or None (one value per sample).
        dtype: the type to compute in, or a policy; the default float type if None.
    """

    casts_targets = True  # whether targets are brought to `dtype`; class numbers stay whole

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        self.name = name or auto_name(type(self))
        self.reduction = check_reduction(reduction)
        self._given_dtype = dtype
        self.dtype: str = policy_of(dtype or floatx()).compute_dtype

    @outermost
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss.

        Args:
            y_true, y_pred: targets and predictions, arrays or nested ones.
            sample_weight: weights that multiply the loss of each sample, `(batch,)` or broadcastable.
        """
        before = local.masks
        local.masks = {} if before is None else before
        try:
            mask = given_mask(y_pred)
            y_pred = _converted(y_pred, self.dtype)
            y_true = _converted(y_true, self.dtype if self.casts_targets else None)
            values = self.call(y_true, y_pred)
            mask = both_masks(mask, mask_of(values))
        finally:
            local.masks = before
        return reduce_weighted_values(values, sample_weight, mask, self.reduction, self.dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each sample: `(batch, ..., d)` -> `(batch, ...)`."""
        raise NotImplementedError(f"{type(self).__name__} needs a call(y_true, y_pred).")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, ready for JSON; the dtype only if one was given."""
        config = super().get_config()
        if self._given_dtype is None:
            config.pop("dtype", None)
        return config


class LossFunctionWrapper(Loss):
    """A loss from a function `fn(y_true, y_pred, **kwargs)` that gives the loss of each sample."""

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self.fn_kwargs = kwargs
        for argument, value in kwargs.items():
            setattr(self, argument, value)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if is_tensor(y_true) and is_tensor(y_pred):
            y_true, y_pred = match_ranks(y_true, y_pred)
        return self.fn(y_true, y_pred, **self.fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if type(self) is LossFunctionWrapper:
            config.update(serialize_keras_object({"fn": self.fn, **self.fn_kwargs}))
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LossFunctionWrapper:
        """The loss of that config; a function's name is looked up among the losses."""
        if "fn" in config:
            from kbridge.core.losses.find import function_of

            config = {**config, "fn": function_of(config["fn"])}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def given_mask(y_pred: Any) -> Any:
    """The mask that came with predictions, in this call or on the tensor, or None."""
    mask = mask_of(y_pred)
    return mask if mask is not None else getattr(y_pred, "_keras_mask", None)


def both_masks(first: Any, second: Any) -> Any:
    """Where both masks hold; None holds everywhere."""
    if first is None or second is None:
        return second if first is None else first
    return logical_and(first, second)


def _converted(value: Any, dtype: str | None) -> Any:
    """An array as a tensor; in a list, tuple or dict of tensors, each of them."""
    nested = isinstance(value, dict) or (isinstance(value, (list, tuple)) and any(is_tensor(each) for each in value))
    return map_leaves(lambda each: as_tensor(each, dtype), value) if nested else as_tensor(value, dtype)
