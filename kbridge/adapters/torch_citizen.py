"""The `nn.Module` class behind `to_torch`. Importing this imports torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from kbridge.adapters.torch_module import free_name, is_shown, module_training, place
from kbridge.core.context import load_backend, local
from kbridge.core.layers.base import Layer
from kbridge.core.models.model import Model
from kbridge.core.models.sequential import Sequential
from kbridge.core.tensor.lens import laid_over
from kbridge.core.tensor.variable import Variable

BACKEND = load_backend("torch")


class LayerModule(torch.nn.Module):
    """A kbridge layer in torch's form. `to_torch` makes one."""

    def __init__(self, layer: Layer, made: Made | None = None) -> None:
        super().__init__()
        made = made or Made()
        made.modules[id(layer)] = self
        self._layer = layer
        layer._citizen = self
        self._plan = plan_of(layer)
        for name, variable in layer.own_variables_in_order():
            owner, last = self._owner(name)
            last = free_name(owner, last)
            place(variable, owner, last)
            made.places.setdefault(variable, []).append((owner, last))
        for name, child in layer.children():
            if is_shown(child):
                owner, last = self._owner(name)
                owner.add_module(free_name(owner, last), made.modules.get(id(child)) or LayerModule(child, made))
        self._weights = [v for v in layer.variables if v in made.places]
        mine = set(self.modules())
        self._places = [next(place for place in made.places[v] if place[0] in mine) for v in self._weights]
        modules = [m for m in self.modules() if isinstance(m, LayerModule)]
        self._modal = [m for m in modules if m._layer._signature.takes_training and m._plan is None]
        self._make_functions()

    def _make_functions(self) -> None:
        """What Dynamo runs; functions made here can't be copied or pickled, so a copy makes its own."""
        self._pure = pure_form(self)
        self._fetch = fetcher(self, self._places)

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
        if torch.compiler.is_dynamo_compiling() and not torch.compiler.is_exporting():
            return self._forward_in_dynamo(args, kwargs)
        before = local.running, local.training, local.keep_floats, local.framework_random, local.masks
        local.running, local.training = BACKEND, module_training
        local.keep_floats, local.framework_random, local.masks = True, True, None
        try:
            if self._plan is not None and len(args) == 1 and not kwargs:
                return self._plan(args[0])
            return self._layer(*args, **kwargs)
        finally:
            local.running, local.training, local.keep_floats, local.framework_random, local.masks = before

    def _forward_in_dynamo(self, args: Any, kwargs: Any) -> Any:
        """The call as one pure function of the weights.

        Dynamo need not follow the layers' Python, nor guard what it met there at each later call: that
        leaves the weights and the modes, as in a module written by hand.
        """
        weights = self._fetch(self)
        modes = [module.training for module in self._modal]
        outputs, written, values = self._pure(weights, modes, args, kwargs)
        for i, value in zip(written, values, strict=True):
            with torch.no_grad():
                weights[i].copy_(value)
        return outputs

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_pure", "_fetch")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._make_functions()

    def extra_repr(self) -> str:
        return f"{type(self._layer).__name__}, name={self._layer.name!r}"


def fetcher(module: torch.nn.Module, places: list[tuple[torch.nn.Module, str]]) -> Callable[[torch.nn.Module], Any]:
    """What reads the weights at `places`, owner and name, from a module of this structure.

    As source, one chain of attributes a weight, as in a module written by hand: Dynamo guards each value that code
    meets on its way, and a list of owners and names to loop over is many.
    """
    paths = {owner: path.split(".") if path else [] for path, owner in module.named_modules()}
    owners = ["self" + "".join(f"._modules[{part!r}]" for part in paths[owner]) for owner, _ in places]
    reads = [f"getattr({owner}, {name!r})," for owner, (_, name) in zip(owners, places, strict=True)]
    return eval(f"lambda self: ({' '.join(reads)})")


class Made:
    """What `to_torch` has made so far: a layer or weight met twice is one."""

    def __init__(self) -> None:
        self.modules: dict[int, LayerModule] = {}
        self.places: dict[Variable, list[tuple[torch.nn.Module, str]]] = {}


def pure_form(module: LayerModule) -> Any:
    """`module` as a function of its weights that Dynamo takes as it is; AOTAutograd traces into it."""

    def pure(weights: Any, modes: Any, args: Any, kwargs: Any) -> Any:
        overlay = dict(zip(module._weights, weights, strict=True))
        with laid_over(overlay):
            outputs = module.forward(*args, **kwargs)
        after = [overlay[v] for v in module._weights]
        written = [i for i, given in enumerate(weights) if after[i] is not given]
        return outputs, written, [after[i] for i in written]

    return torch._dynamo.nonstrict_trace(pure)


def plan_of(layer: Layer) -> Any:
    """What runs a graph model that needs no more than its plan: each check less is a guard less in Dynamo."""
    graph = getattr(layer, "_graph", None)
    if graph is None:
        return None
    steps = graph.steps  # made now, so that Dynamo need not trace the planning
    plain = type(layer).call in (Model.call, Sequential.call) and all(
        owner is not call for _, call, _, _, owner, _ in steps
    )
    mixed = layer.compute_dtype != layer.variable_dtype or layer.activity_regularizer is not None
    return layer._call_graph if plain and not mixed else None  # type: ignore[attr-defined]
