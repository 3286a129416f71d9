"""One op called eagerly on small tensors: what the library adds to the framework's own call."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from benchmarks.api import BACKENDS, finished, inference_only, keras_like, to_framework
from benchmarks.table import Figure, Row, quotient
from benchmarks.turns import Options, side_by_side, started
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


def raw(backend: str) -> dict[str, Callable[..., Any]]:
    """The framework's own calls, called as the others are: what comes first goes unused."""
    if backend == "torch":
        import torch

        def conv(_: Any, x: Any, w: Any) -> Any:
            return torch.conv2d(x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1)).permute(0, 2, 3, 1)

        return {
            "exp": lambda _, x: torch.exp(x),
            "add": lambda _, x, y: torch.add(x, y),
            "sum": lambda _, x: torch.sum(x, -1),
            "matmul": lambda _, x, y: torch.matmul(x, y),
            "conv": conv,
        }
    if backend == "jax":
        import jax
        import jax.numpy as jnp

        def jax_conv(_: Any, x: Any, w: Any) -> Any:
            return jax.lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))

        return {
            "exp": lambda _, x: jnp.exp(x),
            "add": lambda _, x, y: jnp.add(x, y),
            "sum": lambda _, x: jnp.sum(x, -1),
            "matmul": lambda _, x, y: jnp.matmul(x, y),
            "conv": jax_conv,
        }
    import tensorflow as tf

    return {
        "exp": lambda _, x: tf.exp(x),
        "add": lambda _, x, y: tf.add(x, y),
        "sum": lambda _, x: tf.reduce_sum(x, -1),
        "matmul": lambda _, x, y: tf.matmul(x, y),
        "conv": lambda _, x, w: tf.nn.conv2d(x, w, 1, "VALID"),
    }


def prepare(spec: Spec) -> Prepared:
    """Worker: one call, the result waited for. The raw call, alone in its process or beside Keras or kbridge."""
    inference_only(spec.backend)
    arrays, call = CASES[spec.case]
    tensors = [to_framework(spec.backend, a) for a in arrays]
    wait = finished(spec.backend)
    native = spec.side.startswith("native")
    ops = None if native else keras_like(spec.side, spec.backend)[0].ops
    call = raw(spec.backend)[spec.case] if native else call
    return Prepared(per_call(lambda: wait(call(ops, *tensors)), spec.duration))


def figure(options: Options) -> Figure:
    """Time of the raw call, what Keras and kbridge add, and kbridge's share of what is allowed."""
    result = Figure(
        "op_dispatch",
        "One op, eagerly, on small tensors: time over the framework's own call",
        ["raw", "Keras adds", "kbridge adds"],
        "kbridge / allowed",
    )
    rows = {}
    for backend in BACKENDS:
        with started(2, backend, options) as processes:
            for case in CASES:
                outcome = side_by_side(
                    "op_dispatch", backend, case, options, keras_beside="native beside Keras", processes=processes
                )
                keras = outcome.difference("keras", "native beside Keras")
                kbridge = outcome.difference("kbridge", "native")
                allowed = MOST_SECONDS if keras is None else min(MOST_SECONDS, max(keras, 0.0) * SHARE_OF_KERAS)
                cells = [outcome["native"], keras, kbridge]
                rows[case, backend] = Row(f"{case}, {backend}", cells, quotient(kbridge, allowed), 1.0)
                result.notes += outcome.errors
    result.rows = [rows[place] for place in product(CASES, BACKENDS)]
    result.notes.append("Allowed: 3 µs or a fifth of what Keras adds, whichever is less.")
    return result
