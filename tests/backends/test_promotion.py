"""The law of promotion: the type of a result, on each backend, is the one that the symbolic rule promises.

One op for each family of rules, all pairs of types. A test makes all its calls itself: a test for each pair would
spend its time on being a test.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from kbridge.core.context import load_backend, running
from kbridge.core.errors import KBridgeError
from kbridge.core.ops import bitwise, elementwise, reduce
from kbridge.core.tensor.dtypes import ALL, OTHER, is_float
from kbridge.core.tensor.symbolic import KerasTensor

DTYPES = sorted(name for name in ALL - set(OTHER) if "float8" not in name)
# JAX has 64-bit types only with jax_enable_x64, which is off unless the user asks for it: it narrows what it is given.
NARROWED = {
    "jax": {
        "int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64",
    }
}  # fmt: skip
ONE = {
    "exp": elementwise.exp, "square": elementwise.square, "absolute": elementwise.absolute, "sum": reduce.sum,
    "mean": reduce.mean, "bitwise_not": bitwise.bitwise_not,
}  # fmt: skip
TWO = {
    "add": elementwise.add, "divide": elementwise.divide, "equal": elementwise.equal, "power": elementwise.power,
    "maximum": elementwise.maximum, "bitwise_and": bitwise.bitwise_and,
    "where": lambda x, y: elementwise.where(True, x, y),
}  # fmt: skip
BITS = (bitwise.bitwise_not, bitwise.bitwise_and)  # of floats they promise shapes, and refuse numbers (rows of BAD)
BESIDE_NUMBERS = ("add", "divide", "power", "where")
NUMBERS = (2, 2.0)


def promised(op: Any, *values: Any) -> str | None:
    """The type that the rule says; None where it refuses."""
    try:
        return str(op(*(KerasTensor((1,), v) if isinstance(v, str) else v for v in values)).dtype)
    except (KBridgeError, ValueError):
        return None


def assert_kept(backend: str, op: Any, cases: Any) -> None:
    """Each case is a tuple of type names and Python numbers."""
    framework = load_backend(backend)
    narrowed = NARROWED.get(backend, {})
    held = {name: narrowed.get(name, name) for name in DTYPES}
    with running(framework):
        tensors = {name: framework.cast(framework.convert(np.ones(1, "float32")), name) for name in DTYPES}
    wrong = []
    for case in cases:
        kinds = tuple(held.get(v, v) if isinstance(v, str) else v for v in case)
        promise = promised(op, *kinds)
        if promise is None or (op in BITS and is_float(promise)):
            continue
        with running(framework):
            got = framework.dtype_of(op(*(tensors[v] if isinstance(v, str) else v for v in case)))
        if got != held[promise]:
            wrong.append((*case, got, promise))
    assert wrong == []


@pytest.mark.parametrize("name", ONE)
def test_one_input(name: str, backend: str) -> None:
    assert_kept(backend, ONE[name], [(dtype,) for dtype in DTYPES])


@pytest.mark.parametrize("name", TWO)
def test_pairs(name: str, backend: str) -> None:
    assert_kept(backend, TWO[name], itertools.product(DTYPES, DTYPES))


@pytest.mark.parametrize("name", BESIDE_NUMBERS)
def test_beside_numbers(name: str, backend: str) -> None:
    cases = [(dtype, number) for dtype in DTYPES for number in NUMBERS]
    assert_kept(backend, TWO[name], cases + [(b, a) for a, b in cases])


def test_what_the_lattice_says() -> None:
    """Some joins by hand, from https://docs.jax.dev/en/latest/type_promotion.html: above, we are compared with us."""
    for first, second, joined in (
        ("int8", "uint8", "int16"), ("int32", "int64", "int64"), ("int64", "float16", "float16"),
        ("bfloat16", "float16", "float32"), ("bool", "uint8", "uint8"), ("float32", "complex64", "complex64"),
        ("float64", "complex64", "complex128"), ("uint64", "int8", "float32"), ("int32", 2.0, "float32"),
        ("float16", 2.0, "float16"), ("uint8", 2, "uint8"), ("bool", 2, "int32"),
    ):  # fmt: skip
        assert promised(elementwise.add, first, second) == joined
    assert promised(elementwise.maximum, "complex64", "int8") is None
    assert promised(bitwise.bitwise_and, "complex64", "int8") is None
