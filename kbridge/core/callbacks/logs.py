"""Logs that are read from the device only when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any


class LazyLogs(MutableMapping[str, Any]):
    """A mapping whose values are asked for at the first look, once.

    Args:
        read: gives the values as Python floats.

    >>> logs = LazyLogs(lambda: {"loss": 0.5})
    >>> logs["loss"], list(logs)
    (0.5, ['loss'])
    """

    __slots__ = ("_read", "_values")

    def __init__(self, read: Callable[[], Mapping[str, Any]]) -> None:
        self._read = read
        self._values: dict[str, Any] | None = None

    def _settled(self) -> dict[str, Any]:
        if self._values is None:
            self._values = dict(self._read())
        return self._values

    def __getitem__(self, key: str) -> Any:
        return self._settled()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._settled()[key] = value

    def __delitem__(self, key: str) -> None:
        del self._settled()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._settled())

    def __len__(self) -> int:
        return len(self._settled())

    def __bool__(self) -> bool:
        return True  # `logs or {}` is no look

    def __repr__(self) -> str:
        return repr(self._settled())
