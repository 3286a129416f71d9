"""Converters talk a lot. Their talk is held back and shown only when something fails."""

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from typing import IO


@contextlib.contextmanager
def quietly() -> Iterator[Callable[[], str]]:
    """Hold back what the block prints (C++ code included) and the warnings it raises.

    Yields:
        a function that returns the text held so far.

    File descriptors belong to the process: while the block runs, other threads are held back too.
    """
    with tempfile.TemporaryFile() as held, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _redirected(1, held.fileno()), _redirected(2, held.fileno()):
            yield lambda: _text(held)


@contextlib.contextmanager
def _redirected(descriptor: int, target: int) -> Iterator[None]:
    try:
        kept = os.dup(descriptor)
    except OSError:  # a service may run with standard output closed: nothing to hold back
        yield
        return
    _flush()
    os.dup2(target, descriptor)
    try:
        yield
    finally:
        _flush()
        os.dup2(kept, descriptor)
        os.close(kept)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()


def _text(held: IO[bytes]) -> str:
    _flush()
    held.seek(0)
    text = held.read().decode("utf-8", "replace")
    held.seek(0, os.SEEK_END)
    return text
