"""The worker process: prepares one side of one figure, then measures once per line it is sent.

Started by `turns.py`. Talks JSON lines: {"facts": ...} when ready, {"seconds": ...} per turn; or
{"error": ...}.
"""

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Spec:
    """What a worker is to prepare."""

    figure: str
    side: str  # "native", "keras", "kbridge", or a variant of native that the figure knows
    backend: str
    case: str = ""
    quick: bool = False


@dataclass
class Prepared:
    """A side that is ready: `measure()` gives seconds; facts are what else is worth knowing."""

    measure: Callable[[], float]
    facts: dict[str, Any] = field(default_factory=dict)


def per_call(call: Callable[[], Any], quick: bool) -> Callable[[], float]:
    """Warm `call` up and return what measures its mean time over a count that takes about 0.2 s."""
    for _ in range(3):  # whatever is compiled or cached is so after these
        call()
    count, until = 0, time.perf_counter() + (0.05 if quick else 0.2)
    while count < 3 or time.perf_counter() < until:
        call()
        count += 1

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(count):
            call()
        return (time.perf_counter() - start) / count

    return measure


def serve(spec: Spec, say: Callable[[dict[str, Any]], None]) -> None:
    """Prepare, report the facts, then one measurement for each line on stdin."""
    prepared = importlib.import_module(f"benchmarks.{spec.figure}").prepare(spec)
    say({"facts": prepared.facts})
    for _ in sys.stdin:
        gc.collect()
        say({"seconds": prepared.measure()})


def main() -> int:
    # Frameworks print to stdout as they like; the channel is a copy of it that only we write to.
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def say(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message) + "\n")

    try:
        serve(Spec(**json.loads(sys.argv[1])), say)
    except Exception as error:  # the other end turns it into a line under the table
        say({"error": f"{type(error).__name__}: {error}".splitlines()[0]})
        raise
    return 0


if __name__ == "__main__":
    # Under this name `Spec` would exist twice, here and in the figures.
    sys.exit(importlib.import_module("benchmarks.worker").main())
