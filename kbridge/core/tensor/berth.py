"""Where a variable's value lay before it moved to another framework."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any


class Berth:
    """Where a value lay before it left: on return the same container is filled again.

    Whoever still holds that container (a torch optimiser its Parameter, a compiled tf.function its
    tf.Variable) then sees the value; nobody holding it, it is gone and costs nothing.
    """

    __slots__ = ("adopted", "box", "key")

    def __init__(self, box: dict[str, Any], key: str, adopted: bool) -> None:
        self.box = box
        self.key = key
        self.adopted = adopted


def remember(box: dict[str, Any], key: str, adopted: bool) -> Callable[[], Berth | None]:
    """A function that finds the container again, or None if nobody has kept it."""
    if adopted:
        kept = Berth(box, key, True)
        return lambda: kept
    try:
        reference = weakref.ref(box[key])
    except TypeError:  # nobody can refill what can't be referred to
        return lambda: None

    def find() -> Berth | None:
        value = reference()
        return None if value is None else Berth({key: value}, key, False)

    return find
