"""What all tests share: the four backends, and how equal is equal enough."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KBRIDGE_BACKEND"] = "numpy"  # what plain arrays run on where a test names no backend
os.environ["KERAS_BACKEND"] = "tensorflow"  # of the installed Keras, the oracle

from collections.abc import Iterator
from typing import Any

import pytest

from kbridge import config

BACKENDS = ("numpy", "jax", "torch", "tensorflow")
TOLERANCE = {"float16": 1e-2, "bfloat16": 5e-2, "float32": 1e-5, "float64": 1e-10}


@pytest.fixture(params=BACKENDS)
def backend(request: Any) -> Iterator[str]:
    """The name of a backend, in whose scope the test runs."""
    with config.backend_scope(request.param):
        yield request.param


@pytest.fixture
def tolerance() -> dict[str, float]:
    """How far results of a dtype may lie from the truth, relative to numbers around 1."""
    return TOLERANCE
