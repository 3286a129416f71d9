"""Where a variable's value lay before it moved to another framework."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

Box = Any  # what holds a variable's value under a key: a dict, or a list that a step has for all its variables


class Berth:
    """Where a value lay before it left: on return the same container is filled again.

    Whoever still holds that container (a torch optimiser its Parameter, a compiled tf.function its
    tf.Variable) then sees the value; nobody holding it, it is gone and costs nothing.
    """

    __slots__ = ("adopted", "box", "key")

    def __init__(self, box: Box, key: Any, adopted: bool) -> None:
        self.box = box
        self.key = key
        self.adopted = adopted


class Moves:
    """How often any variable has changed its container: who keeps containers at hand need look only after a move."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.count = 0

    def add(self) -> None:
        """Note a move."""
        self.count = next(self._numbers)  # not a sum, which two threads might make of the same number


moves = Moves()


def remember(home: Any, box: Box, key: Any, adopted: bool) -> Callable[[], Berth | None]:
    """A function that finds the container again, or None if nobody has kept it."""
    if adopted:
        kept = Berth(box, key, True)
        return lambda: kept
    home.keep_for_traces(box[key])
    try:
        reference = weakref.ref(box[key])
    except TypeError:  # nobody can refill what can't be referred to
        return lambda: None

    def find() -> Berth | None:
        value = reference()
        return None if value is None else Berth({key: value}, key, False)

    return find
