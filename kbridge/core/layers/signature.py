"""What a layer's `call` and `build` take, looked up once per function."""

from __future__ import annotations

import functools
import inspect
from typing import Any


class CallSignature:
    """The parameters of a layer's `call`.

    Attributes:
        names: the positional parameters.
        takes_training, takes_mask: whether it has these parameters.
        default_training: the default of `training`.
        masks: parameter that wants a mask -> parameter whose mask it wants.
    """

    def __init__(self, call: Any) -> None:
        parameters = list(inspect.signature(call).parameters.values())[1:]
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self.names = tuple(p.name for p in parameters if p.kind in kinds)
        every = {p.name: p for p in parameters}
        self.takes_training = "training" in every
        default = every["training"].default if self.takes_training else None
        self.default_training = None if default is inspect.Parameter.empty else default
        self.masks = {
            name: name.removesuffix("_mask")
            for name in every
            if name.endswith("_mask") and name.removesuffix("_mask") in every
        }
        first = self.names[0] if self.names else None
        if "mask" in every and first is not None:
            self.masks["mask"] = first

    def bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments by name, those given by position included."""
        return {**dict(zip(self.names, args, strict=False)), **kwargs}


@functools.cache
def call_signature(call: Any) -> CallSignature:
    """The `CallSignature` of a `call` function."""
    return CallSignature(call)


@functools.cache
def build_names(build: Any) -> tuple[str, ...]:
    """The parameters of a `build` function."""
    return tuple(inspect.signature(build).parameters)[1:]
