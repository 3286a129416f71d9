"""Runs the sides of a case in turns (A B C A B C ...), in processes of their own or two in one; takes medians."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
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


class Process:
    """One worker process with one side, or two. After a failure `error` is set and turns are skipped."""

    def __init__(self, backend: str, options: Options, keras_home: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker"],
            cwd=ROOT,
            env=environment(options.threads, backend, keras_home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if options.verbose else subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )

    def _ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):  # it has ended, which the empty answer tells
            self.process.stdin.write(line + "\n")
        told = self.process.stdout.readline()
        answer = json.loads(told) if told else {"error": f"ended with code {self.process.wait()}"}
        self.error = answer.get("error", "")
        return answer

    def prepare(self, specs: list[Spec]) -> None:
        """Make the sides of the next case ready."""
        self.sides = [spec.side for spec in specs]
        self.times: dict[str, list[float]] = {side: [] for side in self.sides}
        facts = self._ask(json.dumps([asdict(spec) for spec in specs])).get("facts", [{}] * len(specs))
        self.facts: dict[str, dict[str, Any]] = dict(zip(self.sides, facts, strict=True))

    def turn(self) -> None:
        """Measure each side."""
        if self.error:
            return
        answer = self._ask("")
        if not self.error:
            for side, seconds in zip(self.sides, answer["seconds"], strict=True):
                self.times[side] += seconds

    def stop(self) -> None:
        """End the process: closing its stdin does."""
        self.process.communicate()


@dataclass
class Outcome:
    """What came out of one case: the measurements of each side, none where it failed."""

    times: dict[str, list[float]]
    facts: dict[str, dict[str, Any]]
    errors: list[str]

    def __getitem__(self, side: str) -> float | None:
        """Median over the turns."""
        return median(self.times[side]) if self.times[side] else None

    def ratio(self, one: str, other: str) -> float | None:
        """Median of the ratios of measurements that stood side by side."""
        if not self.times[one] or not self.times[other]:
            return None
        return median(a / b for a, b in zip(self.times[one], self.times[other], strict=True))

    def difference(self, one: str, other: str) -> float | None:
        """Median of the differences, likewise."""
        if not self.times[one] or not self.times[other]:
            return None
        return median(a - b for a, b in zip(self.times[one], self.times[other], strict=True))


def joined(outcomes: list[Outcome]) -> Outcome:
    """The measurements of several outcomes of one case."""
    last = outcomes[-1]
    times = {side: [t for outcome in outcomes for t in outcome.times[side]] for side in last.times}
    return Outcome(times, last.facts, [error for outcome in outcomes for error in outcome.errors])


@contextmanager
def started(count: int, backend: str, options: Options) -> Iterator[list[Process]]:
    """So many worker processes, which end with the block."""
    with ExitStack() as stack:
        keras_home = stack.enter_context(tempfile.TemporaryDirectory())
        processes = [Process(backend, options, keras_home) for _ in range(count)]
        for process in processes:
            stack.callback(process.stop)
        yield processes


def take_turns(
    groups: list[list[Spec]], options: Options, processes: list[Process] | None = None, starts: int = 1
) -> Outcome:
    """Prepare the sides, each group in a process of its own, one after the other; then measure them in turns.

    `processes` are those that have run other cases of the same backend, for figures with many. Without, the whole is
    done `starts` times in new ones: where a process finds its memory decides a tenth of what moving much of it takes.
    """
    if processes is None:
        outcomes = []
        for _ in range(starts):
            with started(len(groups), groups[0][0].backend, options) as fresh:
                outcomes.append(take_turns(groups, options, fresh))
        return joined(outcomes)
    for process, specs in zip(processes, groups, strict=True):
        process.prepare(specs)
    for _ in range(options.rounds):
        for process in processes:
            process.turn()
    where = " ".join(filter(None, [groups[0][0].backend, groups[0][0].case]))
    return Outcome(
        times={side: [] if p.error else times for p in processes for side, times in p.times.items()},
        facts={side: facts for p in processes for side, facts in p.facts.items()},
        errors=[f"{' and '.join(p.sides)} ({where}): {p.error}" for p in processes if p.error],
    )


def side_by_side(
    figure: str,
    backend: str,
    case: str,
    options: Options,
    variants: Sequence[str] = (),
    keras_beside: str = "",
    processes: list[Process] | None = None,
    starts: int = 1,
) -> Outcome:
    """`take_turns` for native and kbridge in one process; Keras, which has one backend per process, in another.

    `variants` are further ways to write native code. `keras_beside` names the side that shares Keras's process, for
    figures that subtract.
    """
    keras = ["keras", keras_beside] if keras_beside else ["keras"]
    groups = [
        [Spec(figure, side, backend, case, options.quick, len(sides) > 1) for side in sides]
        for sides in (["native", *variants, "kbridge"], keras)
    ]
    return take_turns(groups, options, processes, starts)
