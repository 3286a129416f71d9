"""The law of promotion: the type of a result, on each backend, is the one that the symbolic rule promises.

What a rule says is held against sources from outside (JAX's lattice, the installed Keras) and, for each family of ops,
against one line of this file; what backends give is held against the rule. What a rule refuses, every backend refuses,
with the same class of error. A test makes all its calls itself: a test for each pair of types would spend its time on
being a test.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import ml_dtypes
import numpy as np
import pytest

from kbridge import ops
from kbridge.core.context import backend_scope, load_backend, running
from kbridge.core.errors import DTypeError
from kbridge.core.tensor.dtypes import ALL, COMPLEX, FLOAT, OTHER, SIGNED, UNSIGNED, result_type
from kbridge.core.tensor.symbolic import KerasTensor

EIGHT = ("float8_e4m3fn", "float8_e5m2")
NAMES = sorted(ALL - set(OTHER))
DTYPES = [name for name in NAMES if name not in EIGHT]
FRACTIONS = set(FLOAT + COMPLEX)
# JAX has 64-bit types only with jax_enable_x64, which is off unless the user asks for it: it narrows what it is given.
NARROWED = {
    "jax": {
        "int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64",
    }
}  # fmt: skip

# --- the table, from outside ----------------------------------------------------------------------


def by_jax(first: Any, second: Any) -> str | None:
    """JAX's answer with 64-bit types switched on."""
    with jax.enable_x64(True):
        try:
            return str(jnp.result_type(*(x(1) if isinstance(x, type) else jnp.dtype(x) for x in (first, second))))
        except ValueError:  # TypePromotionError: no implicit promotion
            return None


def jax_differs(first: Any, second: Any, theirs: str | None) -> str | None:
    """What we say where JAX says `theirs`."""
    kinds = {first, second}
    if kinds in [{"uint32", signed} for signed in ("int8", "int16", "int32")]:
        return "int32"  # nothing narrower than int64 holds both: 64 bits come out only where 64 went in
    if not kinds & FRACTIONS and theirs == "float64":
        return "float32"  # whole numbers without a common type, and Python's float beside them: the default float type
    if kinds == {"bool", int}:
        return "int32"
    return theirs


def test_table_is_that_of_jax() -> None:
    wrong = []
    for first, second in itertools.product([*NAMES, bool, int, float], NAMES):
        for pair in ((first, second), (second, first)):
            try:
                got = result_type(*pair)
            except DTypeError:
                got = None
            if got != jax_differs(*pair, by_jax(*pair)):
                wrong.append((*pair, got, by_jax(*pair)))
    assert wrong == []


def keras_differs(first: Any, second: Any, theirs: str) -> str:
    """What we say where Keras says `theirs`."""
    kinds = {first, second}
    if kinds in [{"uint32", signed} for signed in ("int8", "int16", "int32")]:
        return "int32"  # Keras says int64, and gives int32 on NumPy and JAX
    if theirs == "uint32" and "uint64" in kinds:
        return "uint64"  # Keras narrows it where it runs on no backend with 64 bits
    return "complex128" if theirs == "complex64" and ("complex128" in kinds or "float64" in kinds) else theirs


def test_table_is_that_of_keras() -> None:
    wrong = []
    for first, second in itertools.product([*DTYPES, bool, int, float], repeat=2):
        theirs = keras.backend.result_type(first, second)
        if result_type(first, second) != keras_differs(first, second, theirs):
            wrong.append((first, second, result_type(first, second), theirs))
    assert wrong == []


# --- families: what becomes of each type ----------------------------------------------------------


def same(dtype: str) -> str:
    return dtype


def floating(dtype: str) -> str:
    return dtype if dtype in FRACTIONS else "float32"


def parts(dtype: str) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(floating(dtype), floating(dtype))


def summed(dtype: str) -> str:
    """Small whole numbers add up in 32 bits, as in JAX."""
    return {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}.get(dtype, dtype)


def counted(dtype: str) -> str:
    return "int32" if dtype == "bool" else dtype


def truth(dtype: str) -> str:
    return "bool"


def number(dtype: str) -> str:
    return "int32"


NO_ORDER, NO_SIGN, NO_FRACTIONS = set(COMPLEX), {"bool"}, FRACTIONS
PLACE, BACKWARDS = [[0, 0], [1, 1]], (..., slice(None, None, -1))
# law -> the types refused, and the ops: by name, or by name and call
ONE: list[tuple[Callable[[str], str], set[str], Any]] = [
    (floating, set(), ["exp", "sqrt", "log1p", "sin", "tanh", "arctan", "sigmoid", "silu", "mean", "nanmean", "inv"]),
    (floating, NO_ORDER, ["erf", "floor", "cbrt", "relu6", "elu", "gelu", "softplus", "softmax", "log_softmax", "fabs",
                          "sparsemax", "median", "logsumexp", "logcumsumexp", "normalize"]),
    (floating, NO_ORDER, {"quantile": lambda x: ops.quantile(x, 0.5), "one-sided clip": lambda x: ops.hard_tanh(x)}),
    (parts, set(), ["std", "var", "nanstd", "nanvar", "logdet", "svdvals", "norm"]),
    (same, set(), ["positive", "conj", "nan_to_num", "stop_gradient", "copy", "transpose", "ravel", "tril", "triu",
                   "diagonal", "zeros_like", "flip", "fliplr", "rot90"]),
    (same, set(), {
        "reshape": lambda x: ops.reshape(x, (-1,)), "pad": lambda x: ops.pad(x, 1), "tile": lambda x: ops.tile(x, 2),
        "roll": lambda x: ops.roll(x, 1), "repeat": lambda x: ops.repeat(x, 2),
        "get_item": lambda x: ops.get_item(x, BACKWARDS),
        "expand_dims": lambda x: ops.expand_dims(x, 0), "broadcast_to": lambda x: ops.broadcast_to(x, (3, 2, 2)),
        "take": lambda x: ops.take(x, [1, 0], 0), "take_along_axis": lambda x: ops.take_along_axis(x, PLACE, 1),
        "split": lambda x: ops.split(x, 2)[0], "slice": lambda x: ops.slice(x, (0, 1), (2, 1)),
        "masked": lambda x: ops.get_item(x, np.eye(2, dtype=bool)), "stack": lambda x: ops.stack([x, x]),
        "concatenate": lambda x: ops.concatenate([x, x]),
    }),
    (same, NO_SIGN, ["negative", "sign"]),
    (same, NO_SIGN | NO_ORDER, ["relu", "ptp"]),
    (same, NO_ORDER, ["trunc", "round", "max", "amin", "nanmax", "sort", "unique"]),
    (same, NO_ORDER, {"partition": lambda x: ops.partition(x, 1), "top_k": lambda x: ops.top_k(x, 1)[0]}),
    (summed, set(), ["sum", "prod", "nansum", "nanprod", "trace"]),
    (summed, set(), {"cumulative_sum": lambda x: ops.cumulative_sum(x, axis=0)}),
    (counted, set(), ["square", "cumsum", "cumprod", "nancumsum"]),
    (counted, NO_ORDER, {"clip": lambda x: ops.clip(x, 0, 1)}),
    (truth, set(), ["isnan", "isfinite", "isreal", "logical_not", "any", "all"]),
    (truth, NO_ORDER, ["signbit", "isposinf"]),
    (number, set(), ["count_nonzero", "argwhere"]),
    (number, NO_ORDER, ["argmax", "argmin", "nanargmax", "argsort", "argpartition"]),
    (number, NO_ORDER, {"digitize": lambda x: ops.digitize(x, x[0])}),
]  # fmt: skip
ONE_CASES = [
    pytest.param(law, refused, call, id=name)
    for law, refused, calls in ONE
    for name, call in (calls.items() if isinstance(calls, dict) else [(name, getattr(ops, name)) for name in calls])
    if name != "argpartition"
]


def first_of(result: Any) -> Any:
    return result[0] if isinstance(result, (tuple, list)) else result


def promised(op: Any, *values: Any) -> str | None:
    """The type that the rule says; None where it refuses."""
    try:
        return str(first_of(op(*(KerasTensor((2, 2), v) if isinstance(v, str) else v for v in values))).dtype)
    except DTypeError:
        return None


def given(framework: Any, op: Any, *values: Any) -> str | None:
    """The type that comes out on a backend; None where the op refuses."""
    with backend_scope(framework.name):
        try:
            return str(framework.dtype_of(first_of(op(*values))))
        except DTypeError:
            return None


def identities(framework: Any) -> dict[str, Any]:
    """The identity matrix, which all ops know an answer for, in each type."""
    with running(framework):
        return {name: framework.cast(framework.convert(np.eye(2, dtype="float32")), name) for name in DTYPES}


def assert_kept(backend: str, op: Any, cases: Iterable[Any], shapes_pass: bool = False) -> None:
    """Each case is a tuple of type names and Python numbers. `shapes_pass`: numbers alone may be refused."""
    framework = load_backend(backend)
    narrowed = NARROWED.get(backend, {})
    tensors = identities(framework)
    wrong = []
    for case in cases:
        promise = promised(op, *(narrowed.get(v, v) if isinstance(v, str) else v for v in case))
        got = given(framework, op, *(tensors[v] if isinstance(v, str) else v for v in case))
        if got != narrowed.get(promise, promise) and not (shapes_pass and got is None):
            wrong.append((*case, got, promise))
    assert wrong == []


@pytest.mark.parametrize(("law", "refused", "op"), ONE_CASES)
def test_family(law: Any, refused: Any, op: Any) -> None:
    assert {d: promised(op, d) for d in DTYPES} == {d: None if d in refused else law(d) for d in DTYPES}


@pytest.mark.parametrize(("law", "refused", "op"), ONE_CASES)
def test_family_on_backends(law: Any, refused: Any, op: Any, backend: str) -> None:
    assert_kept(backend, op, [(dtype,) for dtype in DTYPES])


# --- pairs ----------------------------------------------------------------------------------------


def joined(law: Callable[[str], str]) -> Callable[[str, str], str]:
    return lambda first, second: law(result_type(first, second))


def first_type(first: str, second: str) -> str:
    return first


NOTHING: set[str] = set()
TWO: dict[str, tuple[Callable[[str, str], str], set[str]]] = {
    "add": (joined(same), NOTHING), "multiply": (joined(same), NOTHING), "subtract": (joined(same), NO_SIGN),
    "divide": (joined(floating), NOTHING), "power": (joined(counted), NOTHING),
    "maximum": (joined(same), NO_ORDER), "fmin": (joined(same), NO_ORDER), "arctan2": (joined(floating), NO_ORDER),
    "equal": (joined(truth), NOTHING), "less": (joined(truth), NO_ORDER), "logical_or": (joined(truth), NOTHING),
    "outer": (joined(same), NOTHING), "append": (joined(same), NOTHING), "isin": (joined(truth), NO_ORDER),
    "searchsorted": (joined(number), NO_ORDER), "cdist": (joined(floating), NO_ORDER), "where": (joined(same), NOTHING),
    "isclose": (joined(truth), NOTHING), "cov": (joined(floating), NO_ORDER),
}  # fmt: skip
# Those that the frameworks' own kernels are behind meet all pairs; formulas of these meet one type of each kind.
KERNELS = ("add", "subtract", "divide", "power", "maximum", "less", "where", "matmul")
KINDS = ("bool", "uint8", "int32", "uint32", "bfloat16", "float64", "complex64")


def pairs_for(name: str) -> Any:
    return itertools.product(DTYPES if name in KERNELS else KINDS, repeat=2)


CALLS = {
    "where": lambda x, y: ops.where(True, x, y),
    "searchsorted": lambda x, y: ops.searchsorted(x[0], y),
}
BESIDE_NUMBERS = ("add", "subtract", "divide", "power", "maximum", "less", "where")
NUMBERS = (True, 2, 2.0)


def call_of(name: str) -> Any:
    return CALLS.get(name) or getattr(ops, name)


@pytest.mark.parametrize("name", TWO)
def test_pairs(name: str) -> None:
    law, refused = TWO[name]
    for first, second in itertools.product(DTYPES, DTYPES):
        want = None if result_type(first, second) in refused else law(first, second)
        assert promised(call_of(name), first, second) == want, (first, second)


@pytest.mark.parametrize("name", TWO)
def test_pairs_on_backends(name: str, backend: str) -> None:
    assert_kept(backend, call_of(name), pairs_for(name))


def test_products_of_bytes() -> None:
    """Two matrices of bytes with a sign give 32 bits, as in Keras; all others their common type."""
    for first, second in itertools.product(DTYPES, DTYPES):
        want = "int32" if first == second == "int8" else result_type(first, second)
        assert promised(ops.matmul, first, second) == want, (first, second)


@pytest.mark.parametrize("name", ["matmul", "tensordot", "dot", "einsum"])
def test_products_on_backends(name: str, backend: str) -> None:
    op = (lambda x, y: ops.einsum("ij,jk", x, y)) if name == "einsum" else getattr(ops, name)
    assert_kept(backend, op, pairs_for(name))


@pytest.mark.parametrize("name", ["bitwise_and", "bitwise_left_shift"])
def test_bits_are_those_of_whole_numbers(name: str, backend: str) -> None:
    """Floats pass as shapes, as in Keras, whose Input has a float type by default; numbers are refused."""
    op = getattr(ops, name)
    assert_kept(backend, op, pairs_for(name), shapes_pass=True)
    framework = load_backend(backend)
    tensors = identities(framework)
    for dtype in DTYPES:
        assert (given(framework, op, tensors[dtype], tensors[dtype]) is None) == (dtype in NO_FRACTIONS)


@pytest.mark.parametrize("name", ["take", "take_along_axis"])
def test_indices_are_whole_numbers(name: str, backend: str) -> None:
    framework = load_backend(backend)
    tensors = identities(framework)
    for dtype in DTYPES:
        got = given(framework, lambda x: getattr(ops, name)(tensors["float16"], x, 0), tensors[dtype])
        assert got == ("float16" if dtype in SIGNED + UNSIGNED else None), dtype


@pytest.mark.parametrize("name", BESIDE_NUMBERS)
def test_beside_numbers(name: str, backend: str) -> None:
    cases = [(dtype, number) for dtype in (*KINDS, "float16", "int8") for number in NUMBERS]
    assert_kept(backend, call_of(name), cases + [(b, a) for a, b in cases])


# --- casts ----------------------------------------------------------------------------------------

MANY = np.array([0.0, 1.0, 2.0, 3.5, 100.0, 112.0])


# NumPy's, JAX's and torch's warning, which is to the point
ONE_PART = pytest.mark.filterwarnings("ignore:Casting complex values to real discards")


@ONE_PART
@pytest.mark.parametrize("eight", EIGHT)
def test_float8_is_cast_to_and_from(eight: str, backend: str) -> None:
    """The types of 8 bits are for keeping: they can be made of all others, moved about, and be made all others."""
    narrowed = NARROWED.get(backend, {})
    for dtype in DTYPES:
        values = ops.cast(ops.convert_to_tensor(MANY), dtype)
        kept = ops.transpose(ops.reshape(ops.cast(values, eight), (2, 3)))
        assert ops.dtype(kept) == eight
        want = ops.convert_to_numpy(values).astype(getattr(ml_dtypes, eight)).reshape(2, 3).T
        np.testing.assert_array_equal(ops.convert_to_numpy(kept).astype("float32"), want.astype("float32"))
        back = ops.convert_to_numpy(ops.cast(kept, dtype))
        assert back.dtype == narrowed.get(dtype, dtype)
        np.testing.assert_array_equal(back, want.astype(back.dtype))


@ONE_PART
def test_every_cast(backend: str) -> None:
    framework = load_backend(backend)
    narrowed = NARROWED.get(backend, {})
    tensors = identities(framework)
    for first, second in itertools.product(DTYPES, DTYPES):
        result = ops.cast(tensors[first], second)
        assert framework.dtype_of(result) == narrowed.get(second, second)
        np.testing.assert_array_equal(ops.convert_to_numpy(result).astype("complex64"), np.eye(2))


# --- whole numbers without a sign, beyond 2**63 ---------------------------------------------------

BIG = np.array([2**63 + 9, 3, 2**64 - 1, 2**63 - 1, 2**63, 0, 77], "uint64")
OTHER_BIG = np.array([2**63 + 7, 2**63 + 1, 5, 2**62, 3, 2**64 - 2, 11], "uint64")
OF_BIG: dict[str, tuple[Any, Any]] = {
    "maximum": (ops.maximum, np.maximum), "minimum": (ops.minimum, np.minimum), "less": (ops.less, np.less),
    "greater_equal": (ops.greater_equal, np.greater_equal), "equal": (ops.equal, np.equal), "add": (ops.add, np.add),
    "subtract": (ops.subtract, np.subtract), "multiply": (ops.multiply, np.multiply),
    "floor_divide": (ops.floor_divide, np.floor_divide), "mod": (ops.mod, np.mod), "fmod": (ops.fmod, np.fmod),
    "gcd": (ops.gcd, np.gcd), "gcd of itself": (lambda x, y: ops.gcd(x, x), lambda x, y: np.gcd(x, x)),
    "gcd by turns": (lambda x, y: ops.gcd(x[:, None], y), lambda x, y: np.gcd(x[:, None], y)),
    "lcm": (ops.lcm, np.lcm), "power": (ops.power, np.power),
    "divide": (ops.divide, lambda x, y: np.divide(x, y).astype("float32")),
    "bitwise_xor": (ops.bitwise_xor, np.bitwise_xor),
    "right_shift": (lambda x, y: ops.right_shift(x, ops.mod(y, 64)), lambda x, y: np.right_shift(x, y % 64)),
    "beside a number": (lambda x, y: ops.less(x, 2**63 + 1), lambda x, y: np.less(x, 2**63 + 1)),
    "sort": (lambda x, y: ops.sort(x), lambda x, y: np.sort(x)),
    "argsort": (lambda x, y: ops.argsort(x), lambda x, y: np.argsort(x).astype("int32")),
    "argmax": (lambda x, y: ops.argmax(x), lambda x, y: np.argmax(x).astype("int32")),
    "argmin": (lambda x, y: ops.argmin(x), lambda x, y: np.argmin(x).astype("int32")),
    "max": (lambda x, y: ops.max(x), lambda x, y: np.max(x)), "min": (lambda x, y: ops.min(x), lambda x, y: np.min(x)),
    "sum": (lambda x, y: ops.sum(x), lambda x, y: np.sum(x)),
    "sign": (lambda x, y: ops.sign(x), lambda x, y: np.sign(x)),
    "top_k": (lambda x, y: ops.top_k(x, 3)[0], lambda x, y: np.sort(x)[:-4:-1]),
    "clip": (lambda x, y: ops.clip(x, 5, 2**63 + 1), lambda x, y: np.clip(x, 5, 2**63 + 1)),
    "searchsorted": (
        lambda x, y: ops.searchsorted(ops.sort(x), y), lambda x, y: np.searchsorted(np.sort(x), y).astype("int32")
    ),
    "unique": (lambda x, y: ops.unique(ops.concatenate([x, y, x])), lambda x, y: np.unique([x, y])),
    "segment_max": (
        lambda x, y: ops.segment_max(x, [0, 0, 1, 1, 2, 2, 4], 5),
        lambda x, y: np.array([2**63 + 9, 2**64 - 1, 2**63, 0, 77], "uint64"),
    ),
    "segment_min": (
        lambda x, y: ops.segment_min(x, [0, 0, 1, 1, 2, 2, 4], 5),
        lambda x, y: np.array([3, 2**63 - 1, 0, 2**64 - 1, 77], "uint64"),
    ),
    "scatter_update": (
        lambda x, y: ops.scatter_update(x, [[0], [1]], y[:2]), lambda x, y: np.concatenate([y[:2], x[2:]])
    ),
    "float64": (lambda x, y: ops.cast(x, "float64"), lambda x, y: x.astype("float64")),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_BIG)
@pytest.mark.parametrize("framework", ["numpy", "torch", "tensorflow"])  # JAX narrows uint64
def test_uint64_beyond_the_signed(name: str, framework: str) -> None:
    run, oracle = OF_BIG[name]
    with backend_scope(framework):
        got = ops.convert_to_numpy(run(ops.convert_to_tensor(BIG), ops.convert_to_tensor(OTHER_BIG)))
    want = np.asarray(oracle(BIG, OTHER_BIG))
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
