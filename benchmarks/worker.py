"""The worker process: prepares one side of a figure, or two, and measures.

Started by `turns.py`. Is sent lines: what to prepare, then an empty one for each turn. Answers in JSON lines:
{"facts": [...]} when ready, {"seconds": [[...], ...]} per turn, a list for each side; or {"error": ...}.

Two sides in one process share its memory layout, its clock and whatever else the machine is doing, and take turns
every few milliseconds. Only so does a ratio of 1.05 show: the same code in two processes differs by more than that.
"""

import gc
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ROUNDS = 20  # of two sides in one process, for each turn of the process


@dataclass(frozen=True)
class Spec:
    """What a worker is to prepare."""

    figure: str
    side: str  # "native", "keras", "kbridge", or a variant of native that the figure knows
    backend: str
    case: str = ""
    quick: bool = False
    paired: bool = False  # shares its process with another side

    @property
    def duration(self) -> float:
        """How many seconds one measurement is to take."""
        return 0.01 if self.paired else 0.05 if self.quick else 0.2


@dataclass
class Prepared:
    """A side that is ready: `measure()` gives seconds; facts are what else is worth knowing."""

    measure: Callable[[], float]
    facts: dict[str, Any] = field(default_factory=dict)


def per_call(call: Callable[[], Any], duration: float) -> Callable[[], float]:
    """Warm `call` up and return what measures its mean time over a count that takes about `duration`."""
    for _ in range(3):  # whatever is compiled or cached is so after these
        call()
    count, until = 0, time.perf_counter() + duration
    while not count or time.perf_counter() < until:
        call()
        count += 1

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(count):
            call()
        return (time.perf_counter() - start) / count

    return measure


def measured(sides: list[Prepared]) -> list[list[float]]:
    """One measurement of a side that is alone; of two, a row of each, taken A B B A A B B A ..."""
    if len(sides) == 1:
        return [[sides[0].measure()]]
    times: list[list[float]] = [[] for _ in sides]
    order = list(range(len(sides)))
    for _ in range(ROUNDS):
        for i in order:
            times[i].append(sides[i].measure())
        order.reverse()
    return times


def answer(line: str, sides: list[Prepared]) -> dict[str, Any]:
    """Prepare the sides that the line names, or measure those there are."""
    if line.strip():
        sides.clear()  # the tensors of the last case go before those of the next come
        for each in json.loads(line):
            spec = Spec(**each)
            sides.append(importlib.import_module(f"benchmarks.{spec.figure}").prepare(spec))
        return {"facts": [side.facts for side in sides]}
    gc.collect()
    return {"seconds": measured(sides)}


def main() -> int:
    # Frameworks print to stdout as they like; the channel is a copy of it that only we write to.
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    sides: list[Prepared] = []
    for line in sys.stdin:
        try:
            message = answer(line, sides)
        except Exception as error:  # the other end turns it into a line under the table
            traceback.print_exc()
            message = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        channel.write(json.dumps(message) + "\n")
    return 0


if __name__ == "__main__":
    # Under this name `Spec` would exist twice, here and in the figures.
    sys.exit(importlib.import_module("benchmarks.worker").main())
