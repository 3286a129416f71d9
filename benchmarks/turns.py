"""Runs the sides of a case in turns (A B C A B C ...), each in its own process; takes medians."""

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import environment
from benchmarks.worker import Spec

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Options:
    """How a run measures."""

    quick: bool = False
    threads: int = 1
    verbose: bool = False

    @property
    def rounds(self) -> int:
        return 3 if self.quick else 9


class Side:
    """One worker process. After a failure `error` is set and turns are skipped."""

    def __init__(self, spec: Spec, options: Options, keras_home: str) -> None:
        self.times: list[float] = []
        self.error = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", json.dumps(asdict(spec))],
            cwd=ROOT,
            env=environment(options.threads, spec.backend, keras_home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if options.verbose else subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        self.facts: dict[str, Any] = self._answer().get("facts", {})

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"ended with code {self.process.wait()}"}
        self.error = answer.get("error", "")
        return answer

    def turn(self) -> None:
        """One measurement."""
        if self.error:
            return
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        answer = self._answer()
        if not self.error:
            self.times.append(answer["seconds"])

    def seconds(self) -> float | None:
        """Median over the turns, None if the side failed."""
        return None if self.error else median(self.times)

    def stop(self) -> None:
        """End the process: closing its stdin does."""
        self.process.communicate()


@dataclass
class Outcome:
    """What came out of one case."""

    seconds: dict[str, float | None]
    facts: dict[str, dict[str, Any]]
    errors: list[str]

    def __getitem__(self, side: str) -> float | None:
        return self.seconds[side]


def take_turns(specs: list[Spec], options: Options) -> Outcome:
    """Prepare the sides one after the other, then measure them in turns."""
    with ExitStack() as stack:
        keras_home = stack.enter_context(tempfile.TemporaryDirectory())
        sides = {}
        for spec in specs:
            sides[spec.side] = Side(spec, options, keras_home)
            stack.callback(sides[spec.side].stop)
        for _ in range(options.rounds):
            for side in sides.values():
                side.turn()
    where = " ".join(filter(None, [specs[0].backend, specs[0].case]))
    return Outcome(
        seconds={name: side.seconds() for name, side in sides.items()},
        facts={name: side.facts for name, side in sides.items()},
        errors=[f"{name} ({where}): {side.error}" for name, side in sides.items() if side.error],
    )


def three_sides(figure: str, backend: str, case: str, options: Options, *more: str) -> Outcome:
    """`take_turns` for native, Keras and kbridge, and any further variant of native."""
    sides = ["native", *more, "keras", "kbridge"]
    return take_turns([Spec(figure, side, backend, case, options.quick) for side in sides], options)
