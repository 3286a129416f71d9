"""Ops inside stored graphs. Keras writes an op as an object of a class; one table maps the names."""

from __future__ import annotations

import inspect
from typing import Any

from kbridge.core.ops.declare import OPS, Op

# Keras's class name -> our op, where snake case doesn't give it.
CLASS_NAMES = {"GetItem": "get_item", "LogicalAnd": "logical_and", "Einsum": "einsum_of", "Conv": "conv"}
MODULES = ("keras.src.ops", "keras.ops", "kbridge.ops")


def _class_name(op: Op) -> str:
    known = {ours: theirs for theirs, ours in CLASS_NAMES.items()}
    return known.get(op.name) or "".join(part.capitalize() for part in op.name.split("_"))


def op_entry(node: Any, name: str, call: bool = False) -> Any:
    """The stored form of an op node; with `call`, only the arguments of its call, arrays apart."""
    op: Op = node.operation
    bound = inspect.signature(op.body).bind(*node.args, **node.kwargs).arguments
    arrays = {k: v for k, v in bound.items() if k in op.array_names}
    static = {k: v for k, v in bound.items() if k not in op.array_names}
    if call:
        return tuple(arrays.values()), {}
    config = {"name": name, **static}
    module = "keras.src.ops.numpy"
    return {"module": module, "class_name": _class_name(op), "config": config, "registered_name": _class_name(op)}


def op_of_entry(entry: dict[str, Any]) -> Any:
    """A function that calls the op of a stored form on symbolic tensors; None if it is no op."""
    if not str(entry.get("module", "")).startswith(MODULES):
        return None
    from kbridge.core.naming import snake_case

    class_name = entry["class_name"]
    op = OPS.get(CLASS_NAMES.get(class_name) or snake_case(class_name))
    if op is None:
        return None
    static = {k: v for k, v in entry["config"].items() if k not in ("name", "dtype") or k in _parameters(op)}
    static.pop("name", None)
    return lambda *args, **kwargs: op.call(*args, **{**static, **kwargs})


def _parameters(op: Op) -> Any:
    return inspect.signature(op.body).parameters
