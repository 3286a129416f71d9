"""Rows of the ops that order, search and find what is there once."""

from __future__ import annotations

import numpy as np

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops import shape, sort, unique
from tests.backends.rows import Bad, Row, bad, ints, row

X = np.random.default_rng(11).permutation(24).reshape(2, 3, 4).astype("float32") - 11.5
K = ints(-3, 4, 4, 5)
BYTES = ints(0, 256, 3, 5, dtype="uint8")
TRUTH = ints(0, 2, 3, 5).astype(bool)
ODD = np.array([1, np.nan, -np.inf, 3, np.inf, -2, np.nan, 0, -0.0, np.inf, -5], "float32")
LINE = np.array([-2, -0.5, 0, 0, 1, 1, 1, 2.5], "float32")
ASKED = np.array([[-3, -2, -0.5], [0, 0.5, 1], [2.5, 3, np.inf]], "float32")
VALUES = "the number of results depends on values"


def stable(x: np.ndarray, axis: int | None = -1) -> np.ndarray:
    return np.argsort(x, axis, kind="stable").astype("int32")


def order_rows() -> list[Row]:
    rows = [
        row("sort", sort.sort, X, want=np.sort(X), gradient=True),
        row("sort-axis", lambda x: sort.sort(x, 0), X, want=np.sort(X, 0), gradient=True),
        row("sort-negative-axis", lambda x: sort.sort(x, -2), K, want=np.sort(K, -2)),
        row("sort-flat", lambda x: sort.sort(x, None), X, want=np.sort(X, None)),
        row("sort-empty", sort.sort, np.zeros((2, 0), "float32"), want=np.zeros((2, 0), "float32")),
    ]
    for name, x in {
        "bytes": BYTES,
        "truth": TRUTH,
        "odd": ODD,
        "words": BYTES.astype("uint16"),
        "small": K.astype("int8"),
    }.items():
        rows += [
            row(f"sort-{name}", sort.sort, x, want=np.sort(x)),
            row(f"argsort-{name}", sort.argsort, x, want=stable(x)),
        ]
    return [
        *rows,
        row("argsort", sort.argsort, X, want=stable(X)),
        row("argsort-ties", lambda x: sort.argsort(x, 0), K, want=stable(K, 0)),
        row("argsort-flat", lambda x: sort.argsort(x, None), K, want=stable(K, None)),
        row("argsort-of-one", sort.argsort, np.float32(3), want=np.int32([0])),
        row("argsort-extremes", sort.argsort, np.array([2**31 - 1, -(2**31), 0], "int32"), want=np.int32([1, 2, 0])),
    ]


def parts(x: np.ndarray, kth: int, axis: int = -1) -> list[np.ndarray]:
    """What is certain after a partition: element kth, and those before and after it as sets."""
    line = np.sort(x, axis)
    return np.split(line, [kth, kth + 1], axis)


def partition_rows() -> list[Row]:
    def by_value(kth: int, axis: int) -> object:
        def call(x: object) -> object:
            pieces = shape.split(sort.partition(x, kth, axis), [kth, kth + 1], axis)
            return [sort.sort(piece, axis) for piece in pieces]

        return call

    def by_index(kth: int, axis: int) -> object:
        def call(x: object) -> object:
            found = shape.take_along_axis(x, sort.argpartition(x, kth, axis), axis)
            return [sort.sort(piece, axis) for piece in shape.split(found, [kth, kth + 1], axis)]

        return call

    return [
        row("partition", by_value(2, -1), X, want=parts(X, 2)),
        row("partition-axis", by_value(1, 0), K, want=parts(K, 1, 0)),
        row("partition-bytes", by_value(3, 1), BYTES, want=parts(BYTES, 3)),
        row("argpartition", by_index(2, -1), X, want=parts(X, 2)),
        row("argpartition-axis", by_index(1, 0), K, want=parts(K, 1, 0)),
        row("argpartition-least", lambda x: shape.get_item(sort.argpartition(x, 0, None), 0), X,
            want=np.int32(X.argmin())),
        row("argpartition-from-the-back", lambda x: shape.get_item(sort.argpartition(x, -1, None), -1), X,
            want=np.int32(X.argmax())),
    ]  # fmt: skip


def largest(x: np.ndarray, k: int) -> list[np.ndarray]:
    order = np.argsort(-x.astype("float64"), -1, kind="stable")[..., :k]
    return [np.take_along_axis(x, order, -1), order.astype("int32")]


def top_rows() -> list[Row]:
    scores = np.float32([[0.1, 0.9, 0.8, 0.8], [0.95, 0.95, 0, 0.95], [0.1, 0.8, 0.8, 0.95], [0.1, 0.2, 0.3, 0.4]])
    odd = np.float32([[0.1, np.nan, 0.5], [0.3, 0.2, 0.5], [-np.inf, 0.2, 0.5], [np.inf, 0.2, 0.5]])
    targets = np.int32([1, 0, 2, 0])

    def inside(targets: np.ndarray, scores: np.ndarray, k: int) -> np.ndarray:
        return (scores > scores[np.arange(4), targets][:, None]).sum(-1) < k

    return [
        row("top_k", lambda x: sort.top_k(x, 2), X, want=largest(X, 2)),
        row("top_k-values", lambda x: sort.top_k(x, 3)[0], X, want=largest(X, 3)[0], gradient=True),
        row("top_k-all", lambda x: sort.top_k(x, 4), X, want=largest(X, 4)),
        row("top_k-bytes", lambda x: sort.top_k(x, 2)[0], BYTES, want=largest(BYTES, 2)[0]),
        row("top_k-words", lambda x: sort.top_k(x, 2)[0], BYTES.astype("uint16"),
            want=largest(BYTES, 2)[0].astype("uint16")),
        row("top_k-truth", lambda x: sort.top_k(x, 2)[0], TRUTH, want=largest(TRUTH, 2)[0]),
        row("top_k-any-order", lambda x: sort.sort(sort.top_k(x, 2, sorted=False)[0]), X,
            want=np.sort(largest(X, 2)[0])),
        row("in_top_k", lambda t, p: sort.in_top_k(t, p, 2), targets, scores, want=inside(targets, scores, 2)),
        row("in_top_k-1", lambda t, p: sort.in_top_k(t, p, 1), targets, scores, want=inside(targets, scores, 1)),
        row("in_top_k-outside", lambda t, p: sort.in_top_k(t, p, 9), np.int32([4, -1, 2, 9]), scores,
            want=np.array([False, False, True, False])),
        row("in_top_k-odd", lambda t, p: sort.in_top_k(t, p, 2), np.int32([1, 0, 0, 0]), odd,
            want=np.array([False, True, False, True])),
    ]  # fmt: skip


def search_rows() -> list[Row]:
    right = np.searchsorted(LINE, ASKED, "right").astype("int32")
    return [
        row("searchsorted", sort.searchsorted, LINE, ASKED, want=np.searchsorted(LINE, ASKED).astype("int32")),
        row("searchsorted-right", lambda a, v: sort.searchsorted(a, v, "right"), LINE, ASKED, want=right),
        row("searchsorted-int", sort.searchsorted, np.sort(K[0]), ASKED,
            want=np.searchsorted(np.sort(K[0]), ASKED).astype("int32")),
        row("searchsorted-of-one", lambda a: sort.searchsorted(a, 0.5), LINE, want=np.int32(4)),
        row("searchsorted-in-none", sort.searchsorted, LINE[:0], ASKED, want=np.zeros((3, 3), "int32")),
        row("digitize", sort.digitize, ASKED, LINE, want=np.digitize(ASKED, LINE).astype("int32")),
        row("digitize-int", sort.digitize, K, np.int32([-1, 2]), want=np.digitize(K, [-1, 2]).astype("int32")),
        row("digitize-bytes", sort.digitize, BYTES, np.float32([10.5, 99]),
            want=np.digitize(BYTES, [10.5, 99]).astype("int32")),
        row("isin", sort.isin, K, np.int32([[1, -2]]), want=np.isin(K, [1, -2])),
        row("isin-inverted", lambda a, b: sort.isin(a, b, invert=True), K, np.int32([[1, -2]]),
            want=~np.isin(K, [1, -2])),
        row("isin-mixed", sort.isin, K, np.float32([1, 0.5]), want=np.isin(K, [1, 0.5])),
        row("isin-odd", sort.isin, ODD, np.float32([np.nan, np.inf, 0]), want=np.isin(ODD, [np.nan, np.inf, 0])),
        row("isin-none", sort.isin, K, np.zeros(0, "int32"), want=np.zeros(K.shape, bool)),
        row("isin-truth", sort.isin, TRUTH, np.array([True]), want=TRUTH),
        row("isin-bytes", sort.isin, BYTES, BYTES[0], want=np.isin(BYTES, BYTES[0])),
    ]  # fmt: skip


ALL = {"return_index": True, "return_inverse": True, "return_counts": True}


def found(x: np.ndarray, axis: int | None = None) -> list[np.ndarray]:
    values, index, inverse, counts = np.unique(x, axis=axis, equal_nan=False, **ALL)
    inverse = inverse.reshape(x.shape if axis is None else -1)
    return [values, *(part.astype("int32") for part in (index, inverse, counts))]


def sized(x: np.ndarray, size: int, fill: object = None, axis: int | None = None) -> list[np.ndarray]:
    import jax.numpy as jnp

    return [np.array(part) for part in jnp.unique(x, axis=axis, size=size, fill_value=fill, equal_nan=False, **ALL)]


def unique_rows() -> list[Row]:
    flags = ints(0, 2, 6, 3)
    deep = ints(0, 2, 5, 2, 2)
    rows = [
        row("unique", unique.unique, K, want=np.unique(K), eager=VALUES),
        row("unique-odd", unique.unique, ODD, want=np.unique(ODD, equal_nan=False), eager=VALUES),
        row("unique-counts", lambda x: unique.unique(x, return_counts=True), K, want=found(K)[::3], eager=VALUES),
        row("unique-unsorted", lambda x: unique.unique(x, sorted=False), BYTES, want=np.unique(BYTES), eager=VALUES),
        row("unique_values", unique.unique_values, TRUTH, want=np.unique(TRUTH), eager=VALUES),
        row("unique_counts", unique.unique_counts, K, want=found(K)[::3], eager=VALUES),
        row("unique_inverse", unique.unique_inverse, K, want=found(K)[::2], eager=VALUES),
        row("unique_all", unique.unique_all, ODD, want=found(ODD), eager=VALUES),
    ]
    for name, x in {
        "int": K,
        "bytes": BYTES,
        "words": BYTES.astype("uint16"),
        "truth": TRUTH,
        "none": K[:0],
        "float": LINE,
    }.items():
        rows.append(row(f"unique-all-{name}", lambda x: unique.unique(x, **ALL), x, want=found(x), eager=VALUES))
    for axis in (0, 1, -1):
        rows.append(row(f"unique-axis-{axis}", lambda x, a=axis: unique.unique(x, axis=a, **ALL), flags,
                        want=found(flags, axis), eager=VALUES))  # fmt: skip
    rows.append(row("unique-deep", lambda x: unique.unique(x, axis=0, **ALL), deep, want=found(deep, 0), eager=VALUES))
    rows.append(row("unique-no-rows", lambda x: unique.unique(x, axis=0), flags[:0], want=flags[:0], eager=VALUES))
    for size in (2, 7, 12):
        rows.append(
            row(f"unique-size-{size}", lambda x, n=size: unique.unique(x, size=n, **ALL), K, want=sized(K, size))
        )
        rows.append(row(f"unique-size-{size}-rows", lambda x, n=size: unique.unique(x, size=n, axis=0, **ALL), flags,
                        want=sized(flags, size, axis=0)))  # fmt: skip
    return [
        *rows,
        row("unique-filled", lambda x: unique.unique(x, size=10, fill_value=-9), K, want=sized(K, 10, -9)[0]),
        row("unique-filled-columns", lambda x: unique.unique(x, size=9, fill_value=4, axis=1), flags,
            want=sized(flags, 9, 4, 1)[0]),
    ]  # fmt: skip


ROWS: list[Row] = [*order_rows(), *partition_rows(), *top_rows(), *search_rows(), *unique_rows()]

BAD: list[Bad] = [
    bad("sort", lambda x: sort.sort(x, 3), X, error=ShapeError),
    bad("sort-of-a-number", sort.sort, X[0, 0, 0], error=ShapeError),
    bad("argsort", lambda x: sort.argsort(x, -4), X, error=ShapeError),
    bad("partition", lambda x: sort.partition(x, None), X, error=ArgumentError),
    bad("argpartition", lambda x: sort.argpartition(x, 1.5), X, error=ArgumentError),
    bad("top_k", lambda x: sort.top_k(x, 5), X, error=ArgumentError),
    bad("top_k-of-a-number", lambda x: sort.top_k(x, 1), X[0, 0, 0], error=ShapeError),
    bad("in_top_k", lambda x: sort.in_top_k(x, x, 1), K, error=ShapeError),
    bad("searchsorted", sort.searchsorted, ASKED, LINE, error=ShapeError),
    bad("searchsorted-side", lambda a: sort.searchsorted(a, a, "middle"), LINE, error=ArgumentError),
    bad("digitize", sort.digitize, LINE, ASKED, error=ShapeError),
    bad("unique", lambda x: unique.unique(x, axis=3), X, error=ShapeError),
]
