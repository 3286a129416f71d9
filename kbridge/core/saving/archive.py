"""`.keras` files: a zip of two JSON files and the weights. Members are read by exact name, in place."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from kbridge.core.errors import LoadError

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
ZIP, HDF5, SAFETENSORS, UNKNOWN = "zip", "hdf5", "safetensors", "unknown"
MAX_JSON = 32 << 20
MAX_INFLATED = 16 << 20  # a compressed member up to this size may be packed as tightly as it likes
MAX_RATIO = 100  # beyond it, weights don't get smaller than that
_BAD_MEMBER = re.compile(r"[\\\0]|^/|^[A-Za-z]:|(^|/)\.\.(/|$)")
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class Archive:
    """An open `.keras` file.

    Args:
        file: the open file; it has to stay open as long as the archive is used.
        label: how errors call it.

    Raises:
        LoadError: it is no zip, is damaged, or isn't what it says.
    """

    def __init__(self, file: IO[bytes], label: str) -> None:
        self._file, self.label = file, label
        self._size = file.seek(0, io.SEEK_END)
        if self._size == 0:
            raise LoadError(f"{label} is empty.")
        with self._checked("isn't a whole .keras file (a zip archive)"):
            self._zip = zipfile.ZipFile(file)
            self._infos = self._zip.infolist()
        names = [info.filename for info in self._infos]
        for name in names:
            if _BAD_MEMBER.search(name):
                raise LoadError(f"{label} holds a member {name!r} that points out of the archive; refused.")
        if len(set(names)) != len(names):
            raise LoadError(f"{label} holds two members of the same name; refused.")
        self.names = names

    @contextmanager
    def _checked(self, what: str) -> Iterator[None]:
        try:
            yield
        except _ZIP_ERRORS as error:
            raise LoadError(f"{self.label} {what}: {error}. Was it cut off while it was copied?") from error

    def _info(self, name: str) -> zipfile.ZipInfo:
        found = next((info for info in self._infos if info.filename == name), None)
        if found is None:
            raise LoadError(
                f"{self.label} holds no {name}, so it isn't a .keras file. It has {', '.join(self.names[:5])}."
            )
        if found.flag_bits & 1:
            raise LoadError(f"{name} in {self.label} is encrypted; refused.")
        if found.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise LoadError(f"{name} in {self.label} is packed by method {found.compress_type}; refused.")
        packed, size = found.compress_size, found.file_size
        if packed > self._size or (found.compress_type == zipfile.ZIP_STORED and packed != size):
            raise LoadError(f"{name} in {self.label} claims {size:,} bytes; the whole file has {self._size:,}.")
        if size > MAX_INFLATED and size > MAX_RATIO * packed:
            raise LoadError(f"{name} in {self.label} unpacks from {packed:,} to {size:,} bytes; refused.")
        return found

    def read(self, name: str, limit: int | None = None) -> bytes:
        """The bytes of a member.

        Raises:
            LoadError: there is none of that name, it is larger than `limit`, or it is damaged.
        """
        info = self._info(name)
        if limit is not None and info.file_size > limit:
            raise LoadError(f"{name} in {self.label} has {info.file_size:,} bytes; at most {limit:,} are read.")
        with self._checked(f"is damaged at {name}"):
            return self._zip.read(info)

    def json(self, name: str) -> dict[str, Any]:
        """A member that holds a JSON object."""
        text = self.read(name, MAX_JSON)
        return parsed_object(text, f"{name} in {self.label}")

    def window(self, name: str, verify: bool = True) -> IO[bytes]:
        """A member as a file to seek in, without a copy where it isn't packed.

        Args:
            verify: read it through once and compare the checksum.
        """
        info = self._info(name)
        if info.compress_type != zipfile.ZIP_STORED:
            return io.BytesIO(self.read(name))
        with self._checked(f"is damaged at {name}"), self._zip.open(info) as member:
            start = self._file.tell()  # opening a member reads its local header; its bytes start behind it
            while verify and member.read(1 << 20):
                pass
        return io.BufferedReader(_Window(self._file, start, info.file_size))


class _Window(io.RawIOBase):
    """A stretch of a file, as a file."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._start, self._length, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._length - self._at))
        self._file.seek(self._start + self._at)
        data = self._file.read(wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def parsed_object(text: bytes | str, label: str) -> dict[str, Any]:
    """A JSON object from text.

    Raises:
        LoadError: it isn't one.
    """
    try:
        value = json.loads(text.decode() if isinstance(text, bytes) else text)
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{label} isn't readable JSON: {error}.") from error
    if not isinstance(value, dict):
        raise LoadError(f"{label} must be a JSON object, got {type(value).__name__}.")
    return value


@contextmanager
def opened(path: Any) -> Iterator[tuple[IO[bytes], str]]:
    """A path, or a file that is open already, for reading; and how errors call it.

    Raises:
        LoadError: there is no such file.
    """
    if isinstance(path, io.IOBase):
        yield path, "The file"  # type: ignore[misc]
        return
    label = os.fspath(path)
    try:
        file = open(path, "rb")  # noqa: SIM115  closed below; what fails while it is used is not our error
    except FileNotFoundError:
        raise LoadError(f"There is no file {label}.") from None
    except OSError as error:
        raise LoadError(f"{label} can't be read: {error.strerror}.") from error
    with file:
        yield file, str(label)


def form_of(file: IO[bytes]) -> str:
    """What a file is, by its first bytes. Names say nothing: a renamed file meets the same checks."""
    file.seek(0)
    start = file.read(9)
    file.seek(0)
    if start.startswith(b"PK\x03\x04") or not start:
        return ZIP
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return HDF5
    return SAFETENSORS if start[8:] == b"{" else UNKNOWN


def write_archive(file: IO[bytes], config: str, metadata: str, write_weights: Callable[[IO[bytes]], None]) -> None:
    """Write a `.keras` file: members unpacked, as Keras writes them."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(METADATA, metadata)
        archive.writestr(CONFIG, config)
        with tempfile.TemporaryFile(dir=_folder_of(file)) as weights:  # beside the archive: as large as the model
            write_weights(weights)
            info = zipfile.ZipInfo(WEIGHTS, archive.infolist()[0].date_time)
            info.file_size = weights.seek(0, io.SEEK_END)
            weights.seek(0)
            with archive.open(info, "w") as member:
                shutil.copyfileobj(weights, member, 1 << 20)


def _folder_of(file: IO[bytes]) -> str | None:
    name = getattr(file, "name", None)
    return os.path.dirname(name) or "." if isinstance(name, str) else None
