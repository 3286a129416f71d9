"""The `nn.Module` class behind `to_torch`. Importing this imports torch."""

from __future__ import annotations

from typing import Any

import torch

from kbridge.adapters.torch_module import free_name, is_shown, module_training, place
from kbridge.core.context import load_backend, local
from kbridge.core.layers.base import Layer
from kbridge.core.models.model import Model
from kbridge.core.models.sequential import Sequential

BACKEND = load_backend("torch")


class LayerModule(torch.nn.Module):
    """A kbridge layer in torch's form. `to_torch` makes one."""

    def __init__(self, layer: Layer, known: dict[int, LayerModule] | None = None) -> None:
        super().__init__()
        known = {} if known is None else known
        known[id(layer)] = self
        self._layer = layer
        layer._citizen = self
        self._plan = plan_of(layer)
        for name, variable in layer.own_variables_in_order():
            owner, last = self._owner(name)
            place(variable, owner, free_name(owner, last))
        for name, child in layer.children():
            if is_shown(child):
                owner, last = self._owner(name)
                owner.add_module(free_name(owner, last), known.get(id(child)) or LayerModule(child, known))

    def _owner(self, path: str) -> tuple[torch.nn.Module, str]:
        """The module that holds `path`: lists and dicts of layers become plain modules."""
        owner: torch.nn.Module = self
        *outer, last = path.split(".")
        for name in outer:
            if name not in owner._modules:
                owner.add_module(name, torch.nn.Module())
            owner = owner._modules[name]
        return owner, last

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        before = local.running, local.training, local.keep_floats, local.framework_random, local.masks
        local.running, local.training = BACKEND, module_training
        local.keep_floats, local.framework_random, local.masks = True, True, None
        try:
            if self._plan is not None and len(args) == 1 and not kwargs:
                return self._plan(args[0])
            return self._layer(*args, **kwargs)
        finally:
            local.running, local.training, local.keep_floats, local.framework_random, local.masks = before

    def extra_repr(self) -> str:
        return f"{type(self._layer).__name__}, name={self._layer.name!r}"


def plan_of(layer: Layer) -> Any:
    """What runs a graph model that needs no more than its plan: each check less is a guard less in Dynamo."""
    graph = getattr(layer, "_graph", None)
    if graph is None:
        return None
    steps = graph.steps  # made now, so that Dynamo need not trace the planning
    plain = type(layer).call in (Model.call, Sequential.call) and all(
        owner is not call for _, call, _, _, owner in steps
    )
    mixed = layer.compute_dtype != layer.variable_dtype or layer.activity_regularizer is not None
    return layer._call_graph if plain and not mixed else None  # type: ignore[attr-defined]
