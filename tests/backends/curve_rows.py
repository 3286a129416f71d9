"""The table of what NumPy has beyond Keras: curves, sets, indices from shapes, blocks, parts of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbridge import ops
from kbridge.core.errors import ArgumentError, ShapeError
from tests.backends.rows import Bad, Row, bad, floats, ints, narrow, row

V, W, X, CUBE = floats(7), floats(3), floats(4, 5), floats(2, 3, 4)
K, J = ints(-4, 5, 3, 4), ints(-2, 7, 5)
RISING = np.cumsum(np.abs(floats(6)) + 0.1).astype("float32")
ANGLES = np.cumsum(3 * floats(3, 8), 1).astype("float32")
Z = np.array([1 + 2j, 3, -1j], "complex64")
HOLES = np.array([1.0, float("nan")], "float32")
MAP = (floats(2, 3, 6) + np.reshape(np.eye(6), (2, 3, 6))).astype("float32")
FIXED = "how many different elements there are depends on the numbers"


def of_curves() -> list[Row]:
    middle = (RISING[1:] + RISING[:-1]) / 2
    at = np.concatenate([middle, [-9.0, 99.0]]).astype("float32").reshape(7, 1)
    height = floats(6)
    return [
        *(row(f"convolve-{mode}-{order}", lambda a, b, mode=mode: ops.convolve(a, b, mode), a, b,
              want=np.convolve(a, b, mode), gradient=True, fixed="which part counts depends on both sizes")
          for mode in ("full", "valid", "same") for order, a, b in (("long", V, W), ("short", W, V[:6]))),
        row("convolve-of-int", ops.convolve, J, K[0], want=np.convolve(J, K[0]).astype("float32"),
            fixed="which part counts depends on both sizes"),
        row("ediff1d", ops.ediff1d, K, want=np.ediff1d(K)),
        row("ediff1d-ends", lambda x, a: ops.ediff1d(x, a, 7.0), X, W, want=np.ediff1d(X, W, np.float32(7))),
        row("gradient", ops.gradient, V, want=np.gradient(V), gradient=True),
        row("gradient-axes", lambda x: ops.gradient(x, 0.5), CUBE, want=list(map(narrow, np.gradient(CUBE, 0.5)))),
        row("gradient-one-axis", lambda x: ops.gradient(x, axis=-2), CUBE, want=narrow(np.gradient(CUBE, axis=-2))),
        row("gradient-places", ops.gradient, height, RISING, want=narrow(np.gradient(height, RISING)),
            tolerance=1e-4),
        row("gradient-of-int", ops.gradient, J, want=narrow(np.gradient(J.astype("float64")))),
        row("interp", ops.interp, at, RISING, height, want=narrow(np.interp(at, RISING, height)), gradient=False),
        row("interp-ends", lambda x, xp, fp: ops.interp(x, xp, fp, -1.0, 5.0), at, RISING, height,
            want=narrow(np.interp(at, RISING, height, -1.0, 5.0))),
        row("interp-one-point", ops.interp, at, RISING[:1], height[:1],
            want=narrow(np.interp(at, RISING[:1], height[:1]))),
        row("interp-of-int", ops.interp, K, np.array([-5, 0, 5], "int32"), np.array([0, 10, 30], "int32"),
            want=narrow(np.interp(K, [-5, 0, 5], [0, 10, 30]))),
        row("unwrap", ops.unwrap, ANGLES, want=narrow(np.unwrap(ANGLES)), tolerance=1e-4),
        row("unwrap-degrees", lambda x: ops.unwrap(x, axis=0, period=360.0), 100 * ANGLES,
            want=narrow(np.unwrap(100 * ANGLES, axis=0, period=360.0)), tolerance=1e-4),
        row("unwrap-discont", lambda x: ops.unwrap(x, discont=5.0), ANGLES, want=narrow(np.unwrap(ANGLES, discont=5.0)),
            tolerance=1e-4),
    ]  # fmt: skip


def of_sets() -> list[Row]:
    more: Any = {"fixed": FIXED, "eager": FIXED}
    oracles = {
        "union1d": np.union1d, "intersect1d": np.intersect1d, "setdiff1d": np.setdiff1d, "setxor1d": np.setxor1d,
    }  # fmt: skip
    return [row(name, getattr(ops, name), K, J, want=oracle(K, J), **more) for name, oracle in oracles.items()]


def of_places() -> list[Row]:
    places = np.unravel_index(ints(0, 24, 5), (2, 3, 4))
    whole = [p.astype("int32") for p in places]
    near = {"fixed": "as many indices as the matrix has elements"}
    lower, upper = (list(map(narrow, f(X, k))) for f, k in ((np.tril_indices_from, 0), (np.triu_indices_from, 1)))
    return [
        row("ravel_multi_index", lambda *p: ops.ravel_multi_index(p, (2, 3, 4)), *whole,
            want=narrow(np.ravel_multi_index(places, (2, 3, 4)))),
        row("tril_indices_from", ops.tril_indices_from, X, want=lower, **near),
        row("triu_indices_from", lambda x: ops.triu_indices_from(x, 1), X, want=upper, **near),
        row("diag_indices_from", ops.diag_indices_from, X[:, :4], want=[np.arange(4, dtype="int32")] * 2, **near),
        row("ix_", lambda a, b: ops.ix_(a, b), J, K[0], want=list(np.ix_(J, K[0]))),
        row("block", lambda a, b, c: ops.block([[a, b], [c]]), X, X[:, :2], CUBE[0, 0][None].repeat(2, 1)[:, :7],
            want=np.block([[X, X[:, :2]], [CUBE[0, 0][None].repeat(2, 1)[:, :7]]])),
        row("block-deep", lambda a, b: ops.block([[a], [b]]), X, X[:1],
            want=np.block([[X], [X[:1]]])),
        row("block-flat", lambda a, b: ops.block([a, b, 2.0]), V, W, want=np.block([V, W, np.float32(2)])),
    ]  # fmt: skip


def of_numbers() -> list[Row]:
    odd = np.array([1.5, -2.5, 0.0, -0.0, float("inf"), -float("inf"), 7.0], "float32")
    return [
        row("rint", ops.rint, odd, want=np.rint(odd)),
        row("rint-of-int", ops.rint, K, want=K.astype("float32")),
        row("modf-limits", ops.modf, odd, want=list(np.modf(odd))),
        row("modf-of-int", ops.modf, K, want=list(np.modf(K.astype("float32")))),
        row("spacing", ops.spacing, X, want=np.spacing(X), tolerance=1e-12),
        row("divmod", ops.divmod, K, np.abs(K) + 1, want=list(np.divmod(K, np.abs(K) + 1))),
        row("divmod-number", lambda x: ops.divmod(x, -3), K, want=list(np.divmod(K, -3))),
        row("iscomplex", ops.iscomplex, Z, want=np.iscomplex(Z)),
        row("iscomplex-of-real", ops.iscomplex, X, want=np.zeros((4, 5), bool)),
        row("array_equal", ops.array_equal, X, X, want=np.bool_(True)),
        row("array_equal-other", ops.array_equal, X, X + 1, want=np.bool_(False)),
        row("array_equal-broadcast", ops.array_equal, X, X[:1], want=np.bool_(False), fixed="a free size may be any"),
        row("array_equal-limits-nan", ops.array_equal, HOLES, HOLES, want=np.bool_(False)),
        row("array_equal-limits-equal-nan", lambda a, b: ops.array_equal(a, b, equal_nan=True), HOLES, HOLES,
            want=np.bool_(True)),
        row("array_equiv", ops.array_equiv, X[:1], np.repeat(X[:1], 3, 0), want=np.bool_(True)),
    ]  # fmt: skip


def of_maps() -> list[Row]:
    right = floats(2, 3)
    turned = np.moveaxis(MAP, 2, 0)
    return [
        row("tensorsolve", ops.linalg.tensorsolve, MAP, right, want=np.linalg.tensorsolve(MAP, right), tolerance=1e-3,
            fixed="the sizes say which axes are the columns"),
        row("tensorsolve-axes", lambda a, b: ops.linalg.tensorsolve(a, b, (0,)), turned, right,
            want=np.linalg.tensorsolve(turned, right, (0,)), tolerance=1e-3,
            fixed="the sizes say which axes are the columns"),
        row("tensorinv", ops.linalg.tensorinv, MAP, want=np.linalg.tensorinv(MAP), tolerance=1e-3,
            fixed="the sizes say how many rows there are"),
    ]  # fmt: skip


ROWS = of_curves() + of_sets() + of_places() + of_numbers() + of_maps()
BAD: list[Bad] = [
    bad("gradient-distances", lambda x: ops.gradient(x, 1.0, 2.0), V, error=ArgumentError),
    bad("gradient-short", ops.gradient, V[:1], error=ShapeError),
    bad("interp-lengths", ops.interp, V, V, W, error=ShapeError),
    bad("correlate-convolved", lambda a, b: ops.convolve(a, b, "none"), V, W, error=ArgumentError),
    bad("diag_indices_from-oblong", ops.diag_indices_from, X, error=ShapeError),
    bad("tril_indices_from-vector", ops.tril_indices_from, V, error=ShapeError),
    bad("triu_indices_from-vector", ops.triu_indices_from, V, error=ShapeError),
    bad("ix_-matrix", ops.ix_, X, error=ShapeError),
    bad("ravel_multi_index-rows", lambda a: ops.ravel_multi_index([a], (2, 3)), J, error=ArgumentError),
    bad("block-depth", lambda a: ops.block([a, [a]]), V, error=ArgumentError),
    bad("tensorinv-ind", lambda a: ops.linalg.tensorinv(a, 0), MAP, error=ArgumentError),
]
