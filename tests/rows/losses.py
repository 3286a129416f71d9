"""Losses, their arguments, and targets and predictions that suit them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

random = np.random.default_rng(7)


def _softmax(x: np.ndarray) -> np.ndarray:
    raised = np.exp(x - x.max(-1, keepdims=True))
    return (raised / raised.sum(-1, keepdims=True)).astype("float32")


SCORES = random.normal(size=(5, 4)).astype("float32")
SHARES = _softmax(SCORES)
CLASSES = np.array([3, 0, 1, 2, 2])
HOT = np.eye(4, dtype="float32")[CLASSES]
SOFT = _softmax(random.normal(size=(5, 4)))
BITS = random.integers(0, 2, (5, 4))
SIGNS = (2 * BITS - 1).astype("float32")
NUMBERS = random.normal(size=(5, 4)).astype("float32")
POSITIVE = random.uniform(0.1, 4.0, (5, 4)).astype("float32")
SEQUENCE = _softmax(random.normal(size=(2, 3, 4)))
STEPS = random.integers(0, 4, (2, 3))


@dataclass(frozen=True)
class Row:
    """A loss class, the function behind it, arguments, targets, predictions."""

    name: str
    function: str
    y_true: np.ndarray
    y_pred: np.ndarray
    arguments: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name}-{self.note or next(iter(self.arguments), 'plain')}"


def _sparse(*row: Any, **more: Any) -> Row:
    return Row("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", *row, **more)


ROWS = [
    Row("MeanSquaredError", "mean_squared_error", NUMBERS, SCORES),
    Row("MeanSquaredError", "mean_squared_error", NUMBERS[:, :1], SCORES[:, 0], note="column beside row"),
    Row("MeanSquaredError", "mean_squared_error", BITS, SCORES, note="whole targets"),
    Row("MeanAbsoluteError", "mean_absolute_error", NUMBERS, SCORES),
    Row("MeanAbsolutePercentageError", "mean_absolute_percentage_error", POSITIVE, SCORES),
    Row("MeanAbsolutePercentageError", "mean_absolute_percentage_error", BITS, SCORES, note="zeros"),
    Row("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", POSITIVE, SCORES),
    Row("Huber", "huber", NUMBERS, SCORES),
    Row("Huber", "huber", NUMBERS, SCORES, {"delta": 0.3}),
    Row("LogCosh", "log_cosh", NUMBERS, 50 * SCORES),
    Row("CosineSimilarity", "cosine_similarity", NUMBERS, SCORES),
    Row("CosineSimilarity", "cosine_similarity", NUMBERS, SCORES, {"axis": 0}),
    Row("CosineSimilarity", "cosine_similarity", 0 * NUMBERS, SCORES, note="zeros"),
    Row("BinaryCrossentropy", "binary_crossentropy", BITS, SHARES),
    Row("BinaryCrossentropy", "binary_crossentropy", BITS, 30 * SCORES, {"from_logits": True}),
    Row("BinaryCrossentropy", "binary_crossentropy", BITS, SHARES, {"label_smoothing": 0.2}),
    Row("BinaryCrossentropy", "binary_crossentropy", BITS, np.round(SHARES), note="certain"),
    Row("CategoricalCrossentropy", "categorical_crossentropy", HOT, SHARES),
    Row("CategoricalCrossentropy", "categorical_crossentropy", HOT, 2 * SHARES, note="sum above 1"),
    Row("CategoricalCrossentropy", "categorical_crossentropy", SOFT, 50 * SCORES, {"from_logits": True}),
    Row("CategoricalCrossentropy", "categorical_crossentropy", HOT, SHARES, {"label_smoothing": 0.1}),
    Row("CategoricalCrossentropy", "categorical_crossentropy", HOT.T, SHARES.T, {"axis": 0}),
    _sparse(CLASSES, SHARES),
    _sparse(CLASSES[:, None], SHARES, note="column"),
    _sparse(CLASSES.astype("float32"), SHARES, note="floats"),
    _sparse(CLASSES, 50 * SCORES, {"from_logits": True}),
    _sparse(STEPS, SEQUENCE, note="sequence"),
    _sparse(CLASSES, SHARES, {"ignore_class": 2}),
    _sparse(CLASSES - 1, SHARES, {"ignore_class": -1}, "ignored -1"),
    Row("KLDivergence", "kl_divergence", SOFT, SHARES),
    Row("KLDivergence", "kl_divergence", HOT, SHARES, note="zeros"),
    Row("Poisson", "poisson", POSITIVE, SHARES),
    Row("Hinge", "hinge", SIGNS, SCORES),
    Row("Hinge", "hinge", BITS, SCORES, note="zeros and ones"),
    Row("SquaredHinge", "squared_hinge", SIGNS, SCORES),
    Row("CategoricalHinge", "categorical_hinge", HOT, SCORES),
]  # fmt: skip
