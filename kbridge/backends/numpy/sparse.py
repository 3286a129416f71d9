"""NumPy has no sparse arrays."""

from __future__ import annotations

from typing import Any, NoReturn

from kbridge.core.errors import ArgumentError

__all__ = ["is_ragged", "is_sparse", "make_sparse", "stored_where"]


def is_sparse(x: Any) -> bool:
    return False


def is_ragged(x: Any) -> bool:
    return False


def make_sparse(indices: Any, values: Any, shape: Any) -> NoReturn:
    raise ArgumentError(
        "NumPy has no sparse arrays. Leave sparse=True out, make the tensor dense in its own framework first, "
        'or run this on another backend: `with kbridge.backend_scope("jax"):`.'
    )


def stored_where(mask: Any) -> NoReturn:
    make_sparse(None, None, None)
