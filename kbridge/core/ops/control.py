"""Ops that run functions: branches and loops.

Their functions run on the backend of the outermost call, on its native tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import optree

from kbridge.core.context import SYMBOLIC, local
from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.graph.node import NAMESPACE, leaves, map_leaves
from kbridge.core.ops.declare import kernel, native
from kbridge.core.ops.elementwise import add, as_bool, cast, less, logical_and
from kbridge.core.ops.function_op import function_op, nested, opened, settled, specs, with_axis, without_axis
from kbridge.core.tensor.symbolic import KerasTensor

INDEX = KerasTensor((), "int32")

# --- what results have to be like ----------------------------------------------------------------


def alike(results: Sequence[Any]) -> Any:
    """What branches that give these specs give together; a size that differs by None is free."""
    first, *others = [optree.tree_flatten(specs(result), namespace=NAMESPACE) for result in results]
    merged = first[0]
    for found, structure in others:
        if structure != first[1]:
            raise ShapeError(f"the branches return different structures: {first[1]} and {structure}.")
        merged = [_merged(a, b) for a, b in zip(merged, found, strict=True)]
    return nested(first[1], merged)


def _merged(a: KerasTensor, b: KerasTensor) -> KerasTensor:
    if a.dtype != b.dtype or not _fits(a.shape, b.shape):
        raise ShapeError(f"the branches return {_text(a)} and {_text(b)}: they must agree in shape and dtype.")
    return KerasTensor(tuple(x if x == y else None for x, y in zip(a.shape, b.shape, strict=True)), a.dtype)


def _fits(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(
        x == y or not (isinstance(x, int) and isinstance(y, int)) for x, y in zip(a, b, strict=True)
    )


def _text(t: Any) -> str:
    return f"{getattr(t.dtype, 'name', t.dtype)}{list(t.shape)}"


def kept(before: Sequence[Any], after: Sequence[Any]) -> None:
    """Refuse a loop whose state changes its shape or dtype: compiled loops can't, so no loop may."""
    if len(before) != len(after):
        raise ShapeError(f"the loop's state has {len(before)} tensors and its function returns {len(after)}.")
    for a, b in zip(before, after, strict=True):
        if a.dtype != b.dtype or not _fits(tuple(a.shape), tuple(b.shape)):
            raise ShapeError(
                f"the loop's state goes in as {_text(a)} and comes out as {_text(b)}: shape and dtype must stay. "
                "Start from a tensor of the final type, or cast in the function."
            )


def _scalar(value: Any, what: str) -> Any:
    if len(getattr(value, "shape", ())):
        raise ShapeError(f"{what} is one value, got shape {tuple(value.shape)}.")
    return value


def functions(*given: Any) -> None:
    """Refuse what can't be called."""
    for function in given:
        if not callable(function):
            raise TypeError(f"Expected a function, got {function!r}.")


# --- branches ------------------------------------------------------------------------------------


def _cond_rule(pred: Any, true_fn: Any, false_fn: Any) -> Any:
    functions(true_fn, false_fn)
    _scalar(specs(pred), "pred")
    return alike([true_fn(), false_fn()])


@function_op(_cond_rule, trees=("pred",), decides=False)
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """`true_fn()` where `pred` holds, else `false_fn()`: only that branch runs.

    Args:
        pred: a boolean, a number (true unless 0) or a tensor of rank 0.
        true_fn, false_fn: functions without arguments. In a compiled call and in a symbolic graph
            both are traced, and must return the same structure, shapes and dtypes.

    Raises:
        ShapeError: `pred` isn't a single value, or the branches return different structures, shapes or dtypes.

    >>> import numpy as np
    >>> x = np.float32(3)
    >>> float(cond(x > 2, lambda: x * x, lambda: -x))
    9.0
    """
    if local.running is None:
        return true_fn() if _scalar(pred, "pred") else false_fn()
    true_fn, false_fn = settled(true_fn), settled(false_fn)
    if isinstance(pred, (bool, int, float)):
        return true_fn() if pred else false_fn()
    return kernel.cond(as_bool(_scalar(native(local.running, pred), "pred")), true_fn, false_fn)


def _switch_rule(index: Any, branches: Sequence[Any], *operands: Any) -> Any:
    functions(*branches)
    _scalar(specs(index), "index")
    return alike([branch(*specs(operands)) for branch in branches])


@function_op(_switch_rule, trees=("index", "operands"), decides=False)
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """`branches[index](*operands)`; an index below 0 takes the first branch, one too high the last.

    Args:
        index: a whole number, or a tensor of rank 0.
        branches: functions of the operands, alike in what they return.
        operands: trees of arrays.

    Raises:
        ArgumentError: there is no branch.
        ShapeError: `index` isn't a single value, or the branches return different things.

    >>> import numpy as np
    >>> switch(1, [lambda x: x + 1, lambda x: x * 10], np.array([1, 2]))
    array([10, 20])
    """
    if not branches:
        raise ArgumentError("switch needs at least one branch.")
    if local.running is None:
        return branches[min(max(int(_scalar(index, "index")), 0), len(branches) - 1)](*operands)
    found, structure = opened(operands)
    given = nested(structure, found)
    if isinstance(index, int):
        return settled(branches[min(max(index, 0), len(branches) - 1)])(*given)
    index = _scalar(native(local.running, index), "index")

    def pick(first: int, last: int) -> Any:
        if first == last:
            return settled(branches[first])(*given)
        middle = (first + last + 1) // 2
        return kernel.cond(less(index, middle), lambda: pick(first, middle - 1), lambda: pick(middle, last))

    return pick(0, len(branches) - 1)


# --- loops ---------------------------------------------------------------------------------------


def _listed(loop_vars: Any) -> tuple[Any, ...]:
    return tuple(loop_vars) if isinstance(loop_vars, (list, tuple)) else (loop_vars,)


def _while_rule(cond: Any, body: Any, loop_vars: Any, maximum_iterations: Any = None) -> Any:
    functions(cond, body)
    state = specs(_listed(loop_vars))
    cond(*state)  # for the tensors it captures
    kept(leaves(state), leaves(specs(_listed(body(*state)))))
    return state if isinstance(loop_vars, (list, tuple)) else state[0]


@function_op(_while_rule, trees=("loop_vars",))
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """Run `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` holds.

    Args:
        cond, body: functions of the loop variables; `body` returns their next values.
        loop_vars: a tuple or list of trees, or one tree. Shapes and dtypes stay as they are.
        maximum_iterations: stop after as many rounds in any case.

    Returns:
        The last values: a tuple for a tuple or list, else one tree. JAX has no reverse-mode gradient
        of a loop of unknown length: use `fori_loop` or `scan` there.

    Raises:
        ShapeError: `body` changes the structure, a shape or a dtype of the loop variables.

    >>> while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2.0), (0, 1.0))
    (np.int32(3), np.float32(8.0))
    """
    found, structure = opened(_listed(loop_vars))
    size = len(found)

    def going(*state: Any) -> Any:
        goes = as_bool(_scalar(native(local.running, cond(*nested(structure, state[:size]))), "what cond returns"))
        return goes if maximum_iterations is None else logical_and(goes, less(state[size], maximum_iterations))

    def step(*state: Any) -> tuple[Any, ...]:
        after, _ = opened(_listed(body(*nested(structure, state[:size]))))
        kept(state[:size], after)
        return (*after, *(add(count, 1) for count in state[size:]))

    counter = [] if maximum_iterations is None else [kernel.convert(0, "int32")]
    state = nested(structure, kernel.while_loop(going, step, (*found, *counter))[:size])
    return state if isinstance(loop_vars, (list, tuple)) else state[0]


def _fori_rule(lower: Any, upper: Any, body_fun: Any, init_val: Any) -> Any:
    functions(body_fun)
    kept(leaves(specs(init_val)), leaves(specs(body_fun(INDEX, specs(init_val)))))
    return specs(init_val)


@function_op(_fori_rule, trees=("lower", "upper", "init_val"))
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Run `val = body_fun(i, val)` for i from `lower` to below `upper`, starting from `init_val`.

    Args:
        lower, upper: whole numbers, or tensors of rank 0.
        body_fun: gets i as an int32 tensor of rank 0, and the value.
        init_val: a tree of arrays. Shapes and dtypes stay as they are.

    Raises:
        ShapeError: `body_fun` changes the structure, a shape or a dtype of the value.

    >>> fori_loop(0, 4, lambda i, total: total + i, 10)
    np.int32(16)
    """
    found, structure = opened(init_val)

    def step(i: Any, *state: Any) -> tuple[Any, ...]:
        after, _ = opened(body_fun(i, nested(structure, state)))
        kept(state, after)
        return (add(i, 1), *after)

    if isinstance(lower, int) and isinstance(upper, int):
        start = (kernel.convert(lower, "int32"), *found)
        ends, _ = kernel.scan(lambda state, _: (step(*state), ()), start, (), max(upper - lower, 0), False, 1)
    else:
        lower, upper = (cast(_scalar(native(local.running, bound), "a bound"), "int32") for bound in (lower, upper))
        ends = kernel.while_loop(lambda i, *_: less(i, upper), step, (lower, *found))
    return nested(structure, ends[1:])


# --- over the first axis -------------------------------------------------------------------------


def rows_of(xs: Any, length: Any = None) -> int | None:
    """The size of the first axis of all leaves of `xs`, which has to be one and `length`."""
    if any(not t.shape for t in leaves(xs) if t is not None):
        raise ShapeError("a tensor of rank 0 has no first axis to go along.")
    sizes = [t.shape[0] for t in leaves(xs) if t is not None] + ([] if length is None else [length])
    known = {size for size in sizes if isinstance(size, int)}
    if len(known) > 1:
        raise ShapeError(f"the arrays differ in the size of the first axis, or from `length`: {sizes}.")
    return known.pop() if known else None


def _scan_rule(
    f: Any, init: Any, xs: Any = None, length: Any = None, reverse: bool = False, unroll: int | bool = 1
) -> Any:
    functions(f)
    size = rows_of(specs(xs), length)
    carry, y = f(specs(init), without_axis(specs(xs)))
    kept(leaves(specs(init)), leaves(specs(carry)))
    return specs(init), with_axis(y, size)


@function_op(_scan_rule, trees=("init", "xs"))
def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> Any:
    """Carry a state along the first axis of `xs`: `carry, y = f(carry, x)` for each `x`.

    Args:
        f: `(carry, x) -> (carry, y)`; a `y` of None gives no output.
        init: the first carry, a tree; its shapes and dtypes stay as they are.
        xs: a tree of arrays `(length, ...)`; None to only repeat, `length` times.
        length: the number of steps, where `xs` doesn't say.
        reverse: go from the last to the first; the `y`s stay beside their `x`s.
        unroll: how many steps JAX writes out as one, True for all. The others take no notice.

    Returns:
        The last carry, and the `y`s stacked along a new first axis.

    Raises:
        ArgumentError: there is neither `xs` nor `length`, or `unroll` is no such number.
        ShapeError: arrays of `xs` differ in their first size, or `f` changes the carry's shapes or dtypes.

    >>> import numpy as np
    >>> last, sums = scan(lambda carry, x: (carry + x, carry + x), 0, np.arange(1, 5, dtype="int32"))
    >>> int(last), sums
    (10, array([ 1,  3,  6, 10], dtype=int32))
    """
    if not isinstance(unroll, bool) and (not isinstance(unroll, int) or unroll < 1):
        raise ArgumentError(f"unroll must be True, False or a whole number above 0, got {unroll!r}.")
    found, structure = opened(xs)
    if not found and length is None:
        raise ArgumentError("scan got neither `xs` to go along nor a `length`.")
    size = rows_of(found, length)
    carry, carried = opened(init)
    if size == 0:
        return nested(carried, carry), _nothing(_scan_rule, f, nested(carried, carry), nested(structure, found))
    outputs: list[Any] = []  # the structure of y, once it is known

    def step(state: Any, parts: Any) -> tuple[Any, Any]:
        after, y = f(nested(carried, state), nested(structure, parts))
        after, _ = opened(after)
        kept(state, after)
        y, shape = opened(y)
        outputs[:] = [shape]
        return tuple(after), tuple(y)

    steps = kernel.shape_of(found[0])[0] if size is None else size
    carry, ys = kernel.scan(step, tuple(carry), tuple(found), steps, reverse, unroll)
    return nested(carried, carry), nested(outputs[0], ys)


def _nothing(rule: Callable[..., Any], *args: Any) -> Any:
    """The outputs of a loop without steps."""
    before, local.running = local.running, SYMBOLIC
    try:
        results = rule(*args)
    finally:
        local.running = before
    results = results[1] if isinstance(results, tuple) and rule is _scan_rule else results
    return map_leaves(lambda t: None if t is None else kernel.full((0, *t.shape[1:]), 0, t.dtype), results)


def _map_rule(f: Any, xs: Any) -> Any:
    functions(f)
    return with_axis(f(without_axis(specs(xs))), rows_of(specs(xs)))


@function_op(_map_rule, trees=("xs",))
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f(x)` for each `x` along the first axis of the tree `xs`, one after the other, stacked.

    >>> import numpy as np
    >>> map(lambda x: x * x, np.array([1.0, 2.0, 3.0], "float32"))
    array([1., 4., 9.], dtype=float32)
    """
    return scan((lambda carry, x: (carry, f(x))), (), xs)[1]


def fused_lstm(xs: Any, states: list[Any], weights: list[Any]) -> Any:
    """All steps of a standard LSTM in one kernel: the outputs, and the last states.

    None where the running backend has no such kernel, or it can't run now.
    """
    run = getattr(local.running, "fused_lstm", None)
    done = None if run is None else run(xs, *states, *(native(local.running, w) for w in weights))
    return None if done is None else (done[0], [done[1], done[2]])


def scan_time(step: Callable[..., Any], carry: tuple[Any, ...], xs: tuple[Any, ...]) -> Any:
    """`scan` for layers: flat tuples of native tensors, one output, nothing looked at twice.

    Only inside a running call. `step(carry, x_t) -> (carry, y_t)` along the first axis of `xs`.
    """
    if local.running is SYMBOLIC:
        carry, y = step(carry, tuple(KerasTensor(x.shape[1:], x.dtype) for x in xs))
        return carry, KerasTensor((xs[0].shape[0], *y.shape), y.dtype)

    def one(state: Any, parts: Any) -> Any:
        state, y = step(state, parts)
        return state, (y,)

    carry, (ys,) = kernel.scan(one, carry, xs, kernel.shape_of(xs[0])[0], False, 1)
    return carry, ys
