"""A cell's steps over time, for `RNN`."""

from __future__ import annotations

from typing import Any

from kbridge.core.layers.cells import GatedCell, step_of
from kbridge.core.layers.options import same_tail
from kbridge.core.ops.control import scan_time
from kbridge.core.ops.elementwise import cast, where
from kbridge.core.ops.outermost import dtype_of
from kbridge.core.ops.shape import get_item, shape, stack, tile, transpose, zeros, zeros_like
from kbridge.core.tensor.dtypes import is_float


def listed(value: Any) -> Any:
    """A list of states from one that may be bare."""
    return value if isinstance(value, (list, tuple)) else [value]


def time_and_batch_swapped(x: Any) -> Any:
    """`(batch, time, ...)` as `(time, batch, ...)`, and back."""
    return transpose(x, (1, 0, *range(2, len(x.shape))))


def state_dtype(cell: Any, inputs: Any) -> str:
    """The type of a cell's states: that of its inputs, or for whole numbers the type that the cell computes in."""
    dtype = str(dtype_of(inputs))
    return dtype if is_float(dtype) else str(cell.compute_dtype)


def zero_state(cell: Any, first: Any) -> list[Any]:
    """The state that a cell starts from, of the type and on the device of its first inputs `(batch, ...)`."""
    dtype = state_dtype(cell, first)
    if isinstance(cell, GatedCell):
        one = zeros_like(get_item(first, (slice(None), slice(0, 1))), dtype)
        sizes = listed(cell.state_size)
        made = {size: tile(one, (1, size)) for size in set(sizes)}
        return [made[size] for size in sizes]
    batch = shape(first)[0]
    if hasattr(cell, "get_initial_state"):
        return [cast(s, dtype) for s in listed(cell.get_initial_state(batch_size=batch))]
    return [zeros((batch, size), dtype) for size in listed(cell.state_size)]


def run_over_time(
    cell: Any, xs: Any, states: list[Any], mask: Any, training: bool, unroll: bool, zeros_where_masked: bool
) -> tuple[Any, list[Any], Any]:
    """All steps of a cell.

    Args:
        xs: `(time, batch, ...)`.
        states: a list of tensors.
        mask: `(time, batch)`, False where the state stays and the output is the one before; or None.
        unroll: whether to write the loop out.
        zeros_where_masked: whether masked steps give zeros instead.

    Returns:
        The outputs `(time, batch, ...)`, the last states, and the last output.
    """
    gated = isinstance(cell, GatedCell)
    at_once = cell.whole(xs, states, training) if gated and mask is None else None
    if at_once is not None:
        outputs, ends = at_once
        return outputs, ends, ends[0]
    xs, step = cell.stepper(xs, training) if gated else (xs, step_of(cell, training))

    def advance(carry: Any, parts: Any) -> Any:
        output, new = step(parts[0], list(carry))
        if mask is not None:
            kept = [same_tail(parts[1], len(n.shape)) for n in new]
            new = [where(k, n, old) for k, n, old in zip(kept, new, carry, strict=True)]
            output = where(same_tail(parts[1], len(output.shape)), output, 0 if zeros_where_masked else carry[0])
        return tuple(new), output

    over = (xs,) if mask is None else (xs, mask)
    ends, outputs = (_written_out if unroll else scan_time)(advance, tuple(states), over)
    is_state = gated and not zeros_where_masked  # then the last output needn't be cut out
    return outputs, list(ends), ends[0] if is_state else get_item(outputs, -1)


def _written_out(step: Any, carry: Any, xs: Any) -> Any:
    """`scan_time`, as a graph without a loop."""
    outputs = []
    for t in range(xs[0].shape[0]):
        carry, output = step(carry, tuple(get_item(x, t) for x in xs))
        outputs.append(output)
    return carry, stack(outputs)
