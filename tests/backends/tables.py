"""All rows of the tables `*_rows.py` beside this file."""

from __future__ import annotations

import importlib
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


def for_rows(rows: Any) -> Any:
    return pytest.mark.parametrize("each", rows, ids=lambda each: each.name)
