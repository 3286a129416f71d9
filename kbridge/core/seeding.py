"""One seed for everything that draws."""

from __future__ import annotations

import random

import numpy as np

from kbridge.core.context import loaded_backends
from kbridge.core.ops.random import set_global_seed


def set_random_seed(seed: int) -> None:
    """Seed Python, NumPy, kbridge's initializers and dropout, and the frameworks that are in use.

    Args:
        seed: a whole number from 0 to 2**31 - 1.
    """
    if not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise ValueError(f"A seed is a whole number from 0 to 2**31 - 1, got {seed!r}.")
    random.seed(seed)
    np.random.seed(seed)
    set_global_seed(seed)
    for backend in loaded_backends():
        backend.seed_framework(seed)
