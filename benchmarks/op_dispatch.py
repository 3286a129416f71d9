"""One op called eagerly on small tensors: what the library adds to the framework's own call."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.api import BACKENDS, finished, inference_only, keras_like, to_framework
from benchmarks.table import Figure, Row, difference, quotient
from benchmarks.turns import Options, three_sides
from benchmarks.worker import Prepared, Spec, per_call

MOST_SECONDS, SHARE_OF_KERAS = 3e-6, 1 / 5  # what a call may cost more than the raw one: the less of the two

random = np.random.default_rng(0)


def array(*sizes: int) -> np.ndarray:
    return random.normal(size=sizes).astype("float32")


# case -> inputs, and the call in the Keras API
CASES: dict[str, tuple[tuple[np.ndarray, ...], Callable[..., Any]]] = {
    "exp": ((array(4, 4),), lambda ops, x: ops.exp(x)),
    "add": ((array(4, 4), array(4)), lambda ops, x, y: ops.add(x, y)),
    "sum": ((array(4, 4),), lambda ops, x: ops.sum(x, axis=-1)),
    "matmul": ((array(4, 4), array(4, 4)), lambda ops, x, y: ops.matmul(x, y)),
    "conv": ((array(1, 6, 6, 2), array(3, 3, 2, 2)), lambda ops, x, w: ops.conv(x, w, 1, "valid", "channels_last")),
}


def raw(backend: str, case: str) -> Callable[..., Any]:
    """The framework's own call."""
    if backend == "torch":
        import torch

        def conv(x: Any, w: Any) -> Any:
            return torch.conv2d(x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1)).permute(0, 2, 3, 1)

        calls = {"exp": torch.exp, "add": torch.add, "sum": lambda x: torch.sum(x, -1), "matmul": torch.matmul}
        return {**calls, "conv": conv}[case]
    if backend == "jax":
        import jax
        import jax.numpy as jnp

        def jax_conv(x: Any, w: Any) -> Any:
            return jax.lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))

        calls = {"exp": jnp.exp, "add": jnp.add, "sum": lambda x: jnp.sum(x, -1), "matmul": jnp.matmul}
        return {**calls, "conv": jax_conv}[case]
    import tensorflow as tf

    calls = {"exp": tf.exp, "add": tf.add, "sum": lambda x: tf.reduce_sum(x, -1), "matmul": tf.matmul}
    return {**calls, "conv": lambda x, w: tf.nn.conv2d(x, w, 1, "VALID")}[case]


def prepare(spec: Spec) -> Prepared:
    """Worker: one call, the result waited for."""
    inference_only(spec.backend)
    arrays, call = CASES[spec.case]
    tensors = [to_framework(spec.backend, a) for a in arrays]
    wait = finished(spec.backend)
    if spec.side == "native":
        native = raw(spec.backend, spec.case)
        return Prepared(per_call(lambda: wait(native(*tensors)), spec.quick))
    ops = keras_like(spec.side, spec.backend)[0].ops
    return Prepared(per_call(lambda: wait(call(ops, *tensors)), spec.quick))


def figure(options: Options) -> Figure:
    """Time of the raw call, what Keras and kbridge add, and kbridge's share of what is allowed."""
    result = Figure(
        "op_dispatch",
        "One op, eagerly, on small tensors: time over the framework's own call",
        ["raw", "Keras adds", "kbridge adds"],
        "kbridge / allowed",
    )
    for case in CASES:
        for backend in BACKENDS:
            outcome = three_sides("op_dispatch", backend, case, options)
            keras = difference(outcome["keras"], outcome["native"])
            kbridge = difference(outcome["kbridge"], outcome["native"])
            allowed = MOST_SECONDS if keras is None else min(MOST_SECONDS, max(keras, 0.0) * SHARE_OF_KERAS)
            cells = [outcome["native"], keras, kbridge]
            result.rows.append(Row(f"{case}, {backend}", cells, quotient(kbridge, allowed), 1.0))
            result.notes += outcome.errors
    result.notes.append("Allowed: 3 µs or a fifth of what Keras adds, whichever is less.")
    return result
