"""How variables are read and written in the call in progress, where that isn't plainly at their home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kbridge.core.context import SYMBOLIC, decide, framework_of, local
from kbridge.core.tensor.dtypes import is_float
from kbridge.core.tensor.symbolic import KerasTensor

if TYPE_CHECKING:
    from kbridge.core.tensor.variable import Variable


class Lens:
    """How variables are read in the call in progress.

    Args:
        overlay: values that stand in for the variables' own, as `stateless_call` needs; writes go there.
        cast: the compute type of a mixed-precision layer.
        outer: the lens around this one; it sees the variables that `overlay` doesn't name.
        catches: whether writes to all other variables go to the overlay too.
        losses: gathers what layers add to the loss, as `(layer, loss)`; if None the layers keep it.
        pins: values from an earlier time that are read for variables which `overlay` doesn't name.
    """

    __slots__ = ("cast", "catches", "losses", "outer", "overlay", "pins")

    def __init__(
        self,
        overlay: dict[Variable, Any] | None,
        cast: str | None,
        outer: Lens | None = None,
        catches: bool = False,
        losses: list[Any] | None = None,
        pins: dict[Variable, Any] | None = None,
    ) -> None:
        self.overlay = overlay
        self.cast = cast
        self.outer = outer
        self.catches = catches
        self.losses = losses
        self.pins = pins

    def casting(self, cast: str | None) -> Lens:
        """This lens for a layer that computes in another type."""
        return Lens(self.overlay, cast, self.outer, self.catches, self.losses, self.pins)

    def _holder(self, variable: Variable) -> dict[Variable, Any] | None:
        lens: Lens | None = self
        while lens is not None:
            if lens.overlay is not None and variable in lens.overlay:
                return lens.overlay
            if lens.pins is not None and variable in lens.pins:
                return lens.pins
            lens = lens.outer
        return None

    def _taker(self, variable: Variable) -> dict[Variable, Any] | None:
        lens: Lens | None = self
        while lens is not None:
            if lens.overlay is not None and (lens.catches or variable in lens.overlay):
                return lens.overlay
            lens = lens.outer
        return None

    def find(self, variable: Variable) -> Any:
        """What is read, where it lies: nothing moves."""
        holder = self._holder(variable)
        return variable.home_value if holder is None else holder[variable]

    def overlaid(self) -> dict[Variable, Any]:
        """All variables that have a value here that isn't their own, but for pinned ones."""
        outer = {} if self.outer is None else self.outer.overlaid()
        return {**outer, **(self.overlay or {})}

    def read(self, variable: Variable) -> Any:
        """The value as this call sees it."""
        if local.running is SYMBOLIC:
            return KerasTensor(variable.shape, variable.dtype)
        holder = self._holder(variable)
        if holder is None:
            value = variable._read()
        else:
            value = holder[variable]
            backend = _place(value)
            if type(value) not in backend.ready and not backend.is_tensor_type(type(value)):  # a host array, say
                value = holder[variable] = backend.convert(value, variable._dtype)
        if self.cast is None or not variable.autocast or variable._dtype == self.cast or not is_float(variable._dtype):
            return value
        return _place(value).cast(value, self.cast)

    def write(self, variable: Variable, value: Any) -> bool:
        """Keep the new value here if this lens stands in for the variable; False otherwise."""
        taker = self._taker(variable)
        if taker is None:
            return False
        before = self.find(variable)
        backend = _place(value, before)
        # a module's owner may have moved it to another float type, which then counts
        moved = variable._adopted and backend.is_tensor_type(type(before))
        taker[variable] = backend.convert(value, backend.dtype_of(before) if moved else variable._dtype)
        return True


def _place(*values: Any) -> Any:
    """The backend of the call in progress; outside of any, the one for the first of these that has a framework."""
    if local.running is not None:
        return local.running
    return decide([value for value in values if framework_of(value) is not None][:1])


@contextmanager
def laid_over(
    overlay: dict[Variable, Any],
    catches: bool = False,
    losses: list[Any] | None = None,
    pins: dict[Variable, Any] | None = None,
) -> Iterator[None]:
    """Variables are read from, and written to, `overlay` inside. See `Lens`."""
    before = local.lens
    cast = None if before is None else before.cast
    if losses is None and before is not None:
        losses = before.losses
    local.lens = Lens(overlay, cast, before, catches, losses, pins)
    try:
        yield
    finally:
        local.lens = before
