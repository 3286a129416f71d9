"""A bird in the mine: notes what a refused file must never cause, by the interpreter's own audit events."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEADLY = (
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "subprocess.Popen", "socket.", "urllib.Request",
    "marshal.", "pickle.find_class", "code.__new__", "exec", "compile", "shutil.", "os.remove", "os.rename", "os.mkdir",
    "os.symlink", "os.link", "os.chmod", "webbrowser.open", "ctypes.dlopen",
)  # fmt: skip
_watching: list[list[tuple[str, Any]]] = []


def _note(event: str, args: tuple[Any, ...]) -> None:
    for seen in _watching:
        seen.append((event, args))


sys.addaudithook(_note)  # for good: the interpreter has no way to take one off


@contextmanager
def nothing_happens(folder: Path, *read: Path) -> Iterator[None]:
    """Fail if, inside, code from outside ran, a module was imported, or another file was touched.

    Args:
        folder: no file may appear, vanish or change here.
        read: the files that may be read.
    """
    before, modules = _contents(folder), set(sys.modules)
    seen: list[tuple[str, Any]] = []
    _watching.append(seen)
    try:
        yield
    finally:
        _watching.remove(seen)
        after, new = _contents(folder), set(sys.modules) - modules
        imports = {args[0] for event, args in seen if event == "import"}
        deadly = [(event, args) for event, args in seen if event.startswith(DEADLY)]
        opened = {str(args[0]) for event, args in seen if event == "open" and isinstance(args[0], (str, Path))}
    assert not deadly, deadly
    assert not new | imports, (new, imports)
    assert opened <= {str(path) for path in read}
    assert after == before


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in sorted(folder.rglob("*"))}
