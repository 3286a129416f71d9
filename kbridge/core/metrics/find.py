"""Metrics by name, and their saved form."""

from __future__ import annotations

import inspect
from typing import Any

from kbridge.core import registry
from kbridge.core.losses.find import function_of
from kbridge.core.metrics import from_losses
from kbridge.core.naming import snake_case
from kbridge.core.saving.allow import is_entry
from kbridge.core.saving.config import object_of, serialize_keras_object

ALIASES: dict[str, type] = {
    short: kind
    for names, kind in {
        ("bce", "BCE"): from_losses.BinaryCrossentropy,
        ("mae", "MAE"): from_losses.MeanAbsoluteError,
        ("mse", "MSE"): from_losses.MeanSquaredError,
        ("mape", "MAPE"): from_losses.MeanAbsolutePercentageError,
        ("msle", "MSLE"): from_losses.MeanSquaredLogarithmicError,
    }.items()
    for short in names
}


def get(identifier: Any) -> Any:
    """A metric from what users write: None, a name, an alias, a config, a class, a function or an object.

    A name means the class where there is one: `get("mse")` is a `MeanSquaredError()`.

    Raises:
        ValueError: the name is unknown, or the value can't be called.

    >>> get("mse"), get("binary_accuracy")
    (<MeanSquaredError name=mean_squared_error>, <BinaryAccuracy name=binary_accuracy>)
    """
    if isinstance(identifier, str):
        kind = ALIASES.get(identifier) or _class_called(identifier)
        return kind() if kind is not None else object_of("metrics", identifier)
    if isinstance(identifier, dict) and is_entry(identifier) and identifier["class_name"] == "function":
        return function_of(identifier)
    found = object_of("metrics", identifier)
    if found is not None and not callable(found):
        raise ValueError(
            f"A metric is a name, a Metric, or a function (y_true, y_pred) -> value per sample; got {identifier!r}."
        )
    return found


def _class_called(name: str) -> type | None:
    """The public class of that name, unless a custom object has it."""
    if name in registry.custom_names():
        return None
    for public, found in registry.public_names("metrics").items():
        if inspect.isclass(found) and name in (public, snake_case(public)):
            return found
    return None


def serialize(metric: Any) -> Any:
    """The JSON form of a metric; a public function is stored by its name."""
    return serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric of a JSON form."""
    with registry.custom_object_scope(custom_objects):
        return get(config)
