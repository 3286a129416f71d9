"""A tensor without numbers: shape, dtype and where in a graph it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbridge.core.errors import ArgumentError, SymbolicError
from kbridge.core.naming import auto_name
from kbridge.core.tensor.dtypes import standardize_dtype
from kbridge.core.tensor.shapes import standardize_shape

Shape = tuple[int | None, ...]


class KerasTensor:
    """A symbolic tensor: what `Input()` gives and what layers and ops pass on.

    Args:
        shape: sizes, None where free.
        dtype: element type, as a string.
        sparse, ragged: how the values will be held; ops don't look at it.
        name: a name, made up if None.

    Raises:
        ArgumentError: both sparse and ragged.

    Its shape, dtype and storage stay as they are. Python's operators are ops on it; what asks for its
    numbers is refused.

    >>> KerasTensor((None, 3), "float32")
    <KerasTensor shape=(None, 3), dtype=float32>
    """

    __slots__ = ("__weakref__", "_dtype", "_mask", "_name", "_ragged", "_shape", "_sparse", "history")
    __array_priority__ = 1000  # NumPy hands mixed operators to us

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: str = "float32",
        sparse: bool = False,
        ragged: bool = False,
        name: str | None = None,
    ) -> None:
        if sparse and ragged:
            raise ArgumentError("A tensor can be sparse or ragged, not both. Leave one of them out.")
        self._shape: Shape = standardize_shape(shape)
        self._dtype = standardize_dtype(dtype)
        self._sparse, self._ragged = sparse, ragged
        self._name = name
        self.history: Any = None  # (node, position among its outputs)
        self._mask: Any = None

    @property
    def shape(self) -> Shape:
        """Sizes, None where free."""
        return self._shape

    @property
    def dtype(self) -> str:
        """Element type."""
        return self._dtype

    @property
    def sparse(self) -> bool:
        """Whether the values will be held sparse."""
        return self._sparse

    @property
    def ragged(self) -> bool:
        """Whether the values will be held ragged."""
        return self._ragged

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._shape)

    @property
    def name(self) -> str:
        """Its name: the one given, or one that is made up when somebody asks."""
        if self._name is None:
            self._name = auto_name(KerasTensor)
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def _keras_history(self) -> Any:
        return self.history

    def __getstate__(self) -> Any:
        kept = {name: getattr(self, name) for name in ("_shape", "_dtype", "_sparse", "_ragged", "_name", "_mask")}
        return None, {**kept, "history": None}

    def __repr__(self) -> str:
        name = f", name={self._name}" if self._name else ""
        return f"<KerasTensor shape={self._shape}, dtype={self._dtype}{name}>"

    def _refuse(self, what: str) -> SymbolicError:
        return SymbolicError(
            f"A symbolic tensor has a shape and a dtype but no values, so it {what}. Wrap the code "
            "in a Layer, or use kbridge.ops, and call the finished model on data."
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise self._refuse("can't become a NumPy array")

    def __jax_array__(self) -> Any:
        raise self._refuse("can't be the input of a JAX function")

    def __tf_tensor__(self, *_: Any, **__: Any) -> Any:
        raise self._refuse("can't be the input of a TensorFlow function")

    def __bool__(self) -> bool:
        raise self._refuse("can't be tested for truth")

    def __float__(self) -> float:
        raise self._refuse("can't become a number")

    def __int__(self) -> int:
        raise self._refuse("can't become a number")

    def __iter__(self) -> Any:
        raise self._refuse("can't be iterated over")
