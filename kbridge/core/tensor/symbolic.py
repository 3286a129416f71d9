"""A tensor without numbers: shape, dtype and where in a graph it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbridge.core.tensor.dtypes import standardize_dtype
from kbridge.core.tensor.shapes import standardize_shape

Shape = tuple[int | None, ...]


class KerasTensor:
    """A symbolic tensor: what `Input()` gives and what layers and ops pass on.

    Args:
        shape: sizes, None where free.
        dtype: element type, as a string.
        sparse, ragged: how the values will be held; ops don't look at it.
        name: optional name.

    >>> KerasTensor((None, 3), "float32")
    <KerasTensor shape=(None, 3), dtype=float32>
    """

    __slots__ = ("__weakref__", "_mask", "dtype", "history", "name", "ragged", "shape", "sparse")
    __array_priority__ = 1000  # NumPy hands mixed operators to us

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: str = "float32",
        sparse: bool = False,
        ragged: bool = False,
        name: str | None = None,
    ) -> None:
        self.shape: Shape = standardize_shape(shape)
        self.dtype = standardize_dtype(dtype)
        self.sparse, self.ragged = sparse, ragged
        self.name = name
        self.history: Any = None  # (node, position among its outputs)
        self._mask: Any = None

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def _keras_history(self) -> Any:
        return self.history

    def __getstate__(self) -> Any:
        kept = {name: getattr(self, name) for name in ("shape", "dtype", "sparse", "ragged", "name", "_mask")}
        return None, {**kept, "history": None}

    def __repr__(self) -> str:
        name = f", name={self.name}" if self.name else ""
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}{name}>"

    def _refuse(self, what: str) -> TypeError:
        return TypeError(
            f"A symbolic tensor has a shape and a dtype but no values, so it {what}. Wrap the code "
            "in a Layer, or use kbridge.ops, and call the finished model on data."
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise self._refuse("can't become a NumPy array")

    def __bool__(self) -> bool:
        raise self._refuse("can't be tested for truth")

    def __float__(self) -> float:
        raise self._refuse("can't become a number")

    def __int__(self) -> int:
        raise self._refuse("can't become a number")

    def __iter__(self) -> Any:
        raise self._refuse("can't be iterated over")
