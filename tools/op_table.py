"""Writes docs/ops.md: every public op, from its declaration, its rows in the tests, and the installed Keras.

`--check` writes nothing and ends with 1 if the page is out of date.
"""

import ast
import inspect
import sys
from pathlib import Path
from typing import Any

import keras

import kbridge
from kbridge.core.context import load_backend
from kbridge.core.ops.storage import RULES
from tests.backends.tables import ROWS
from tests.backends.test_gradients import CASES

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "ops.md"
BACKENDS = ("numpy", "jax", "torch", "tensorflow")
INTRODUCTION = """# Ops

Every function of `kbridge.ops` and its namespaces, by theme. One declaration each; the body is a formula of other
ops, or it calls kernels, one per backend. All of them run on NumPy, JAX, PyTorch and TensorFlow, eagerly,
traced, and on symbolic tensors. *Gradient*: a test compares it with finite differences on the three frameworks that
have gradients. *Sparse*: a sparse tensor (TensorFlow's SparseTensor and IndexedSlices, JAX's BCOO, torch's COO) goes
through as such; other ops make it dense, and warn.
This page is generated: `make docs`.
"""


def public_ops() -> dict[str, Any]:
    """Name -> function, namespaces opened: `image.resize`."""
    found = {}
    for prefix, module, theirs in (("", kbridge.ops, keras.ops), ("image.", kbridge.ops.image, keras.ops.image)):
        for name, function in sorted(vars(module).items()):
            if not name.startswith("_") and inspect.isfunction(function):
                found[prefix + name] = function, hasattr(theirs, name)
    return found


def kernels_of(function: Any) -> list[str]:
    """The kernels that a declaration calls itself."""
    body = inspect.unwrap(function)
    tree = ast.parse(inspect.getsource(inspect.getmodule(body) or kbridge))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == body.__name__:
            for part in ast.walk(node):
                if isinstance(part, ast.Attribute) and getattr(part.value, "id", "") == "kernel":
                    names.add(part.attr)
    return sorted(names)


def rows_of(name: str) -> list[Any]:
    return [row for row in ROWS if row.name.partition("-")[0] == name.rpartition(".")[2]]


def page() -> str:
    """The whole page."""
    themes: dict[str, list[str]] = {}
    for name, (function, in_keras) in public_ops().items():
        kernels = kernels_of(function)
        lacking = [b for b in BACKENDS for k in kernels if not hasattr(load_backend(b), k)]
        if lacking:
            raise SystemExit(f"{name}: {lacking[0]} lacks one of the kernels {kernels}.")
        proven = name in CASES or any(row.gradient for row in rows_of(name))
        gradient = "yes" if proven else ""
        sparse = "yes" if name in RULES else ""
        first = (inspect.getdoc(function) or "").partition("\n")[0].replace("|", "\\|")
        theme = inspect.getmodule(inspect.unwrap(function)).__name__.rpartition(".")[2]
        how = ", ".join(kernels) if kernels else "formula"
        themes.setdefault(theme, []).append(
            f"| `{name}` | {first} | {how} | {gradient} | {sparse} | {'' if in_keras else 'yes'} |"
        )
    parts = [INTRODUCTION]
    for theme, lines in sorted(themes.items()):
        head = "| op | what | kernels | gradient | sparse | beyond Keras |\n|---|---|---|---|---|---|"
        parts.append(f"## {theme}\n\n{head}\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def main() -> int:
    text = page()
    if "--check" in sys.argv:
        stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text
        print("docs/ops.md is out of date: run `make docs`." if stale else "docs/ops.md is up to date.")
        return int(stale)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {text.count(chr(10) + '| `')} ops")
    return 0


if __name__ == "__main__":
    sys.exit(main())
