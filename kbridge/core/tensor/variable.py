"""Variables. The value lives in one framework at a time, its home, in that framework's own container."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbridge.core.context import SYMBOLIC, current_backend, framework_of, framework_of_type, load_backend, local
from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.naming import auto_name
from kbridge.core.registry import find
from kbridge.core.tensor.berth import Box, moves, remember
from kbridge.core.tensor.dtypes import is_float, standardize_dtype
from kbridge.core.tensor.shapes import standardize_shape
from kbridge.core.tensor.symbolic import KerasTensor

AGGREGATIONS = ("none", "mean", "sum", "only_first_replica")
SYNCHRONIZATIONS = ("none", "on_read", "on_write", "auto")


class Variable:
    """A value that layers read and training changes.

    Args:
        initializer: an array, or together with `shape` a callable `(shape, dtype) -> array` or an
            initializer's name.
        shape: needed unless an array says it.
        dtype: element type; the default float type if None and not given by the array. On NumPy and
            TensorFlow "string" is possible.
        trainable: whether training changes it.
        autocast: whether mixed precision may read it in the compute type.
        aggregation: a note how replicas combine it: "none", "mean", "sum" or "only_first_replica".
        synchronization: a note when they do: "none", "on_read", "on_write" or "auto".
        name: its last name, made up if None; the path puts the layer's names before it.

    Raises:
        ArgumentError: a name with "/", an unknown note.
        ShapeError: the shape isn't known, or the array has another one.

    The value is a host array until a backend first uses it; then it moves there. Used under another
    backend it moves again, whole: it is never held twice and never stale.

    Python's operators, and `==` among them, compute with the value. A variable is still a key of its
    own in dicts and sets.

    >>> v = Variable([1.0, 2.0], name="v")
    >>> v * 2 + 1, v == 2
    (array([3., 5.], dtype=float32), array([False,  True]))
    >>> v
    <Variable path=v, shape=(2,), dtype=float32, value=[1. 2.]>
    """

    __array_priority__ = 1000  # NumPy hands mixed operators to us

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
    ) -> None:
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ArgumentError(f"A variable's `name` is a string without '/', got {name!r}. Layers add the path.")
        self.name: str = name or auto_name(Variable)
        self.path = "/".join((*local.names, self.name))
        self._trainable = bool(trainable)
        self.autocast = bool(autocast)
        self.aggregation = _one_of("aggregation", aggregation, AGGREGATIONS)
        self.synchronization = _one_of("synchronization", synchronization, SYNCHRONIZATIONS)
        self._regularizer: Any = None
        self._constraint: Any = None
        self._overwrite_with_gradient = False
        self.created_trainable = self._trainable  # what thawing a frozen layer goes back to
        value = _starting_value(initializer, shape, dtype)
        self.shape: tuple[int, ...] = value.shape
        self._dtype = load_backend("numpy").dtype_of(value)
        self._home: Any = load_backend("numpy")
        self._box: Box = {"value": value}
        self._key: Any = "value"
        self._adopted = False  # whether the box is a module's own dictionary
        self._berths: dict[str, Any] = {}

    # --- reading -----------------------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """The tensor: of the running backend inside a call, of its home outside.

        Outside, a scope still decides, and the default does for a value that no framework has had yet.
        """
        if local.lens is None:
            if local.running is self._home:  # the common case, on the hot path of every layer
                return self._box[self._key]
            return self._read()
        return local.lens.read(self)

    def _read(self) -> Any:
        backend = local.running
        if backend is None and (local.scope is not None or self._home.name == "numpy"):
            backend = current_backend()
        if backend is self._home or backend is None or backend is SYMBOLIC:
            return self._box[self._key]
        return self.settle(backend)

    @property
    def home_value(self) -> Any:
        """The tensor where it lives now; nothing moves."""
        return self._box[self._key]

    @property
    def seen_value(self) -> Any:
        """What is read now, where it lies: at home, or laid over; nothing moves."""
        return self._box[self._key] if local.lens is None else local.lens.find(self)

    @property
    def home(self) -> str:
        """Name of the framework that holds the value now."""
        return str(self._home.name)

    def settle(self, backend: Any) -> Any:
        """Move the value to `backend` and return it there.

        Inside another framework's trace the value is captured and the home stays; only a host value
        that no framework has used yet moves even then.
        """
        if backend is self._home:
            return self._box[self._key]
        if backend.is_tracing() and self._home.name != "numpy":
            return backend.convert(self.numpy(), self._dtype)
        value = self._home.to_numpy(self._box[self._key])
        berth = self._berths.get(backend.name)
        box = berth() if berth is not None else None
        left_box, left_key = self._box, self._key
        if box is None:
            box = {"value": None}
            box["value"] = backend.make_variable(value, self._dtype, self._trainable, self.path)
            self._box, self._key, adopted = box, "value", False
        else:
            self._box, self._key, adopted = box.box, box.key, box.adopted
            backend.write_variable(box.box, box.key, value)
        self._berths[self._home.name] = remember(self._home, left_box, left_key, self._adopted)
        if not self._adopted:
            left_box[left_key] = None  # the box may be a step's, and outlive this stay
        self._adopted = adopted
        self._home = backend
        moves.add()
        return self._box[self._key]

    def adopt(self, backend: Any, box: Box, key: Any) -> None:
        """Let `box[key]`, a container of `backend` that holds this value already, be its home from now on."""
        self._box, self._key, self._home, self._adopted = box, key, backend, True
        moves.add()

    def seat(self, box: list[Any], place: int) -> None:
        """Take the value, which stays in its framework, into `box`: a step keeps those of all its variables in one."""
        box[place] = self._box[self._key]
        self._box[self._key] = None
        self._box, self._key = box, place
        moves.add()

    def numpy(self) -> np.ndarray:
        """The value as a NumPy array, on the host."""
        value = self.seen_value
        home = self._home if local.lens is None else load_backend(framework_of(value) or "numpy")
        return np.array(home.to_numpy(value))  # a copy: training may go on

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = self.numpy()
        return value if dtype is None else value.astype(dtype)

    # --- writing -----------------------------------------------------------------------------------

    def assign(self, value: Any) -> Any:
        """Replace the value by one of the same shape, cast to this variable's dtype; returns that.

        Raises:
            ShapeError: the shapes differ.
        """
        if isinstance(value, Variable):
            value = value.value
        shape = tuple(getattr(value, "shape", None) or np.shape(value))
        if len(shape) != len(self.shape) or any(
            isinstance(a, int) and a != b for a, b in zip(shape, self.shape, strict=True)
        ):
            raise ShapeError(
                f"Variable {self.path} has shape {self.shape} and was assigned a value of shape {shape}. "
                "Reshape the value, or build a new variable."
            )
        if local.running is SYMBOLIC:
            return value  # following shapes changes nothing
        lens = local.lens
        if lens is not None and lens.write(self, value):
            return lens.find(self)
        backend = local.running if local.running not in (None, SYMBOLIC) else self._home
        if backend is not self._home and backend.is_tracing():
            backend.refuse_write(self.path)
        if backend is not self._home:
            self.settle(backend)
        # a module's owner may have moved it to another float type, which then counts
        dtype = backend.dtype_of(self._box[self._key]) if self._adopted else self._dtype
        if framework_of_type(type(value)) not in (None, backend.name):
            value = load_backend("numpy").convert(value)  # borrowed memory may change under the variable
        written = backend.convert(value, dtype)
        backend.write_variable(self._box, self._key, written)
        return written

    def assign_add(self, value: Any) -> Any:
        """Add `value` in place; returns the sum, which may be the variable's own tensor."""
        home = self._home
        if local.lens is None and local.running is home and home.add_in_place(self._box, self._key, value):
            return self._box[self._key]
        # by name: Dynamo follows no operator between an object and a tensor (torch 2.13)
        return self.assign(self.__add__(value))  # type: ignore[operator]

    def assign_sub(self, value: Any) -> Any:
        """Subtract `value` in place."""
        return self.assign(self.__sub__(value))  # type: ignore[operator]

    # --- facts -------------------------------------------------------------------------------------

    @property
    def dtype(self) -> str:
        """Element type, as a string; the compute type inside a mixed-precision layer."""
        lens = local.lens
        if lens is not None and lens.cast is not None and self.autocast and is_float(self._dtype):
            return str(lens.cast)
        return self._dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def trainable(self) -> bool:
        """Whether training changes it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        self._home.mark_trainable(self._box[self._key], self._trainable)

    @property
    def regularizer(self) -> Callable[[Any], Any] | None:
        """What its layer adds to the loss: a function of the variable."""
        return self._regularizer

    @regularizer.setter
    def regularizer(self, value: Any) -> None:
        self._regularizer = _callable_or_none("regularizer", value)

    @property
    def constraint(self) -> Callable[[Any], Any] | None:
        """What optimizers pass it through after each step: a function of the variable."""
        return self._constraint

    @constraint.setter
    def constraint(self, value: Any) -> None:
        self._constraint = _callable_or_none("constraint", value)

    @property
    def overwrite_with_gradient(self) -> bool:
        """Whether optimizers take its gradient for its new value."""
        return self._overwrite_with_gradient

    @overwrite_with_gradient.setter
    def overwrite_with_gradient(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise TypeError(f"overwrite_with_gradient must be a boolean. Got {value!r}: give True or False.")
        self._overwrite_with_gradient = value

    def __repr__(self) -> str:
        value = self._shown_value()
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}{value}>"

    def _shown_value(self) -> str:
        try:
            return f", value={self.numpy()}"
        except Exception as error:  # a tracer, or a buffer given away: a repr is the last place to stop a program
            return f", value unavailable ({type(error).__name__})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        from copy import deepcopy

        twin = object.__new__(type(self))
        memo[id(self)] = twin
        state = self.__dict__.copy()
        state.pop("_berths"), state.pop("_home"), state.pop("_box")
        twin.__dict__.update(deepcopy(state, memo))
        twin._berths, twin._home = {}, self._home
        twin._box = self._home.copy_box(self._box, self._key, memo)
        return twin

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "_berths": {}, "_home": self._home.name}
        if not self._adopted:  # stored as a host value: the next process may lack this framework
            state |= {"_home": "numpy", "_box": {"value": self.numpy()}, "_key": "value"}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._home = load_backend(state["_home"])


TENSORS = (KerasTensor, Variable, np.ndarray, np.generic)


def is_tensor(value: Any) -> bool:
    """Whether a call argument is data: an array, a tensor of any framework, or symbolic."""
    return isinstance(value, TENSORS) or framework_of_type(type(value)) is not None


def spec_of(value: Any) -> KerasTensor:
    """Shape and dtype of anything array-like, as a KerasTensor."""
    if isinstance(value, KerasTensor):
        return value
    if isinstance(value, Variable):
        return KerasTensor(value.shape, value.dtype)
    shape = getattr(value, "shape", None)
    dtype = getattr(value, "dtype", None)
    if shape is None or dtype is None:
        array = np.asarray(value)
        shape = array.shape
        dtype = {"float64": None, "int64": "int32"}.get(str(array.dtype), array.dtype)
    return KerasTensor(tuple(shape), standardize_dtype(dtype))


def _starting_value(initializer: Any, shape: Any, dtype: Any) -> np.ndarray:
    if isinstance(initializer, str):
        initializer = find("initializers", initializer)
        initializer = initializer() if isinstance(initializer, type) else initializer
    if callable(initializer):
        if shape is None:
            raise ShapeError("A variable made from an initializer, not from an array, needs `shape`.")
        sizes = standardize_shape(shape)
        if None in sizes:
            raise ShapeError(f"A variable's shape must be fully known, got {sizes}.")
        dtype = standardize_dtype(dtype)
        if local.loading is not None and (blank := local.loading.start(initializer, sizes, dtype)) is not None:
            return blank
        value = initializer(sizes, dtype=dtype)
    else:
        value = initializer
        if dtype is None:
            dtype = spec_of(value).dtype
    host = load_backend("numpy")
    array = host.convert(value, standardize_dtype(dtype))
    if shape is not None and tuple(shape) != array.shape:
        raise ShapeError(
            f"The initializer gave shape {array.shape} where {tuple(shape)} was asked for. Leave `shape` out to "
            "take the array's, or broadcast the array first."
        )
    return np.array(array)  # our own copy: the caller may change theirs


def _one_of(argument: str, given: str | None, choices: tuple[str, ...]) -> str:
    if given is None:
        return "none"
    if given not in choices:
        raise ArgumentError(f"A variable's `{argument}` is one of {', '.join(choices)}, got {given!r}.")
    return given


def _callable_or_none(attribute: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise ArgumentError(f"A variable's `{attribute}` is a function of its value, or None, got {value!r}.")
    return value
