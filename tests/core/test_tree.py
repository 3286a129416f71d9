"""The `tree` namespace against Keras's, on structures of all kinds."""

from __future__ import annotations

import functools
from collections import OrderedDict, namedtuple
from typing import Any

import keras
import pytest

from kbridge import tree

Pair = namedtuple("Pair", "left right")
STRUCTURES = [
    1, None, [], (), {}, [1, [2, (3, None)]], {"b": 1, "a": [2, {"c": 3}]}, Pair(1, [2]), (1, 2), [1, 2],
    OrderedDict(b=1, a=2), [(1,), {"x": ()}],
]  # fmt: skip
for_all = pytest.mark.parametrize("structure", STRUCTURES, ids=str)


def outcome(call: Any) -> Any:
    """What a call gives, or which error."""
    try:
        return call()
    except (ValueError, TypeError) as error:
        return type(error)


@for_all
def test_flatten(structure: Any) -> None:
    assert tree.flatten(structure) == keras.tree.flatten(structure)
    assert tree.flatten_with_path(structure) == keras.tree.flatten_with_path(structure)
    assert tree.is_nested(structure) == keras.tree.is_nested(structure)
    assert tree.pack_sequence_as(structure, tree.flatten(structure)) == structure
    assert tree.lists_to_tuples(structure) == keras.tree.lists_to_tuples(structure)


@for_all
@pytest.mark.parametrize("other", STRUCTURES, ids=str)
def test_two_structures(structure: Any, other: Any) -> None:
    for name in ("assert_same_structure", "assert_same_paths"):
        checks = [functools.partial(getattr(module, name), structure, other) for module in (tree, keras.tree)]
        assert outcome(checks[0]) == outcome(checks[1]), name
    pairs = [
        functools.partial(module.map_structure, lambda a, b: (a, b), structure, other) for module in (tree, keras.tree)
    ]
    assert outcome(pairs[0]) == outcome(pairs[1])


@for_all
@pytest.mark.parametrize("top_down", [True, False])
def test_traverse(structure: Any, top_down: bool) -> None:
    def replace(part: Any, none: Any) -> Any:
        if part == 1:
            return none
        return "dict" if isinstance(part, dict) else None

    mine = tree.traverse(lambda part: replace(part, tree.MAP_TO_NONE), structure, top_down)
    assert mine == keras.tree.traverse(lambda part: replace(part, keras.tree.MAP_TO_NONE), structure, top_down)


def test_maps_that_stop_early() -> None:
    assert tree.map_structure_up_to([0, 0], lambda a, b: (a, b), [1, [2]], [3, [4]]) == [(1, 3), ([2], [4])]
    assert tree.map_shape_structure(tuple, {"a": (1, None), "b": [[2], (3,)]}) == {"a": (1, None), "b": [(2,), (3,)]}
    assert tree.map_structure(str, [1, None], none_is_leaf=False) == ["1", None]


def test_refusals() -> None:
    with pytest.raises(ValueError, match="at least one"):
        tree.map_structure(str)
    with pytest.raises(TypeError, match="function"):
        tree.map_structure(1, [1])
    with pytest.raises(ValueError, match="few"):
        tree.pack_sequence_as([1, 2], [1])
