"""Ops that run a function on many elements at once, and pairs of neighbours in a tree."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection
from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.graph.node import leaves, map_leaves
from kbridge.core.ops.control import _map_rule, _nothing, functions, rows_of, while_loop
from kbridge.core.ops.declare import kernel
from kbridge.core.ops.elementwise import less
from kbridge.core.ops.function_op import function_op, nested, opened, specs
from kbridge.core.ops.outermost import as_tensor, outermost
from kbridge.core.ops.shape import broadcast_to, concatenate, flip, get_item, reshape, shape, stack
from kbridge.core.tensor.shapes import broadcast_shape, one_axis
from kbridge.core.tensor.symbolic import KerasTensor


@function_op(lambda function, elements: _map_rule(function, elements), trees=("elements",))
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """`function` on each element along the first axis of the tree `elements`, all at once, stacked.

    NumPy, which can't, takes one after the other.

    Args:
        function: takes one element, and gives a tree of arrays.
        elements: a tree of arrays with the same first size.

    >>> import numpy as np
    >>> vectorized_map(lambda x: x @ x, np.array([[1.0, 2.0], [3.0, 4.0]], "float32"))
    array([ 5., 25.], dtype=float32)
    """
    found, structure = opened(elements)
    if rows_of(found) == 0:
        return _nothing(_map_rule, function, nested(structure, found))
    outputs: list[Any] = []  # the structure of the result, once it is known

    def flat(*parts: Any) -> Any:
        result, form = opened(function(nested(structure, parts)))
        outputs[:] = [form]
        return tuple(result)

    results = kernel.vectorized_map(flat, found)
    return nested(outputs[0], results)


# --- the outer axes of arrays that broadcast -----------------------------------------------------


def _dimensions(signature: str) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """The names of the axes of inputs and outputs: "(m,n),(n)->(m)".

    >>> _dimensions("(m,n),(n)->(m)")
    ([('m', 'n'), ('n',)], [('m',)])
    """
    plain = re.sub(r"\s", "", signature)
    one = r"\((?:\w+(?:,\w+)*)?\)"
    if not re.fullmatch(rf"{one}(?:,{one})*->{one}(?:,{one})*", plain):
        raise ArgumentError(f"A signature is like '(m,n),(n)->(m)', got {signature!r}.")
    sides = [re.findall(r"\(([^)]*)\)", side) for side in plain.split("->")]
    return tuple([tuple(name for name in part.split(",") if name) for part in side] for side in sides)  # type: ignore[return-value]


def _check_sizes(parts: list[tuple[int | None, ...]], names: list[tuple[str, ...]], sizes: dict[str, Any]) -> None:
    """Axes of one name have one size."""
    for part, named in zip(parts, names, strict=True):
        if len(part) < len(named):
            raise ShapeError(f"vectorize: an array of shape {part} has no axes {named}.")
        for name, size in zip(named, part[len(part) - len(named) :], strict=True):
            if size is not None and sizes.setdefault(name, size) != size:
                raise ShapeError(f"vectorize: axis {name!r} has size {sizes[name]} and size {size}.")


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Collection[int | str] | None = None, signature: str | None = None
) -> Callable[..., Any]:
    """A function of single elements as one of arrays, which broadcast (NumPy's `vectorize`, but traced once).

    Args:
        pyfunc: takes numbers; with `signature`, arrays of the ranks it names.
        excluded: positions and names of arguments that are handed on as they are.
        signature: the inner axes, as "(m,n),(n)->(m)"; all others are looped over.

    Raises:
        ArgumentError: the signature can't be read, or names another number of arrays.
        ShapeError: arrays or results don't have the axes it names.

    >>> import numpy as np
    >>> vectorize(lambda a, b: a + b)(np.array([[1.0], [2.0]]), np.array([10.0, 20.0]))
    array([[11., 21.],
           [12., 22.]])
    >>> vectorize(lambda v: v / v.sum(), signature="(n)->(n)")(np.array([[1.0, 3.0], [2.0, 2.0]]))
    array([[0.25, 0.75],
           [0.5 , 0.5 ]])
    """
    functions(pyfunc)
    skipped = frozenset(excluded or ())
    names = _dimensions(signature) if signature is not None else None

    @functools.wraps(pyfunc)
    def call(*args: Any, **kwargs: Any) -> Any:
        keys = [*range(len(args)), *kwargs]
        given = dict(zip(keys, [*args, *kwargs.values()], strict=True))
        looped = [key for key in keys if key not in skipped and given[key] is not None]

        def function(*parts: Any) -> Any:
            every = {**given, **dict(zip(looped, parts, strict=True))}
            return pyfunc(*[every[i] for i in range(len(args))], **{key: every[key] for key in kwargs})

        return _over_outer_axes(function, [given[key] for key in looped], names)

    return call


@outermost
def _over_outer_axes(function: Any, arrays: list[Any], names: Any) -> Any:
    arrays = [as_tensor(a) for a in arrays]
    inner: list[tuple[str, ...]] = names[0] if names else [()] * len(arrays)
    outer = names[1] if names else None
    if len(inner) != len(arrays):
        raise ArgumentError(f"vectorize: the signature names {len(inner)} arrays and {len(arrays)} were given.")
    sizes: dict[str, Any] = {}
    _check_sizes([_known(a) for a in arrays], inner, sizes)

    outer_ranks = [len(a.shape) - len(n) for a, n in zip(arrays, inner, strict=True)]
    rank = max(outer_ranks, default=0)
    if rank == 0:
        return _checked(function(*arrays), outer, sizes, 0)
    fronts = [shape(a)[:r] for a, r in zip(arrays, outer_ranks, strict=True)]
    front = functools.reduce(_broadcast, fronts)
    flat = []
    for array, own, n in zip(arrays, fronts, inner, strict=True):
        tail = shape(array)[len(array.shape) - len(n) :]
        if len(own) != rank or any(a is not b and a != b for a, b in zip(own, front, strict=True)):
            array = broadcast_to(array, (*front, *tail))
        flat.append(array if rank == 1 else reshape(array, (-1, *tail)))
    results = _checked(vectorized_map(lambda parts: function(*parts), flat), outer, sizes, 1)
    if rank == 1:
        return results
    return _each(lambda r: reshape(r, (*front, *shape(r)[1:])), results)


def _checked(result: Any, names: Any, sizes: dict[str, Any], front: int) -> Any:
    """`result`, whose shapes after the first `front` axes are as the signature says."""
    if names is None:
        return result
    shapes = [tuple(getattr(r, "shape", ()))[front:] for r in (result if len(names) > 1 else [result])]
    if [len(s) for s in shapes] != [len(n) for n in names]:
        raise ShapeError(f"vectorize: expected results with the axes {names}, got the shapes {shapes}.")
    _check_sizes([tuple(s if isinstance(s, int) else None for s in one) for one in shapes], names, dict(sizes))
    return result


def _each(function: Any, tree: Any) -> Any:
    return map_leaves(lambda leaf: None if leaf is None else function(leaf), tree)


def _known(a: Any) -> tuple[int | None, ...]:
    return tuple(size if isinstance(size, int) else None for size in a.shape)


def _broadcast(a: Any, b: Any) -> Any:
    """Like `broadcast_shape`; a free size that is a tensor stays."""
    if all(isinstance(size, int) or size is None for size in (*a, *b)):
        return broadcast_shape(a, b)
    a, b = (1,) * (len(b) - len(a)) + tuple(a), (1,) * (len(a) - len(b)) + tuple(b)
    return tuple(y if isinstance(x, int) and x == 1 else x for x, y in zip(a, b, strict=True))


# --- pairs of neighbours -------------------------------------------------------------------------


def _associative_rule(f: Any, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    functions(f)
    found = [t for t in leaves(specs(elems)) if t is not None]
    length = _length_along(found, axis)
    one = _each(lambda t: KerasTensor(_sized(t.shape, 1, axis), t.dtype), specs(elems))
    results = [t for t in leaves(specs(f(one, one))) if t is not None]
    given = iter([KerasTensor(_sized(r.shape, length, axis), r.dtype) for r in results])
    return _each(lambda _: next(given), specs(elems))


def _sized(sizes: Any, size: Any, axis: int) -> Any:
    axis = one_axis(axis, len(sizes))
    return (*sizes[:axis], size, *sizes[axis + 1 :])


def _length_along(found: Any, axis: int) -> int | None:
    sizes = [t.shape[one_axis(axis, len(t.shape))] for t in found]
    known = {size for size in sizes if isinstance(size, int)}
    if len(known) > 1:
        raise ShapeError(f"the arrays differ in size along axis {axis}: {sizes}.")
    return known.pop() if known else None


@function_op(_associative_rule, trees=("elems",))
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """All partial results of an associative `f` along `axis`, in a number of calls that grows with the logarithm.

    Args:
        f: combines two trees like `elems`, many pairs at once: `f(f(a, b), c) = f(a, f(b, c))`.
        elems: a tree of arrays with the same size along `axis`.
        reverse: start from the end.
        axis: where to go along.

    Blelloch, "Prefix sums and their applications" (1990).

    Raises:
        ShapeError: the arrays differ in size along `axis`.

    >>> import numpy as np
    >>> associative_scan(lambda a, b: a * b, np.array([1, 2, 3, 4, 5]))
    array([  1,   2,   6,  24, 120])
    """
    found, structure = opened(elems)
    length = _length_along(found, axis)
    axes = [one_axis(axis, len(t.shape)) for t in found]

    def cut(tensors: Any, *bounds: Any) -> list[Any]:
        return [get_item(t, (slice(None),) * a + (slice(*bounds),)) for t, a in zip(tensors, axes, strict=True)]

    def combine(left: Any, right: Any) -> list[Any]:
        return opened(f(nested(structure, left), nested(structure, right)))[0]

    def joined(*parts: Any) -> list[Any]:
        return [concatenate(list(each), a) for *each, a in zip(*parts, axes, strict=True)]

    def interleaved(even: Any, odd: Any) -> list[Any]:
        results = []
        for x, y, a in zip(even, odd, axes, strict=True):
            sizes = list(shape(y))
            sizes[a] = 2 * y.shape[a]
            body = get_item(x, (slice(None),) * a + (slice(0, y.shape[a]),))
            pairs = reshape(stack([body, y], a + 1), sizes)
            rest = get_item(x, (slice(None),) * a + (slice(y.shape[a], None),))
            results.append(concatenate([pairs, rest], a) if x.shape[a] > y.shape[a] else pairs)
        return results

    def halves(tensors: Any, size: int) -> list[Any]:
        if size < 2:
            return list(tensors)
        odd = halves(combine(cut(tensors, 0, size - 1, 2), cut(tensors, 1, size, 2)), size // 2)
        even = cut(tensors, 0, 1)
        if size > 2:
            even = joined(even, combine(cut(odd, 0, (size - 1) // 2), cut(tensors, 2, size, 2)))
        return interleaved(even, odd)

    def doubling(tensors: Any) -> list[Any]:
        """For a length known only when it runs: more work, but each round has the same shapes."""
        size = kernel.shape_of(tensors[0])[axes[0]]

        def step(distance: Any, *state: Any) -> Any:
            after = combine(cut(state, 0, size - distance), cut(state, distance, size))
            return (distance * 2, *joined(cut(state, 0, distance), after))

        return list(while_loop(lambda distance, *_: less(distance, size), step, (1, *tensors))[1:])

    tensors = [flip(t, a) for t, a in zip(found, axes, strict=True)] if reverse else found
    tensors = doubling(tensors) if length is None else halves(tensors, length)
    tensors = [flip(t, a) for t, a in zip(tensors, axes, strict=True)] if reverse else tensors
    return nested(structure, tensors)
