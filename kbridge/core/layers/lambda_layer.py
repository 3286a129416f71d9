"""A Python function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from kbridge.core.errors import ArgumentError, KBridgeError, SymbolicError
from kbridge.core.layers.base import Layer
from kbridge.core.ops.convert import convert_to_numpy, convert_to_tensor
from kbridge.core.saving.allow import check
from kbridge.core.saving.config import deserialize_keras_object


class Lambda(Layer):
    """A function as a layer: `function(inputs, **arguments)`.

    Files hold the function's name, never its code. To be saved, it needs a name of its own and
    `@kbridge.saving.register_keras_serializable()`; whoever loads the file registers the same function,
    or passes it in `custom_objects`. A `lambda` works, and can't be saved.

    Args:
        function: takes the inputs, and `mask` and `training` where it has parameters of these names.
        output_shape: the shape of the outputs without the batch, or a function from the inputs' shape to the
            outputs' with it. If None, the function is run on shapes to find out.
        mask: the mask of the outputs: an array, or a function of the inputs and their mask. None for none.
        arguments: further arguments of the function, by name.

    >>> import numpy as np
    >>> Lambda(lambda x, by: x * by, arguments={"by": 3})(np.array([[1.0, 2.0]]))
    array([[3., 6.]], dtype=float32)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ArgumentError(f"Lambda takes a function, got {function!r}.")
        self.function, self.arguments = function, arguments or {}
        self.mask = mask if mask is None or callable(mask) else convert_to_numpy(mask)  # at home on no backend
        self.supports_masking = mask is not None
        self._output_shape = output_shape if output_shape is None or callable(output_shape) else _sizes(output_shape)
        self._taken = _parameters(function) & {"mask", "training"}

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        given = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{name: given[name] for name in self._taken})

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask that the layer was made with, whatever the inputs' one is."""
        if callable(self.mask):
            return self.mask(inputs, mask)
        return None if self.mask is None else convert_to_tensor(self.mask)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the outputs for inputs of this shape."""
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        return _behind(_first(input_shape), self._output_shape)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shapes and dtypes of the outputs; where `output_shape` is given, they have the compute type."""
        if self._output_shape is not None:
            return super().compute_output_spec(*args, **kwargs)
        try:
            return self._follow(args, kwargs)
        except Exception as error:
            if isinstance(error, KBridgeError) and not isinstance(error, SymbolicError):
                raise
            raise NotImplementedError(
                f"The function of {self.name} can't be run on shapes alone ({type(error).__name__}: {error}). "
                "Write it with kbridge.ops, or give the layer an output_shape."
            ) from error

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, functions by their names.

        Raises:
            TypeError: a function has no name to be found by.
        """
        config = super().get_config()
        for name, value in (("function", self.function), ("output_shape", self._output_shape), ("mask", self.mask)):
            if value is None:
                del config[name]
            elif callable(value):
                config[name] = _named(config[name], value)
        arguments = {
            name: _named(form, self.arguments[name]) if inspect.isfunction(self.arguments[name]) else form
            for name, form in (config["arguments"] or {}).items()
        }
        return {**config, "arguments": arguments}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None, safe_mode: bool | None = None
    ) -> Lambda:
        """The layer of that config. Code in it is refused, whatever `safe_mode` says.

        Raises:
            LoadError: the config holds code, or names a function that isn't public, registered or passed along.
        """
        check({"module": "keras.layers", "class_name": "Lambda", "config": config}, custom_objects)
        stored = {key: config[key] for key in ("function", "output_shape", "mask", "arguments") if key in config}
        return cls(**config | deserialize_keras_object(stored, custom_objects))


def _parameters(function: Callable[..., Any]) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # a function written in C
        return set()


def _named(form: Any, function: Any) -> dict[str, Any]:
    """The stored form of a function as Keras has it here, whether its name is public or registered."""
    if isinstance(form, dict) and form.get("class_name") == "function":
        form = form["config"]
    if not isinstance(form, str):
        raise TypeError(f"A Lambda is saved by the name of its function, and {function!r} is none. Wrap it in one.")
    return {"module": "builtins", "class_name": "function", "config": form, "registered_name": "function"}


# --- shapes of one or more tensors, nested as they are ----------------------------------------------


def _nested(shape: Any) -> bool:
    return isinstance(shape, dict) or any(isinstance(each, (list, tuple, dict)) for each in shape)


def _sizes(shape: Any) -> Any:
    """An `output_shape` as the user or a file gives it, with tuples for shapes."""
    if isinstance(shape, dict):
        return {name: _sizes(each) for name, each in shape.items()}
    if isinstance(shape, (list, tuple)) and shape and _nested(shape):
        return [_sizes(each) for each in shape]
    if not isinstance(shape, (list, tuple)) or any(s is not None and not isinstance(s, int) for s in shape):
        raise ArgumentError(f"output_shape holds sizes and None, without the batch, or is a function; got {shape!r}.")
    return tuple(shape)


def _behind(batch: Any, shape: Any) -> Any:
    """The shape, or each of several, with the batch in front."""
    if isinstance(shape, dict):
        return {name: _behind(batch, each) for name, each in shape.items()}
    return [_behind(batch, each) for each in shape] if isinstance(shape, list) else (batch, *shape)


def _first(shape: Any) -> Any:
    """The batch of the first tensor."""
    while isinstance(shape, (list, tuple, dict)):
        shape = next(iter(shape.values() if isinstance(shape, dict) else shape))
    return shape
