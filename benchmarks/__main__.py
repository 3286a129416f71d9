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
OPS = ("op_dispatch", "op_heavy", "portable_random")  # by name only: many cases
README = ROOT / "README.md"
# What the README holds between two markers each, and the command that writes it there.
BLOCKS = {"bench": (FIGURES, "make bench"), "ops": (OPS, f'make bench ARGS="{" ".join(OPS)}"')}


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
    if given.write_readme and (given.quick or tuple(given.names) not in ((), OPS)):
        parser.error(f"--write-readme needs a whole run, not --quick: no names, or {' '.join(OPS)}")
    return given


def write_atomically(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def readme_with(block: str, figures: list[Figure], machine: dict[str, object]) -> str:
    """The README with a block between its two markers replaced."""
    start, end = f"<!-- {block}:start -->", f"<!-- {block}:end -->"
    text = README.read_text(encoding="utf-8")
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{README.name} has no block from {start} to {end} to replace.")
    source = f"From `{BLOCKS[block][1]}` on {sentence(machine)}. Medians of runs that take turns."
    body = "\n\n".join([source, *(figure.in_markdown() for figure in figures)])
    return f"{before}{start}\n{body}\n{end}{after}"


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
        write_atomically(README, readme_with("ops" if given.names else "bench", figures, machine))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
