"""`python -m benchmarks [names] [--quick] [--json FILE] [--write-readme]`."""

import argparse
import importlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from benchmarks.machine import describe, sentence
from benchmarks.table import Figure
from benchmarks.turns import ROOT, Options

FIGURES = ("import_time", "eager_call", "fit_step", "channels_last", "torch_module")
OPS = ("op_dispatch", "op_heavy", "portable_random")  # by name only: many cases, each with its own processes
README = ROOT / "README.md"
START, END = "<!-- bench:start -->", "<!-- bench:end -->"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"{', '.join(FIGURES)} (the default); {', '.join(OPS)}"
    )
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it runs")
    parser.add_argument("--threads", type=int, default=1, help="compute threads of each side (1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    parser.add_argument("--write-readme", action="store_true", help="replace the README's figures")
    parser.add_argument("--verbose", action="store_true", help="show what the workers say")
    given = parser.parse_args()
    if unknown := set(given.names) - {*FIGURES, *OPS}:
        parser.error(f"no figure {', '.join(sorted(unknown))}; there are {', '.join((*FIGURES, *OPS))}")
    if given.write_readme and (given.quick or given.names):
        parser.error("--write-readme needs a whole run: no names, no --quick")
    return given


def write_atomically(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def readme_with(figures: list[Figure], machine: dict[str, object]) -> str:
    """The README with the block between its two markers replaced."""
    text = README.read_text(encoding="utf-8")
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise SystemExit(f"{README.name} has no block from {START} to {END} to replace.")
    source = f"From `make bench` on {sentence(machine)}. Medians of runs that take turns."
    body = "\n\n".join([source, *(figure.in_markdown() for figure in figures)])
    return f"{before}{START}\n{body}\n{END}{after}"


def main() -> int:
    given = arguments()
    options = Options(quick=given.quick, threads=given.threads, verbose=given.verbose)
    machine = describe(options.threads)
    console = Console()
    if not console.is_terminal:
        console.width = 120  # a log has room
    console.print(sentence(machine), highlight=False)
    figures = []
    for name in given.names or FIGURES:
        figures.append(importlib.import_module(f"benchmarks.{name}").figure(options))
        console.print(figures[-1].on_terminal())
        for note in figures[-1].notes:
            console.print(note, highlight=False, markup=False)
    if given.json:
        report = {"machine": machine, "options": asdict(options)}
        report["figures"] = [asdict(figure) for figure in figures]
        write_atomically(given.json, json.dumps(report, indent=1))
    failed = any(None in row.seconds for figure in figures for row in figure.rows)
    if failed:
        console.print("Some sides failed; see the lines under their tables.")
    elif given.write_readme:
        write_atomically(README, readme_with(figures, machine))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
