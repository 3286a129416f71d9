"""The container of a variable: a `tf.Variable`, made outside of any graph.

TensorFlow meets kbridge's own Variables too: `tape.gradient(loss, model.trainable_variables)` and
`tf.matmul(x, layer.kernel)` work once this backend is loaded.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import tensorflow as tf

from kbridge.core.context import load_backend, running
from kbridge.core.errors import BackendError
from kbridge.core.tensor.berth import Box
from kbridge.core.tensor.variable import Variable

__all__ = ["add_in_place", "keep_for_traces", "make_variable", "mark_trainable", "refuse_write", "write_variable"]


def make_variable(value: Any, dtype: str, trainable: bool, path: str) -> Any:
    with tf.init_scope():
        return tf.Variable(value, trainable=trainable, name=path, dtype=dtype)


def write_variable(box: Box, key: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):  # a move, once, and not a step of the function being traced
        with tf.init_scope():
            box[key].assign(value)
    else:
        box[key].assign(value)


def add_in_place(box: Box, key: Any, value: Any) -> bool:
    held = box[key]
    if isinstance(value, tf.Tensor):
        fits = value.dtype == held.dtype and value.shape == held.shape
    else:
        fits = type(value) is int or (type(value) is float and held.dtype.is_floating)
    if fits:
        held.assign_add(value, read_value=False)
    return fits


def mark_trainable(value: Any, trainable: bool) -> None:
    value._trainable = trainable  # tapes look at it at each read; there is no public setter


def keep_for_traces(value: Any) -> None:
    if sys.getrefcount(value.handle) > 2:  # one more than ours: a function holds it, and not the variable
        value.handle.variable = value  # which now is there as long as that


def refuse_write(path: str) -> None:
    raise BackendError(
        f"{path} can't be written inside tf.function while another framework holds it. Call the model once "
        "in TensorFlow outside of the function, so that the variable moves there."
    )


def _handle(variable: Variable) -> Any:
    """What a tape knows a variable by."""
    return variable.settle(load_backend("tensorflow")).handle


def _tensor(variable: Variable, dtype: Any = None, name: str | None = None) -> Any:
    with running(load_backend("tensorflow")):
        return tf.convert_to_tensor(variable.value, dtype, name=name)


# The marks by which TensorFlow tells something that stands for a resource variable.
Variable._should_act_as_resource_variable = True  # type: ignore[attr-defined]
Variable.handle = property(_handle)  # type: ignore[attr-defined]
Variable.__tf_tensor__ = _tensor  # type: ignore[attr-defined]
