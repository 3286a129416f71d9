"""A graph of symbolic tensors as a function of its own."""

from __future__ import annotations

from typing import Any, Self

from kbridge.core.context import SYMBOLIC, running
from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.graph.node import leaves, map_leaves
from kbridge.core.graph.operation import Operation
from kbridge.core.graph.plan import Plan
from kbridge.core.graph.trace import input_node
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tree import assert_same_structure, map_shape_structure


class Function(Operation):
    """The graph between symbolic tensors, as a function. `Model` is the same with weights, training and files.

    Args:
        inputs: a KerasTensor, or several in lists, tuples and dicts. They may lie inside a larger graph.
        outputs: what shall be computed of them, nested as calls shall return it.
        name: a name, made up if None.

    Raises:
        ArgumentError: no inputs, or no outputs.
        ShapeError: an output needs a symbolic tensor that isn't among the inputs.

    >>> import numpy as np
    >>> from kbridge import ops
    >>> x, y = KerasTensor((None, 2)), KerasTensor((None, 2))
    >>> both = Function([x, y], {"sum": x + y, "product": ops.sum(x * y, axis=-1)})
    >>> both([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])])
    {'sum': array([[4., 6.]]), 'product': array([11.])}
    >>> both.compute_output_shape([(None, 2), (5, 2)])
    {'sum': (5, 2), 'product': (5,)}
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        for said, tensors in (("inputs", inputs), ("outputs", outputs)):
            _check_tensors(said, leaves(tensors))
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self._plan = Plan(leaves(inputs), outputs)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat."""
        return list(self._plan.inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat."""
        return leaves(self._outputs_struct)

    @property
    def operations(self) -> list[Any]:
        """What the graph calls, layers and ops, each once: first that whose tensors the others need."""
        starts = [input_node(t) for t in self._plan.inputs if t.history is not None]
        nodes = [*(node for node in starts if node.is_input), *self._plan.nodes]
        return list({id(node.operation): node.operation for node in nodes}.values())

    def call(self, inputs: Any) -> Any:
        """The outputs for new inputs, nested as the inputs of the constructor."""
        return self._plan.run(self._checked(inputs))

    def compute_output_spec(self, inputs: Any) -> Any:
        """The outputs as KerasTensors, for inputs of these shapes."""
        with running(SYMBOLIC):
            return self._plan.run(self._checked(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs, for inputs of these shapes."""
        dtypes = iter(tensor.dtype for tensor in self._plan.inputs)
        inputs = map_shape_structure(lambda shape: KerasTensor(shape, next(dtypes)), input_shape)
        return map_leaves(lambda tensor: tensor.shape, self.compute_output_spec(inputs))

    def _checked(self, inputs: Any) -> list[Any]:
        """The inputs, flat, if the graph was made for such."""
        try:
            assert_same_structure(inputs, self._inputs_struct)
        except ValueError as error:
            raise ArgumentError(
                f"{self.name} was called with an invalid input structure. {error} The second is that of its inputs."
            ) from None
        found = leaves(inputs)
        for value, wanted in zip(found, self._plan.inputs, strict=True):
            shape = tuple(value.shape)
            if len(shape) != wanted.ndim or any(
                isinstance(size, int) and size != want
                for size, want in zip(shape, wanted.shape, strict=True)
                if want is not None
            ):
                raise ShapeError(
                    f"{self.name} got incompatible inputs: one of shape {shape} where {wanted!r} is expected."
                )
        return found

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(
            f"{self.name} is a Function, which has no form in Keras's files. Make a Model of its inputs and outputs."
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        raise NotImplementedError("A Function has no form in Keras's files, so there is none to read.")


def _check_tensors(said: str, tensors: list[Any]) -> None:
    if not tensors:
        raise ArgumentError(f"The `{said}` argument cannot be empty: a Function needs at least one symbolic tensor.")
    for tensor in tensors:
        if not isinstance(tensor, KerasTensor):
            raise ArgumentError(f"The `{said}` of a Function are symbolic tensors, got {type(tensor).__name__}.")
