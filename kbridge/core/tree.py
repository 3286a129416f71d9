"""Nested lists, tuples and dicts as trees: Keras's `tree` namespace over optree.

None is a leaf; dicts go by sorted key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import optree

from kbridge.core.graph.node import NAMESPACE, leaves


class MAP_TO_NONE:
    """What a function gives to `traverse` to put None into the result, as None itself means "go on inside"."""


def is_nested(structure: Any) -> bool:
    """Whether something is a list, tuple, dict or another registered container.

    >>> is_nested(()), is_nested("word")
    (True, False)
    """
    return not optree.tree_is_leaf(structure, none_is_leaf=True, namespace=NAMESPACE)


def flatten(structure: Any) -> list[Any]:
    """The leaves, in order.

    >>> flatten({"b": 1, "a": [2, None]})
    [2, None, 1]
    """
    return leaves(structure)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves with the keys and positions that lead to them.

    >>> flatten_with_path({"a": [5, 6]})
    [(('a', 0), 5), (('a', 1), 6)]
    """
    paths, found, _ = optree.tree_flatten_with_path(structure, none_is_leaf=True, namespace=NAMESPACE)
    return list(zip(paths, found, strict=True))


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """A structure of what `func` gives for corresponding leaves.

    Args:
        func: takes a leaf of each structure.
        structures: of the same form, at least one.
        none_is_leaf: whether None is given to `func`; else it stays None.

    Raises:
        ValueError: the structures differ, or there is none.

    >>> map_structure(lambda a, b: a + b, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    if not callable(func):
        raise TypeError(f"map_structure takes a function first, got {type(func).__name__}.")
    if not structures:
        raise ValueError("map_structure needs at least one structure.")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    if none_is_leaf:
        return optree.tree_map(func, *structures, none_is_leaf=True, namespace=NAMESPACE)

    def unless_none(*given: Any) -> Any:
        return None if given[0] is None else func(*given)

    return optree.tree_map(unless_none, *structures, none_is_leaf=True, namespace=NAMESPACE)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """`map_structure` that goes only as deep as `shallow_structure`: what lies below is given to `func` whole.

    >>> map_structure_up_to([0, 0], lambda part: part, [1, [2, 3]])
    [1, [2, 3]]
    """
    if not structures:
        raise ValueError("map_structure_up_to needs at least one structure.")
    return optree.tree_map(
        lambda _, *parts: func(*parts), shallow_structure, *structures, none_is_leaf=True, namespace=NAMESPACE
    )


def map_shape_structure(func: Callable[..., Any], structure: Any) -> Any:
    """`map_structure` where shapes, tuples and lists of sizes, are the leaves.

    >>> map_shape_structure(len, {"x": (None, 3), "y": [(2,)]})
    {'x': 2, 'y': [1]}
    """

    def is_shape(part: Any) -> bool:
        return isinstance(part, (list, tuple)) and all(isinstance(size, (int, type(None))) for size in part)

    return optree.tree_map(func, structure, is_leaf=is_shape, none_is_leaf=True, namespace=NAMESPACE)


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """The leaves of `flat_sequence` in the form of `structure`.

    Raises:
        ValueError: there are more or fewer than `structure` has.

    >>> pack_sequence_as({"b": 0, "a": (0, 0)}, [1, 2, 3])
    {'b': 3, 'a': (1, 2)}
    """
    form = optree.tree_structure(structure, none_is_leaf=True, namespace=NAMESPACE)
    return optree.tree_unflatten(form, flat_sequence)


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Raise a ValueError if two structures differ in form: containers, lengths, keys.

    Args:
        check_types: kept for Keras's signature; containers of other types are always different.
    """
    forms = [optree.tree_structure(s, none_is_leaf=True, namespace=NAMESPACE) for s in (a, b)]
    if forms[0] != forms[1]:
        raise ValueError(f"The structures differ: {_drawn(forms[0])} and {_drawn(forms[1])}.")


def _drawn(form: Any) -> str:
    text = str(form).removeprefix("PyTreeSpec(").partition(", NoneIsLeaf")[0]
    return text if len(text) <= 120 else f"{text[:120]}…"


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise a ValueError if two structures have leaves in different places. Lists and tuples are alike here."""
    first, second = ({path for path, _ in flatten_with_path(s)} for s in (a, b))
    if first != second:
        raise ValueError(
            f"The structures have different paths. Only in the first: {sorted(first - second, key=str)}; "
            f"only in the second: {sorted(second - first, key=str)}."
        )


def lists_to_tuples(structure: Any) -> Any:
    """The structure with each list as a tuple.

    >>> lists_to_tuples([1, {"a": [2]}])
    (1, {'a': (2,)})
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """The structure with parts replaced by what `func` gives for them.

    Args:
        func: gets each part, containers too. None leaves the part as it is; `MAP_TO_NONE` makes it None.
        structure: what to go through.
        top_down: whether containers come before what is in them; what replaces one isn't looked into.

    >>> traverse(lambda part: part * 2 if isinstance(part, int) else None, [1, (2,)])
    [2, (4,)]
    """

    def replaced(part: Any) -> tuple[bool, Any]:
        found = func(part)
        return found is not None, None if found is MAP_TO_NONE else found

    def go(part: Any) -> Any:
        if top_down:
            done, new = replaced(part)
            if done:
                return new
        if is_nested(part):
            # one level: everything inside counts as a leaf
            part = optree.tree_map(
                go, part, is_leaf=lambda inner: inner is not part, none_is_leaf=True, namespace=NAMESPACE
            )
        if top_down:
            return part
        done, new = replaced(part)
        return new if done else part

    return go(structure)
