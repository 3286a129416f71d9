"""Ops inside stored graphs. Keras writes an op as an object of a class; its names are derived here."""

from __future__ import annotations

import inspect
from typing import Any

from kbridge.core.errors import LoadError
from kbridge.core.naming import snake_case
from kbridge.core.ops import elementwise, linalg, nn, random, reduce, shape
from kbridge.core.ops.declare import OPS, Op

DECLARED_IN = (elementwise, linalg, nn, random, reduce, shape)  # an op is known once its module is loaded

# Keras's class -> our op, where it isn't the op's name in camel case.
CLASS_NAMES = {"Einsum": "einsum_of", "BatchNorm": "batch_normalization"}
# Where Keras keeps an op's class, if not with the module that ours is in.
MODULES = {
    "cast": "core", "stop_gradient": "core", "rsqrt": "math", "erf": "math", "logsumexp": "math", "one_hot": "nn",
}  # fmt: skip
# Arguments that aren't arrays and yet are given at the call, not to the class.
AT_CALL = {"get_item": ("key",), "full_like": ("fill_value",), "pad": ("constant_values",)}
# Keras's arguments that ours don't have, with the value that means "nothing special".
WITHOUT = {"round": {"decimals": 0}}
# Ops that Keras's files have no class for: layers use them inside.
INTERNAL = frozenset(
    {"affine", "biased_conv", "dropout", "layer_normalization", "lookup", "normalize_batch", "positions"}
)


def is_op_entry(entry: dict[str, Any]) -> bool:
    """Whether an entry names an op, and not a layer or another object."""
    parts = (entry.get("module") or "").split(".")
    return parts[0] in ("keras", "kbridge") and "ops" in parts[1:3]


def op_named(class_name: str) -> Op | None:
    """The op that Keras's class name means."""
    return OPS.get(CLASS_NAMES.get(class_name) or snake_case(class_name))


def op_entry(node: Any, name: str) -> dict[str, Any]:
    """The stored form of an op's node, without its call."""
    op: Op = node.operation
    if op.name in INTERNAL:
        raise TypeError(
            f"The op {op.name!r} in this graph has no form in Keras's files. "
            "Put it into a Layer of your own and call that."
        )
    theirs = {ours: keras for keras, ours in CLASS_NAMES.items()}
    class_name = theirs.get(op.name) or "".join(part.capitalize() for part in op.name.split("_"))
    static = _given(node) if op.name != "einsum_of" else {"subscripts": _given(node)["subscripts"]}
    config = {key: value for key, value in static.items() if key not in (*op.array_names, *_at_call(op))}
    return {
        "module": f"keras.src.ops.{_module(op)}",
        "class_name": class_name,
        "config": {"name": name, **config},
        "registered_name": class_name,
    }


def op_call(node: Any) -> tuple[list[Any], dict[str, Any]]:
    """What a stored call of an op's node is given: the arrays and what goes with them."""
    op: Op = node.operation
    given = _given(node)
    if op.name == "einsum_of":
        return list(given["operands"]), {}
    return [given[key] for key in (*_arrays(op), *_at_call(op)) if key in given], {}


def op_of_entry(entry: dict[str, Any]) -> Any:
    """A function that calls the op of a stored form on symbolic tensors."""
    op = op_named(entry["class_name"])
    if op is None:
        raise LoadError(f"The graph uses the op {entry['class_name']}, which kbridge doesn't have.")
    static = _static(op, entry["config"] or {})
    names = (*_arrays(op), *_at_call(op))

    def call(*args: Any, **kwargs: Any) -> Any:
        if op.name == "einsum_of":
            return op.call(list(args), **static)
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        if op.name == "get_item" and isinstance(given.get("key"), list):
            given["key"] = tuple(given["key"])  # JSON has no tuples
        arrays = [given.pop(key) for key in _arrays(op) if key in given]
        return op.call(*arrays, **given, **static)

    return call


def _static(op: Op, config: dict[str, Any]) -> dict[str, Any]:
    known = inspect.signature(op.body).parameters
    static = {key: value for key, value in config.items() if key in known}
    for key, value in config.items():
        if key not in known and key != "name" and value not in (None, WITHOUT.get(op.name, {}).get(key)):
            raise LoadError(f"The op {op.name} has no argument {key!r}, which the file gives as {value!r}.")
    return static


def _given(node: Any) -> dict[str, Any]:
    """The arguments of an op's call by name, defaults included."""
    bound = inspect.signature(node.operation.body).bind(*node.args, **node.kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)


def _arrays(op: Op) -> tuple[str, ...]:
    return tuple(name for name in inspect.signature(op.body).parameters if name in op.array_names)


def _at_call(op: Op) -> tuple[str, ...]:
    return AT_CALL.get(op.name, ())


def _module(op: Op) -> str:
    own = op.body.__module__.rpartition(".")[2]
    return MODULES.get(op.name) or ("nn" if own == "nn" else "numpy")
