"""Ops that take functions and trees of arrays (nested lists, tuples and dicts).

In a symbolic graph such an op is one node. A function that uses symbolic tensors from outside of itself
is kept as the list of its calls, and those tensors become inputs of the node.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import optree

from kbridge.core.context import SYMBOLIC, framework_of_type, local, running
from kbridge.core.errors import ArgumentError, KBridgeError
from kbridge.core.graph.node import NAMESPACE, Node, leaves, map_leaves, record_call
from kbridge.core.ops.declare import OPS, Op, _told, native
from kbridge.core.ops.outermost import backend_for, flat
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import Variable, spec_of

# --- trees -----------------------------------------------------------------------------------------


def opened(tree: Any) -> tuple[list[Any], Any]:
    """The leaves of a tree as tensors of the running backend, and its structure; None belongs to the structure."""
    found, structure = optree.tree_flatten(tree, namespace=NAMESPACE)
    return [native(local.running, leaf) for leaf in found], structure


def nested(structure: Any, found: Any) -> Any:
    """The tree of that structure with these leaves."""
    return optree.tree_unflatten(structure, found)


def settled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, its results as tensors of the running backend."""
    return lambda *args: map_leaves(lambda leaf: native(local.running, leaf), function(*args))


def specs(tree: Any) -> Any:
    """The tree with shapes and dtypes for its leaves."""
    return map_leaves(lambda leaf: None if leaf is None else spec_of(leaf), tree)


def _fresh(tree: Any) -> Any:
    """The specs as new tensors, which know of no graph."""
    return map_leaves(lambda t: KerasTensor(t.shape, t.dtype) if isinstance(t, KerasTensor) else t, tree)


def with_axis(tree: Any, size: int | None) -> Any:
    """Specs with one more axis in front."""
    return map_leaves(lambda t: None if t is None else KerasTensor((size, *t.shape), t.dtype), specs(tree))


def without_axis(tree: Any) -> Any:
    """Specs without the first axis."""
    return map_leaves(lambda t: None if t is None else KerasTensor(t.shape[1:], t.dtype), specs(tree))


# --- declaring -------------------------------------------------------------------------------------


def function_op(
    rule: Callable[..., Any], trees: tuple[str, ...], decides: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an op that takes functions.

    Args:
        rule: takes what the op takes; calls the functions on specs and returns specs.
        trees: which parameters are trees of arrays.
        decides: False if numbers and NumPy arrays choose no backend; the functions' own ops then do.
    """

    def declare(body: Callable[..., Any]) -> Callable[..., Any]:
        def spec(*args: Any, **kwargs: Any) -> Any:
            with running(SYMBOLIC):
                return _fresh(specs(rule(*args, **kwargs)))

        this = Op(body, spec, 0, False, False)
        this.array_names = frozenset(trees)
        if this.name in OPS:
            raise ValueError(f"op `{this.name}` is declared twice; the second time in {body.__module__}.")
        OPS[this.name] = this

        @functools.wraps(body)
        def call(*args: Any, **kwargs: Any) -> Any:
            given = flat(args, kwargs)
            if local.running is SYMBOLIC or any(isinstance(value, KerasTensor) for value in given):
                with _named(this):
                    return spec(*args, **kwargs) if local.running is SYMBOLIC else _recorded(this, args, kwargs)
            if local.running is not None:
                return body(*args, **kwargs)
            if not (decides or any(map(_in_a_framework, given))):
                with _named(this):
                    return body(*args, **kwargs)
            with running(backend_for(given)):
                try:
                    return body(*args, **kwargs)
                except Exception as error:
                    told = _told(this, args, kwargs, error)
                    if told is error:
                        raise
                    raise told from error

        call.autograph_info__ = {}  # type: ignore[attr-defined]  # TF's AutoGraph leaves us alone
        call.op = this  # type: ignore[attr-defined]
        this.call = call
        return call

    return declare


def _in_a_framework(value: Any) -> bool:
    return isinstance(value, Variable) or framework_of_type(type(value)) is not None


@contextmanager
def _named(this: Op) -> Iterator[None]:
    """Errors in here say which op they come from."""
    try:
        yield
    except KBridgeError as error:
        if str(error).startswith("ops."):
            raise
        raise type(error)(f"ops.{this.name}: {error}") from error


# --- recording -------------------------------------------------------------------------------------


def _recorded(this: Op, args: Any, kwargs: Any) -> Any:
    """The op as a node of the graph."""
    parts = map_leaves(lambda v: Part(v) if callable(v) else v, (args, kwargs))
    outputs = this.spec(*parts[0], **parts[1])
    captured = {id(t): t for part in leaves(parts) if isinstance(part, Part) for t in part.captured}
    tensors = [t for t in leaves(outputs) if t is not None]
    if not captured and len(tensors) == len(leaves(outputs)):
        return record_call(this, args, kwargs, outputs)
    record_call(_Closed(this, list(captured)), (list(captured.values()), *parts), {}, tensors)
    return outputs


class _Slot:
    """Stands for a tensor inside the list of calls of a `Part`."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


class Part:
    """A function given to an op, followed once: its calls, and the symbolic tensors that it captures.

    The function runs twice. What both runs reach was there before; all else each run made for itself.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function: Callable[..., Any] | None = function
        self.captured: list[KerasTensor] = []
        self.numbers: list[int] = []
        self.calls: list[Any] = []
        self.outputs: Any = None

    def __call__(self, *trees: Any) -> Any:
        assert self.function is not None
        fresh, outputs = self._follow(trees)
        known = _reached(self._follow(trees)[1])
        slots = {id(t): i for i, t in enumerate(fresh)}
        self.calls = []
        self.captured, order = _between(fresh, outputs, known)
        for tensor in (*self.captured, *(t for node in order for t in node.outputs)):
            slots.setdefault(id(tensor), len(slots))

        def number(leaf: Any) -> Any:
            return _Slot(slots[id(leaf)]) if isinstance(leaf, KerasTensor) else leaf

        for node in order:
            _refuse_weights(node)
            call = node.operation.call if isinstance(node.operation, (Op, _Closed)) else node.operation
            given = map_leaves(number, (node.args, node.kwargs))
            self.calls.append((call, *given, [slots[id(t)] for t in node.outputs]))
        self.outputs = map_leaves(number, outputs)
        self.numbers = [id(t) for t in self.captured]
        if self.captured:
            self.function = None  # the calls replace it, and can be pickled where a lambda can't
        return _fresh(specs(outputs))

    def _follow(self, trees: Any) -> tuple[list[KerasTensor], Any]:
        inputs = _fresh(trees)
        with running(None):
            return [t for t in leaves(inputs) if isinstance(t, KerasTensor)], self.function(*inputs)  # type: ignore[misc]

    def bound(self, values: dict[int, Any]) -> Callable[..., Any]:
        """The function, on the values of the tensors that it captures."""
        if self.function is not None:
            return self.function
        held = [values[number] for number in self.numbers]

        def run(*trees: Any) -> Any:
            have = dict(enumerate([*(leaf for leaf in leaves(trees) if leaf is not None), *held]))

            def put(leaf: Any) -> Any:
                return have[leaf.index] if isinstance(leaf, _Slot) else leaf

            for call, args, kwargs, targets in self.calls:
                args, kwargs = map_leaves(put, (args, kwargs))
                result = [leaf for leaf in leaves(call(*args, **kwargs)) if leaf is not None]
                have.update(zip(targets, result, strict=True))
            return map_leaves(put, self.outputs)

        return run


class _Closed:
    """An op together with the functions it was given, some of which capture tensors."""

    def __init__(self, op: Op, numbers: list[int]) -> None:
        self.name = op.name
        self.op = op
        self.numbers = numbers

    @property
    def body(self) -> Any:
        raise TypeError(
            f"ops.{self.name} in this graph has a function that uses tensors from outside of itself, which has no form "
            "in Keras's files. Put it into a Layer of your own and call that."
        )

    def call(self, values: Any, args: Any, kwargs: Any) -> list[Any]:
        table = dict(zip(self.numbers, values, strict=True))
        args, kwargs = map_leaves(lambda v: v.bound(table) if isinstance(v, Part) else v, (args, kwargs))
        return [leaf for leaf in leaves(self.op.call(*args, **kwargs)) if leaf is not None]


def _refuse_weights(node: Node) -> None:
    if getattr(node.operation, "variables", None):
        raise ArgumentError(
            f"the layer {node.operation.name!r} is called in a function given to this op, where a model can't "
            "find its weights. Call it outside, or put all of this into a Layer of your own that holds it."
        )


def _reached(outputs: Any) -> set[int]:
    """The ids of the tensors that lead to these."""
    found: dict[int, KerasTensor] = {}
    stack = [t for t in leaves(outputs) if isinstance(t, KerasTensor)]
    while stack:
        tensor = stack.pop()
        if id(tensor) not in found:
            found[id(tensor)] = tensor
            stack += tensor.history[0].inputs if tensor.history is not None else []
    return set(found)


def _between(fresh: list[KerasTensor], outputs: Any, known: set[int]) -> tuple[list[KerasTensor], list[Node]]:
    """The known tensors that lead to `outputs`, and the nodes after them and `fresh`, in an order that runs."""
    inputs = {id(t) for t in fresh}
    captured: dict[int, KerasTensor] = {}
    order: dict[int, Node] = {}
    stack: list[Any] = [t for t in reversed(leaves(outputs)) if isinstance(t, KerasTensor)]
    while stack:
        each = stack.pop()
        if isinstance(each, Node):
            order.setdefault(id(each), each)
        elif id(each) in known or (each.history is None and id(each) not in inputs):
            captured[id(each)] = each
        elif each.history is not None and id(each.history[0]) not in order:
            stack += [each.history[0], *reversed(each.history[0].inputs)]
    return list(captured.values()), list(order.values())
