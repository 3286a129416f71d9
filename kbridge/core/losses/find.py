"""Losses by name, and their saved form."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from kbridge.core import registry
from kbridge.core.losses import probabilistic, regression
from kbridge.core.saving.allow import is_entry
from kbridge.core.saving.config import object_of, serialize_keras_object

ALIASES: dict[str, Callable[..., Any]] = {
    short: function
    for names, function in {
        ("bce", "BCE"): probabilistic.binary_crossentropy,
        ("kld", "KLD"): probabilistic.kl_divergence,
        ("mae", "MAE"): regression.mean_absolute_error,
        ("mse", "MSE"): regression.mean_squared_error,
        ("mape", "MAPE"): regression.mean_absolute_percentage_error,
        ("msle", "MSLE"): regression.mean_squared_logarithmic_error,
    }.items()
    for short in names
}


def get(identifier: Any) -> Any:
    """A loss from what users write: None, a name, an alias, a config, a class, a function or an object.

    Raises:
        ValueError: the name is unknown, or the value can't be called.

    >>> get("mse").__name__, type(get("MeanSquaredError")).__name__
    ('mean_squared_error', 'MeanSquaredError')
    """
    if isinstance(identifier, str) and identifier in ALIASES:
        return ALIASES[identifier]
    if isinstance(identifier, dict) and is_entry(identifier) and identifier["class_name"] == "function":
        return function_of(identifier)
    found = object_of("losses", identifier)
    if found is not None and not callable(found):
        raise ValueError(
            f"A loss is a name, a Loss, or a function (y_true, y_pred) -> loss per sample; got {identifier!r}."
        )
    return found


def function_of(stored: Any) -> Any:
    """A function of two arrays from its stored form: the function, its name, or Keras's entry for one."""
    name = stored["config"] if isinstance(stored, dict) and is_entry(stored) else stored
    if not isinstance(name, str):
        return object_of("losses", stored)
    if name in ALIASES:
        return ALIASES[name]
    registered = stored.get("registered_name") if isinstance(stored, dict) else None
    if isinstance(registered, str) and (found := registry.get_registered_object(registered)) is not None:
        return found
    for kind in ("losses", "metrics"):
        found = registry.public_names(kind).get(name)
        if inspect.isfunction(found):
            return found
    return registry.find("losses", name)


def serialize(loss: Any) -> Any:
    """The JSON form of a loss; a public function is stored by its name."""
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss of a JSON form."""
    with registry.custom_object_scope(custom_objects):
        return get(name)
