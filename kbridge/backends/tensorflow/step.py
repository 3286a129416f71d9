"""Steps as a tf.function; gradients from GradientTape."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbridge.backends.batches import is_plain, to_native
from kbridge.backends.tensorflow.sparse import dense
from kbridge.core.context import load_backend, running

__all__ = ["compile_step", "gradients"]


def gradients(fn: Any, variables: Any, states: Any, inputs: Any = ()) -> Any:
    given = [tf.identity(x) for x in inputs]  # not the caller's tensors, which `fn` may use as constants too
    values = [*(variable.value for variable in variables), *given]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        loss, aux = fn(*given)
    return (loss, aux), [dense(g) if isinstance(g, tf.IndexedSlices) else g for g in tape.gradient(loss, values)]


def _open_batch(value: Any) -> Any:
    """One trace for every batch size."""
    return tf.TensorSpec([None, *value.shape[1:]], value.dtype)


def compile_step(step: Any, read: Any, written: Any, jit_compile: Any, eager: bool) -> Any:
    backend = load_backend("tensorflow")

    def body(batch: Any) -> Any:
        with running(backend):
            return step(batch)

    if eager:
        return lambda batch: body(to_native(backend, batch))
    traced: dict[Any, Any] = {}

    def trace(flat: list[Any], batch: Any) -> Any:
        given = [i for i, v in enumerate(flat) if v is not None]

        def of_tensors(*tensors: Any) -> Any:
            values: list[Any] = [None] * len(flat)
            for i, tensor in zip(given, tensors, strict=True):
                values[i] = tensor
            return body(tf.nest.pack_sequence_as(batch, values))

        function = tf.function(of_tensors, autograph=False, jit_compile=jit_compile is True)
        return function.get_concrete_function(*(_open_batch(flat[i]) for i in given))

    def run(batch: Any) -> Any:
        if is_plain(batch):
            flat = [None if v is None else tf.constant(v) for v in batch]
        else:
            batch = to_native(backend, batch)
            flat = tf.nest.flatten(batch)
        key = tuple(None if v is None else (v.dtype, *v.shape[1:]) for v in flat)
        if key not in traced:
            traced[key] = trace(flat, batch)
        return traced[key](*(v for v in flat if v is not None))

    return run
