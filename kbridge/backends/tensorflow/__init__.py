"""The TensorFlow backend. Importing this imports TensorFlow."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.autograph.core import config as autograph_config

from kbridge.backends.contract import collect
from kbridge.backends.tensorflow import (
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
    optimizers,
    philox,
    random,
    reduce,
    sort,
    sparse,
    statistics,
    step,
    variables,
)

# AutoGraph rewrites the Python it meets in tf.function and Dataset.map; ours needs no rewriting.
autograph_config.CONVERSION_RULES = (
    autograph_config.DoNotConvert("kbridge"),
    *autograph_config.CONVERSION_RULES,
)


class TensorFlowBackend:
    """See `kbridge.backends.contract`."""

    name = "tensorflow"
    trains = True
    ready = arrays.READY  # sets that grow: `convert` adds the classes that turn up
    ready_or_number = arrays.READY_OR_NUMBER
    float_dtypes = frozenset({tf.float16, tf.bfloat16, tf.float32, tf.float64})
    float32 = tf.float32
    express, express_dtypes, express_layout = express.EXPRESS, express.DTYPES, express.LAYOUT
    express_errors = (tf.errors.OpError,)
    fused_lstm = None
    reveal = conceal = None

    def __reduce__(self) -> Any:
        return "backend"  # one object per process: copies and pickles refer to it


backend = TensorFlowBackend()
collect(
    backend, arrays, elementwise, reduce, linalg, nn, random, variables, step, device, optimizers,
    bitwise, statistics, create, index, sort, fft, image, control, conv, attention, ctc, sparse, philox,
)  # fmt: skip
