"""Sparse arguments of ops that compute with values: element by element, or as matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbridge.core.context import local
from kbridge.core.tensor.dtypes import result_type

NUMBERS = (bool, int, float, complex)


def dense(value: Any) -> Any:
    return local.running.convert(value) if local.running.is_sparse(value) else value


def densely(this: Any, *args: Any, **kwargs: Any) -> Any:
    args, kwargs = this.map_arrays(dense, args, kwargs)
    return this.call(*args, **kwargs)


def each(this: Any, x: Any, *rest: Any, **kwargs: Any) -> Any:
    """The op on the stored values: it gives 0 for 0."""
    return mapped(lambda values: this.call(values, *rest, **kwargs), x)


def mapped(fn: Callable[[Any], Any], x: Any) -> Any:
    backend = local.running
    indices, values, shape = backend.sparse_parts(x)
    return backend.make_sparse(indices, fn(values), shape)


def digitize(this: Any, x: Any, bins: Any) -> Any:
    """Bins are counted from 0 only where 0 lies before the first; in a trace nobody can tell."""
    keeps_zero = not local.running.is_tracing() and len(bins) and bool(bins[0] > 0)
    return each(this, x, bins) if keeps_zero else densely(this, x, bins)


def known(shape: Any) -> tuple[Any, ...]:
    return tuple(size if isinstance(size, int) else None for size in shape)


def union(this: Any, x1: Any, x2: Any) -> Any:
    """The op where either argument stores something; it gives 0 for two zeros."""
    backend = local.running
    if not (backend.is_sparse(x1) and backend.is_sparse(x2)):
        return densely(this, x1, x2)
    (indices1, values1, shape), (indices2, values2, other) = map(backend.sparse_parts, (x1, x2))
    if (
        known(shape) != known(other)
        or len(values1.shape) != len(values2.shape)
        or "bool" in map(backend.dtype_of, (x1, x2))
    ):
        return densely(this, x1, x2)
    indices, (first, second) = both_stored((indices1, values1), (indices2, values2), shape)
    return backend.make_sparse(indices, this.call(first, second), shape)


def both_stored(one: Any, two: Any, shape: Any) -> Any:
    """Indices that are in either of two `(indices, values)`, and the values of both there, 0 where they have none."""
    backend = local.running
    (indices1, values1), (indices2, values2) = one, two
    none1, none2 = (backend.full_like(v, 0, backend.dtype_of(v)) for v in (values1, values2))
    values = (
        backend.concatenate([values1, backend.cast(none2, backend.dtype_of(values1))], 0),
        backend.concatenate([backend.cast(none1, backend.dtype_of(values2)), values2], 0),
    )
    return backend.sum_duplicates(backend.concatenate([indices1, indices2], 0), values, shape)


def picked(dense: Any, indices: Any, shape: Any) -> Any:
    """The elements of `dense`, broadcast to `shape`, at `indices`."""
    backend = local.running
    if tuple(dense.shape) != tuple(shape):
        dense = backend.broadcast_to(dense, shape)
    columns = backend.unstack(indices, 1, indices.shape[1])
    return backend.get_item(dense, tuple(columns)) if columns else dense


def _fits(sparse: Any, dense: Any) -> bool:
    """Whether the two together have the shape of the sparse one."""
    sizes, others = known(sparse.shape), known(dense.shape)
    return len(others) <= len(sizes) and all(a in (1, b) for a, b in zip(others[::-1], sizes[::-1], strict=False))


def product(this: Any, x1: Any, x2: Any) -> Any:
    backend = local.running
    first, second = backend.is_sparse(x1), backend.is_sparse(x2)
    if first and second:
        return union(this, x1, x2)
    sparse, dense = (x1, x2) if first else (x2, x1)
    if type(dense) in NUMBERS or not dense.shape:
        return mapped(lambda values: this.call(values, dense), sparse)
    if not _fits(sparse, dense):
        return densely(this, x1, x2)
    indices, values, shape = backend.sparse_parts(sparse)
    return backend.make_sparse(indices, this.call(values, picked(dense, indices, shape)), shape)


def quotient(this: Any, x1: Any, x2: Any) -> Any:
    """A sparse tensor over a dense one: 0 / 0 and 0 / NaN are NaN, so the divisor's places of these are stored too."""
    backend = local.running
    if backend.is_sparse(x2) or (type(x2) in NUMBERS and not (x2 and x2 == x2)):
        return densely(this, x1, x2)
    if type(x2) in NUMBERS:
        return mapped(lambda values: this.call(values, x2), x1)
    if not _fits(x1, x2):
        return densely(this, x1, x2)
    indices, values, shape = backend.sparse_parts(x1)
    x2 = backend.broadcast_to(x2, shape) if tuple(x2.shape) != tuple(shape) else x2
    zero = backend.full_like(x2, 0, backend.dtype_of(x2))
    odd = backend.logical_or(backend.equal(x2, zero), backend.not_equal(x2, x2))
    if len(values.shape) > 1:  # whole slices are stored: those with an odd element
        odd = backend.reduce_any(odd, tuple(range(indices.shape[1], len(shape))), False)
    more = backend.cast(backend.stored_where(odd), backend.dtype_of(indices))
    nothing = picked(backend.full_like(x2, 0, backend.dtype_of(values)), more, shape)
    united = backend.concatenate([indices, more], 0)
    indices, (values,) = backend.sum_duplicates(united, (backend.concatenate([values, nothing], 0),), shape)
    return backend.make_sparse(indices, this.call(values, picked(x2, indices, shape)), shape)


# --- matrices ---------------------------------------------------------------------------------------


def as_dtype(x: Any, dtype: str) -> Any:
    """A native tensor, sparse, ragged or dense, in another element type."""
    backend = local.running
    if backend.dtype_of(x) == dtype:
        return x
    if backend.is_ragged(x):
        return backend.map_ragged(lambda v: backend.cast(v, dtype), (x,))
    return mapped(lambda v: backend.cast(v, dtype), x) if backend.is_sparse(x) else backend.cast(x, dtype)


def matmul(this: Any, x1: Any, x2: Any) -> Any:
    backend = local.running
    dtype = result_type(backend.dtype_of(x1), backend.dtype_of(x2))
    x1, x2 = (as_dtype(x, dtype) for x in (x1, x2))
    found = backend.sparse_matmul(x1, x2)
    return densely(this, x1, x2) if found is None else found


def affine(this: Any, x: Any, weights: Any, bias: Any = None) -> Any:
    backend = local.running
    product = backend.sparse_matmul(x, weights) if backend.is_sparse(x) and not backend.is_sparse(weights) else None
    if product is None:
        return densely(this, x, weights, bias)
    return product if bias is None else backend.add(product, bias)
