"""Files appear whole or not at all: written beside their place, flushed to the disk, then renamed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def replaced_file(path: Any, overwrite: bool = True) -> Iterator[IO[bytes]]:
    """A file to write to; at the end of the block it takes the place of `path`.

    An error in the block, or a crash, leaves `path` as it was.

    Raises:
        FileNotFoundError: the folder doesn't exist.
        IsADirectoryError: `path` is a folder.
        FileExistsError: `path` exists and `overwrite` is false.
    """
    place = Path(os.path.realpath(path))  # a link stays a link, its target is replaced
    if not place.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {place.parent}. Create it, then save again.")
    if place.is_dir():
        raise IsADirectoryError(f"{path} is a folder and a file is to be written. Give another name.")
    if not overwrite and place.exists():
        raise FileExistsError(f"{path} exists and overwrite=False. Give another name, or overwrite=True.")
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(draft, "xb+") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, place)
        _flush_folder(place.parent)
    finally:
        draft.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Make the renaming last through a power cut, where the system can (Windows can't open folders)."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
