"""Names that nobody gave: `dense`, `dense_1`, …"""

from __future__ import annotations

import re
from collections import Counter

_used: Counter[str] = Counter()
_asked: Counter[str] = Counter()


def snake_case(name: str) -> str:
    """`MaxPooling2D` as `max_pooling2d`, the way Keras writes it."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(kind: type) -> str:
    """A name for an object of that class, not used in this process before."""
    prefix = snake_case(kind.__name__)
    number = _used[prefix]
    _used[prefix] += 1
    return f"{prefix}_{number}" if number else prefix


def get_uid(prefix: str = "") -> int:
    """How often this was asked with that prefix since the last `clear_session`: 1, 2, …"""
    _asked[prefix] += 1
    return _asked[prefix]


def forget_names() -> None:
    """Start the numbers again."""
    _used.clear()
    _asked.clear()
