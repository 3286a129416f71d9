"""What the constructors of layers share: options of weights, windows over space, ranks of inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbridge.core import activations, constraints, initializers, regularizers
from kbridge.core.errors import ShapeError
from kbridge.core.ops.shape import expand_dims, shape

KINDS: dict[str, Callable[[Any], Any]] = {
    "activation": activations.get,
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}


def set_options(layer: Any, **options: Any) -> None:
    """Make attributes of options that may be names or configs; the end of its name says what each is."""
    for name, value in options.items():
        setattr(layer, name, KINDS[name.rpartition("_")[2]](value))


def add_optioned_weight(layer: Any, name: str, shape: Any, initializer: Any = None, **kwargs: Any) -> Any:
    """A weight with the layer's own `{name}_initializer`, `{name}_regularizer` and `{name}_constraint`."""
    return layer.add_weight(
        shape,
        initializer or getattr(layer, f"{name}_initializer"),
        regularizer=getattr(layer, f"{name}_regularizer", None),
        constraint=getattr(layer, f"{name}_constraint", None),
        name=name,
        **kwargs,
    )


def positive(value: Any, name: str) -> int:
    """`value`, if it is a whole number above zero."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a positive whole number, got {value!r}.")
    return value


def fraction(value: Any, name: str) -> Any:
    """`value`, if it is a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number from 0 to 1, got {value!r}.")
    return value


def refuse_attached(layer: Any, **settings: Any) -> None:
    """An error for settings of Keras that change how a layer keeps its weights, which there aren't yet."""
    for name, value in settings.items():
        if value is not None:
            raise ValueError(f"{type(layer).__name__} doesn't support {name}; got {value!r}. Leave it out.")


def without(config: dict[str, Any], *names: str) -> dict[str, Any]:
    """A config without some of its entries."""
    return {name: value for name, value in config.items() if name not in names}


def one_of(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    """`value` in lower case, if it is one of these words."""
    word = value.lower() if isinstance(value, str) else value
    if word not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}.")
    return str(word)


def need_rank(layer: Any, inputs: Any, rank: int) -> None:
    """An error that says what the axes mean, if `inputs` hasn't `rank` axes."""
    if len(inputs.shape) != rank:
        space = ("length", "height, width", "depth, height, width")[rank - 3]
        raise ShapeError(
            f"{type(layer).__name__} takes inputs of rank {rank}: batch, {space} and channels. "
            f"Got shape {tuple(inputs.shape)}; a single sample still needs the batch axis in front."
        )


def over_space(values: Any, data_format: str, other: Any) -> tuple[Any, ...]:
    """`values`, one for each axis of space, with `other` for the batch and the channels."""
    return (other, *values, other) if data_format == "channels_last" else (other, other, *values)


def space_axes(rank: int, data_format: str) -> tuple[int, ...]:
    """The positions of the `rank` axes of space."""
    return tuple(range(1, rank + 1)) if data_format == "channels_last" else tuple(range(2, rank + 2))


def inner_sizes(x: Any, stop: int) -> tuple[Any, ...]:
    """The sizes of the axes from the batch on up to `stop`: numbers where they are known."""
    sizes = tuple(x.shape[1:stop])
    return tuple(shape(x)[1:stop]) if any(s is None for s in sizes) else sizes


def same_tail(mask: Any, rank: int) -> Any:
    """A mask with axes of size 1 behind, up to `rank`."""
    missing = tuple(range(len(mask.shape), rank))
    return expand_dims(mask, missing) if missing else mask
