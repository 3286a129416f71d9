"""The base of what a graph can call by name: functions with a config. Layers are operations with weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

from kbridge.core.config import Configured, constructor_parameters
from kbridge.core.context import SYMBOLIC, local, running
from kbridge.core.errors import ArgumentError
from kbridge.core.graph.node import fresh, leaves, map_leaves, record_call
from kbridge.core.naming import auto_name
from kbridge.core.ops.outermost import backend_for
from kbridge.core.saving.config import serialize_keras_object
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import is_tensor, spec_of


class Operation(Configured):
    """A function of tensors, which symbolic tensors can be given too. Then it becomes a node of their graph.

    Subclasses give `call(...)`, which gets its arguments as they are, and `compute_output_spec(...)`, which returns
    KerasTensors, where following `call` on shapes isn't enough. The config is recorded from the constructor's
    arguments.

    Args:
        name: a name without "/", made up if None.

    >>> import numpy as np
    >>> from kbridge import Input, Model
    >>> class Scaled(Operation):
    ...     def __init__(self, factor, name=None):
    ...         super().__init__(name=name)
    ...         self.factor = factor
    ...
    ...     def call(self, x):
    ...         return x * self.factor
    >>> Scaled(3.0)(np.array([1.0, 2.0]))
    array([3., 6.])
    >>> x = Input((2,))
    >>> Model(x, Scaled(3.0, name="thrice")(x)).output_names
    ['thrice']
    """

    _inbound: list[Any]
    _remat: Any = None  # the `RematScope` that it was made in
    autograph_info__: ClassVar[dict[str, Any]] = {}  # TensorFlow's AutoGraph then calls us as we are
    quantization_mode: Any = None  # if it is set, `quantized_call` runs instead of `call`

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls, *args, **kwargs)
        self._inbound = []  # the graph nodes of symbolic calls; a graph brings its own back when copied
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_inbound"}

    def __init__(self, name: str | None = None) -> None:
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ArgumentError(f"{type(self).__name__}: `name` must be a string without '/', got {name!r}.")
        self.name: str = name or auto_name(type(self))
        if local.remat is not None:
            self._remat = local.remat

    # --- what subclasses give ----------------------------------------------------------------------

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs."""
        raise NotImplementedError(f"{type(self).__name__} needs a `call` method.")

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs once `quantization_mode` is set."""
        raise NotImplementedError(f"{type(self).__name__} needs a `quantized_call` method.")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shapes and dtypes of the outputs, as KerasTensors."""
        args, kwargs = map_leaves(lambda leaf: spec_of(leaf) if is_tensor(leaf) else leaf, (args, kwargs))
        with running(SYMBOLIC):
            return self.call(*args, **kwargs)

    # --- calling -----------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = leaves((args, kwargs))
        if local.running is SYMBOLIC or any(isinstance(value, KerasTensor) for value in given):
            return self.symbolic_call(*args, **kwargs)
        if local.running is not None:
            return self._bound_call()(*args, **kwargs)
        with running(backend_for(given)):
            return self._bound_call()(*args, **kwargs)

    def _bound_call(self) -> Callable[..., Any]:
        call = self.call if self.quantization_mode is None else self.quantized_call
        return call if self._remat is None else self._remat.bound(self, call)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """The call as a node of the graph of its symbolic arguments."""
        outputs = map_leaves(fresh, self.compute_output_spec(*args, **kwargs))
        if local.running is not SYMBOLIC:
            record_call(self, args, kwargs, outputs)
            self._inbound.append(leaves(outputs)[0].history[0])
        return outputs

    # --- facts -------------------------------------------------------------------------------------

    @property
    def input(self) -> Any:
        """The symbolic tensor that the first call got, or a list of several."""
        return _one_or_all(self._first_node("input").inputs)

    @property
    def output(self) -> Any:
        """The symbolic tensor that the first call gave, or a list of several."""
        return _one_or_all(self._first_node("output").outputs)

    def _first_node(self, wanted: str) -> Any:
        if not self._inbound:
            raise AttributeError(f"{self.name} has never been called on a symbolic tensor, so it has no {wanted}.")
        return self._inbound[0]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, ready for JSON.

        Raises:
            NotImplementedError: they can't be given back by name, or have no form in JSON.
        """
        kind: type = type(self)
        if self._arguments.get("*"):
            raise NotImplementedError(
                f"{kind.__name__} was made with arguments that have no name, {self._arguments['*']}. "
                "Write a get_config that returns what the constructor takes by name."
            )
        config = super().get_config()
        if "name" in constructor_parameters(kind):
            config["name"] = self.name
        try:
            return {name: serialize_keras_object(value) for name, value in config.items()}
        except TypeError as error:
            raise NotImplementedError(f"{kind.__name__} needs a get_config of its own: {error}") from error

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _one_or_all(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else list(tensors)
