"""Ops that read and write at positions, and say where something is."""

from __future__ import annotations

import operator
from typing import Any

from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from kbridge.core.ops import rules, sparse_places
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.elementwise import as_bool, both_tensors, floor_divide, mod
from kbridge.core.ops.shape import one_hot
from kbridge.core.tensor.dtypes import is_float, result_type, standardize_dtype
from kbridge.core.tensor.shapes import broadcast_shape, one_axis
from kbridge.core.tensor.symbolic import KerasTensor

# --- scatter --------------------------------------------------------------------------------------

REDUCTIONS = (None, "add", "max", "min", "mul")


def _check_scatter(shape: Any, indices: Any, updates: Any) -> None:
    shape, places, given = tuple(shape), tuple(indices.shape), tuple(updates.shape)
    depth = len(shape) + len(places) - 1 - len(given)
    if not places or not 0 <= depth <= len(shape) or places[-1] not in (None, depth):
        raise ShapeError(f"Indices {places} and updates {given} don't fit {shape}: (..., k) and (..., *shape[k:]).")
    wanted = (*places[:-1], *shape[depth:])
    if any(a != b and isinstance(a, int) and isinstance(b, int) for a, b in zip(given, wanted, strict=True)):
        raise ShapeError(f"Indices {places} into {shape} need updates {wanted}, got {given}.")


def whole_numbers(indices: Any, dtype: str) -> None:
    """Whole numbers, said of real positions only: a symbolic one is of floats where nobody gave its type."""
    if is_float(dtype) or dtype == "bool":
        raise DTypeError(f"Positions are whole numbers, got {dtype}{list(indices.shape)}. Cast them to int32.")


def _scatter_rule(indices: KerasTensor, values: KerasTensor, shape: Any) -> KerasTensor:
    _check_scatter(shape, indices, values)
    return KerasTensor(shape, values.dtype)


@op(_scatter_rule, arrays=2)
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Zeros in which `values` are added at `indices`.

    Args:
        indices: whole numbers `(..., k)`, each row a position along the first k axes. One outside of `shape` is an
            error on numpy, torch and tensorflow and left out on jax; a negative one counts from the back.
        values: `(..., *shape[k:])`. Those for one position add up.
        shape: of the result.

    Raises:
        ShapeError: `indices`, `values` and `shape` don't fit.
        DTypeError: `indices` aren't whole numbers.

    >>> scatter([[0], [2], [0]], [1, 2, 3], (4,))
    array([4, 0, 2, 0], dtype=int32)
    """
    _check_scatter(shape, indices, values)
    whole_numbers(indices, kernel.dtype_of(indices))
    dtype = kernel.dtype_of(values)
    if dtype == "bool":
        return kernel.cast(kernel.scatter(indices, kernel.cast(values, "int32"), tuple(shape)), "bool")
    return kernel.scatter(indices, values, tuple(shape))


def _scatter_update_rule(
    inputs: KerasTensor, indices: KerasTensor, updates: KerasTensor, reduction: str | None = None
) -> KerasTensor:
    _reduction(reduction)
    _check_scatter(inputs.shape, indices, updates)
    return rules.same(inputs)


def _reduction(name: str | None) -> str | None:
    name = name.lower() if isinstance(name, str) else name
    if name not in REDUCTIONS:
        raise ArgumentError(f"reduction is one of {', '.join(map(repr, REDUCTIONS))}, got {name!r}.")
    return name


@op(_scatter_update_rule, arrays=3)
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """A copy of `inputs` with `updates` at `indices`.

    Args:
        inputs: any tensor.
        indices: as in `scatter`.
        updates: `(..., *inputs.shape[k:])`, cast to the type of `inputs`.
        reduction: "add", "max", "min" or "mul" unite old and new; None writes the new one, and where an index comes
            twice, either of the two.

    Raises:
        ArgumentError: `reduction` is another.
        ShapeError: `indices` and `updates` don't fit the inputs.

    >>> scatter_update([1, 1, 1, 1], [[1], [1], [3]], [5, 6, 7], "add")
    array([ 1, 12,  1,  8], dtype=int32)
    """
    reduction = _reduction(reduction)
    _check_scatter(inputs.shape, indices, updates)
    whole_numbers(indices, kernel.dtype_of(indices))
    dtype = kernel.dtype_of(inputs)
    if kernel.dtype_of(updates) != dtype:
        updates = kernel.cast(updates, dtype)
    if dtype == "bool" and reduction:
        numbers = (kernel.cast(x, "int32") for x in (inputs, updates))
        return kernel.cast(kernel.scatter_update(next(numbers), indices, next(numbers), reduction), "bool")
    return kernel.scatter_update(inputs, indices, updates, reduction)


def _put_rule(x: KerasTensor, indices: KerasTensor, values: Any, axis: int = -1) -> KerasTensor:
    one_axis(axis, x.ndim)
    _same_rank(x, indices)
    if None not in indices.shape and broadcast_shape(indices.shape, rules.shape_of(values)) != indices.shape:
        raise ShapeError(f"Values {values.shape} don't broadcast to indices {indices.shape}.")
    return rules.same(x)


def _same_rank(x: Any, indices: Any) -> None:
    if len(indices.shape) != len(x.shape):
        raise ShapeError(f"Indices {tuple(indices.shape)} need as many axes as x, {tuple(x.shape)}.")


@op(_put_rule, arrays=3)
def put_along_axis(x: Any, indices: Any, values: Any, axis: int = -1) -> Any:
    """A copy of `x` with `values` where `take_along_axis` with the same indices would read.

    Args:
        x: the tensor, `(..., n, ...)`.
        indices: whole numbers, as in `take_along_axis`.
        values: of the shape of `indices`, or what broadcasts to it.

    Raises:
        ShapeError: `indices` have another rank, or `values` don't broadcast.

    >>> put_along_axis([[1, 2, 3], [4, 5, 6]], [[0], [2]], 9, axis=1)
    array([[9, 2, 3],
           [4, 5, 9]], dtype=int32)
    """
    _same_rank(x, indices)
    whole_numbers(indices, kernel.dtype_of(indices))
    at, sizes = one_axis(axis, len(x.shape)), kernel.shape_of(indices)
    places = []
    for i, size in enumerate(sizes):
        line = indices
        if i != at:
            across = (*(1 for _ in sizes[:i]), -1, *(1 for _ in sizes[i + 1 :]))
            line = kernel.broadcast_to(kernel.reshape(kernel.arange(0, size, 1, "int32", like=x), across), sizes)
        places.append(kernel.cast(line, "int32"))
    values = kernel.broadcast_to(kernel.cast(values, kernel.dtype_of(x)), sizes)
    return kernel.scatter_update(x, kernel.stack(places, len(sizes)), values, None)


# --- slices ---------------------------------------------------------------------------------------


def _check_slice(x: Any, starts: Any, sizes: Any, what: str) -> None:
    """Whatever can be said without numbers: as many as there are axes, and known ones fit."""
    rank = len(x.shape)
    if len(sizes) != rank:
        raise ShapeError(f"{what} {tuple(sizes)} needs as many dimensions as inputs {tuple(x.shape)}.")
    given = starts.shape[0] if hasattr(starts, "shape") else len(starts)
    if given != rank and given is not None:
        raise ShapeError(f"start_indices has {given} numbers for inputs of {rank} dimensions, {tuple(x.shape)}.")
    if not hasattr(starts, "shape"):
        for start, size, whole in zip(starts, sizes, x.shape, strict=True):
            if not isinstance(start, int):
                continue
            if start < 0 or (isinstance(size, int) and isinstance(whole, int) and start + max(size, 0) > whole):
                raise ShapeError(f"{what} {tuple(sizes)} at {tuple(starts)} leaves inputs {tuple(x.shape)}.")


def _starts(x: Any, starts: Any) -> list[Any]:
    """One start for each axis: a number, or a tensor without axes."""
    if isinstance(starts, (list, tuple)):
        return list(starts)
    return [kernel.get_item(starts, i) for i in range(len(x.shape))]


def _slice_rule(inputs: KerasTensor, start_indices: Any, shape: Any) -> KerasTensor:
    sizes = list(shape)
    _check_slice(inputs, start_indices, sizes, "shape")
    for i, size in enumerate(sizes):
        if isinstance(size, int) and size == -1:
            start = start_indices[i] if isinstance(start_indices, (list, tuple)) else None
            whole = inputs.shape[i]
            sizes[i] = whole - start if isinstance(start, int) and whole is not None else None
    return KerasTensor(sizes, inputs.dtype)


@op(_slice_rule, arrays=2, weak=True, listed=True)
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """The block of `inputs` that begins at `start_indices` and has the given shape.

    Args:
        inputs: any tensor.
        start_indices: a number for each axis, or a tensor `(rank,)` of them. A tensor's may be unknown while a step
            is compiled: where the block would reach over an end, it is moved inside.
        shape: sizes of the block; -1 for all there is from the start on.

    Raises:
        ShapeError: numbers that don't fit the inputs.

    >>> slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, -1))
    array([[2, 3],
           [5, 6]], dtype=int32)
    """
    x = kernel.convert(inputs) if isinstance(inputs, (list, tuple)) else inputs
    sizes = list(shape)
    _check_slice(x, start_indices, sizes, "shape")
    return kernel.slice(x, _starts(x, start_indices), sizes)


def _slice_update_rule(inputs: KerasTensor, start_indices: Any, updates: Any) -> KerasTensor:
    if isinstance(updates, KerasTensor):
        _check_slice(inputs, start_indices, updates.shape, "updates")
    return rules.same(inputs)


@op(_slice_update_rule, arrays=3, weak=True, listed=True)
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """A copy of `inputs` with a block written at `start_indices`, which are as in `slice`.

    Args:
        inputs: any tensor.
        start_indices: where the block begins.
        updates: the block; as many axes as `inputs`.

    Raises:
        ShapeError: as in `slice`.

    >>> slice_update([1, 2, 3, 4], (1,), [8, 9])
    array([1, 8, 9, 4], dtype=int32)
    """
    x = kernel.convert(inputs) if isinstance(inputs, (list, tuple)) else inputs
    updates = kernel.convert(updates, kernel.dtype_of(x))
    _check_slice(x, start_indices, updates.shape, "updates")
    return kernel.slice_update(x, _starts(x, start_indices), updates)


# --- choosing -------------------------------------------------------------------------------------


def _select_rule(condlist: Any, choicelist: Any, default: Any = 0) -> KerasTensor:
    _check_select(condlist, choicelist)
    shape: tuple[int | None, ...] = ()
    for each in (*condlist, *choicelist, default):
        shape = broadcast_shape(shape, rules.shape_of(each))
    return KerasTensor(shape, result_type(*(rules.kind_of(each) for each in (*choicelist, default))))


def _check_select(conditions: Any, choices: Any) -> None:
    if not isinstance(conditions, (list, tuple)) or not isinstance(choices, (list, tuple)):
        raise ArgumentError("condlist and choicelist are lists of tensors.")
    if not conditions or len(conditions) != len(choices):
        raise ArgumentError(f"Each condition needs its choice, got {len(conditions)} and {len(choices)}.")


@op(_select_rule, arrays=3, weak=True, listed=True)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """From each choice what its condition allows; the first condition that holds wins, `default` where none does.

    Args:
        condlist: conditions.
        choicelist: as many choices; all broadcast to one shape.
        default: for elements without a condition that holds.

    Raises:
        ArgumentError: these aren't lists of one length.

    >>> select([[True, False, False], [True, False, True]], [[1, 2, 3], [10, 20, 30]], 7)
    array([ 1,  7, 30], dtype=int32)
    """
    _check_select(condlist, choicelist)
    *choices, result = both_tensors(*choicelist, default)
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        result = kernel.where(as_bool(kernel.convert(condition)), choice, result)
    return result


def _places_rule(x: KerasTensor) -> KerasTensor:
    return KerasTensor((None, x.ndim), "int32")


@op(_places_rule)
def argwhere(x: Any) -> Any:
    """Where the elements aren't zero: `(count, rank)`, int32, in the order of the elements.

    The size of the result depends on values: no compiled step on jax and torch can know it.

    >>> argwhere([[0, 5], [6, 0]])
    array([[0, 1],
           [1, 0]], dtype=int32)
    """
    return kernel.argwhere(x)


def _nonzero_rule(x: KerasTensor) -> tuple[KerasTensor, ...]:
    if not x.ndim:
        raise ShapeError("A tensor without axes has no positions. Reshape it to (1,).")
    return tuple(KerasTensor((None,), "int32") for _ in x.shape)


@op(_nonzero_rule)
def nonzero(x: Any) -> tuple[Any, ...]:
    """Where the elements aren't zero: a tuple with the positions along each axis, int32. See `argwhere`.

    Raises:
        ShapeError: the input has no axes.

    >>> nonzero([[0, 5], [6, 0]])
    (array([0, 1], dtype=int32), array([1, 0], dtype=int32))
    """
    if not len(x.shape):
        _nonzero_rule(KerasTensor(()))
    places = kernel.argwhere(x)
    return tuple(kernel.get_item(places, (..., i)) for i in range(len(x.shape)))


@op(lambda x: KerasTensor((None,), "int32"))
def flatnonzero(x: Any) -> Any:
    """Where the elements of the flattened input aren't zero, int32. See `argwhere`.

    >>> flatnonzero([[0, 5], [6, 0]])
    array([1, 2], dtype=int32)
    """
    return kernel.reshape(kernel.argwhere(kernel.reshape(x, (-1,))), (-1,))


def _unravel_rule(indices: KerasTensor, shape: Any) -> tuple[KerasTensor, ...]:
    return tuple(rules.same(indices) for _ in ([shape] if isinstance(shape, int) else shape))


@op(_unravel_rule)
def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """Positions in a flattened tensor as positions along the axes of `shape`, one tensor for each, of the same type.

    A position that is negative or too large is taken modulo the number of elements.

    `indices` are whole numbers of any shape; each result has it too.

    >>> unravel_index([0, 5, -1], (2, 3))
    (array([0, 1, 1], dtype=int32), array([0, 2, 2], dtype=int32))
    """
    dtype = kernel.dtype_of(indices)
    whole_numbers(indices, dtype)
    rest = indices if dtype in ("int64", "uint64") else kernel.cast(indices, "int64" if dtype == "uint32" else "int32")
    places = []
    for size in reversed((shape,) if isinstance(shape, int) else tuple(shape)):
        size = operator.index(size)
        places.append(kernel.cast(mod(rest, size), dtype))
        rest = floor_divide(rest, size)
    return tuple(reversed(places))


def _multi_hot_rule(
    inputs: KerasTensor,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> KerasTensor:
    sizes = list(inputs.shape)
    sizes.insert(one_axis(axis, inputs.ndim + 1), _classes(num_classes, kwargs))
    del sizes[1 if inputs.ndim > 1 else 0]
    return KerasTensor(sizes, standardize_dtype(dtype), sparse)


def _classes(count: int | None, more: dict[str, Any]) -> int:
    count = more.pop("num_tokens", None) if count is None else count  # the name it had in Keras 2
    if count is None or more:
        raise ArgumentError(f"multi_hot needs num_classes, got {count} and {sorted(more) or 'nothing else'}.")
    return count


@op(_multi_hot_rule)
def multi_hot(
    inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False, **kwargs: Any
) -> Any:
    """Which classes a row of class numbers names: `(batch, n) -> (batch, num_classes)`, `(n,) -> (num_classes,)`.

    Args:
        inputs: whole numbers; those outside of `0 .. num_classes - 1` name nothing.
        num_classes: how many classes there are.
        axis: where `one_hot` puts its axis, before axis 1 (0 for a single row) is united.
        dtype: of the result, floatx by default.
        sparse: whether the result is a sparse tensor; NumPy has none.
        kwargs: `num_tokens`, Keras's older name of `num_classes`.

    Raises:
        ArgumentError: the number of classes is left out.

    >>> multi_hot([[0, 2, 2], [1, 1, -1]], 4)
    array([[1., 0., 1., 0.],
           [0., 1., 0., 0.]], dtype=float32)
    """
    dtype, row = standardize_dtype(dtype), 1 if len(inputs.shape) > 1 else 0
    hot = one_hot(inputs, _classes(num_classes, kwargs), axis, dtype if sparse else "bool", sparse)
    return sparse_places.united(hot, row) if sparse else kernel.cast(kernel.reduce_any(hot, (row,), False), dtype)
