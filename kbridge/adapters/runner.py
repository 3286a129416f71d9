"""What all runners of artefacts share: inputs by name, outputs in order, a latency."""

import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kbridge.adapters.ports import Port, bind
from kbridge.core.errors import ExportError, KBridgeError


class Runner(ABC):
    """An artefact in its own runtime: `outputs = runner(inputs)`.

    Attributes:
        path: the file or folder.
        inputs: the `Port`s it takes, in the order of the exported function's arguments.
        outputs: the `Port`s it gives, in the order of the list that a call returns.
    """

    path: Path
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def __call__(self, inputs: Sequence[Any] | Mapping[str, Any]) -> list[np.ndarray]:
        """Outputs for arrays given in the order of `inputs`, or as a dict by name.

        Raises:
            ShapeError, TypeError: the arrays don't fit `inputs`.
            ExportError: the runtime can't run the artefact.
        """
        feed = bind(self.inputs, inputs)
        try:
            return self.run(feed)
        except KBridgeError:
            raise
        except Exception as problem:  # each runtime has its own classes
            raise ExportError(f"{self.path} fails in its own runtime: {problem}") from problem

    @abstractmethod
    def run(self, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Outputs for arrays by name that already have the right dtype and shape."""

    def latency(self, inputs: Sequence[Any] | Mapping[str, Any], repeats: int = 20) -> float:
        """Median milliseconds of a call, over `repeats` calls after one that warms up."""
        self(inputs)
        feed = bind(self.inputs, inputs)
        return statistics.median(self._milliseconds(feed) for _ in range(repeats))

    def _milliseconds(self, feed: dict[str, np.ndarray]) -> float:
        start = time.perf_counter()
        self.run(feed)
        return 1000 * (time.perf_counter() - start)
