"""The JAX backend. Importing this imports JAX."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from kbridge.backends.contract import collect
from kbridge.backends.jax import (
    arrays,
    attention,
    bitwise,
    control,
    conv,
    create,
    ctc,
    device,
    elementwise,
    express,
    fft,
    image,
    index,
    linalg,
    nn,
    philox,
    random,
    reduce,
    sort,
    sparse,
    statistics,
    step,
    variables,
)


class JaxBackend:
    """See `kbridge.backends.contract`."""

    name = "jax"
    trains = True
    ready = arrays.READY  # sets that grow: `convert` adds the tracer classes that turn up
    ready_or_number = arrays.READY_OR_NUMBER
    fused_updates: ClassVar[dict[str, Any]] = {}  # jit fuses the ops of an optimizer
    reveal = conceal = None
    float_dtypes = frozenset(np.dtype(name) for name in ("float16", "bfloat16", "float32", "float64"))
    float32 = np.dtype("float32")
    express, express_dtypes, express_layout = express.EXPRESS, express.DTYPES, express.LAYOUT
    express_errors: tuple[type[Exception], ...] = ()

    def __reduce__(self) -> Any:
        return "backend"  # one object per process: copies and pickles refer to it


backend = JaxBackend()
collect(
    backend, arrays, elementwise, reduce, linalg, nn, random, variables, step, device,
    bitwise, statistics, create, index, sort, fft, image, control, conv, attention, ctc, sparse, philox,
)  # fmt: skip
