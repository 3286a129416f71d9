"""The table of ops that make tensors out of others; NumPy is the oracle. (Those of numbers only: `test_create`.)"""

from __future__ import annotations

from typing import Any

import numpy as np

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops import create, diagonal
from tests.backends.rows import Bad, Row, bad, floats, ints, narrow, row

X, V, CUBE, WIDE = floats(3, 4), floats(4), floats(2, 3, 4), floats(2, 5)
K, BYTES = ints(-5, 6, 3, 4), ints(0, 200, 3, 4, dtype="uint8")
TRUTH = ints(0, 2, 3, 4).astype(bool)
SMALL = ints(-5, 6, 3, 4, dtype="int8")
ODD = np.array([[1, np.nan, 2], [np.inf, 3, -np.inf], [4, 5, 6]], "float32")
NUMBER = np.float32(2.5)


def like_rows() -> list[Row]:
    c = create
    fill = V.astype("float32")
    return [
        row("zeros_like-number", c.zeros_like, NUMBER, want=np.zeros_like(NUMBER)),
        row("zeros_like-int", lambda x: c.zeros_like(x, "int32"), X, want=np.zeros_like(X, "int32")),
        row("zeros_like-bool", c.zeros_like, TRUTH, want=np.zeros_like(TRUTH)),
        row("ones_like-bytes", c.ones_like, BYTES, want=np.ones_like(BYTES)),
        row("ones_like-bool", lambda x: c.ones_like(x, bool), X, want=np.ones_like(X, bool)),
        row("full_like-int", lambda x: c.full_like(x, 3), K, want=np.full_like(K, 3)),
        row("full_like-dtype", lambda x: c.full_like(x, 2, "float16"), K, want=np.full_like(K, 2, "float16")),
        row("full_like-array", lambda x: c.full_like(x, fill), X, want=np.full_like(X, fill)),
        row("full_like-nan", lambda x: c.full_like(x, np.nan), X, want=np.full_like(X, np.nan)),
        row("empty_like", lambda x: c.zeros_like(c.empty_like(x)), X, want=np.zeros_like(X)),
        row("empty_like-dtype", lambda x: c.zeros_like(c.empty_like(x, "int8")), X, want=np.zeros_like(X, "int8")),
        row("positions", lambda x: c.positions(x, 1), CUBE, want=np.arange(3, dtype="int32")),
    ]


def spaced_rows() -> list[Row]:
    low, high = np.abs(floats(2, 3)) + 0.5, np.abs(floats(3)) + 4
    lin, log, geo = create.linspace, create.logspace, create.geomspace
    half = np.array([0, 1], "float16")
    return [
        row("linspace", lambda a, b: lin(a, b, 5), low, high, want=np.linspace(low, high, 5), gradient=True),
        row("linspace-axis", lambda a, b: lin(a, b, 5, axis=-1), low, high, want=np.linspace(low, high, 5, axis=-1)),
        row("linspace-axis-1", lambda a, b: lin(a, b, 5, axis=1), low, high, want=np.linspace(low, high, 5, axis=1)),
        row("linspace-open", lambda a, b: lin(a, b, 4, False), low, high, want=np.linspace(low, high, 4, False)),
        row(
            "linspace-step",
            lambda a, b: list(lin(a, b, 4, retstep=True)),
            low,
            high,
            want=list(np.linspace(low, high, 4, retstep=True)),
        ),
        row("linspace-int", lambda a: lin(a, 20, 7), K, want=narrow(np.linspace(K, 20, 7))),
        row("linspace-to-int", lambda a: lin(a, 20, 6, dtype="int32"), K, want=np.linspace(K, 20, 6, dtype="int32")),
        row("linspace-half", lambda a: lin(a, 2, 5), half, want=np.linspace(half, 2, 5).astype("float16")),
        row("linspace-one", lambda a: lin(a, 2.0, 1), V, want=np.linspace(V, 2.0, 1).astype("float32")),
        row("linspace-none", lambda a: lin(a, 2.0, 0), V, want=np.linspace(V, 2.0, 0).astype("float32")),
        row(
            "logspace",
            lambda a, b: log(a, b, 5),
            V / 2,
            V + 1,
            want=np.logspace(V / 2, V + 1, 5).astype("float32"),
            tolerance=1e-4,
        ),
        row(
            "logspace-base",
            lambda a: log(a, 2, 5, base=2.0),
            V,
            want=np.logspace(V, 2, 5, base=2.0).astype("float32"),
            gradient=True,
        ),
        row(
            "logspace-open",
            lambda a: log(a, 2, 5, False, axis=-1),
            V,
            want=np.logspace(V, 2, 5, False, axis=-1).astype("float32"),
            tolerance=1e-4,
        ),
        row(
            "geomspace",
            lambda a, b: geo(a, b, 6),
            low,
            high,
            want=np.geomspace(low, high, 6).astype("float32"),
            gradient=True,
        ),
        row(
            "geomspace-negative",
            lambda a: geo(a, -3.0, 6, False),
            -low,
            want=np.geomspace(-low, -3.0, 6, False).astype("float32"),
        ),
        row(
            "geomspace-axis",
            lambda a: geo(a, 1, 3, axis=1),
            high,
            want=np.geomspace(high, 1, 3, axis=1).astype("float32"),
        ),
        row("vander", lambda x: create.vander(x, 5), V, want=np.vander(V, 5), gradient=True),
        row("vander-square", create.vander, V, want=np.vander(V), fixed="as many powers as elements"),
        row("vander-rising", lambda x: create.vander(x, 3, True), K[0], want=narrow(np.vander(K[0], 3, True))),
        row("vander-one", lambda x: create.vander(x, 1), K[0], want=narrow(np.vander(K[0], 1))),
        row("vander-none", lambda x: create.vander(x, 0), K[0], want=narrow(np.vander(K[0], 0))),
    ]


def diagonal_rows() -> list[Row]:
    d = diagonal
    rows: list[Row] = []
    for k in (-5, -2, 0, 1, 4, 7):
        rows += [
            row(f"diag-{k}", lambda x, k=k: d.diag(x, k), V, want=np.diag(V, k), gradient=k in (-2, 1)),
            row(f"diag-of-matrix-{k}", lambda x, k=k: d.diag(x, k), X, want=np.diag(X, k), gradient=k == 1),
            row(f"tril-{k}", lambda x, k=k: d.tril(x, k), X, want=np.tril(X, k), gradient=k in (-2, 1)),
            row(f"triu-{k}", lambda x, k=k: d.triu(x, k), X, want=np.triu(X, k), gradient=k in (-2, 1)),
            row(f"diagonal-{k}", lambda x, k=k: d.diagonal(x, k), CUBE, want=np.diagonal(CUBE, k), gradient=k == 0),
            row(
                f"diagonal-inner-{k}", lambda x, k=k: d.diagonal(x, k, -2, -1), CUBE, want=np.diagonal(CUBE, k, -2, -1)
            ),
            row(f"trace-{k}", lambda x, k=k: d.trace(x, k), X, want=np.asarray(np.trace(X, k)), gradient=k == 0),
        ]
    return [
        *rows,
        *(row(f"triu-{x.dtype}", d.triu, x, want=np.triu(x)) for x in (K, BYTES, TRUTH)),
        *(row(f"tril-{x.dtype}", d.tril, x, want=np.tril(x)) for x in (K, BYTES, TRUTH)),
        *(row(f"diag-{x.dtype}", lambda x: d.diag(x[0]), x, want=np.diag(x[0])) for x in (K, BYTES, TRUTH)),
        row("tril-odd", lambda x: d.tril(x, -1), ODD, want=np.tril(ODD, -1)),
        row("triu-odd", lambda x: d.triu(x, 1), ODD, want=np.triu(ODD, 1)),
        row("tril-batch", d.tril, CUBE, want=np.tril(CUBE)),
        row("triu-batch", lambda x: d.triu(x, -1), CUBE, want=np.triu(CUBE, -1)),
        row("diagonal-swapped", lambda x: d.diagonal(x, 1, 2, 0), CUBE, want=np.diagonal(CUBE, 1, 2, 0)),
        row("diagonal-bools", d.diagonal, TRUTH, want=np.diagonal(TRUTH)),
        row("diagflat", lambda x: d.diagflat(x, 1), X, want=np.diagflat(X, 1), gradient=True),
        row("diagflat-bytes", d.diagflat, BYTES, want=np.diagflat(BYTES)),
        row("diagflat-number", d.diagflat, NUMBER, want=np.diagflat(NUMBER)),
        row("trace-int", d.trace, K, want=np.asarray(np.trace(K), "int32")),
        row("trace-small", d.trace, SMALL, want=np.asarray(np.trace(SMALL), "int32")),
        row("trace-bytes", d.trace, BYTES, want=np.asarray(np.trace(BYTES), "uint32")),
        row("trace-bools", d.trace, TRUTH, want=np.asarray(np.trace(TRUTH), "int32")),
        row("trace-inner", lambda x: d.trace(x, 1, -1, 1), CUBE, want=np.trace(CUBE, 1, -1, 1), gradient=True),
    ]


def limits(rows: list[Row]) -> list[Row]:
    """NumPy's results in the element type that the op promises."""

    def as32(want: Any) -> Any:
        if isinstance(want, list):
            return [as32(w) for w in want]
        return want.astype("float32") if np.asarray(want).dtype == "float64" else want

    return [each._replace(want=as32(each.want)) for each in rows]


ROWS: list[Row] = limits([*like_rows(), *spaced_rows(), *diagonal_rows()])

BAD: list[Bad] = [
    bad("full_like", lambda x: create.full_like(x, V[:2]), X, error=ShapeError),
    bad("linspace", lambda a: create.linspace(a, 1.0, -1), V, error=ArgumentError),
    bad("linspace-shapes", lambda a, b: create.linspace(a, b, 3), X, V[:3], error=ShapeError),
    bad("linspace-axis", lambda a: create.linspace(a, 1.0, 3, axis=2), V, error=ShapeError),
    bad("logspace", lambda a: create.logspace(a, 1.0, -1), V, error=ArgumentError),
    bad("geomspace", lambda a: create.geomspace(a, 1.0, -1), V, error=ArgumentError),
    bad("vander", lambda x: create.vander(x, 2), X, error=ShapeError),
    bad("diag", diagonal.diag, CUBE, error=ShapeError),
    bad("diagonal", diagonal.diagonal, V, error=ShapeError),
    bad("diagonal-twice", lambda x: diagonal.diagonal(x, 0, 1, -1), X, error=ShapeError),
    bad("trace", lambda x: diagonal.trace(x, 0, 1, 1), X, error=ShapeError),
    bad("tril", diagonal.tril, V, error=ShapeError),
    bad("triu", diagonal.triu, V, error=ShapeError),
]
