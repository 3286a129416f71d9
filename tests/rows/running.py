"""Running a row: on a backend, with given weights; its gradients, natively in each framework."""

from __future__ import annotations

from typing import Any

import numpy as np
import optree

import kbridge
from kbridge import KerasTensor, config
from tests.rows.layers import Row


def leaves(tree: Any) -> list[Any]:
    return optree.tree_leaves(tree)


def host(tree: Any) -> list[np.ndarray]:
    """The leaves as NumPy arrays."""
    return [kbridge.ops.convert_to_numpy(leaf) for leaf in leaves(tree)]


def built(row: Row) -> Any:
    """The row's layer, with the row's weights, on NumPy."""
    with config.backend_scope("numpy"):
        layer = row.make(kbridge)
        args, kwargs = row.arrays()
        layer(*args, **kwargs)
        layer.set_weights(row.weights_for(layer))
        restart(layer)
    return layer


def restart(layer: Any) -> None:
    """Forget what calls have left behind."""
    for inner in layer._flatten_layers():
        if hasattr(inner, "reset_state"):
            inner.reset_state()


def run(row: Row, layer: Any, backend: str, training: bool = False) -> Any:
    """The outputs of the row's layer under `backend`."""
    args, kwargs = row.arrays()
    with config.backend_scope(backend):
        return layer(*args, training=training, **kwargs)


def run_compiled(row: Row, layer: Any) -> Any:
    """The outputs under JAX, as one compiled function: op by op, most of the time goes into compiling."""
    import jax

    parts, put = _parts(row)
    state = [[v.numpy() for v in vs] for vs in (layer.trainable_variables, layer.non_trainable_variables)]

    def call(floats: Any, trainable: Any, rest: Any) -> Any:
        args, kwargs = put(floats)
        return layer.stateless_call(trainable, rest, *args, **kwargs)[0]

    with config.backend_scope("jax"):
        return jax.jit(call)(parts, *state)


def symbols(row: Row) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The row's arguments as symbolic tensors, the batch free where the row allows it."""
    return row.filled(lambda spec: KerasTensor((None if row.batch else spec.shape[0], *spec.shape[1:]), spec.dtype))


def weighting(outputs: Any) -> list[np.ndarray]:
    """Fixed numbers like the outputs; the loss is the sum of outputs times these."""
    rng = np.random.default_rng(5)
    return [rng.normal(size=tuple(leaf.shape)).astype("float32") for leaf in leaves(outputs)]


def is_float_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.float32


def gradients(row: Row, layer: Any, backend: str, training: bool) -> list[np.ndarray]:
    """The gradient of a scalar loss, first for the trainable weights, then for the float inputs."""
    expected = run(row, layer, backend, training)  # also brings the weights to this backend
    restart(layer)
    by_hand = {"torch": torch_gradients, "jax": jax_gradients, "tensorflow": tensorflow_gradients}
    with config.backend_scope(backend):
        return by_hand[backend](row, layer, training, weighting(expected))


def _parts(row: Row) -> tuple[list[np.ndarray], Any]:
    """The float arrays among a row's arguments, and a function that puts values in their place."""
    arguments = row.arrays()
    flat, structure = optree.tree_flatten(arguments)
    where = [i for i, leaf in enumerate(flat) if is_float_array(leaf)]

    def put(values: Any) -> Any:
        whole = list(flat)
        for i, value in zip(where, values, strict=True):
            whole[i] = value
        return optree.tree_unflatten(structure, whole)

    return [flat[i] for i in where], put


def torch_gradients(row: Row, layer: Any, training: bool, weights: list[np.ndarray]) -> list[np.ndarray]:
    import torch

    floats, put = _parts(row)
    inputs = [torch.tensor(array, requires_grad=True) for array in floats]
    parameters = [variable.value for variable in layer.trainable_variables]
    args, kwargs = put(inputs)
    outputs = layer(*args, training=training, **kwargs)
    loss = sum((leaf * torch.tensor(w)).sum() for leaf, w in zip(leaves(outputs), weights, strict=True))
    if not loss.requires_grad:
        return [np.zeros(t.shape, "float32") for t in (*parameters, *inputs)]
    found = torch.autograd.grad(loss, [*parameters, *inputs], allow_unused=True)
    return [
        np.zeros(t.shape, "float32") if g is None else g.detach().numpy()
        for t, g in zip((*parameters, *inputs), found, strict=True)
    ]


def jax_gradients(row: Row, layer: Any, training: bool, weights: list[np.ndarray]) -> list[np.ndarray]:
    import jax
    import jax.numpy as jnp

    floats, put = _parts(row)

    def loss(trainable: Any, inputs: Any, rest: Any) -> Any:
        args, kwargs = put(inputs)
        outputs, _ = layer.stateless_call(trainable, rest, *args, training=training, **kwargs)
        return sum((leaf * w).sum() for leaf, w in zip(leaves(outputs), weights, strict=True))

    trainable = [variable.value for variable in layer.trainable_variables]
    rest = [variable.value for variable in layer.non_trainable_variables]
    inputs = [jnp.array(array) for array in floats]
    found = jax.jit(jax.grad(loss, argnums=(0, 1)))(trainable, inputs, rest)
    return [np.asarray(g) for part in found for g in part]


def tensorflow_gradients(row: Row, layer: Any, training: bool, weights: list[np.ndarray]) -> list[np.ndarray]:
    import tensorflow as tf

    floats, put = _parts(row)
    inputs = [tf.constant(array) for array in floats]
    parameters = [variable.value for variable in layer.trainable_variables]
    args, kwargs = put(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(*args, training=training, **kwargs)
        loss = sum(tf.reduce_sum(leaf * w) for leaf, w in zip(leaves(outputs), weights, strict=True))
    found = tape.gradient(loss, [*parameters, *inputs])
    return [
        np.zeros(t.shape, "float32") if g is None else tf.convert_to_tensor(g).numpy()
        for t, g in zip((*parameters, *inputs), found, strict=True)
    ]
