"""Decompositions, equations and norms, against NumPy and SciPy.

A decomposition is unique but for signs: rows multiply it out again, and look at what makes its parts what they are.
"""

from __future__ import annotations

import functools
import itertools
import warnings
from typing import Any

import numpy as np
import scipy.linalg

from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from kbridge.core.ops import decompose, elementwise, equations, linalg, norms, shape
from tests.backends.rows import Bad, Row, bad, floats, ints, narrow, row

d, e, r = decompose, equations, functools.partial(row, gradient=True, tolerance=2e-4)
near = functools.partial(row, tolerance=2e-4)
EYE = np.eye(3, dtype="float32")
A = (floats(2, 3, 3) + 3 * EYE).astype("float32")  # well conditioned
M = A[0]
S = A @ A.swapaxes(-1, -2)  # symmetric, positive definite
FACTOR = np.linalg.cholesky(S)
TALL, WIDE = floats(2, 5, 3), floats(2, 3, 5)
LOW = (floats(4, 2) @ floats(2, 5)).astype("float32")  # of rank 2
B, VECTORS = floats(2, 3, 4), floats(2, 3)
INT = ints(-5, 6, 3, 3)
Z = (floats(3, 3) + 1j * floats(3, 3) + 3 * EYE).astype("complex64")
HERMITIAN = Z @ Z.conj().T
FREE = "which of the sides is the shorter isn't known"


def turned(x: Any) -> Any:
    return shape.swapaxes(x, -1, -2)


def symmetric(x: Any) -> Any:
    """So that a gradient doesn't depend on which triangle is read."""
    return linalg.matmul(x, turned(x))


def square_rows() -> list[Row]:
    w = np.linalg.eigvalsh(S)
    upper = FACTOR.swapaxes(-1, -2).copy()
    return [
        near("cholesky", d.cholesky, S, want=FACTOR),
        near("cholesky-upper", lambda x: d.cholesky(x, upper=True), S, want=upper),
        near("cholesky-of-int", d.cholesky, np.array([[4, 2], [2, 5]]), want=np.array([[2, 0], [1, 2]], "float32")),
        near("cholesky-complex", d.cholesky, HERMITIAN, want=np.linalg.cholesky(HERMITIAN)),
        near(
            "cholesky-complex-upper",
            lambda x: d.cholesky(x, True),
            HERMITIAN,
            want=np.linalg.cholesky(HERMITIAN).conj().T,
        ),
        r("cholesky-gradient", lambda x: d.cholesky(symmetric(x)), A, want=FACTOR),
        r("cholesky_inverse", lambda x: d.cholesky_inverse(d.cholesky(symmetric(x))), A, want=np.linalg.inv(S)),
        near("cholesky_inverse-upper", lambda x: d.cholesky_inverse(x, True), upper[0], want=np.linalg.inv(S[0])),
        near("cholesky_inverse-one-triangle", d.cholesky_inverse, FACTOR[0] + np.triu(M, 1), want=np.linalg.inv(S[0])),
        r("det", d.det, A, want=np.linalg.det(A)),
        near("det-one", d.det, M, want=np.asarray(np.linalg.det(M))),
        near("det-of-int", d.det, INT, want=narrow(np.linalg.det(INT))),
        near("det-complex", d.det, Z, want=np.asarray(np.linalg.det(Z))),
        row("det-singular", d.det, np.zeros((2, 2), "float32"), want=np.float32(0)),
        row("det-empty", d.det, A[:0], want=np.zeros(0, "float32")),
        near("slogdet", lambda x: list(d.slogdet(x)), -A, want=list(np.linalg.slogdet(-A))),
        r("slogdet-gradient", lambda x: d.slogdet(x)[1], A, want=np.linalg.slogdet(A)[1]),
        near("slogdet-large", lambda x: d.slogdet(x)[1], 1e30 * EYE, want=np.float32(3 * np.log(1e30))),
        r("logdet", lambda x: d.logdet(symmetric(x)), A, want=np.linalg.slogdet(S)[1]),
        near("logdet-negative", d.logdet, -M, want=np.asarray(np.linalg.slogdet(-M)[1])),
        r("inv", d.inv, A, want=np.linalg.inv(A)),
        near("inv-of-int", d.inv, INT + 9 * EYE.astype("int32"), want=narrow(np.linalg.inv(INT + 9 * EYE))),
        near("inv-complex", d.inv, Z, want=np.linalg.inv(Z)),
        row("inv-empty", d.inv, A[:0], want=A[:0]),
        near("eigh-values", lambda x: d.eigh(x)[0], S, want=w),
        near("eigh-product", _eigh_product, S, want=S),
        near("eigh-of-int", lambda x: d.eigh(x)[0], INT + INT.T, want=narrow(np.linalg.eigvalsh(INT + INT.T))),
        near("eigh-complex", lambda x: d.eigh(x)[0], HERMITIAN, want=np.linalg.eigvalsh(HERMITIAN)),
        near("eigh-orthogonal", lambda x: symmetric(d.eigh(x)[1]), S, want=np.stack([EYE, EYE])),
        r("eigh-gradient", lambda x: d.eigh(symmetric(x))[0], A, want=w),
        near("eigvalsh", d.eigvalsh, S, want=w),
        near("eig-product", _eig_product, A, want=A.astype("complex64")),
        near("eig-of-real-values", lambda x: _in_order(d.eig(x)[0]), S, want=w.astype("complex64").sum(-1)),
        near("eigvals", lambda x: _in_order(d.eigvals(x)), INT, want=np.asarray(np.trace(INT), "complex64")),
        near("matrix_power", lambda x: e.matrix_power(x, 5), M, want=np.linalg.matrix_power(M, 5)),
        near("matrix_power-inverse", lambda x: e.matrix_power(x, -3), A, want=np.linalg.matrix_power(A, -3)),
        row("matrix_power-none", lambda x: e.matrix_power(x, 0), A, want=np.stack([EYE, EYE])),
        row("matrix_power-one", lambda x: e.matrix_power(x, 1), A, want=A),
        row("matrix_power-of-int", lambda x: e.matrix_power(x, 6), INT, want=np.linalg.matrix_power(INT, 6)),
        row(
            "matrix_power-bytes",
            lambda x: e.matrix_power(x, 3),
            INT.astype("int8"),
            want=np.linalg.matrix_power(INT, 3).astype("int8"),
        ),
        near("matrix_power-int-inverse", lambda x: e.matrix_power(x, -1), INT, want=narrow(np.linalg.inv(INT))),
        r("matrix_power-gradient", lambda x: e.matrix_power(x, 3), M / 3, want=np.linalg.matrix_power(M / 3, 3)),
    ]


def _eigh_product(x: Any) -> Any:
    w, v = d.eigh(x)
    return linalg.matmul(elementwise.multiply(v, shape.expand_dims(w, -2)), turned(v))


def _eig_product(x: Any) -> Any:
    w, v = d.eig(x)
    return linalg.matmul(elementwise.multiply(v, shape.expand_dims(w, -2)), d.inv(v))


def _in_order(w: Any) -> Any:
    """Eigenvalues come in any order: their sum."""
    return linalg.einsum("...i->...", w)


def product(x: Any, op: Any, **more: Any) -> Any:
    """The parts of a decomposition multiplied out."""
    parts = op(x, **more)
    if len(parts) == 2:
        return linalg.matmul(*parts)
    u, s, v = parts
    count = s.shape[-1]
    u, v = shape.get_item(u, (..., slice(None, count))), shape.get_item(v, (..., slice(None, count), slice(None)))
    return linalg.matmul(elementwise.multiply(u, shape.expand_dims(s, -2)), v)


def oblong_rows() -> list[Row]:
    rows = []
    for (name, x), mode in itertools.product({"tall": TALL, "wide": WIDE, "one": M}.items(), ("reduced", "complete")):
        n = x.shape[-2] if mode == "complete" else min(x.shape[-2:])
        unit = np.broadcast_to(np.eye(n, dtype="float32"), (*x.shape[:-2], n, n))
        lower = np.zeros((*x.shape[:-2], n, x.shape[-1]), "float32")
        qr, full = functools.partial(d.qr, mode=mode), mode == "complete"
        fixed = "" if x.ndim == 3 else FREE
        values = np.linalg.svd(x, compute_uv=False)
        rows += [
            near(f"qr-{name}-{mode}", functools.partial(product, op=qr), x, want=x, fixed=fixed),
            near(f"qr-{name}-{mode}-unit", lambda x, qr=qr: symmetric(turned(qr(x)[0])), x, want=unit, fixed=fixed),
            near(f"qr-{name}-{mode}-low", lambda x, qr=qr: _below(qr(x)[1]), x, want=lower, fixed=fixed),
            near(f"svd-{name}-{mode}", lambda x, f=full: product(x, d.svd, full_matrices=f), x, want=x, fixed=fixed),
            near(
                f"svd-{name}-{mode}-unit",
                lambda x, f=full: symmetric(turned(d.svd(x, f)[0])),
                x,
                want=unit,
                fixed=fixed,
            ),
            near(f"svd-{name}-{mode}-values", lambda x, f=full: d.svd(x, f)[1], x, want=values, fixed=fixed),
        ]
    for name, x in {"tall": TALL, "wide": WIDE, "one": M, "low": LOW, "zeros": 0 * M, "empty": TALL[:0]}.items():
        lu, pivots = _lu(x)
        call, pivots = (lambda x: list(d.lu_factor(x))), pivots.astype("int32")
        if name == "low":  # what rounding leaves in the last rows, and its pivots, are anybody's
            call, lu, pivots = (
                (lambda x: [shape.get_item(p, slice(None, 2)) for p in d.lu_factor(x)]),
                lu[:2],
                pivots[:2],
            )
        rows.append(near(f"lu_factor-{name}", call, x, want=[lu, pivots], fixed="" if x.ndim == 3 else FREE))
    return [
        *rows,
        near("svd-values-only", lambda x: d.svd(x, compute_uv=False), TALL, want=np.linalg.svd(TALL, compute_uv=False)),
        near(
            "svd-of-int", lambda x: d.svd(x, compute_uv=False), INT, want=narrow(np.linalg.svd(INT, compute_uv=False))
        ),
        r("svdvals", d.svdvals, WIDE, want=np.linalg.svd(WIDE, compute_uv=False)),
        near("svdvals-complex", d.svdvals, Z, want=np.linalg.svd(Z, compute_uv=False)),
        r("svd-gradient", lambda x: product(x, d.svd, full_matrices=False), TALL, want=TALL),
        r("qr-gradient", lambda x: product(x, d.qr), TALL, want=TALL),
        near("lu_factor-of-int", lambda x: d.lu_factor(x)[0], INT, want=narrow(_lu(INT)[0])),
        r("lu_factor-gradient", lambda x: d.lu_factor(x)[0], A, want=_lu(A)[0]),
    ]


def _lu(x: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scipy.linalg.LinAlgWarning)  # of singular matrices, which is what they are for
        if x.ndim == 2:
            return scipy.linalg.lu_factor(x)
        parts = [scipy.linalg.lu_factor(each) for each in x]
    if not parts:
        return x, np.zeros((0, min(x.shape[-2:])), "int32")
    return [np.stack(each) for each in zip(*parts, strict=True)]


def _below(x: Any) -> Any:
    """What lies under the diagonal."""
    row, column = shape.positions(x, -2), shape.positions(x, -1)
    return elementwise.where(elementwise.greater(shape.expand_dims(row, 1), column), x, 0.0)


def equation_rows() -> list[Row]:
    lower, upper = np.tril(A), np.triu(A)
    down = np.linalg.solve(lower, B)
    lead = np.linalg.solve(A, np.broadcast_to(B[:1], B.shape))
    full, W, C = floats(5, 3), floats(3), floats(5, 2)
    rank = np.stack([LOW, floats(4, 5)])
    return [
        r("solve", e.solve, A, B, want=np.linalg.solve(A, B)),
        r("solve-vectors", e.solve, A, VECTORS, want=np.linalg.solve(A, VECTORS[..., None])[..., 0]),
        near("solve-one", e.solve, M, W, want=np.linalg.solve(M, W)),
        near("solve-lead", e.solve, A, B[:1], want=lead, fixed="a free size isn't known to be 1"),
        near(
            "solve-lead-of-a",
            e.solve,
            A[:1],
            B,
            want=np.linalg.solve(A[:1], B),
            fixed="a free size isn't known to be 1",
        ),
        near("solve-of-int", e.solve, INT, W, want=narrow(np.linalg.solve(INT, W))),
        near("solve-complex", e.solve, Z, Z.T.copy(), want=np.linalg.solve(Z, Z.T)),
        near("solve-empty", e.solve, A[:0], B[:0], want=B[:0]),
        r("solve_triangular", e.solve_triangular, A, B, want=np.linalg.solve(upper, B)),
        r("solve_triangular-lower", lambda a, b: e.solve_triangular(a, b, lower=True), A, B, want=down),
        near(
            "solve_triangular-vectors",
            lambda a, b: e.solve_triangular(a, b, True),
            A,
            VECTORS,
            want=np.linalg.solve(lower, VECTORS[..., None])[..., 0],
        ),
        near("solve_triangular-one", e.solve_triangular, M, W, want=np.linalg.solve(upper[0], W)),
        near(
            "solve_triangular-lead",
            e.solve_triangular,
            A,
            B[:1],
            want=np.linalg.solve(upper, B[:1]),
            fixed="a free size isn't known to be 1",
        ),
        r("lstsq", e.lstsq, full, C, want=np.linalg.lstsq(full, C)[0]),
        near("lstsq-vector", e.lstsq, full, C[:, 0], want=np.linalg.lstsq(full, C[:, 0])[0]),
        near("lstsq-wide", e.lstsq, full.T.copy(), C[:3], want=np.linalg.lstsq(full.T, C[:3])[0]),
        near("lstsq-low", e.lstsq, LOW, C[:4], want=np.linalg.lstsq(LOW, C[:4], 1e-5)[0]),
        near("lstsq-rcond", lambda a, b: e.lstsq(a, b, rcond=0.7), full, C, want=np.linalg.lstsq(full, C, 0.7)[0]),
        near("lstsq-mixed", e.lstsq, INT, C[:3], want=narrow(np.linalg.lstsq(INT.astype("float64"), C[:3])[0])),
        r("pinv", e.pinv, TALL, want=np.linalg.pinv(TALL)),
        near("pinv-wide", e.pinv, WIDE, want=np.linalg.pinv(WIDE)),
        near("pinv-low", e.pinv, LOW, want=np.linalg.pinv(LOW, 1e-5)),
        near("pinv-rcond", lambda x: e.pinv(x, rcond=0.7), TALL, want=np.linalg.pinv(TALL, 0.7)),
        near("pinv-of-int", e.pinv, INT, want=narrow(np.linalg.pinv(INT))),
        row("matrix_rank", e.matrix_rank, rank, want=np.array([2, 4], "int32")),
        row("matrix_rank-one", e.matrix_rank, LOW, want=np.int32(2)),
        row("matrix_rank-zeros", e.matrix_rank, 0 * LOW, want=np.int32(0)),
        row("matrix_rank-of-int", e.matrix_rank, np.array([[1, 2], [2, 4]]), want=np.int32(1)),
        row(
            "matrix_rank-tol",
            lambda x: e.matrix_rank(x, tol=2.5),
            np.diag([3, 2, 1]).astype("float32"),
            want=np.int32(1),
        ),
    ]


def norm_rows() -> list[Row]:
    rows = []
    x, n = floats(3, 4), norms.norm
    for ord, axis, keep in itertools.product((None, 0, 1, -1, 2, 3.5, np.inf, -np.inf), (0, -1), (False, True)):
        call = functools.partial(n, ord=ord, axis=axis, keepdims=keep)
        smooth = ord in (1, 2, 3.5, None)
        rows.append(
            row(f"norm-{ord}-{axis}-{keep}", call, x, want=narrow(call_numpy(x, ord, axis, keep)), gradient=smooth)
        )
    for ord, axis, keep in itertools.product(
        (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf), ((0, 1), (2, 0)), (False, True)
    ):
        call = functools.partial(n, ord=ord, axis=axis, keepdims=keep)
        want = narrow(call_numpy(TALL, ord, axis, keep))
        rows.append(near(f"norm-{ord}-{axis}-{keep}", call, TALL, want=want, gradient=axis == (0, 1)))
    large = np.array([300.0, 400.0], "float16")
    return [
        *rows,
        row("norm", n, TALL, want=np.asarray(np.linalg.norm(TALL))),
        row("norm-keepdims", lambda x: n(x, keepdims=True), TALL, want=np.linalg.norm(TALL, keepdims=True)),
        row("norm-of-int", n, INT, want=narrow(np.linalg.norm(INT))),
        row("norm-of-bools", n, INT > 0, want=narrow(np.linalg.norm(INT > 0))),
        row("norm-scalar", n, np.float32(-2), want=np.float32(2)),
        row("norm-matrix", lambda x: n(x, 1), x, want=np.asarray(np.linalg.norm(x, 1))),
        row("norm-half", n, large, want=np.float16(500)),
        row("norm-complex", n, Z, want=np.asarray(np.linalg.norm(Z))),
        row("vector_norm", norms.vector_norm, TALL, want=np.asarray(np.linalg.vector_norm(TALL))),
        row(
            "vector_norm-axes",
            lambda x: norms.vector_norm(x, (0, -1), True, 3),
            TALL,
            want=np.linalg.vector_norm(TALL, axis=(0, -1), keepdims=True, ord=3),
        ),
        row("vector_norm-no-axes", lambda x: norms.vector_norm(x, ()), TALL, want=np.abs(TALL)),
        near("matrix_norm", norms.matrix_norm, TALL, want=np.linalg.matrix_norm(TALL)),
        near(
            "matrix_norm-nuc",
            lambda x: norms.matrix_norm(x, True, "nuc"),
            TALL,
            want=np.linalg.matrix_norm(TALL, keepdims=True, ord="nuc"),
        ),
    ]


def call_numpy(x: np.ndarray, ord: Any, axis: Any, keepdims: bool) -> np.ndarray:
    return np.linalg.norm(x, ord=ord, axis=axis, keepdims=keepdims)


ROWS: list[Row] = [*square_rows(), *oblong_rows(), *equation_rows(), *norm_rows()]
SQUARE = (d.cholesky, d.cholesky_inverse, d.det, d.slogdet, d.logdet, d.inv, d.eig, d.eigh, d.eigvals, d.eigvalsh)
BAD: list[Bad] = [
    *(bad(op.__name__, op, TALL, error=ShapeError) for op in SQUARE),
    *(bad(f"{op.__name__}-vector", op, VECTORS[0], error=ShapeError) for op in SQUARE),
    bad("matrix_power", lambda x: e.matrix_power(x, 2), TALL, error=ShapeError),
    bad("matrix_power-fraction", lambda x: e.matrix_power(x, 0.5), M, error=DTypeError),
    bad("qr-mode", lambda x: d.qr(x, "raw"), M, error=ArgumentError),
    *(bad(op.__name__, op, VECTORS[0], error=ShapeError) for op in (d.qr, d.svd, d.svdvals, d.lu_factor)),
    bad("solve", e.solve, A, TALL, error=ShapeError),
    bad("solve-oblong", e.solve, TALL, VECTORS, error=ShapeError),
    bad("solve-scalar", e.solve, M, np.float32(1), error=ShapeError),
    bad("solve_triangular", e.solve_triangular, A, TALL, error=ShapeError),
    bad("lstsq", e.lstsq, LOW, B[0], error=ShapeError),
    bad("lstsq-stack", e.lstsq, A, B, error=ShapeError),
    bad("pinv", e.pinv, VECTORS[0], error=ShapeError),
    bad("matrix_rank", e.matrix_rank, VECTORS[0], error=ShapeError),
    bad("norm-axes", lambda x: norms.norm(x, 2), A, error=ShapeError),
    bad("norm-axis", lambda x: norms.norm(x, axis=3), A, error=ShapeError),
    bad("norm-vectors", lambda x: norms.norm(x, "fro", 0), M, error=ArgumentError),
    bad("norm-matrices", lambda x: norms.norm(x, 3), M, error=ArgumentError),
]
