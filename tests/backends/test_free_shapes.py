"""Laws over shapes that nobody picked: hypothesis draws the calls, NumPy knows the answers.

For every call: what NumPy gives, each backend gives in value and shape, and the symbolic rule promises in shape and
type; where the rule refuses, each backend refuses with the same class of error. Shapes have up to 4 axes, none
at all and empty ones among them.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as shapes

from kbridge import ops
from kbridge.core.context import backend_scope
from kbridge.core.errors import KBridgeError
from kbridge.core.tensor.symbolic import KerasTensor
from tests.conftest import BACKENDS

# The same examples every time, few of them: each compiles anew on JAX. `make sweep` takes more.
drawn = settings(
    max_examples=100 if os.environ.get("KBRIDGE_ALL_ROWS") else 20,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 1e-5}
NARROWED = {"int64": "int32", "uint64": "uint32", "float64": "float32"}  # by JAX
KINDS = ("float32", "int32", "float16", "bool", "uint8", "int64", "int8", "uint32")
NUMBERS = tuple(kind for kind in KINDS if kind != "bool")


def told(call: Callable[..., Any], *values: Any) -> Any:
    """What the call gives, or the class of kbridge's error."""
    try:
        return call(*values)
    except KBridgeError as error:
        return type(error)


def listed(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (list, tuple)) else [result]


def assert_law(call: Callable[..., Any], oracle: Callable[..., Any], *arrays: np.ndarray, ranks: bool = True) -> None:
    """`call` on symbols and on each backend against `oracle` on the arrays. `ranks`: they don't depend on sizes."""
    promise = told(call, *(KerasTensor(a.shape, a.dtype.name) for a in arrays))
    if isinstance(promise, type):
        for backend in BACKENDS:
            with backend_scope(backend):
                assert told(call, *map(ops.convert_to_tensor, arrays)) == promise, backend
        return
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = listed(oracle(*arrays))
    promises = listed(promise)
    assert [p.shape for p in promises] == [np.shape(w) for w in wanted]
    if ranks:
        assert_open(told(call, *(KerasTensor((None,) * a.ndim, a.dtype.name) for a in arrays)), promises)
    for backend in BACKENDS:
        with backend_scope(backend):
            got = [ops.convert_to_numpy(g) for g in listed(call(*map(ops.convert_to_tensor, arrays)))]
        assert len(got) == len(wanted)
        for g, w, p in zip(got, wanted, promises, strict=True):
            dtype = NARROWED.get(p.dtype, p.dtype) if backend == "jax" else p.dtype
            assert (g.shape, g.dtype.name) == (p.shape, dtype), backend
            near = TOLERANCE.get(p.dtype, 0.0)
            with np.errstate(all="ignore"):
                np.testing.assert_allclose(
                    g.astype("float64"), np.asarray(w).astype(g.dtype).astype("float64"), near, near, err_msg=backend
                )


def assert_open(free: Any, known: list[Any]) -> None:
    """What the rule says while sizes are free comes true, unless the call has to know them."""
    if not isinstance(free, type):
        for each, settled in zip(listed(free), known, strict=True):
            assert (len(each.shape), each.dtype) == (len(settled.shape), settled.dtype)
            assert all(size in (None, real) for size, real in zip(each.shape, settled.shape, strict=True))


# --- what is drawn --------------------------------------------------------------------------------


def sizes(least: int = 0, rank: int = 0, most: int = 4) -> Any:
    return st.lists(st.integers(least, 3), min_size=rank, max_size=most).map(tuple)


@st.composite
def tensors(draw: Any, shape: Any = None, kinds: Any = KINDS, low: int = -3) -> np.ndarray:
    """Small whole numbers in any type: sums of them are exact."""
    shape = draw(sizes() if shape is None else shape) if not isinstance(shape, tuple) else shape
    kind = draw(st.sampled_from(kinds))
    numbers = np.random.default_rng(draw(st.integers(0, 99))).integers(low, 4, shape)
    return np.asarray(np.abs(numbers) if kind.startswith("u") else numbers).astype(kind)


def one_axis(rank: int) -> Any:
    return st.integers(-rank, rank - 1)


@st.composite
def some_axes(draw: Any, rank: int, none: bool = True) -> Any:
    """None, a number or several, from the front or from the back."""
    several = st.lists(st.integers(0, rank - 1), unique=True).map(tuple) if rank else st.just(())
    axes = draw(st.one_of(several, *([st.none()] if none else []), *([one_axis(rank)] if rank else [])))
    if isinstance(axes, tuple):
        return tuple(axis - rank if draw(st.booleans()) else axis for axis in axes)
    return axes


# --- element by element ---------------------------------------------------------------------------

ONE = {
    "negative": np.negative, "absolute": np.abs, "square": np.square, "sign": np.sign, "floor": np.floor,
    "isnan": np.isnan, "logical_not": np.logical_not, "exp": np.exp, "tanh": np.tanh, "round": np.round,
    "relu": lambda x: np.maximum(x, 0), "isfinite": np.isfinite, "bitwise_not": np.invert,
}  # fmt: skip
TWO = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "maximum": np.maximum, "minimum": np.minimum,
    "equal": np.equal, "less": np.less, "greater_equal": np.greater_equal, "logical_xor": np.logical_xor,
    "divide": np.divide, "arctan2": np.arctan2, "logaddexp": np.logaddexp, "power": np.power, "fmod": np.fmod,
}  # fmt: skip


def wide(oracle: Any) -> Any:
    """`oracle` on numbers of 64 bits: NumPy's own half types overflow earlier, and its bytes wrap in their own type."""

    def call(*xs: np.ndarray) -> Any:
        return oracle(*(x.astype("float64" if x.dtype.kind == "f" else "int64") for x in xs))

    return call


@drawn
@given(st.sampled_from(sorted(ONE)), tensors())
def test_one_input(name: str, x: np.ndarray) -> None:
    if name == "bitwise_not" and x.dtype.kind == "f":  # refused as numbers, but not as shapes
        return
    plain = x.dtype.kind == "u" or name == "bitwise_not"
    assert_law(getattr(ops, name), ONE[name] if plain else wide(ONE[name]), x)


@drawn
@given(
    st.sampled_from(sorted(TWO)),
    shapes.mutually_broadcastable_shapes(num_shapes=2, max_side=3, max_dims=4, min_side=0),
    st.data(),
)
def test_two_inputs(name: str, drawn_shapes: Any, data: Any) -> None:
    kinds = ("float32", "int32", "float16") if name in ("power", "fmod") else ("float32", "int32", "bool", "int8")
    first, second = (data.draw(tensors(shape, kinds)) for shape in drawn_shapes.input_shapes)
    if name in ("power", "fmod"):
        second = np.abs(second) + np.ones((), second.dtype)  # whole numbers over 0 differ between frameworks
    if name in ("add", "multiply", "subtract") and first.dtype == second.dtype == bool:
        assert_law(getattr(ops, name), TWO[name], first, second)
    else:
        assert_law(getattr(ops, name), wide(TWO[name]), first, second)


@drawn
@given(shapes.mutually_broadcastable_shapes(num_shapes=3, max_side=3, max_dims=4, min_side=0), st.data())
def test_where_and_clip(drawn_shapes: Any, data: Any) -> None:
    condition, first, second = (data.draw(tensors(shape)) for shape in drawn_shapes.input_shapes)
    assert_law(ops.where, np.where, condition.astype(bool), first, second)
    low, high = sorted((data.draw(st.integers(-2, 3)), data.draw(st.integers(-2, 3))))
    if first.dtype.kind != "u":
        assert_law(lambda x: ops.clip(x, low, high), lambda x: np.clip(x.astype("float64"), low, high), first)


# --- along axes -----------------------------------------------------------------------------------

REDUCTIONS = {
    "sum": np.sum, "prod": np.prod, "mean": np.mean, "max": np.max, "min": np.min, "any": np.any, "all": np.all,
    "std": np.std, "var": np.var, "amax": np.max, "ptp": np.ptp,
    "logsumexp": lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis, keepdims=keepdims)),
}  # fmt: skip


@drawn
@given(st.sampled_from(sorted(REDUCTIONS)), tensors(), st.booleans(), st.data())
def test_reductions(name: str, x: np.ndarray, keepdims: bool, data: Any) -> None:
    axis = data.draw(some_axes(x.ndim))
    oracle = wide(lambda x: REDUCTIONS[name](x, axis=axis, keepdims=keepdims))
    assert_law(lambda x: getattr(ops, name)(x, axis, keepdims), oracle, x)


@drawn
@given(st.sampled_from(["argmax", "argmin"]), tensors(), st.booleans(), st.data())
def test_places_of_extremes(name: str, x: np.ndarray, keepdims: bool, data: Any) -> None:
    axis = data.draw(st.one_of(st.none(), *([one_axis(x.ndim)] if x.ndim else [])))
    x = np.where(x == 3, np.nan, x).astype(x.dtype) if x.dtype.kind == "f" else x
    assert_law(
        lambda x: getattr(ops, name)(x, axis, keepdims),
        lambda x: getattr(np, name)(x, axis, keepdims=keepdims),
        x,
    )


@drawn
@given(st.sampled_from(["cumsum", "cumprod"]), tensors(kinds=("float32", "int32", "bool", "float16")), st.data())
def test_running(name: str, x: np.ndarray, data: Any) -> None:
    axis = data.draw(st.one_of(st.none(), *([one_axis(x.ndim)] if x.ndim else [])))
    assert_law(lambda x: getattr(ops, name)(x, axis), wide(lambda x: getattr(np, name)(x, axis)), x)


@drawn
@given(tensors(sizes(rank=1)), st.data())
def test_sorting(x: np.ndarray, data: Any) -> None:
    axis = data.draw(st.one_of(st.none(), one_axis(x.ndim)))
    if x.dtype.kind == "f":
        x = np.where(x == 3, np.nan, x).astype(x.dtype)
    assert_law(lambda x: ops.sort(x, axis), lambda x: np.sort(x, axis), x)
    assert_law(lambda x: ops.argsort(x, axis), lambda x: np.argsort(x, axis, kind="stable"), x)


@drawn
@given(sizes(rank=1), st.data())
def test_top_k(shape: Any, data: Any) -> None:
    k = data.draw(st.integers(0, shape[-1]))
    x = np.random.default_rng(data.draw(st.integers(0, 9))).permutation(math.prod(shape)).reshape(shape)  # no twins
    x = x.astype(data.draw(st.sampled_from(NUMBERS)))
    assert_law(lambda x: ops.top_k(x, k)[0], lambda x: -np.sort(-x.astype("int64"))[..., :k], x)
    assert_law(lambda x: ops.top_k(x, k)[1], lambda x: np.argsort(-x.astype("int64"))[..., :k], x)


# --- shapes ---------------------------------------------------------------------------------------


@st.composite
def targets(draw: Any, size: int) -> tuple[int, ...]:
    """A shape of so many elements, with -1 in one place or not."""
    target = []
    left = size
    for _ in range(draw(st.integers(0, 3))):
        factor = draw(st.sampled_from([d for d in range(1, left + 1) if left % d == 0] or [0, 1, 2]))
        target.append(factor)
        left = left // factor if factor else left
    target.append(left)
    target = list(draw(st.permutations(target)))
    if size and draw(st.booleans()):
        target[draw(st.integers(0, len(target) - 1))] = -1
    return tuple(target)


@drawn
@given(tensors(), st.data())
def test_reshape(x: np.ndarray, data: Any) -> None:
    target = data.draw(targets(x.size))
    assert_law(lambda x: ops.reshape(x, target), lambda x: np.reshape(x, target), x)


@drawn
@given(tensors(), st.data())
def test_order_of_axes(x: np.ndarray, data: Any) -> None:
    order = data.draw(st.one_of(st.none(), st.permutations(range(x.ndim)).map(tuple)))
    assert_law(lambda x: ops.transpose(x, order), lambda x: np.transpose(x, order), x)
    axes = data.draw(some_axes(x.ndim))
    assert_law(lambda x: ops.flip(x, axes), lambda x: np.flip(x, axes), x)
    if x.ndim:
        a, b = data.draw(one_axis(x.ndim)), data.draw(one_axis(x.ndim))
        assert_law(lambda x: ops.swapaxes(x, a, b), lambda x: np.swapaxes(x, a, b), x)
        assert_law(lambda x: ops.moveaxis(x, a, b), lambda x: np.moveaxis(x, a, b), x)


@drawn
@given(tensors(), st.data())
def test_axes_of_size_1(x: np.ndarray, data: Any) -> None:
    new = data.draw(some_axes(x.ndim + 1, none=False))
    new = new if isinstance(new, int) else new[:1]
    assert_law(lambda x: ops.expand_dims(x, new), lambda x: np.expand_dims(x, new), x)
    axes = data.draw(some_axes(x.ndim))
    axes = data.draw(st.sampled_from([axes, None, tuple(i for i, size in enumerate(x.shape) if size == 1)]))
    assert_law(lambda x: ops.squeeze(x, axes), lambda x: np.squeeze(x, axes), x, ranks=axes is not None)


@drawn
@given(shapes.mutually_broadcastable_shapes(num_shapes=2, max_side=3, max_dims=4, min_side=0), st.data())
def test_broadcast_to(drawn_shapes: Any, data: Any) -> None:
    x = data.draw(tensors(drawn_shapes.input_shapes[0]))
    target = drawn_shapes.result_shape
    assert_law(lambda x: ops.broadcast_to(x, target), lambda x: np.broadcast_to(x, target), x)


@drawn
@given(sizes(rank=1), st.integers(1, 3), st.data())
def test_joined(shape: Any, count: int, data: Any) -> None:
    axis = data.draw(one_axis(len(shape)))
    kinds = data.draw(st.sampled_from([("float32",), ("int32", "uint8"), ("float16", "int8", "bool")]))
    alike = [data.draw(tensors(shape, kinds)) for _ in range(count)]
    place = data.draw(one_axis(len(shape) + 1))
    assert_law(lambda *xs: ops.stack(xs, place), lambda *xs: np.stack(xs, place), *alike)
    longer = list(shape)
    longer[axis] = data.draw(st.integers(0, 3))
    alike.append(data.draw(tensors(tuple(longer), kinds)))
    assert_law(lambda *xs: ops.concatenate(xs, axis), lambda *xs: np.concatenate(xs, axis), *alike)


@drawn
@given(tensors(sizes(rank=1)), st.data())
def test_cut(x: np.ndarray, data: Any) -> None:
    axis = data.draw(one_axis(x.ndim))
    places = sorted(data.draw(st.lists(st.integers(0, x.shape[axis]), max_size=3)))
    assert_law(lambda x: ops.split(x, places, axis), lambda x: np.split(x, places, axis), x)
    count = data.draw(st.integers(1, 4))
    assert_law(lambda x: ops.array_split(x, count, axis), lambda x: np.array_split(x, count, axis), x)
    if x.shape[axis] % count == 0:
        assert_law(lambda x: ops.split(x, count, axis), lambda x: np.split(x, count, axis), x)
    if x.shape[axis]:
        whole = lambda x: [np.squeeze(part, axis) for part in np.split(x, x.shape[axis], axis)]  # noqa: E731
        assert_law(lambda x: ops.unstack(x, axis=axis), whole, x)


@drawn
@given(tensors(), st.data())
def test_repeated(x: np.ndarray, data: Any) -> None:
    times = data.draw(st.one_of(st.integers(0, 3), st.lists(st.integers(0, 3), max_size=5).map(tuple)))
    assert_law(lambda x: ops.tile(x, times), lambda x: np.tile(x, times), x)
    axis = data.draw(st.one_of(st.none(), *([one_axis(x.ndim)] if x.ndim else [])))
    length = x.size if axis is None else x.shape[axis]
    count = data.draw(
        st.one_of(st.integers(0, 3), st.lists(st.integers(0, 3), min_size=length, max_size=length).filter(bool))
    )
    assert_law(lambda x: ops.repeat(x, count, axis), lambda x: np.repeat(x, count, axis), x)


@drawn
@given(tensors(), st.data())
def test_rolled(x: np.ndarray, data: Any) -> None:
    shift = st.integers(-5, 5)
    axes = data.draw(some_axes(x.ndim))
    shifts = tuple(data.draw(shift) for _ in axes) if isinstance(axes, tuple) else data.draw(shift)
    assert_law(lambda x: ops.roll(x, shifts, axes), lambda x: x if axes == () else np.roll(x, shifts, axes), x)


@drawn
@given(
    tensors(sizes(least=1, rank=1)), st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]), st.data()
)
def test_padded(x: np.ndarray, mode: str, data: Any) -> None:
    most = {"constant": 3, "edge": 3}.get(mode, 1)
    if mode == "reflect":
        x = np.repeat(x, 2, range(x.ndim)[0]) if x.ndim == 1 else np.tile(x, (2,) * x.ndim)
    widths = [(data.draw(st.integers(0, most)), data.draw(st.integers(0, most))) for _ in x.shape]
    if mode == "constant":
        value = data.draw(st.integers(0, 3))
        assert_law(
            lambda x: ops.pad(x, widths, "constant", value), lambda x: np.pad(x, widths, constant_values=value), x
        )
    else:
        assert_law(lambda x: ops.pad(x, widths, mode), lambda x: np.pad(x, widths, mode), x)


# --- places ---------------------------------------------------------------------------------------


@st.composite
def keys(draw: Any, shape: tuple[int, ...]) -> Any:
    """Numbers, slices with steps of both signs, new axes, `...`, and at most one index array."""
    entries: list[Any] = []
    with_array = draw(st.booleans())
    for size in shape[: draw(st.integers(0, len(shape)))]:
        if draw(st.integers(0, 4)) == 0:
            entries.append(None)
        edge = st.one_of(st.none(), st.integers(-4, 4))
        slices = st.builds(slice, edge, edge, st.sampled_from([None, 1, 2, -1, -2, 3, -3]))
        choices = [slices, *([st.integers(-size, size - 1)] if size and not with_array else [])]
        entries.append(draw(st.one_of(*choices)))
    if with_array and entries and shape:
        place = draw(st.integers(0, len(entries) - 1))
        axis = sum(e is not None for e in entries[:place])
        if entries[place] is not None and shape[axis]:
            index = draw(shapes.arrays("int64", sizes(most=2), elements=one_axis(shape[axis])))
            entries[place] = index
    if draw(st.booleans()):
        entries.append(Ellipsis)
    return tuple(entries)


@drawn
@given(tensors(), st.data())
def test_get_item(x: np.ndarray, data: Any) -> None:
    key = data.draw(keys(x.shape))
    assert_law(lambda x: ops.get_item(x, key), lambda x: x[key], x)


@drawn
@given(tensors(sizes(least=1, rank=1)), st.data())
def test_taken(x: np.ndarray, data: Any) -> None:
    axis = data.draw(st.one_of(st.none(), one_axis(x.ndim)))
    length = x.size if axis is None else x.shape[axis]
    places = data.draw(shapes.arrays("int32", sizes(most=3), elements=one_axis(length)))
    assert_law(lambda x, i: ops.take(x, i, axis), lambda x, i: np.take(x, i, axis), x, places)
    axis = data.draw(one_axis(x.ndim))
    beside = list(x.shape)
    beside[axis] = data.draw(st.integers(0, 3))
    along = data.draw(shapes.arrays("int32", tuple(beside), elements=one_axis(x.shape[axis])))
    assert_law(lambda x, i: ops.take_along_axis(x, i, axis), lambda x, i: np.take_along_axis(x, i, axis), x, along)


@drawn
@given(sizes(rank=1), st.integers(0, 4), st.data())
def test_segment_sum(shape: Any, count: int, data: Any) -> None:
    x = data.draw(tensors(shape, ("float32", "int32")))
    ids = data.draw(shapes.arrays("int32", shape[0], elements=st.integers(0, max(count - 1, 0))))

    def oracle(x: np.ndarray, ids: np.ndarray) -> np.ndarray:
        total = np.zeros((count, *shape[1:]), x.dtype)
        for row, i in zip(x, ids, strict=True):
            if i < count:
                total[i] += row
        return total

    assert_law(lambda x, i: ops.segment_sum(x, i, count), oracle, x, ids)


@drawn
@given(sizes(most=3), st.integers(0, 4), st.data())
def test_one_hot(shape: Any, classes: int, data: Any) -> None:
    x = data.draw(shapes.arrays(data.draw(st.sampled_from(["int32", "uint8"])), shape, elements=st.integers(0, 4)))
    axis = data.draw(one_axis(x.ndim + 1))
    assert_law(
        lambda x: ops.one_hot(x, classes, axis),
        lambda x: np.moveaxis((x[..., None] == np.arange(classes)).astype("float32"), -1, axis),
        x,
    )


# --- products -------------------------------------------------------------------------------------


@drawn
@given(
    shapes.mutually_broadcastable_shapes(
        signature=np.matmul.signature,
        max_side=3,
        max_dims=2,
        min_side=0,  # type: ignore[arg-type]
    ),
    st.data(),
)
def test_matmul(drawn_shapes: Any, data: Any) -> None:
    kinds = ("float32", "int32", "float16", "uint8", "bool")
    a, b = (data.draw(tensors(shape, kinds)) for shape in drawn_shapes.input_shapes)
    plain = a.dtype == b.dtype == bool
    assert_law(ops.matmul, np.matmul if plain else wide(np.matmul), a, b)


@drawn
@given(st.lists(st.integers(0, 3), max_size=2), st.data())
def test_tensordot(shared: list[int], data: Any) -> None:
    first = (*data.draw(sizes(most=2)), *shared)
    second = (*shared, *data.draw(sizes(most=2)))
    count = len(shared)
    order = data.draw(st.permutations(range(len(second))))
    axes = data.draw(st.sampled_from([count, ([*range(-count, 0)], [order.index(i) for i in range(count)])]))
    a, b = data.draw(tensors(first, ("float32", "int32"))), data.draw(tensors(second, ("float32", "int32")))
    b = b if isinstance(axes, int) else np.transpose(b, order)
    assert_law(lambda a, b: ops.tensordot(a, b, axes), wide(lambda a, b: np.tensordot(a, b, axes)), a, b)


@drawn
@given(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3), min_size=1), st.integers(1, 3), st.data())
def test_einsum(lengths: dict[str, int], count: int, data: Any) -> None:
    letters = sorted(lengths)
    terms = [data.draw(st.lists(st.sampled_from(letters), unique=True, max_size=3)) for _ in range(count)]
    used = sorted({letter for term in terms for letter in term})
    left = data.draw(st.permutations(used).map(lambda order: order[: data.draw(st.integers(0, len(order)))]))
    subscripts = ",".join("".join(term) for term in terms)
    if data.draw(st.booleans()):
        subscripts += "->" + "".join(left)
    kind = data.draw(st.sampled_from(["float32", "int32", "float16"]))
    xs = [data.draw(tensors(tuple(lengths[c] for c in term), (kind,))) for term in terms]
    assert_law(lambda *xs: ops.einsum(subscripts, *xs), wide(lambda *xs: np.einsum(subscripts, *xs)), *xs)


def test_the_law_can_fail() -> None:
    x = np.ones((2, 3), "float32")
    with pytest.raises(AssertionError):
        assert_law(lambda x: ops.sum(x, 0), lambda x: np.sum(x, 0) + 1, x)
    with pytest.raises(AssertionError):
        assert_law(lambda x: ops.sum(x, 0), lambda x: np.sum(x, 1), x)
