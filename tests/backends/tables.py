"""All rows of the tables `*_rows.py` beside this file."""

from __future__ import annotations

import importlib
import os
import pkgutil
from typing import Any

import pytest

import tests.backends as here
from tests.backends.rows import Bad, Row

_TABLES = [
    importlib.import_module(f"tests.backends.{info.name}")
    for info in pkgutil.iter_modules(here.__path__)
    if info.name.endswith("_rows")
]
ROWS: list[Row] = [row for table in _TABLES for row in getattr(table, "ROWS", ())]
BAD: list[Bad] = [row for table in _TABLES for row in getattr(table, "BAD", ())]


EVERY = 1 if os.environ.get("KBRIDGE_ALL_ROWS") else 4


def some(rows: list[Row]) -> list[Row]:
    """The first row of each op and a fixed share of the others; all of them in `make sweep`."""
    met: set[str] = set()
    chosen = []
    for number, row in enumerate(rows):
        op = row.name.partition("-")[0]
        if op not in met or number % EVERY == 0:
            chosen.append(row)
        met.add(op)
    return chosen


def for_rows(rows: Any) -> Any:
    return pytest.mark.parametrize("each", rows, ids=lambda each: each.name)
