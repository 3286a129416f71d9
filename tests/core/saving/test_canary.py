"""The canary sings when it should: the other tests lean on it."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.core.saving.canary import nothing_happens


def imported(folder: Path) -> None:
    (folder / "fresh_module.py").touch()
    sys.path.insert(0, str(folder))
    try:
        __import__("fresh_module")
    finally:
        sys.path.pop(0)
        sys.modules.pop("fresh_module", None)


def connected(folder: Path) -> None:
    with socket.socket() as door:
        door.connect_ex(("127.0.0.1", 1))


DEEDS: dict[str, Callable[[Path], Any]] = {
    "imports": imported,
    "runs text": lambda folder: eval("1 + 1"),
    "runs a command": lambda folder: subprocess.run(["true"], check=True),
    "opens a socket": connected,
    "reads another file": lambda folder: (folder / "other").read_text(),
    "writes a file": lambda folder: (folder / "new").write_text("x"),
    "changes a file": lambda folder: (folder / "model").write_text("y"),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_deeds_are_heard(deed: str, tmp_path: Path) -> None:
    for name in ("model", "other"):
        (tmp_path / name).write_text("x")
    with pytest.raises(AssertionError), nothing_happens(tmp_path, tmp_path / "model"):
        DEEDS[deed](tmp_path)


def test_reading_the_file_itself_is_fine(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("x")
    with nothing_happens(tmp_path, tmp_path / "model"):
        (tmp_path / "model").read_text()
