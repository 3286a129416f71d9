"""Artefacts appear whole or not at all: written beside their place, then renamed."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from kbridge.core.errors import ExportError


@contextlib.contextmanager
def replaced_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path to write to; at the end of the block the file takes the place of `path`.

    An error in the block leaves `path` as it was.

    Raises:
        ExportError: the folder doesn't exist, or `path` is a folder.
    """
    place = checked_place(path)
    draft = _draft(place)
    try:
        yield draft
        os.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def replaced_folder(path: str | os.PathLike[str], ours: Callable[[str], bool]) -> Iterator[Path]:
    """A temporary folder to fill; at the end of the block it takes the place of `path`.

    An error in the block leaves `path` as it was.

    Args:
        path: the folder to write. If it exists, all its entries must be `ours`.
        ours: says of an entry's name whether an earlier export wrote it and it may go.

    Raises:
        ExportError: the parent doesn't exist, `path` is a file or holds entries that aren't ours.
    """
    place = checked_place(path, ours)
    draft = _draft(place)
    draft.mkdir()
    try:
        yield draft
        _swap(draft, place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def move_to_place(draft: Path, path: str | os.PathLike[str], ours: Callable[[str], bool] | None = None) -> None:
    """Let a finished file or folder take the place of `path`; see `checked_place` for `ours`."""
    place = checked_place(path, ours)
    if draft.is_dir():
        _swap(draft, place)
    else:
        os.replace(draft, place)


def checked_place(path: str | os.PathLike[str], ours: Callable[[str], bool] | None = None) -> Path:
    """Where `path` really is, if what is there may be replaced.

    Args:
        path: the file or folder to write.
        ours: for a folder, see `replaced_folder`; None for a file.

    Raises:
        ExportError: it may not.
    """
    place = Path(os.path.realpath(path))  # a link stays a link, its target is replaced
    if not place.parent.is_dir():
        raise ExportError(f"There is no folder {place.parent}. Create it, then export again.")
    if ours is not None:
        _check_replaceable(path, place, ours)
    elif place.is_dir():
        raise ExportError(f"{path} is a folder and a file is to be written. Give another name.")
    return place


def _draft(place: Path) -> Path:
    return place.with_name(f".{place.name}.{secrets.token_hex(4)}.tmp")


def _check_replaceable(path: str | os.PathLike[str], place: Path, ours: Callable[[str], bool]) -> None:
    if place.is_dir():
        foreign = sorted(name for name in os.listdir(place) if not ours(name))
        if foreign:
            raise ExportError(
                f"The folder {path} would be replaced and holds other files "
                f"({', '.join(foreign[:3])}). Give a new or an empty folder."
            )
    elif place.exists():
        raise ExportError(f"{path} is a file and a folder is to be written. Give another name.")


def _swap(draft: Path, place: Path) -> None:
    if not place.exists():
        os.rename(draft, place)
        return
    old = _draft(place)
    os.rename(place, old)
    try:
        os.rename(draft, place)
    except OSError:
        os.rename(old, place)
        raise
    shutil.rmtree(old)
