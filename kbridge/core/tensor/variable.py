"""Variables. The value lives in one framework at a time, its home, in that framework's own container."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from kbridge.core.context import SYMBOLIC, framework_of_type, load_backend, local
from kbridge.core.errors import ShapeError
from kbridge.core.tensor.dtypes import is_float, standardize_dtype
from kbridge.core.tensor.shapes import standardize_shape
from kbridge.core.tensor.symbolic import KerasTensor


class Variable:
    """A value that layers read and training changes.

    Args:
        initializer: an array, or a callable `(shape, dtype) -> array` together with `shape`.
        shape: needed for a callable initializer.
        dtype: element type; the default float type if None and not given by the array.
        trainable: whether training changes it.
        autocast: whether mixed precision may read it in the compute type.
        aggregation: how replicas combine it (kept for Keras's signature).
        synchronization: kept for Keras's signature.
        name: its last name; the path puts the layer's names before it.

    The value is a host array until a backend first uses it; then it moves there. Used under another
    backend it moves again, whole: it is never held twice and never stale.
    """

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
    ) -> None:
        self.name = name or "variable"
        if "/" in self.name:
            raise ValueError(f"A variable's name has no '/': {self.name!r}. Layers add the path.")
        self.path = "/".join((*local.names, self.name))
        self._trainable = bool(trainable)
        self.autocast = bool(autocast)
        self.aggregation = aggregation
        self.synchronization = synchronization
        self.regularizer: Any = None
        self.constraint: Any = None
        self.overwrite_with_gradient = False
        self.created_trainable = self._trainable  # what thawing a frozen layer goes back to
        value = _starting_value(initializer, shape, dtype)
        self.shape: tuple[int, ...] = value.shape
        self._dtype = standardize_dtype(value.dtype)
        self._home: Any = load_backend("numpy")
        self._box: dict[str, Any] = {"value": value}
        self._key = "value"
        self._adopted = False  # whether the box is a module's own dictionary
        self._berths: dict[str, Any] = {}

    # --- reading -----------------------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """The tensor: of the running backend inside a call, of its home outside."""
        if local.lens is None:
            if local.running is self._home:  # the common case, on the hot path of every layer
                return self._box[self._key]
            return self._read()
        return local.lens.read(self)

    def _read(self) -> Any:
        backend = local.running
        if backend is self._home or backend is None or backend is SYMBOLIC:
            return self._box[self._key]
        return self.settle(backend)

    @property
    def home_value(self) -> Any:
        """The tensor where it lives now; nothing moves."""
        return self._box[self._key]

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
        self._berths[self._home.name] = _berth(left_box, left_key, self._adopted)
        self._adopted = adopted
        self._home = backend
        return self._box[self._key]

    def adopt(self, backend: Any, box: dict[str, Any], key: str) -> None:
        """Let `box[key]`, a container of `backend` that holds this value already, be its home from now on."""
        self._box, self._key, self._home, self._adopted = box, key, backend, True

    def numpy(self) -> np.ndarray:
        """The value as a NumPy array, on the host."""
        lens = local.lens
        if lens is not None:
            return np.array(load_backend("numpy").convert(lens.read(self)))
        return np.array(self._home.to_numpy(self._box[self._key]))  # a copy: training may go on

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = self.numpy()
        return value if dtype is None else value.astype(dtype)

    # --- writing -----------------------------------------------------------------------------------

    def assign(self, value: Any) -> Any:
        """Replace the value by one of the same shape; it is cast to this variable's dtype."""
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
            return value
        backend = local.running if local.running not in (None, SYMBOLIC) else self._home
        if backend is not self._home and backend.is_tracing():
            backend.refuse_write(self.path)
        if backend is not self._home:
            self.settle(backend)
        # a module's owner may have moved it to another float type, which then counts
        dtype = backend.dtype_of(self._box[self._key]) if self._adopted else self._dtype
        if framework_of_type(type(value)) not in (None, backend.name):
            value = load_backend("numpy").convert(value)  # borrowed memory may change under the variable
        backend.write_variable(self._box, self._key, backend.convert(value, dtype))
        return self._box[self._key]

    def assign_add(self, value: Any) -> Any:
        """Add `value` in place."""
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

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self._dtype}, home={self.home}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        from copy import deepcopy

        twin = object.__new__(type(self))
        memo[id(self)] = twin
        state = self.__dict__.copy()
        state.pop("_berths"), state.pop("_home"), state.pop("_box")
        twin.__dict__.update(deepcopy(state, memo))
        twin._berths, twin._home = {}, self._home
        twin._box = self._home.copy_box(self._box, memo)
        return twin

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "_berths": {}, "_home": self._home.name}
        if not self._adopted:  # stored as a host value: the next process may lack this framework
            state |= {"_home": "numpy", "_box": {"value": self.numpy()}, "_key": "value"}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._home = load_backend(state["_home"])


class _Berth:
    """Where a value lay before it left: on return the same container is filled again.

    Whoever still holds that container (a torch optimiser its Parameter, a compiled tf.function its
    tf.Variable) then sees the value; nobody holding it, it is gone and costs nothing.
    """

    __slots__ = ("adopted", "box", "key")

    def __init__(self, box: dict[str, Any], key: str, adopted: bool) -> None:
        self.box = box
        self.key = key
        self.adopted = adopted


def _berth(box: dict[str, Any], key: str, adopted: bool) -> Callable[[], _Berth | None]:
    if adopted:
        kept = _Berth(box, key, True)
        return lambda: kept
    try:
        reference = weakref.ref(box[key])
    except TypeError:  # nobody can refill what can't be referred to
        return lambda: None

    def find() -> _Berth | None:
        value = reference()
        return None if value is None else _Berth({key: value}, key, False)

    return find


class Lens:
    """How variables are read in the call in progress.

    Args:
        overlay: values that stand in for the variables' own, as `stateless_call` needs; writes go there.
        cast: the compute type of a mixed-precision layer.
    """

    __slots__ = ("cast", "overlay")

    def __init__(self, overlay: dict[Variable, Any] | None, cast: str | None) -> None:
        self.overlay = overlay
        self.cast = cast

    def read(self, variable: Variable) -> Any:
        """The value as this call sees it."""
        overlay = self.overlay
        if overlay is not None and variable in overlay:
            value = overlay[variable]
            backend = local.running
            if type(value) not in backend.ready and not backend.is_tensor_type(type(value)):  # a host array, say
                value = overlay[variable] = backend.convert(value, variable._dtype)
        else:
            value = variable._read()
        if self.cast is None or not variable.autocast or variable._dtype == self.cast or not is_float(variable._dtype):
            return value
        return local.running.cast(value, self.cast)

    def write(self, variable: Variable, value: Any) -> bool:
        """Keep the new value here if this lens stands in for the variable; False otherwise."""
        if self.overlay is None or variable not in self.overlay:
            return False
        backend = local.running
        before = self.overlay[variable]
        # a module's owner may have moved it to another float type, which then counts
        moved = variable._adopted and backend.is_tensor_type(type(before))
        self.overlay[variable] = backend.convert(value, backend.dtype_of(before) if moved else variable._dtype)
        return True


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
    if callable(initializer):
        if shape is None:
            raise ShapeError("A variable with a callable initializer needs `shape`.")
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
        raise ShapeError(f"The initializer gave shape {array.shape} where {tuple(shape)} was asked for.")
    return np.array(array)  # our own copy: the caller may change theirs


@contextmanager
def laid_over(overlay: dict[Variable, Any]) -> Iterator[None]:
    """Variables are read from, and written to, `overlay` inside."""
    before = local.lens
    local.lens = Lens(overlay, before.cast if before is not None else None)
    try:
        yield
    finally:
        local.lens = before
