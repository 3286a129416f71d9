"""Prints the lines of Python per folder, their change since HEAD, and the longest functions."""

import ast
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("kbridge", "tests", "benchmarks", "examples", "tools")


def git(*arguments: str) -> str:
    """What git prints, empty when it fails (no commit yet, no repository)."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


def python_files() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def lines_now() -> Counter[str]:
    counts: Counter[str] = Counter()
    for path in python_files():
        counts[str(path.parent.relative_to(ROOT))] += len(path.read_text().splitlines())
    return counts


def lines_at_head() -> Counter[str]:
    """Lines per folder in HEAD: git counts them as lines added to the empty tree."""
    empty_tree = git("hash-object", "-t", "tree", "/dev/null").strip()
    counts: Counter[str] = Counter()
    for row in git("diff", "--numstat", "--no-renames", empty_tree, "HEAD").splitlines():
        added, _, name = row.split("\t")
        if name.endswith(".py") and name.split("/")[0] in ROOMS:
            counts[str(Path(name).parent)] += int(added)
    return counts


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end without the docstring."""
    first = function.body[0]
    documented = ast.get_docstring(function, clean=False) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def functions() -> Iterator[tuple[int, str]]:
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield code_lines(node), f"{node.name} ({path.relative_to(ROOT)}:{node.lineno})"


NO_OPS = {"__init__", "declare", "rules", "outermost", "operators", "variables", "step", "optimizers"}


def written_lines(path: Path) -> int:
    """Lines of a file that aren't blank and belong to no docstring."""
    text = path.read_text()
    said: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node, clean=False):
            said.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return sum(1 for number, line in enumerate(text.splitlines(), 1) if line.strip() and number not in said)


def lines_per_op() -> str:
    """Declarations and kernels of all four backends, by the number of public ops."""
    folders = [ROOT / "kbridge/core/ops", *sorted((ROOT / "kbridge/backends").glob("*/"))]
    lines = sum(written_lines(p) for folder in folders for p in folder.glob("*.py") if p.stem not in NO_OPS)
    facades = (ROOT / "kbridge/ops/__init__.py", ROOT / "kbridge/random.py")
    names = {
        alias.asname
        for facade in facades
        for node in ast.parse(facade.read_text()).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if not (alias.asname or "_").startswith("_")
    }
    return f"{lines / len(names):.1f} lines per op: {lines} for {len(names)}, docstrings apart"


def main() -> None:
    now, before = lines_now(), lines_at_head()
    for folder in sorted(now | before):
        print(f"{folder:34} {now[folder]:6} ({now[folder] - before[folder]:+})")
    print(f"{'all':34} {now.total():6} ({now.total() - before.total():+})")
    for lines, name in sorted(functions(), reverse=True)[:3]:
        print(f"longest function: {lines:4} {name}")
    print(lines_per_op())


if __name__ == "__main__":
    main()
