"""Metrics, their arguments, and two batches of targets and predictions for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.rows.losses import BITS, CLASSES, HOT, NUMBERS, POSITIVE, SCORES, SEQUENCE, SHARES, SIGNS, SOFT, STEPS

RANKED = np.argsort(-SHARES, -1)


@dataclass(frozen=True)
class Row:
    """A metric class, arguments, and one batch; tests cut it in two."""

    name: str
    y_true: np.ndarray
    y_pred: np.ndarray
    arguments: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name}-{self.note or next(iter(self.arguments), 'plain')}"

    @property
    def batches(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The rows but the last, and the last."""
        return [(self.y_true[:-1], self.y_pred[:-1]), (self.y_true[-1:], self.y_pred[-1:])]


ROWS = [
    Row("Accuracy", CLASSES, np.array([3, 0, 2, 2, 1])),
    Row("Accuracy", CLASSES[:, None], np.array([3.0, 0, 2, 2, 1], "float32"), note="column beside row"),
    Row("BinaryAccuracy", BITS, SHARES),
    Row("BinaryAccuracy", BITS.astype("float32"), SHARES, {"threshold": 0.2}),
    Row("BinaryAccuracy", BITS[:, :1], SHARES[:, 0], note="column beside row"),
    Row("CategoricalAccuracy", SOFT, SHARES),
    Row("SparseCategoricalAccuracy", CLASSES, SHARES),
    Row("SparseCategoricalAccuracy", CLASSES[:, None], SHARES, note="column"),
    Row("SparseCategoricalAccuracy", CLASSES.astype("float32"), SHARES, note="floats"),
    Row("SparseCategoricalAccuracy", STEPS, SEQUENCE, note="sequence"),
    Row("TopKCategoricalAccuracy", HOT, SHARES, {"k": 2}),
    Row("SparseTopKCategoricalAccuracy", CLASSES, SHARES, {"k": 2}),
    Row("SparseTopKCategoricalAccuracy", CLASSES, np.round(SHARES, 1), {"k": 1}, "ties"),
    Row("SparseTopKCategoricalAccuracy", STEPS, SEQUENCE, {"k": 2}, "sequence"),
    Row("SparseTopKCategoricalAccuracy", CLASSES, RANKED, {"k": 2, "from_sorted_ids": True}, "sorted"),
    Row("MeanSquaredError", NUMBERS, SCORES),
    Row("RootMeanSquaredError", NUMBERS, SCORES),
    Row("MeanAbsoluteError", NUMBERS, SCORES),
    Row("MeanAbsolutePercentageError", POSITIVE, SCORES),
    Row("MeanSquaredLogarithmicError", POSITIVE, SCORES),
    Row("LogCoshError", NUMBERS, SCORES),
    Row("CosineSimilarity", NUMBERS, SCORES),
    Row("BinaryCrossentropy", BITS, SHARES),
    Row("BinaryCrossentropy", BITS, SCORES, {"from_logits": True, "label_smoothing": 0.1}),
    Row("CategoricalCrossentropy", HOT, SHARES),
    Row("CategoricalCrossentropy", SOFT, SCORES, {"from_logits": True}),
    Row("SparseCategoricalCrossentropy", CLASSES, SHARES),
    Row("SparseCategoricalCrossentropy", CLASSES, SCORES, {"from_logits": True}),
    Row("SparseCategoricalCrossentropy", CLASSES, SHARES, {"ignore_class": 2}),
    Row("KLDivergence", SOFT, SHARES),
    Row("Poisson", POSITIVE, SHARES),
    Row("Hinge", SIGNS, SCORES),
    Row("SquaredHinge", SIGNS, SCORES),
    Row("CategoricalHinge", HOT, SCORES),
]  # fmt: skip
