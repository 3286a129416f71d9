"""The NumPy backend: the plainest one, and the home of values that no framework has used yet."""

from __future__ import annotations

from typing import Any, ClassVar

import ml_dtypes
import numpy as np

from kbridge.backends.contract import collect
from kbridge.backends.numpy import (
    arrays,
    attention,
    bitwise,
    control,
    conv,
    create,
    ctc,
    device,
    elementwise,
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

TYPES = frozenset({np.ndarray, np.float32, np.float64, np.float16, np.int32, np.int64, np.bool_})


class NumpyBackend:
    """See `kbridge.backends.contract`."""

    name = "numpy"
    trains = False
    ready = TYPES | {type(None)}
    ready_or_number = ready | {bool, int, float, complex}
    fused_updates: ClassVar[dict[str, Any]] = {}
    fused_lstm = None
    reveal = conceal = None
    # no express: an array runs on NumPy only if a scope or the default says so
    express: ClassVar[dict[str, Any]] = {}
    float_dtypes = frozenset(np.dtype(t) for t in ("float16", "float32", "float64", ml_dtypes.bfloat16))
    float32 = np.dtype("float32")

    def __reduce__(self) -> Any:
        return "backend"  # one object per process: copies and pickles refer to it


backend = NumpyBackend()
collect(
    backend, arrays, elementwise, reduce, linalg, nn, random, variables, step, device,
    bitwise, statistics, create, index, sort, fft, image, control, conv, attention, ctc, sparse, philox,
)  # fmt: skip

# infinities and NaN come in silence, as the frameworks give them
for _module in (
    elementwise, reduce, linalg, nn, statistics, create, index, sort, fft, image, conv, attention, ctc,
):  # fmt: skip
    for _name in _module.__all__:
        setattr(backend, _name, np.errstate(all="ignore")(getattr(backend, _name)))
