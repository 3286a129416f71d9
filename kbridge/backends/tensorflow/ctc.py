"""Connectionist temporal classification."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

__all__ = ["fused_ctc_loss"]


def fused_ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, blank: int) -> Any:
    if output.dtype != tf.float32:
        return None  # TensorFlow's takes no other type
    loss = tf.nn.ctc_loss(target, output, target_length, output_length, logits_time_major=False, blank_index=blank)
    # TensorFlow gives some large number where the steps are too few: one for each label, one between equal ones
    equal = tf.logical_and(
        target[:, 1:] == target[:, :-1], tf.sequence_mask(target_length - 1, tf.shape(target)[1] - 1)
    )
    needed = target_length + tf.reduce_sum(tf.cast(equal, tf.int32), 1)
    return tf.where(needed > output_length, tf.constant(float("inf"), loss.dtype), loss)
