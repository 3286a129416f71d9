"""One tensor from nested lists of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbridge.core.errors import ArgumentError
from kbridge.core.ops.declare import kernel, op, promote
from kbridge.core.ops.join import joined
from kbridge.core.tensor.symbolic import KerasTensor


def _put_together(xs: Any, layout: Any, widen: Callable[[Any, int], Any], join: Callable[[Any, int], Any]) -> Any:
    """`layout` is nested like the lists, with the place in `xs` of each tensor."""
    depth = _depth(layout)
    rank = max([depth, *(len(x.shape) for x in xs)])

    def build(part: Any, level: int) -> Any:
        if isinstance(part, int):
            return widen(xs[part], rank - len(xs[part].shape))
        return join([build(each, level - 1) for each in part], rank - level)

    return build(layout, depth)


def _block_rule(x: Any, layout: Any) -> KerasTensor:
    def widen(each: KerasTensor, lack: int) -> KerasTensor:
        return KerasTensor((*(1,) * lack, *each.shape), each.dtype)

    result: KerasTensor = _put_together(x, layout, widen, joined)
    return result


@op(_block_rule, listed=True)
def block_of(x: Any, layout: Any) -> Any:
    """`block` with the tensors in a flat list, as ops have them."""
    return _put_together(
        promote(*x), layout, lambda each, lack: kernel.expand_dims(each, tuple(range(lack))), kernel.concatenate
    )


def block(arrays: Any) -> Any:
    """One tensor from nested lists: the innermost ones are joined along the last axis, those around them before it.

    Axes that a tensor lacks in front have size 1.

    Args:
        arrays: a list of tensors or numbers, or of such lists, all equally deep.

    Raises:
        ArgumentError: a list is empty, or not as deep as the others.

    >>> import numpy as np
    >>> block([[np.array([[1, 2]]), np.array([[3]])], [np.array([[4, 5, 6]])]])
    array([[1, 2, 3],
           [4, 5, 6]])
    """
    tensors: list[Any] = []

    def numbered(part: Any) -> Any:
        if isinstance(part, list):
            return [numbered(each) for each in part]
        tensors.append(part)
        return len(tensors) - 1

    layout = numbered(arrays)
    _depth(layout)
    return block_of(tensors, layout)


def _depth(part: Any) -> int:
    """How deep the lists are."""
    if not isinstance(part, list):
        return 0
    depths = {_depth(each) for each in part}
    if len(depths) != 1:
        raise ArgumentError(f"ops.block: lists have to be equally deep and not empty, got depths {sorted(depths)}.")
    return 1 + depths.pop()
