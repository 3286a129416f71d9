"""Axes by name: `rearrange(x, "b h (w c) -> b w (h c)", c=3)`, after einops (Rogozhnikov, ICLR 2022)."""

from __future__ import annotations

import math
import re
from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.declare import kernel, op
from kbridge.core.tensor.symbolic import KerasTensor

Groups = list[list[str]]


def _groups(side: str, pattern: str) -> Groups:
    """`"b (h w) 1"` as [["b"], ["h", "w"], []]."""
    parts = re.findall(r"\([^()]*\)|\.\.\.|\w+|\S", side)
    for part in parts:
        if not re.fullmatch(r"\([\w\s]*\)|\.\.\.|\w+", part):
            raise ArgumentError(
                f"{part!r} in the pattern {pattern!r}: axes are names, 1, `...` or groups such as (h w)."
            )
    return [[name for name in part.strip("()").split() if name != "1"] for part in parts]


def _read(pattern: str, rank: int) -> tuple[Groups, Groups]:
    left, arrow, right = pattern.partition("->")
    if not arrow:
        raise ArgumentError(f"the pattern {pattern!r} has no '->'.")
    before, after = _groups(left, pattern), _groups(right, pattern)
    dots = [f"...{i}" for i in range(rank - len(before) + 1)]  # names for the axes behind `...`

    def opened(groups: Groups) -> Groups:
        return [part for group in groups for part in ([[d] for d in dots] if group == ["..."] else [group])]

    before, after = opened(before), opened(after)
    names, wanted = (sorted(name for group in groups for name in group) for groups in (before, after))
    if len(set(names)) != len(names) or names != wanted:
        raise ArgumentError(f"each axis of the pattern {pattern!r} has to stand once on either side.")
    if len(before) != rank:
        raise ShapeError(f"the pattern {pattern!r} names {len(before)} axes, the tensor has {rank}.")
    return before, after


def _sizes_of(groups: Groups, shape: Any, lengths: dict[str, int], pattern: str) -> dict[str, Any]:
    """The size of each named axis, one of each group inferred from the others."""
    unknown = set(lengths) - {name for group in groups for name in group}
    if unknown:
        raise ArgumentError(f"the pattern {pattern!r} has no axis {', '.join(sorted(unknown))}.")
    sizes: dict[str, Any] = dict(lengths)
    for group, size in zip(groups, shape, strict=True):
        free = [name for name in group if name not in lengths]
        known = math.prod([lengths[name] for name in group if name in lengths])
        if len(free) > 1:
            raise ArgumentError(f"give the sizes of all but one of ({' '.join(group)}) in {pattern!r}.")
        if isinstance(size, int) and (size % known if free else size != known):
            raise ShapeError(f"an axis of size {size} doesn't fit ({' '.join(group)}) of {pattern!r} with {lengths}.")
        if free:
            sizes[free[0]] = None if size is None else (size if known == 1 else size // known)
    return sizes


def _product(parts: list[Any]) -> Any:
    return None if None in [p if p is None else 0 for p in parts] else math.prod(parts)


def _rearrange_rule(tensor: KerasTensor, pattern: str, **axes_lengths: int) -> KerasTensor:
    before, after = _read(pattern, tensor.ndim)
    sizes = _sizes_of(before, tensor.shape, axes_lengths, pattern)
    return KerasTensor([_product([sizes[name] for name in group]) for group in after], tensor.dtype)


@op(_rearrange_rule)
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Axes reordered, split and merged as a pattern of their names says.

    Args:
        tensor: the input.
        pattern: "names of the input's axes -> the same names in the new order". A group in brackets is one
            axis made of several; `1` is an axis of size 1, `...` any axes.
        **axes_lengths: sizes of axes in groups; one of each group may be left out.

    Raises:
        ArgumentError: the pattern can't be read, or leaves a size open.
        ShapeError: the pattern or the sizes don't fit the tensor.

    >>> rearrange([[1, 2, 3, 4]], "b (h w) -> b w h", h=2)
    array([[[1, 3],
            [2, 4]]], dtype=int32)
    """
    before, after = _read(pattern, len(tensor.shape))
    sizes = _sizes_of(before, kernel.shape_of(tensor), axes_lengths, pattern)
    names = [name for group in before for name in group]
    order = [names.index(name) for group in after for name in group]
    if len(before) != len(names) or not all(before):
        tensor = kernel.reshape(tensor, tuple(sizes[name] for name in names))
    if order != list(range(len(order))):
        tensor = kernel.transpose(tensor, tuple(order))
    if len(after) == len(names) and all(after):
        return tensor
    return kernel.reshape(tensor, tuple(math.prod([sizes[name] for name in group]) for group in after))
