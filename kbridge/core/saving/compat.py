"""Options that Keras writes into configs and kbridge doesn't have: dropped when they ask for nothing."""

from __future__ import annotations

from typing import Any

from kbridge.core.config import Configured, constructor_parameters
from kbridge.core.errors import LoadError

# Values that mean "off", beside None and False.
OFF: dict[tuple[str, str], Any] = {("BatchNormalization", "renorm_momentum"): 0.99}


def without_unknown(cls: Any, config: dict[str, Any]) -> dict[str, Any]:
    """The config of a built-in class without the options it doesn't know.

    Raises:
        LoadError: such an option is switched on, so that leaving it out would change the results.
    """
    if getattr(cls.from_config, "__func__", None) is not Configured.from_config.__func__:  # type: ignore[attr-defined]
        return dict(config)  # the class reads its config itself
    known = constructor_parameters(cls)
    fitted = {}
    for key, value in config.items():
        if key in known:
            fitted[key] = value
        elif value is not None and value is not False and OFF.get((cls.__name__, key)) != value:
            raise LoadError(
                f"The file's {cls.__name__} has {key}={str(value)[:80]}, an option that kbridge doesn't have. "
                "It can't be left out without changing the results."
            )
    return fitted
