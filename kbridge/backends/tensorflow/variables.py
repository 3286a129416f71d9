"""The container of a variable: a `tf.Variable`, made outside of any graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from kbridge.core.errors import BackendError

__all__ = ["make_variable", "mark_trainable", "refuse_write", "write_variable"]


def make_variable(value: Any, dtype: str, trainable: bool, path: str) -> Any:
    with tf.init_scope():
        return tf.Variable(value, trainable=trainable, name=path, dtype=dtype)


def write_variable(box: dict[str, Any], key: str, value: Any) -> None:
    if isinstance(value, np.ndarray):  # a move, once, and not a step of the function being traced
        with tf.init_scope():
            box[key].assign(value)
    else:
        box[key].assign(value)


def mark_trainable(value: Any, trainable: bool) -> None:
    value._trainable = trainable  # tapes look at it at each read; there is no public setter


def refuse_write(path: str) -> None:
    raise BackendError(
        f"{path} can't be written inside tf.function while another framework holds it. Call the model once "
        "in TensorFlow outside of the function, so that the variable moves there."
    )
