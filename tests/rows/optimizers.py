"""Optimizers and their arguments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

STEPS = 7


@dataclass(frozen=True)
class Row:
    """An optimizer class and its arguments."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{k}={v}" for k, v in self.arguments.items())])


RULES = [
    Row("SGD", {"learning_rate": 0.1}),
    Row("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    Row("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    Row("Adam", {"learning_rate": 0.05}),
    Row("Adam", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}),
    Row("Adam", {"learning_rate": 0.05, "amsgrad": True}),
    Row("Adam", {"learning_rate": 0.05, "beta_1": 0.0}),
    Row("AdamW", {"learning_rate": 0.05, "weight_decay": 0.1}),
    Row("RMSprop", {"learning_rate": 0.05}),
    Row("RMSprop", {"learning_rate": 0.05, "momentum": 0.9}),
    Row("RMSprop", {"learning_rate": 0.05, "centered": True, "rho": 0.8}),
    Row("RMSprop", {"learning_rate": 0.05, "momentum": 0.5, "centered": True}),
]
OPTIONS = [
    Row("SGD", {"learning_rate": 0.1, "weight_decay": 0.3}),
    Row("SGD", {"learning_rate": 0.1, "clipnorm": 0.5}),
    Row("SGD", {"learning_rate": 0.1, "clipvalue": 0.3}),
    Row("SGD", {"learning_rate": 0.1, "global_clipnorm": 0.7}),
    Row("SGD", {"learning_rate": 0.1, "loss_scale_factor": 8.0}),
    Row("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8}),
    Row("Adam", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3}),
    Row("Adam", {"learning_rate": 0.1, "gradient_accumulation_steps": 3}),
    Row("SGD", {"learning_rate": 0.1, "momentum": 0.9, "gradient_accumulation_steps": 2, "clipnorm": 0.5}),
]  # fmt: skip
ROWS = RULES + OPTIONS

_random = np.random.default_rng(11)
SHAPES = ((3, 4), (4,), ())
STARTS = [np.asarray(_random.normal(size=shape), "float32") for shape in SHAPES]
GRADIENTS = [[np.asarray(_random.normal(size=shape), "float32") for shape in SHAPES] for _ in range(STEPS)]
