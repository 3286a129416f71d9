"""Recomputing in the backward pass what would take memory to keep: `remat`, and layers made in a `RematScope`."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, Self

import optree

from kbridge.core.context import SYMBOLIC, local
from kbridge.core.errors import ArgumentError
from kbridge.core.graph.node import NAMESPACE, leaves, map_leaves
from kbridge.core.layers.masks import mask_of, set_mask
from kbridge.core.ops.declare import kernel, native
from kbridge.core.ops.function_op import function_op, nested, opened
from kbridge.core.tensor.lens import laid_over
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import Variable, is_tensor, spec_of

MODES = ("full", "activations", "larger_than", "list_of_layers", None)


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, computed anew when its gradient is wanted, so that nothing inside has to be kept until then.

    Args:
        f: a function of trees of arrays, or a layer. Variables may be read and written inside, and random
            numbers drawn: what is computed anew sees the same values. On TensorFlow, tensors that `f` takes
            from outside of itself have no gradient: pass them as arguments.

    Returns:
        `f` with the same results. On NumPy, without gradients, it is just that. torch.compile plans by itself what
        it keeps, and computes `f` once.

    >>> from kbridge import backend_scope, grad, ops
    >>> with backend_scope("jax"):
    ...     float(grad(remat(lambda x: ops.sin(x) ** 2))(0.5))
    0.841...
    """
    if not callable(f):
        raise TypeError(f"remat takes a function or a layer, got {f!r}.")
    held = _Held(f)

    @functools.wraps(f, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        return rematerialized(held, args, kwargs)

    call.autograph_info__ = {}  # type: ignore[attr-defined]  # TF's AutoGraph leaves us alone
    return call


class _Held:
    """A function that a graph keeps as it is, without following what it captures."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


def _rule(held: _Held, args: Any, kwargs: Any) -> Any:
    args, kwargs = map_leaves(lambda leaf: spec_of(leaf) if is_tensor(leaf) else leaf, (args, kwargs))
    return held.function(*args, **kwargs)


@function_op(_rule, trees=("args", "kwargs"))
def rematerialized(held: _Held, args: Any, kwargs: Any) -> Any:
    """`held.function(*args, **kwargs)`, computed anew for its gradient."""
    return recomputed(held.function, args, kwargs)


def recomputed(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """`function(*args, **kwargs)` in the running call, computed anew for its gradient."""
    call = _Call(function, args, kwargs)
    results = list(kernel.remat(call.run, call.inputs))
    return call.finish(results)


class _Call:
    """A call as a pure function of arrays: what it reads comes in, what it writes goes out.

    A framework may run it again much later, so it brings along what was true when it was made.
    """

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        self.function = function
        self.leaves, self.structure = optree.tree_flatten((args, kwargs), none_is_leaf=True, namespace=NAMESPACE)
        self.where = [i for i, leaf in enumerate(self.leaves) if is_tensor(leaf)]
        tensors = [native(local.running, self.leaves[i]) for i in self.where]
        masks = [mask_of(self.leaves[i]) for i in self.where]
        self.masked = [i for i, mask in zip(self.where, masks, strict=True) if mask is not None]
        overlaid = {} if local.lens is None else local.lens.overlaid()
        self.read = dict.fromkeys(overlaid)  # given as arguments, that gradients reach them
        self.inputs = [
            *tensors,
            *(mask for mask in masks if mask is not None),
            *(native(local.running, value) for value in overlaid.values()),
        ]
        self.state = _state()
        self.before: dict[Variable, Any] | None = None  # what else it writes, as it was before the first run

    def run(self, *inputs: Any) -> tuple[Any, ...]:
        """All results, flat."""
        given, tensors = list(self.leaves), iter(inputs)
        for i in self.where:
            given[i] = next(tensors)
        masks = [(given[i], next(tensors)) for i in self.masked]
        start = dict(zip(self.read, tensors, strict=True))
        overlay, losses = dict(start), []  # type: ignore[var-annotated]
        now = _state()
        _restore((*self.state[:-1], None))
        try:
            for tensor, mask in masks:
                set_mask(tensor, mask)
            args, kwargs = nested(self.structure, given)
            with laid_over(overlay, catches=True, losses=losses, pins=self.before):
                outputs, self.outputs = opened(self.function(*args, **kwargs))
                losses = [(layer, native(local.running, loss)) for layer, loss in losses]
            out_masks = [mask_of(output) for output in outputs]
        finally:
            _restore(now)
        self.size = len(outputs)
        self.out_masked = [i for i, mask in enumerate(out_masks) if mask is not None]
        self.written = [v for v, value in overlay.items() if value is not start.get(v)]
        self.lossy = [layer for layer, _ in losses]
        return (
            *outputs,
            *(out_masks[i] for i in self.out_masked),
            *(overlay[variable] for variable in self.written),
            *(loss for _, loss in losses),
        )

    def finish(self, results: list[Any]) -> Any:
        """The outputs; what was written is written now."""
        outputs, rest = results[: self.size], iter(results[self.size :])
        for i in self.out_masked:
            set_mask(outputs[i], next(rest))
        own = [variable for variable in self.written if variable not in self.read]
        self.before = {v: kernel.copy(native(local.running, v.seen_value)) for v in own}
        for variable in self.written:
            variable.assign(next(rest))
        for layer in self.lossy:
            layer.add_loss(next(rest))
        return nested(self.outputs, outputs)


def _state() -> tuple[Any, ...]:
    return local.running, local.lens, local.training, local.keep_floats, local.framework_random, local.masks


def _restore(state: tuple[Any, ...]) -> None:
    local.running, local.lens, local.training, local.keep_floats, local.framework_random, local.masks = state


class RematScope:
    """Layers made inside compute their outputs anew in the backward pass. See `remat`.

    Args:
        mode: "full": each layer. "activations": only their activation functions. "larger_than": layers whose
            outputs have more elements than `output_size_threshold`, free sizes counted as 1.
            "list_of_layers": those named in `layer_names`. None: none, within another scope.
        output_size_threshold, layer_names: see `mode`.

    Raises:
        ArgumentError: an unknown mode.

    Which layers do so is decided where they are made, when it is done where they are called.

    >>> from kbridge import layers
    >>> with RematScope(mode="list_of_layers", layer_names=["wide"]):
    ...     stack = [layers.Dense(512, name="wide"), layers.Dense(4, name="narrow")]
    """

    def __init__(
        self, mode: str | None = "full", output_size_threshold: int = 1024, layer_names: Sequence[str] | None = None
    ) -> None:
        if mode not in MODES:
            raise ArgumentError(f"Unknown mode {mode!r}. Choose one of {', '.join(map(repr, MODES))}.")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = list(layer_names or ())
        self._before: list[Any] = []

    def __enter__(self) -> Self:
        self._before.append(local.remat)
        local.remat = self if self.mode is not None else None
        return self

    def __exit__(self, *error: Any) -> None:
        local.remat = self._before.pop()

    def bound(self, layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        """What runs instead of `call`, a method of `layer`, in a running call."""
        if local.running is SYMBOLIC:
            return call
        if self.mode == "activations":
            return _with_light_activation(layer, call)
        if self.mode == "list_of_layers" and layer.name not in self.layer_names:
            return call
        if self.mode == "larger_than":
            return lambda *args, **kwargs: (
                recomputed(call, args, kwargs)
                if _size(layer, args, kwargs) > self.output_size_threshold
                else call(*args, **kwargs)
            )
        return lambda *args, **kwargs: recomputed(call, args, kwargs)


def _size(layer: Any, args: Any, kwargs: Any) -> int:
    outputs = layer.compute_output_spec(*args, **kwargs)
    return sum(math.prod(size or 1 for size in t.shape) for t in leaves(outputs) if isinstance(t, KerasTensor))


def _with_light_activation(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    activation = getattr(layer, "activation", None)
    if not callable(activation) or hasattr(activation, "recomputes"):  # or another thread is at it
        return call

    @functools.wraps(activation, updated=())
    def light(*args: Any, **kwargs: Any) -> Any:
        return recomputed(activation, args, kwargs)

    light.recomputes = True  # type: ignore[attr-defined]

    def run(*args: Any, **kwargs: Any) -> Any:
        layer.activation = light
        try:
            return call(*args, **kwargs)
        finally:
            layer.activation = activation

    return run
