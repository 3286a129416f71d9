"""Products of matrices and tensors, against NumPy and SciPy."""

from __future__ import annotations

import functools
from typing import Any

import ml_dtypes
import numpy as np
import scipy.spatial.distance

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops import linalg, products
from tests.backends.rows import Bad, Row, bad, floats, ints, narrow, row

A, B, V, W = floats(2, 3, 4), floats(2, 4, 5), floats(4), floats(3)
X, Y = floats(3, 4), floats(4, 5)
CUBE, DEEP = floats(3, 3, 3), floats(2, 3, 4, 5)
ONE, NONE = np.float32(2.5), np.zeros((0, 4), "float32")
INT = ints(-5, 6, 4, 2)
KNOWN = "whether a vector has 2 or 3 elements says the rank of the result"
INTS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "bool")


def product_rows() -> list[Row]:
    rows = []
    for dtype in INTS:
        a, b = ints(0, 100, 3, 4).astype(dtype), ints(0, 100, 4, 5).astype(dtype)
        wide, kind = a.astype("int64") @ b.astype("int64"), "int32" if dtype == "int8" else dtype
        same = wide.astype(dtype)  # bool: whether any product isn't 0; bytes without a sign wrap around
        rows += [
            row(f"matmul-{dtype}", linalg.matmul, a, b, want=wide.astype(kind)),
            row(f"matmul-stack-{dtype}", linalg.matmul, a[None], b[None], want=wide.astype(kind)[None]),
            row(f"matmul-vector-{dtype}", linalg.matmul, a, b[:, 0], want=wide[:, 0].astype(kind)),
            row(f"einsum-{dtype}", lambda a, b: linalg.einsum("ij,jk", a, b), a, b, want=wide.astype(kind)),
            row(
                f"einsum-sum-{dtype}",
                lambda a: linalg.einsum("ij->i", a),
                a,
                want=a.astype("int64").sum(1).astype(kind),
            ),
            row(f"dot-{dtype}", linalg.dot, a, b, want=same),
            row(f"inner-{dtype}", linalg.inner, a, b.T, want=same),
            row(f"tensordot-{dtype}", lambda a, b: linalg.tensordot(a, b, 1), a, b, want=same),
            row(f"outer-{dtype}", linalg.outer, a[0], b[0], want=np.outer(a[0], b[0])),
            row(f"vdot-{dtype}", linalg.vdot, a, a, want=np.asarray((a.astype("int64") ** 2).sum().astype(dtype))),
        ]
    half, rough = X.astype("float16"), X.astype(ml_dtypes.bfloat16)
    small = ints(0, 5, 4, 2)
    return [
        *rows,
        row("matmul-int-with-float", linalg.matmul, X, small, want=narrow(X @ small)),
        row(
            "matmul-int-types",
            linalg.matmul,
            small.T.astype("int8"),
            small.astype("uint8"),
            want=(small.T @ small).astype("int16"),
        ),
        *(
            row(f"{name}-bytes-and-bools", op, INT.astype("int8"), INT.T > 0, want=(INT @ (INT.T > 0)).astype("int8"))
            for name, op in (("matmul", linalg.matmul), ("einsum", functools.partial(linalg.einsum, "ij,jk")))
        ),
        row("matmul-half", linalg.matmul, half, half.T, want=half @ half.T, tolerance=4e-3),
        row("matmul-rough", linalg.matmul, rough, rough.T, want=(X @ X.T).astype(ml_dtypes.bfloat16), tolerance=4e-2),
        row("matmul-empty", linalg.matmul, NONE, Y, want=NONE @ Y),
        row("matmul-nothing-to-add", linalg.matmul, NONE.T, floats(0, 3), want=np.zeros((4, 3), "float32")),
        row("matmul-gradient", linalg.matmul, A, B, want=A @ B, gradient=True),
        row("matmul-lead", linalg.matmul, DEEP, DEEP[:1].swapaxes(-1, -2), want=DEEP @ DEEP[:1].swapaxes(-1, -2)),
    ]


def einsum_rows() -> list[Row]:
    square, pair = CUBE[0], CUBE[:2]
    cases: dict[str, tuple[Any, ...]] = {
        "ij,jk": (X, Y), "ba": (X,), "ii": (square,), "ii->i": (square,), "bii->b": (CUBE,), "iij->ij": (CUBE,),
        "ij,ji": (square, square), "i,j": (V, W), "...i": (A,), "i...->...": (A,), "...ij,...jk": (A, B),
        "...ij,...kj->...ik": (A, X), "bhtd,bhsd->bhts": (DEEP, DEEP), "i,i,i->i": (V, V, V), "ij,jk,kl": (X, Y, Y.T),
        ",ij->ij": (ONE, X), " ij , jk -> ik ": (X, Y), "b...,b...": (A, A), "ij->": (X,), "ij,ij->ij": (X[:1], X),
        "a...b,b...->a...": (pair, CUBE), "...,...": (V, A),
    }  # fmt: skip
    return [
        *(
            row(
                f"einsum-{equation}",
                functools.partial(linalg.einsum, equation),
                *arrays,
                want=np.asarray(np.einsum(equation, *arrays)),
                gradient=True,
                tolerance=1e-4,
                fixed="a free size isn't known to be 1" if equation == "ij,ij->ij" else "",
            )
            for equation, arrays in cases.items()
        ),
        row("einsum-mixed", functools.partial(linalg.einsum, "ij,jk"), X, INT, want=narrow(X @ INT)),
        row("einsum-hint", lambda a: linalg.einsum("ij->j", a, optimize="optimal"), X, want=X.sum(0)),
    ]


def other_products() -> list[Row]:
    d, e = floats(5, 4), floats(3, 4, 5)
    a, b, c = floats(2, 3), floats(2, 3), floats(4, 1, 3)
    flat, i = floats(2, 2), ints(-5, 6, 4, 3)
    chain = [floats(2, 7), floats(7, 3), floats(3, 6), floats(6)]
    z = (floats(2, 3) + 1j * floats(2, 3)).astype("complex64")
    r = functools.partial(row, gradient=True)
    return [
        r("dot-gradient", linalg.dot, X, B, want=np.dot(X, B)),
        row("dot-number", lambda x: linalg.dot(2, x), X, want=2 * X),
        row("dot-scalars", linalg.dot, ONE, ONE, want=ONE * ONE),
        r("inner", linalg.inner, A, d, want=np.inner(A, d)),
        r("inner-vectors", linalg.inner, V, V, want=np.asarray(np.inner(V, V))),
        row("inner-scalar", linalg.inner, X, ONE, want=X * ONE),
        row("inner-number", lambda x: linalg.inner(x, 3.0), X, want=X * 3),
        r("outer", linalg.outer, X, W, want=np.outer(X, W)),
        row("outer-number", lambda x: linalg.outer(x, 2.0), W, want=np.outer(W, np.float32(2))),
        row("outer-int-with-float", linalg.outer, i, W, want=narrow(np.outer(i, W))),
        row("outer-empty", linalg.outer, NONE, W, want=np.outer(NONE, W)),
        r("kron", linalg.kron, X, Y, want=np.kron(X, Y)),
        row("kron-ranks", linalg.kron, V, A, want=np.kron(V, A)),
        row("kron-ranks-turned", linalg.kron, A, V, want=np.kron(A, V)),
        row("kron-of-int", linalg.kron, i, i, want=np.kron(i, i)),
        row("kron-bytes", linalg.kron, i.astype("int8"), i.astype("int8"), want=np.kron(i, i).astype("int8")),
        row("kron-number", lambda x: linalg.kron(2, x), i, want=2 * i),
        r("tensordot", linalg.tensordot, A, e, want=np.tensordot(A, e)),
        r(
            "tensordot-axes",
            lambda x, y: linalg.tensordot(x, y, [[0, -1], [0, 1]]),
            A,
            B,
            want=np.tensordot(A, B, [[0, -1], [0, 1]]),
        ),
        row("tensordot-axis-each", lambda x, y: linalg.tensordot(x, y, (2, 1)), A, B, want=np.tensordot(A, B, (2, 1))),
        row("tensordot-none", lambda x, y: linalg.tensordot(x, y, 0), X, V, want=np.tensordot(X, V, 0)),
        r("vdot", linalg.vdot, X, X.T, want=np.asarray(np.vdot(X, X.T))),
        row("vdot-complex", linalg.vdot, z, z[::-1].copy(), want=np.asarray(np.vdot(z, z[::-1]))),
        r("vecdot", products.vecdot, A, X, want=np.vecdot(A, X)),
        row("vecdot-axis", lambda x, y: products.vecdot(x, y, axis=-2), A, A[0], want=np.vecdot(A, A[0], axis=-2)),
        row("vecdot-complex", products.vecdot, z, 2 * z, want=np.vecdot(z, 2 * z)),
        row("vecdot-bytes", products.vecdot, i.astype("int8"), i.astype("int8"), want=(i * i).sum(1).astype("int8")),
        r("matvec", products.matvec, A, V, want=np.matvec(A, V)),
        row("matvec-lead", products.matvec, X, d, want=d @ X.T),
        r("vecmat", products.vecmat, V, B, want=np.vecmat(V, B)),
        row("vecmat-complex", products.vecmat, z[0], z.T.copy(), want=np.vecmat(z[0], z.T)),
        r("cross", products.cross, a, b, want=np.cross(a, b), fixed=KNOWN),
        row("cross-broadcast", products.cross, a, c, want=np.cross(a, c), fixed=KNOWN),
        row("cross-of-int", products.cross, i, i[::-1].copy(), want=np.cross(i, i[::-1]), fixed=KNOWN),
        row("cross-2-and-3", products.cross, flat, a, want=np.cross(np.pad(flat, ((0, 0), (0, 1))), a), fixed=KNOWN),
        row("cross-3-and-2", products.cross, a, flat, want=np.cross(a, np.pad(flat, ((0, 0), (0, 1)))), fixed=KNOWN),
        row(
            "cross-2-and-2",
            products.cross,
            flat,
            flat[::-1].copy(),
            want=flat[:, 0] * flat[::-1, 1] - flat[:, 1] * flat[::-1, 0],
            fixed=KNOWN,
        ),
        row(
            "cross-axis",
            lambda x, y: products.cross(x, y, axis=0),
            a.T.copy(),
            b.T.copy(),
            want=np.cross(a, b).T,
            fixed=KNOWN,
        ),
        row(
            "cross-axes",
            lambda x, y: products.cross(x, y, -1, 0, 0),
            a,
            b.T.copy(),
            want=np.cross(a, b).T,
            fixed=KNOWN,
        ),
        r("multi_dot", lambda *xs: products.multi_dot(xs), *chain, want=np.linalg.multi_dot(chain)),
        row("multi_dot-two", lambda *xs: products.multi_dot(xs), X, Y, want=X @ Y),
        row(
            "multi_dot-vector-first",
            lambda *xs: products.multi_dot(xs),
            V,
            Y,
            Y.T.copy(),
            V,
            want=np.asarray(V @ Y @ Y.T @ V),
            tolerance=1e-4,
        ),
        r("cdist", products.cdist, X, d + 1, want=narrow(scipy.spatial.distance.cdist(X, d + 1))),
        row("cdist-lead", products.cdist, A, X, want=narrow(np.sqrt(((A[:, :, None] - X[None, None]) ** 2).sum(-1)))),
        row("cdist-of-int", products.cdist, i, i, want=narrow(scipy.spatial.distance.cdist(i, i))),
        row("cdist-same", products.cdist, X, X, want=narrow(scipy.spatial.distance.cdist(X, X))),
    ]


ROWS: list[Row] = [*product_rows(), *einsum_rows(), *other_products()]
BAD: list[Bad] = [
    bad("matmul", linalg.matmul, X, X, error=ShapeError),
    bad("matmul-scalar", linalg.matmul, X, ONE, error=ShapeError),
    bad("matmul-lead", linalg.matmul, A, CUBE[:, :1].repeat(4, 1), error=ShapeError),
    bad("einsum-sizes", functools.partial(linalg.einsum, "ij,jk"), X, X, error=ShapeError),
    bad("einsum-terms", functools.partial(linalg.einsum, "ij,jk,kl"), X, Y, error=ShapeError),
    bad("einsum-rank", functools.partial(linalg.einsum, "ijk"), X, error=ShapeError),
    bad("einsum-letter", functools.partial(linalg.einsum, "ij->ik"), X, error=ArgumentError),
    bad("dot", linalg.dot, X, X, error=ShapeError),
    bad("inner", linalg.inner, X, Y, error=ShapeError),
    bad("tensordot", linalg.tensordot, X, Y, error=ShapeError),
    bad("vdot", linalg.vdot, X, Y, error=ShapeError),
    bad("vecdot", products.vecdot, X, Y, error=ShapeError),
    bad("matvec", products.matvec, X, W, error=ShapeError),
    bad("vecmat", products.vecmat, W, Y, error=ShapeError),
    bad("cross", products.cross, X, X, error=ShapeError),
    bad("multi_dot", lambda x: products.multi_dot([x]), X, error=ShapeError),
    bad("cdist", products.cdist, X, Y, error=ShapeError),
]
