"""Rows of the ops that read and write at positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops import index, segment
from tests.backends.rows import Bad, Row, bad, floats, ints, narrow, row

X, K = floats(4, 3, 5), ints(-9, 10, 4, 3)
TRUTH = ints(0, 2, 4, 3).astype(bool)
BYTES = ints(0, 9, 4, 3, dtype="uint8")
PLACES = np.int32([[0, 2], [3, -1], [0, 2], [-4, 0]])  # of the first two axes; one of them twice, two from the back
ONCE = np.int32([[0, 2], [3, -1], [1, 1], [-4, 0]])
UPDATES = floats(4, 5)
UNITE = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}
VALUES = "the number of results depends on values"


def written(x: np.ndarray, places: np.ndarray, updates: np.ndarray, reduction: str | None = None) -> np.ndarray:
    result, at = x.copy(), tuple(np.moveaxis(places, -1, 0))
    if reduction:
        UNITE[reduction].at(result, at, updates)
    else:
        result[at] = updates
    return result


def scatter_rows() -> list[Row]:
    def update(reduction: str | None = None) -> Any:
        return lambda x, i, u: index.scatter_update(x, i, u, reduction)

    zeros = np.zeros((4, 3, 5), "float32")
    rows = [
        row("scatter", lambda i, v: index.scatter(i, v, (4, 3, 5)), PLACES, UPDATES,
            want=written(zeros, PLACES, UPDATES, "add")),
        row("scatter-values", lambda v: index.scatter(PLACES, v, (4, 3, 5)), UPDATES,
            want=written(zeros, PLACES, UPDATES, "add"), gradient=True),
        row("scatter-int", lambda i, v: index.scatter(i, v, (9,)), np.int32([[1], [8], [1]]), np.int32([3, 4, 5]),
            want=np.int32([0, 8, 0, 0, 0, 0, 0, 0, 4])),
        row("scatter-deep", lambda i, v: index.scatter(i, v, (4, 3)), PLACES.reshape(2, 2, 2), K[:2, :2],
            want=written(np.zeros((4, 3), "int32"), PLACES.reshape(2, 2, 2), K[:2, :2], "add")),
        row("scatter-truth", lambda i, v: index.scatter(i, v, (4,)), np.int32([[1], [2], [1]]), np.array([True,
            False, True]),
            want=np.array([False, True, False, False])),
        row("scatter-none", lambda i, v: index.scatter(i, v, (4,)), np.zeros((0, 1), "int32"), np.zeros(0, "float32"),
            want=np.zeros(4, "float32")),
        row("scatter-bytes-as-indices", lambda i, v: index.scatter(i, v, (4,)), np.uint8([[1], [3]]), np.float32([1,
            2]),
            want=np.float32([0, 1, 0, 2])),
        row("scatter_update", update(), X, ONCE, UPDATES, want=written(X, ONCE, UPDATES)),
        row("scatter_update-both", lambda x, u: index.scatter_update(x, ONCE, u), X, UPDATES,
            want=written(X, ONCE, UPDATES), gradient=True),
        row("scatter_update-whole", update(), K, np.int32([[3, 2]]), np.int32([77]),
            want=written(K, np.int32([[3, 2]]), 77)),
        row("scatter_update-cast", update(), K, np.int32([[1]]), np.float32([[1.5, 2.5, -1.5]]),
            want=written(K, np.int32([[1]]), np.int32([[1, 2, -1]]))),
        row("scatter_update-truth", update(), TRUTH, np.int32([[1]]), ~TRUTH[1:2],
            want=written(TRUTH, np.int32([[1]]), ~TRUTH[1:2])),
    ]  # fmt: skip
    for name in UNITE:
        rows += [
            row(f"scatter_update-{name}", update(name.upper()), X, PLACES, UPDATES,
                want=written(X, PLACES, UPDATES, name)),
            row(f"scatter_update-{name}-int", update(name), K, PLACES, K[:, 0], want=written(K, PLACES, K[:, 0], name)),
            row(f"scatter_update-{name}-truth", update(name), TRUTH, PLACES, TRUTH[:, 0],
                want=written(TRUTH, PLACES, TRUTH[:, 0], name)),
        ]  # fmt: skip
        if name != "mul":  # which JAX can't derive where an index comes twice
            rows.append(row(f"scatter_update-{name}-both", lambda x, u, n=name: index.scatter_update(x, PLACES, u,
                n), X,
                            UPDATES, want=written(X, PLACES, UPDATES, name), gradient=True))  # fmt: skip
    return rows


def put_rows() -> list[Row]:
    def put(x: np.ndarray, places: np.ndarray, values: Any, axis: int) -> np.ndarray:
        result = x.copy()
        np.put_along_axis(result, places, values, axis)
        return result

    places = np.int32([[[0, 4], [1, 3], [-1, 2]]] * 4)
    return [
        row("put_along_axis", lambda x, i, v: index.put_along_axis(x, i, v, -1), X, places, X[..., :2] * 2,
            want=put(X, places, X[..., :2] * 2, -1)),
        row("put_along_axis-number", lambda x, i: index.put_along_axis(x, i, 7, 0), K, np.int32([[1, -1, 2]]),
            want=put(K, np.int32([[1, -1, 2]]), 7, 0), fixed="indices broadcast over nothing")
    ]  # fmt: skip


def slice_rows() -> list[Row]:
    changed, moved = X.copy(), K.copy()
    changed[1:3, 0:2, 3:5] = UPDATES[:2, :2][..., None] * np.float32([1, 2])
    block = changed[1:3, 0:2, 3:5]
    moved[2:4, 1:3] = [[1, 2], [3, 4]]
    return [
        row("slice", lambda x: index.slice(x, (1, 0, 3), (2, 3, 2)), X, want=X[1:3, :, 3:], gradient=True),
        row("slice-rest", lambda x: index.slice(x, (0, 1), (-1, -1)), K, want=K[:, 1:]),
        row("slice-tensor", lambda x, i: index.slice(x, i, (2, 2)), K, np.int32([1, 1]), want=K[1:3, 1:3], data=1),
        row("slice-moved-inside", lambda x, i: index.slice(x, i, (2, 2)), K, np.int32([3, -1]), want=K[2:, :2], data=1),
        row("slice-one-tensor", lambda x, i: index.slice(x, [i, 0], (2, 3)), BYTES, np.int32(2), want=BYTES[2:]),
        row("slice-tensor-rest", lambda x, i: index.slice(x, i, (-1, 2)), K, np.int32([1, 1]), want=K[1:, 1:], data=1,
            eager="-1 asks for the value"),
        row("slice-nothing", lambda x: index.slice(x, (1, 0), (0, 3)), TRUTH, want=TRUTH[:0]),
        row("slice-whole", lambda x: index.slice(x, (), ()), np.float32(3), want=np.float32(3)),
        row("slice_update", lambda x, u: index.slice_update(x, (1, 0, 3), u), X, block, want=changed, gradient=True),
        row("slice_update-tensor", lambda x, i, u: index.slice_update(x, i, u), X, np.int32([1, 0, 3]), block,
            want=changed,
            fixed="the starts' number"),
        row("slice_update-moved-inside", lambda x, i, u: index.slice_update(x, i, u), K, np.int32([9, 9]),
            np.int32([[1, 2], [3, 4]]), want=moved, fixed="the starts' number"),
        row("slice_update-one-tensor", lambda x, i, u: index.slice_update(x, [i, 1], u), K, np.int32(2),
            np.int32([[1, 2], [3, 4]]), want=moved),
        row("slice_update-cast", lambda x: index.slice_update(x, [0, 0], [[2.5]]), BYTES,
            want=written(BYTES, np.int32([[0, 0]]), 2)),
        row("slice_update-truth", lambda x, u: index.slice_update(x, [2, 0], u), TRUTH, ~TRUTH[:2],
            want=np.concatenate([TRUTH[:2], ~TRUTH[:2]])),
    ]  # fmt: skip


IDS = np.int32([2, 0, 4, 2, -1, 2, 0, 9])  # none in 1 and 3; two of them outside of 5
DATA = floats(8, 3)


def segments(data: np.ndarray, count: int, reduction: str, start: Any, ids: np.ndarray = IDS) -> np.ndarray:
    result = np.full((count, *data.shape[1:]), start, data.dtype)
    for place, values in zip(ids, data, strict=True):
        if 0 <= place < count:
            result[place] = UNITE[reduction](result[place], values)
    return result


def segment_rows() -> list[Row]:
    starts = {
        "sum": ("add", 0, 0),
        "prod": ("mul", 1, 1),
        "max": ("max", -np.inf, -(2**31)),
        "min": ("min", np.inf, 2**31 - 1),
    }
    whole = ints(-9, 9, 8)
    rows = []
    for name, (reduction, start, least) in starts.items():
        op = getattr(segment, f"segment_{name}")
        five = lambda x, i, op=op: op(x, i, 5)  # noqa: E731
        rows += [
            row(f"segment_{name}", five, DATA, IDS, want=segments(DATA, 5, reduction, start)),
            row(f"segment_{name}-int", five, whole, IDS, want=segments(whole, 5, reduction, least)),
            row(f"segment_{name}-truth", five, whole > 0, IDS,
                want=segments(whole > 0, 5, reduction, max(0, min(start, 1)))),
            row(f"segment_{name}-bytes", five, whole.astype("uint8"), IDS,
                want=segments(whole.astype("uint8"), 5, reduction, min(max(start, 0), 255))),
            row(f"segment_{name}-words", five, whole.astype("uint16"), IDS,
                want=segments(whole.astype("uint16"), 5, reduction, min(max(start, 0), 65535))),
            row(f"segment_{name}-counted", lambda x, i, op=op: op(x, i), DATA, IDS,
                want=segments(DATA, 10, reduction, start), eager=VALUES),
            row(f"segment_{name}-sorted", lambda x, i, op=op: op(x, i, 3, True), DATA[:4], np.int32([0, 0, 1, 2]),
                want=segments(DATA[:4], 3, reduction, start, np.int32([0, 0, 1, 2]))),
            row(f"segment_{name}-none", five, DATA[:0], IDS[:0], want=segments(DATA[:0], 5, reduction, start, IDS[:0])),
        ]  # fmt: skip
        if name != "prod":  # which JAX can't derive
            full = np.int32([2, 0, 1, 2, -1, 2, 0, 1])
            rows.append(row(f"segment_{name}-slope", lambda x, op=op, i=full: op(x, i, 3), DATA,
                            want=segments(DATA, 3, reduction, start, full), gradient=True))  # fmt: skip
    return rows


def choice_rows() -> list[Row]:
    two = lambda a, b, x, y: index.select([a, b], [x, y], 7)  # noqa: E731
    classes = np.int32([[0, 2, 2], [4, 1, -1]])
    first = (classes == np.arange(5)[:, None, None]).any(1).astype("float32")  # what Keras does: it unites axis 1
    both = np.float32([[1, 0, 1, 0, 0], [0, 1, 0, 0, 1]])
    return [
        row("select", two, K > 2, K < 0, K, BYTES.astype("int32"),
            want=np.select([K > 2, K < 0], [K, BYTES.astype("int32")], 7)),
        row("select-mixed", two, K > 2, K < 0, K, X[:, :, 0],
            want=narrow(np.select([K > 2, K < 0], [K, X[:, :, 0]], 7))),
        row("select-float", lambda a, x: index.select((a,), (x,), 0.5), TRUTH, X[:, :, 0],
            want=np.select([TRUTH], [X[:, :, 0]], np.float32(0.5)), gradient=True),
        row("select-broadcast", lambda a, x: index.select([a], [x]), TRUTH[:, :1], X[:, :, 0],
            want=np.where(TRUTH[:, :1], X[:, :, 0], np.float32(0))),
        row("select-numbers", lambda a, b: index.select([a, b], [1, 2], default=3), K > 2, K < 0,
            want=narrow(np.select([K > 2, K < 0], [1, 2], 3))),
        row("argwhere", index.argwhere, K, want=np.argwhere(K).astype("int32"), eager=VALUES),
        row("argwhere-truth", index.argwhere, TRUTH, want=np.argwhere(TRUTH).astype("int32"), eager=VALUES),
        row("nonzero", index.nonzero, K, want=[i.astype("int32") for i in np.nonzero(K)], eager=VALUES),
        row("nonzero-line", index.nonzero, np.float32([0, np.nan, -0.0, 2]), want=[np.int32([1, 3])], eager=VALUES),
        row("flatnonzero", index.flatnonzero, TRUTH, want=np.flatnonzero(TRUTH).astype("int32"), eager=VALUES),
        row("unravel_index", lambda i: index.unravel_index(i, (3, 4, 5)), np.int32([[0, 59], [17, 33]]),
            want=narrow_all(np.unravel_index([[0, 59], [17, 33]], (3, 4, 5)))),
        row("unravel_index-bytes", lambda i: index.unravel_index(i, (300, 2)), np.uint8([0, 255]),
            want=[i.astype("uint8") for i in np.unravel_index([0, 255], (300, 2))]),
        row("unravel_index-back", lambda i: index.unravel_index(i, (2, 3)), np.int32([-1]),
            want=narrow_all([[1], [2]])),
        row("multi_hot", lambda x: index.multi_hot(x, 5), classes, want=both),
        row("multi_hot-row", lambda x: index.multi_hot(x, 5), classes[0], want=both[0]),
        row("multi_hot-type", lambda x: index.multi_hot(x, num_tokens=5, dtype="int32"), classes,
            want=both.astype("int32")),
        row("multi_hot-first", lambda x: index.multi_hot(x, 5, axis=0), classes, want=first),
    ]  # fmt: skip


def narrow_all(arrays: Any) -> list[np.ndarray]:
    return [narrow(array) for array in arrays]


ROWS: list[Row] = [*scatter_rows(), *put_rows(), *slice_rows(), *segment_rows(), *choice_rows()]

BAD: list[Bad] = [
    bad("scatter", lambda i, v: index.scatter(i, v, (4, 3)), PLACES, UPDATES, error=ShapeError),
    bad("scatter-too-deep", lambda i, v: index.scatter(i, v, (4,)), PLACES, UPDATES, error=ShapeError),
    bad("scatter_update", index.scatter_update, X, PLACES, UPDATES[:, :4], error=ShapeError),
    bad("scatter_update-by-name", lambda *a: index.scatter_update(*a, "mean"), X, PLACES, UPDATES, error=ArgumentError),
    bad("put_along_axis", lambda x: index.put_along_axis(x, np.int32([1]), 0), K, error=ShapeError),
    bad("slice", lambda x: index.slice(x, (1, 1), (2, 2, 2)), K, error=ShapeError),
    bad("slice-starts", lambda x: index.slice(x, (1, 1, 1), (2, 2)), K, error=ShapeError),
    bad("slice-outside", lambda x: index.slice(x, (3, 0), (2, 2)), K, error=ShapeError),
    bad("slice-negative", lambda x: index.slice(x, (-1, 0), (1, 2)), K, error=ShapeError),
    bad("slice_update", lambda x: index.slice_update(x, (0, 0), X), K, error=ShapeError),
    bad("slice_update-outside", lambda x: index.slice_update(x, (1, 0), x), K, error=ShapeError),
    bad("segment_sum", lambda d: segment.segment_sum(d, IDS[:4], 5), DATA, error=ShapeError),
    bad("segment_max-deep", lambda d: segment.segment_max(d, DATA.astype("int32"), 5), DATA, error=ShapeError),
    bad("select", lambda x: index.select([x], [x, x]), K, error=ArgumentError),
    bad("select-nothing", lambda x: index.select([], [], x), K, error=ArgumentError),
    bad("nonzero", index.nonzero, K[0, 0], error=ShapeError),
    bad("multi_hot", index.multi_hot, K, error=ArgumentError),
]
