"""Docstrings are a law too. For every public function of `kbridge.ops`, its namespaces and `kbridge.random`:

- the first line ends with a full stop;
- a doctest calls the function by its name, in a module under `kbridge/`, where pytest collects it;
- every parameter is named. With two or more, there is an `Args:` part with a line for each. What
  means the same everywhere (`ORDINARY`) is explained once, in the docstring of `kbridge.ops`, and may be left out;
- unless it works element by element, it says something of shapes: a signature such as `(m, n) -> (n,)`, or in words;
- where its body, its rule or a function they call in that file raises an error, there is a `Raises:` part
  that names the class.

A docstring that names another op in backquotes (`percentile`: "`quantile` with `q` from 0 to 100") need not repeat what
that one says.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import kbridge
from kbridge import ops, random

ORDINARY = {"x", "x1", "x2", "y", "xs", "inputs", "axis", "keepdims", "dtype", "shape", "images", "data_format"}
ELEMENTWISE = {"arithmetic", "bitwise", "compare", "math", "trigonometry", "elementwise", "activate"}
OF_SHAPES = re.compile(
    r"\((\.\.\.|[a-z0-9*]+)?,? ?[^()]*\) -> |`\([^`]*\)`"
    r"|\b(axis|axes|shapes?|sizes?|scalar|flattened|rows?|columns?|vectors?|matri\w+|diagonal|elements?|trees?)\b"
)
ERRORS = ("ArgumentError", "ShapeError", "DTypeError")
NAMESPACES = (ops, ops.numpy, ops.nn, ops.linalg, ops.image, random)


def public() -> dict[str, Any]:
    """Name -> function, each once: by the name it is declared with."""
    functions = {
        id(value): value
        for space in NAMESPACES
        for name, value in vars(space).items()
        if not name.startswith("_") and callable(value)
    }
    names = {function.__name__: function for function in functions.values()}
    assert len(names) == len(functions)
    return names


PUBLIC = public()
each_op = pytest.mark.parametrize("name", sorted(PUBLIC))


def doc_of(name: str) -> str:
    return inspect.getdoc(PUBLIC[name]) or ""


def text_of(name: str) -> str:
    """The docstring without its doctest."""
    return doc_of(name).partition(">>>")[0]


def named_in(name: str) -> list[str]:
    """The ops that a docstring names in backquotes."""
    words = re.findall(r"`(\w+)`", text_of(name))
    return [word for word in words if word in PUBLIC and word not in inspect.signature(PUBLIC[name]).parameters]


def said(name: str, says: Any, seen: frozenset[str] = frozenset()) -> bool:
    """Whether the docstring, or that of an op named in it, says it."""
    if says(text_of(name)):
        return True
    return any(said(other, says, seen | {name}) for other in named_in(name) if other not in seen)


def part(text: str, title: str) -> str:
    """The lines of `Args:`, say, without their title."""
    return text.partition(f"\n{title}:\n")[2].partition("\n\n")[0]


def parameters(name: str) -> list[str]:
    return [p for p in inspect.signature(PUBLIC[name]).parameters if p not in ORDINARY]


def listed(text: str) -> set[str]:
    """The parameters that have a line in `Args:`."""
    heads = re.findall(r"^    (\*{0,2}\w+(?:, \w+)*):", part(text, "Args"), re.MULTILINE)
    return {word.lstrip("*") for head in heads for word in head.split(", ")}


# --- what a function raises, from its source ------------------------------------------------------

_TREES: dict[str, dict[str, ast.AST]] = {}


def functions_in(module: str) -> dict[str, ast.AST]:
    if module not in _TREES:
        tree = ast.parse(inspect.getsource(importlib.import_module(module)))
        defined = (ast.FunctionDef, ast.ClassDef)
        _TREES[module] = {node.name: node for node in tree.body if isinstance(node, defined)}
    return _TREES[module]


def raised_in(module: str, function: str, seen: set[str]) -> set[str]:
    """kbridge's errors that a function, its rule and their private helpers in the same file raise."""
    node = functions_in(module).get(function)
    if node is None or function in seen:
        return set()
    seen.add(function)
    errors, names = set(), set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Raise) and isinstance(inner.exc, ast.Call) and isinstance(inner.exc.func, ast.Name):
            errors.add(inner.exc.func.id)
        if isinstance(inner, ast.Name) and (inner.id.startswith("_") or inner.id.endswith("_rule")):
            names.add(inner.id)
    return errors.intersection(ERRORS).union(*(raised_in(module, other, seen) for other in names))


def raised_by(name: str) -> set[str]:
    body = inspect.unwrap(PUBLIC[name])
    return raised_in(body.__module__, body.__name__, set())


# --- the law --------------------------------------------------------------------------------------


@each_op
def test_first_line(name: str) -> None:
    first = doc_of(name).partition("\n")[0]
    assert first.endswith("."), first


@each_op
def test_doctest(name: str) -> None:
    function = inspect.unwrap(PUBLIC[name])
    example = doc_of(name)[len(text_of(name)) :]
    assert re.search(rf"(\b|@){function.__name__}\b", example), f"no doctest calls {name}."
    assert Path(inspect.getfile(function)).is_relative_to(Path(kbridge.__file__).parent)
    assert getattr(importlib.import_module(function.__module__), function.__name__) is PUBLIC[name]  # pytest finds it


@each_op
def test_parameters(name: str) -> None:
    unnamed = [p for p in parameters(name) if not said(name, lambda text, p=p: re.search(rf"\b{p}\b", text))]
    assert unnamed == []
    if len(parameters(name)) > 1:
        unlisted = [p for p in parameters(name) if not said(name, lambda text, p=p: p in listed(text))]
        if named_in(name):  # that one lists the others, and a sentence is enough for what it lacks
            unlisted = [p for p in unlisted if f"`{p}`" not in text_of(name)]
        assert unlisted == []


@each_op
def test_args_has_no_strangers(name: str) -> None:
    assert listed(text_of(name)) <= set(inspect.signature(PUBLIC[name]).parameters)


@pytest.mark.parametrize(
    "name", [n for n, f in sorted(PUBLIC.items()) if inspect.unwrap(f).__module__.rpartition(".")[2] not in ELEMENTWISE]
)
def test_shapes(name: str) -> None:
    assert said(name, OF_SHAPES.search), f"{name} says nothing of shapes."


@each_op
def test_raises(name: str) -> None:
    for error in raised_by(name):
        assert said(name, lambda text, error=error: error in part(text, "Raises")), f"{name} doesn't name {error}."


def test_what_is_ordinary_is_explained_once() -> None:
    assert [word for word in sorted(ORDINARY) if f"`{word}`" not in (ops.__doc__ or "")] == []


def test_the_law_can_fail() -> None:
    """Its helpers see what is there and what isn't."""
    assert raised_by("split") == {"ArgumentError", "ShapeError"}
    assert raised_by("add") == set()
    assert listed("Sum.\n\nArgs:\n    a, b: numbers.\n    **more: others.\n\nReturns:\n    c: no.\n") == {
        "a",
        "b",
        "more",
    }
    assert not OF_SHAPES.search("Inverse of something.")
    assert "quantile" in named_in("percentile")
