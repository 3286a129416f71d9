"""Ops that take tensors apart."""

from __future__ import annotations

import itertools
import operator
from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.declare import kernel, op
from kbridge.core.tensor.shapes import one_axis
from kbridge.core.tensor.symbolic import KerasTensor


def _listed(positions: Any) -> list[Any]:
    """The positions, numbers where they are known."""
    try:
        return [operator.index(p) for p in positions]
    except TypeError:  # a tensor of a TensorFlow graph, over which nothing iterates
        if isinstance(positions, KerasTensor) or not getattr(positions, "shape", ()):
            raise
        return list(kernel.unstack(positions, 0, positions.shape[0]))


def _cuts(size: Any, positions: Any) -> list[Any]:
    """The sizes between positions along an axis, which count from the end if negative."""
    edges = _listed(positions)
    if not all(isinstance(p, int) for p in edges):
        return [b - a for a, b in itertools.pairwise([0, *edges, size])]
    if isinstance(size, int):
        edges = [min(max(p + size if p < 0 else p, 0), size) for p in edges]
    elif size is None and any(p < 0 for p in edges):
        return [None] * (len(edges) + 1)
    if edges != sorted(edges) or (edges and edges[0] < 0):
        raise ArgumentError(f"the positions {list(positions)} of a split have to rise, from 0 on if the size is free.")
    ends = [0, *edges, size]
    return [None if b is None else b - a for a, b in itertools.pairwise(ends)]


def _split_sizes(size: Any, parts: Any, equal: bool = True) -> list[Any]:
    if not isinstance(parts, int) and hasattr(parts, "__index__") and not getattr(parts, "shape", ()):
        parts = operator.index(parts)
    if not isinstance(parts, int):
        return _cuts(size, parts)
    if parts < 1:
        raise ArgumentError(f"can't split into {parts} parts; give at least 1.")
    if size is None:
        return [None] * parts
    if equal and isinstance(size, int) and size % parts:
        raise ShapeError(f"an axis of size {size} doesn't split into {parts} equal parts. Try ops.array_split.")
    if equal:
        return [size // parts] * parts
    return [(size + parts - 1 - i) // parts for i in range(parts)]


def _split_rule(x: KerasTensor, parts: Any, axis: int, equal: bool = True) -> list[KerasTensor]:
    i = one_axis(axis, x.ndim)
    return [
        KerasTensor((*x.shape[:i], size, *x.shape[i + 1 :]), x.dtype) for size in _split_sizes(x.shape[i], parts, equal)
    ]


def _split(x: Any, parts: Any, axis: int, equal: bool = True) -> Any:
    i = one_axis(axis, len(x.shape))
    return kernel.split(x, _split_sizes(kernel.shape_of(x)[i], parts, equal), i)


@op(lambda x, indices_or_sections, axis=0: _split_rule(x, indices_or_sections, axis))
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """The input cut along `axis` into equal parts, or at the given positions.

    Args:
        x: the tensor.
        indices_or_sections: how many equal parts, or the rising positions of the cuts.
        axis: the axis to cut.

    Returns:
        A list of tensors.

    Raises:
        ShapeError: the axis doesn't divide into so many equal parts.
        ArgumentError: the number of parts is below 1, or the positions don't rise.

    >>> split([1, 2, 3, 4], 2)
    [array([1, 2], dtype=int32), array([3, 4], dtype=int32)]
    """
    return _split(x, indices_or_sections, axis)


@op(lambda x, indices_or_sections, axis=0: _split_rule(x, indices_or_sections, axis, False))
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """`split` into parts that needn't be equal: the first ones are longer by one where needed.

    The arguments are those of `split`.

    >>> array_split([1, 2, 3], 2)
    [array([1, 2], dtype=int32), array([3], dtype=int32)]
    """
    return _split(x, indices_or_sections, axis, False)


def _need_rank(x: Any, rank: int) -> None:
    if len(x.shape) < rank:
        raise ShapeError(f"needs at least {rank} axes, got shape {tuple(x.shape)}.")


def _vsplit_rule(x: KerasTensor, indices_or_sections: Any) -> list[KerasTensor]:
    _need_rank(x, 2)
    return _split_rule(x, indices_or_sections, 0)


@op(_vsplit_rule)
def vsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` along the first of at least two axes.

    Raises:
        ShapeError: there are fewer than two axes, and as in `split`.

    >>> vsplit([[1, 2], [3, 4]], 2)[1]
    array([[3, 4]], dtype=int32)
    """
    _need_rank(x, 2)
    return _split(x, indices_or_sections, 0)


def _hsplit_rule(x: KerasTensor, indices_or_sections: Any) -> list[KerasTensor]:
    _need_rank(x, 1)
    return _split_rule(x, indices_or_sections, min(1, len(x.shape) - 1))


@op(_hsplit_rule)
def hsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` along the second axis, or the only one.

    >>> hsplit([[1, 2], [3, 4]], 2)[1]
    array([[2],
           [4]], dtype=int32)
    """
    _need_rank(x, 1)
    return _split(x, indices_or_sections, min(1, len(x.shape) - 1))


def _dsplit_rule(x: KerasTensor, indices_or_sections: Any) -> list[KerasTensor]:
    _need_rank(x, 3)
    return _split_rule(x, indices_or_sections, 2)


@op(_dsplit_rule)
def dsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` along the third axis.

    Raises:
        ShapeError: there are fewer than three axes, and as in `split`.

    >>> dsplit([[[1, 2]]], 2)[1]
    array([[[2]]], dtype=int32)
    """
    _need_rank(x, 3)
    return _split(x, indices_or_sections, 2)


def _how_many(sizes: Any, num: int | None, i: int) -> int:
    size = sizes[i]
    if size is None and num is None:
        raise ArgumentError(f"the size of axis {i} isn't known in {tuple(sizes)}: say it with `num`.")
    if num is not None and size not in (None, num):
        raise ArgumentError(f"num={num}, but axis {i} of {tuple(sizes)} has size {size}.")
    return int(size if num is None else num)


def _unstack_rule(x: KerasTensor, num: int | None = None, axis: int = 0) -> list[KerasTensor]:
    i = one_axis(axis, x.ndim)
    return [KerasTensor((*x.shape[:i], *x.shape[i + 1 :]), x.dtype) for _ in range(_how_many(x.shape, num, i))]


@op(_unstack_rule)
def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """The slices along `axis`, as a list; `num` says how many where the size isn't known.

    Raises:
        ArgumentError: the size isn't known and `num` left out, or they differ.

    >>> unstack([[1, 2], [3, 4]])
    [array([1, 2], dtype=int32), array([3, 4], dtype=int32)]
    """
    i = one_axis(axis, len(x.shape))
    return kernel.unstack(x, i, _how_many(x.shape, num, i))
