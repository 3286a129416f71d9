"""The one gate to HDF5: a file is looked through before a number is read from it.

Refused, whatever asks for them: links that lead elsewhere, data kept in other files, virtual datasets,
references, types that aren't numbers, plug-in filters, one object under two names, and datasets that
declare more than the file holds. Attributes are written, as Keras writes them, and never read: a
damaged text attribute sends the HDF5 library into an endless loop or out of its memory.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import h5py
import ml_dtypes
import numpy as np
from h5py import h5d, h5o, h5z

from kbridge.core.errors import LoadError

MAX_EXPANSION = 100  # declared bytes per stored byte of a packed dataset
SMALL = 64 << 20  # up to this size in the whole file, a packed dataset may expand further
FILTERS = frozenset({h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32, h5z.FILTER_LZF})
BFLOAT16 = "V2"  # HDF5 doesn't know it: Keras stores two opaque bytes, and `dtype="bfloat16"` beside them
_H5_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)


class Stored:
    """A dataset that was checked and not read yet."""

    def __init__(self, dataset: Any, path: str) -> None:
        self._dataset = dataset
        self.path = path
        self.shape: tuple[int, ...] = tuple(dataset.shape)
        self.dtype = _dtype_name(dataset, path)
        self.fragile = dataset.id.get_create_plist().get_layout() == h5d.CHUNKED

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return math.prod(self.shape) * int(self._dataset.dtype.itemsize)

    def read(self) -> np.ndarray:
        """The numbers."""
        try:
            values = self._dataset[()]
        except _H5_ERRORS as error:
            raise LoadError(f"{self.path} in the file is damaged: {error}.") from error
        return np.asarray(values).view(ml_dtypes.bfloat16) if self.dtype == "bfloat16" else np.asarray(values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = self.read()
        return values if dtype is None else values.astype(dtype)


class WeightFile:
    """An HDF5 file of weights, looked through.

    Attributes:
        datasets: everything that can be read, by path.
        groups: the same by the path of the group, then by the name in it.
    """

    def __init__(self, file: Any, size: int, label: str) -> None:
        self.label = label
        self._size = size
        self.datasets: dict[str, Stored] = {}
        self.groups: dict[str, dict[str, Stored]] = {}
        self._met: set[int] = set()
        if "layer_names" in file.attrs or "model_weights" in file:
            raise LoadError(
                f"{label} is in the HDF5 form of Keras 2, which kbridge doesn't read. "
                "Load it in Keras and save it again, as .keras or .weights.h5."
            )
        stack = [(file, "")]
        while stack:
            group, path = stack.pop()
            stack += reversed(list(self._look_into(group, path)))
        if self.nbytes > SMALL + MAX_EXPANSION * size:
            raise LoadError(f"{label} has {size:,} bytes and declares {self.nbytes:,}; refused.")

    @property
    def nbytes(self) -> int:
        """Bytes of all datasets in memory."""
        return sum(stored.nbytes for stored in self.datasets.values())

    def _look_into(self, group: Any, path: str) -> Iterator[tuple[Any, str]]:
        """Check and note what a group holds; yields the groups in it."""
        for key in group:
            inner = f"{path}/{key}".lstrip("/")
            if ".." in key or "\\" in key or "\0" in key:
                raise LoadError(f"{self.label} holds an object called {key!r}; refused.")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise LoadError(f"{inner} in {self.label} is a link that may lead elsewhere; refused and not followed.")
            found = group[key]
            address = h5o.get_info(found.id).addr
            if address in self._met:
                raise LoadError(f"{inner} in {self.label} is another name of something met before; refused.")
            self._met.add(address)
            if isinstance(found, h5py.Group):
                yield found, inner
            elif isinstance(found, h5py.Dataset):
                self._check(found, inner)
                self.datasets[inner] = Stored(found, inner)
                self.groups.setdefault(path, {})[key] = self.datasets[inner]
            else:
                raise LoadError(f"{inner} in {self.label} is neither a group nor a dataset; refused.")

    def _check(self, dataset: Any, path: str) -> None:
        plist = dataset.id.get_create_plist()
        where = f"{path} in {self.label}"
        layout = plist.get_layout()
        if plist.get_external_count() or layout == h5d.VIRTUAL:
            raise LoadError(f"{where} keeps its data in other files; refused. They were not opened.")
        filters = {plist.get_filter(i)[0] for i in range(plist.get_nfilters())}
        if not filters <= FILTERS:
            raise LoadError(f"{where} needs a filter plug-in (number {min(filters - FILTERS)}); refused.")
        if dataset.shape is None:
            raise LoadError(f"{where} has no shape; refused.")
        declared = math.prod(dataset.shape) * dataset.dtype.itemsize
        stored = dataset.id.get_storage_size()
        if layout == h5d.CHUNKED:
            enough = declared <= SMALL or declared <= MAX_EXPANSION * stored
        else:
            end = (dataset.id.get_offset() or 0) + declared if layout == h5d.CONTIGUOUS and declared else declared
            enough = declared <= stored and end <= self._size
        if not enough:
            raise LoadError(f"{where} declares {declared:,} bytes and the file holds {stored:,} for it; refused.")


def _dtype_name(dataset: Any, path: str) -> str:
    dtype = dataset.dtype
    if dtype.kind in "fiubc" and dtype.fields is None:
        return str(dtype.newbyteorder("=").name)
    if dtype == BFLOAT16 and dtype.fields is None:
        return "bfloat16"
    raise LoadError(f"{path} in the file holds {dtype} and not numbers; refused.")


@contextmanager
def read_weights(file: IO[bytes], label: str) -> Iterator[WeightFile]:
    """The weights in an open file.

    Raises:
        LoadError: it is no HDF5 file, is damaged, or holds what a weight file doesn't.
    """
    size = file.seek(0, io.SEEK_END)
    try:
        opened = h5py.File(file, "r")
    except _H5_ERRORS as error:
        raise LoadError(f"{label} isn't a whole HDF5 file: {error}. Was it cut off while it was copied?") from error
    with opened:
        try:
            weights = WeightFile(opened, size, label)
        except LoadError:
            raise
        except _H5_ERRORS as error:
            raise LoadError(f"{label} is damaged: {error}.") from error
        yield weights


def write_dataset(group: Any, key: str, value: np.ndarray) -> None:
    """Put an array into a group, as Keras does."""
    if value.dtype == ml_dtypes.bfloat16:
        group.create_dataset(key, data=value.view(BFLOAT16)).attrs["dtype"] = "bfloat16"
    elif value.dtype.kind in "fiubc":
        group.create_dataset(key, data=value)
    else:
        raise TypeError(f"{group.name}/{key} is of type {value.dtype}, which an HDF5 file can't hold.")
