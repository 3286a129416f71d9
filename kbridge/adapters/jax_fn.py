"""Any layer or model as a pure JAX function over nested dicts of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbridge.adapters.require import require
from kbridge.core.context import load_backend, local, running
from kbridge.core.errors import NotBuiltError, ShapeError
from kbridge.core.layers.base import Layer
from kbridge.core.layers.tracking import seed_generators
from kbridge.core.models.names import named_variables
from kbridge.core.tensor.lens import laid_over
from kbridge.core.tensor.variable import Variable

Tree = dict[str, Any]


def to_jax(layer: Layer) -> tuple[Callable[..., tuple[Any, Tree]], Tree, Tree]:
    """A layer or model as a pure function, its trained values and its other values.

    Args:
        layer: any built layer or model, whatever backend built or trained it.

    Returns:
        `(apply, params, state)`. `params` and `state` are nested dicts of arrays under the layers' names:
        weights that training changes, and the rest (running statistics, frozen weights).
        `y, state = apply(params, state, *inputs, training=False, rng=None)` computes the outputs and the
        new state; `rng` is a JAX key, needed where `training` draws random numbers (dropout).
        The model itself is never read or changed by `apply`; `write_back` puts results into it.

    Raises:
        NotBuiltError: the weights don't exist yet.

    >>> import numpy as np
    >>> from kbridge import layers, models
    >>> model = models.Sequential([layers.Input((3,)), layers.Dense(2, name="out")])
    >>> apply, params, state = to_jax(model)
    >>> y, state = apply(params, state, np.ones((4, 3), "float32"))
    >>> y.shape, list(params["out"])
    ((4, 2), ['kernel', 'bias'])
    """
    require("jax", "jax")
    if not isinstance(layer, Layer):
        raise TypeError(f"to_jax takes a kbridge layer or model, got {type(layer).__name__}.")
    if not layer.built:
        raise NotBuiltError(f"{layer.name!r} isn't built. Call it on a batch first, or give it an Input.")
    trained, others = split_names(layer)
    apply = JaxFunction(layer, trained, others)
    return apply, _values(trained), _values(others)


class JaxFunction:
    """What `to_jax` returns as `apply`: pure, so it can be jitted, differentiated and mapped."""

    def __init__(self, layer: Layer, trained: dict[str, Variable], others: dict[str, Variable]) -> None:
        self.layer = layer
        self.trained = trained
        self.others = others
        self.seeds = [g.state for inner in layer._flatten_layers() for _, g in seed_generators(inner)]
        self.__name__ = layer.name

    def __call__(
        self, params: Tree, state: Tree, *inputs: Any, training: bool = False, rng: Any = None, **kwargs: Any
    ) -> tuple[Any, Tree]:
        overlay = {**_match(self.trained, params, "params"), **_match(self.others, state, "state")}
        overlay.update(self._seed_values(training, rng))
        try:
            with running(load_backend("jax")), laid_over(overlay):
                outputs = self._run(inputs, {**kwargs, "training": training})
        finally:
            self.layer._clear_losses()  # they hold tracers
        return outputs, _nested({name: overlay[v] for name, v in self.others.items()})

    def _run(self, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        before = local.training, local.masks
        local.masks = None
        try:
            return self.layer(*inputs, **kwargs)
        finally:
            local.training, local.masks = before

    def _seed_values(self, training: bool, rng: Any) -> dict[Variable, Any]:
        """A stream of its own for each random layer, from the one key."""
        if not self.seeds:
            return {}
        if rng is None:
            if training:
                raise ValueError(
                    f"{self.layer.name!r} draws random numbers in training: "
                    "pass rng=jax.random.key(...), a new key for each step."
                )
            return {seed: seed.numpy() for seed in self.seeds}
        import jax

        key = rng if jax.dtypes.issubdtype(rng.dtype, jax.dtypes.prng_key) else jax.random.wrap_key_data(rng)
        data = [jax.random.key_data(jax.random.fold_in(key, i)) for i in range(len(self.seeds))]
        return {seed: value.reshape(-1)[-2:].astype("int32") for seed, value in zip(self.seeds, data, strict=True)}


def write_back(layer: Layer, params: Tree, state: Tree | None = None) -> None:
    """Put trained values, and the state if given, into the model's weights.

    Args:
        layer: the layer or model that `to_jax` was called on.
        params, state: trees as `to_jax` gave them.

    Raises:
        ShapeError: a name is missing or left over, or a shape differs; nothing is changed then.
    """
    trained, others = split_names(layer)
    values = _match(trained, params, "params")
    if state is not None:
        values.update(_match(others, state, "state"))
    for variable, value in values.items():
        if tuple(value.shape) != variable.shape:
            raise ShapeError(f"{variable.path} has shape {variable.shape} and got {tuple(value.shape)}.")
    for variable, value in values.items():
        variable.assign(load_backend("jax").to_numpy(value))


def split_names(layer: Layer) -> tuple[dict[str, Variable], dict[str, Variable]]:
    """The variables that training changes, and the rest, by dotted name."""
    named = named_variables(layer)
    trained = set(layer.trainable_variables)
    return (
        {name: v for name, v in named.items() if v in trained},
        {name: v for name, v in named.items() if v not in trained},
    )


def _values(named: dict[str, Variable]) -> Tree:
    backend = load_backend("jax")
    return _nested({name: backend.make_variable(v.numpy(), v._dtype, v.trainable, name) for name, v in named.items()})


def _nested(flat: dict[str, Any]) -> Tree:
    """`{"a.b": 1}` as `{"a": {"b": 1}}`."""
    tree: Tree = {}
    for path, value in flat.items():
        *outer, last = path.split(".")
        place = tree
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = value
    return tree


def _flat(tree: Tree, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat.update(_flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value})
    return flat


def _match(named: dict[str, Variable], tree: Tree, what: str) -> dict[Variable, Any]:
    flat = _flat(tree)
    if flat.keys() != named.keys():
        missing, extra = sorted(named.keys() - flat.keys()), sorted(flat.keys() - named.keys())
        raise ShapeError(
            f"{what} doesn't fit the model: missing {missing}, left over {extra}. Use the trees of to_jax."
        )
    return {variable: flat[name] for name, variable in named.items()}
