"""Rows of statistics: weighted means, medians and quantiles, correlation, histograms, differences."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np

from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from kbridge.core.ops import quantile as q
from kbridge.core.ops import statistics as s
from tests.backends.rows import Bad, Row, bad, floats, ints, narrow, row

X, CUBE, ICUBE = floats(3, 4), floats(2, 3, 4), ints(-3, 4, 2, 3, 4)
BYTES, TRUTH = ints(0, 200, 3, 4, dtype="uint8"), ints(0, 2, 3, 4).astype(bool)
WEIGHTS = np.abs(floats(3, 4)) + 0.1
HOLES = np.where(np.abs(CUBE) > 1, np.float32(np.nan), CUBE)
ODD = np.array([[1, np.nan, 2], [3, np.inf, 1], [-np.inf, 5, np.inf], [np.inf, np.inf, 0]], "float32")
NOTHING = np.zeros((0, 3), "float32")
SIGNAL, WINDOW = floats(9), floats(4)
AXES: list[tuple[Any, bool]] = [(None, False), (None, True), (1, False), (-1, True), ((0, -1), False), ((2, 0), True)]


def average_rows() -> list[Row]:
    halves = np.full((3, 2), 60000, "float16")
    return [
        row("average", s.average, X, want=np.average(X)),
        row("average-of-int", lambda x: s.average(x, 1), ICUBE, want=narrow(np.average(ICUBE, 1))),
        row("average-weights", lambda x, w: s.average(x, weights=w), X, WEIGHTS, want=np.average(X, weights=WEIGHTS),
            gradient=True),
        row("average-axis", lambda x, w: s.average(x, -1, w), X, WEIGHTS[0], want=np.average(X, -1, WEIGHTS[0]),
            gradient=True, data=1),
        row("average-axis-inside", lambda x, w: s.average(x, 1, w), CUBE, WEIGHTS[:, 0],
            want=np.average(CUBE, 1, WEIGHTS[:, 0]), data=1),
        row("average-axes", lambda x, w: s.average(x, (0, 1), w), X, WEIGHTS, want=np.average(X, (0, 1), WEIGHTS)),
        row("average-int-weights", lambda x, w: s.average(x, 0, w), BYTES, ICUBE[0] ** 2 + 1,
            want=narrow(np.average(BYTES, 0, ICUBE[0] ** 2 + 1))),
        row("average-large-halves", lambda x, w: s.average(x, 0, w), halves, halves / halves, want=halves[0]),
    ]  # fmt: skip


def quantile_rows() -> list[Row]:
    rows = []
    several = np.array([[0.125, 0.5], [0.625, 1.0]], "float32")  # exact in bfloat16
    for (axis, keep), x in itertools.product(AXES, (CUBE, ICUBE)):
        name = f"{axis}-{keep}-{x.dtype}"
        more = {"axis": axis, "keepdims": keep}
        rows += [
            row(f"median-{name}", lambda x, more=more: q.median(x, **more), x, want=narrow(np.median(x, **more))),
            row(f"quantile-{name}", lambda x, more=more: q.quantile(x, 0.3, **more), x,
                want=narrow(np.quantile(x.astype("float64"), 0.3, **more))),
        ]  # fmt: skip
    for axis, keep in AXES:
        more = {"axis": axis, "keepdims": keep}
        rows += [
            row(f"nanmedian-{axis}-{keep}", lambda x, more=more: q.nanmedian(x, **more), HOLES,
                want=np.nanmedian(HOLES, **more)),
            row(f"nanpercentile-{axis}-{keep}", lambda x, more=more: q.nanpercentile(x, [30, 80], **more), HOLES,
                want=narrow(np.nanpercentile(HOLES, [30, 80], **more))),
        ]  # fmt: skip
    for method in q.METHODS:
        more = {"axis": 1, "method": method}
        exact = method in ("linear", "midpoint")  # NumPy finds NaN at inf here: inf - inf
        rows += [
            row(f"quantile-{method}", lambda x, f, more=more: q.quantile(x, f, **more), CUBE, several,
                want=np.quantile(CUBE, several, **more), data=1),
            row(f"quantile-{method}-limits", lambda x, more=more: q.quantile(x, 0.5, **more), ODD[:3],
                want=np.median(ODD[:3], 1) if exact else np.quantile(ODD[:3], 0.5, **more)),
            row(f"nanquantile-{method}", lambda x, f, more=more: q.nanquantile(x, f, **more), HOLES, several,
                want=narrow(np.nanquantile(HOLES, several, **more)), data=1),
            row(f"nanquantile-{method}-limits", lambda x, more=more: q.nanquantile(x, 0.5, **more), ODD[:3],
                want=np.nanmedian(ODD[:3], 1) if exact else np.nanquantile(ODD[:3], 0.5, **more)),
        ]  # fmt: skip
    return [
        *rows,
        row("median-limits", lambda x: q.median(x, 1), ODD, want=np.array([np.nan, 3, 5, np.inf], "float32")),
        row("median-even-number", q.median, X, want=np.median(X), gradient=True),
        row("median-of-bools", lambda x: q.median(x, 0), TRUTH, want=narrow(np.median(TRUTH, 0))),
        row("median-halves", lambda x: q.median(x, 0), 30000 * np.ones((4, 2), "float16"),
            want=np.full(2, 3e4, "float16")),
        row("median-other-is-empty", lambda x: q.median(x, 1), NOTHING, want=np.zeros(0, "float32")),
        row("quantile-numbers", lambda x: q.quantile(x, [0, 0.25, 1], -1), X,
            want=narrow(np.quantile(X, [0, 0.25, 1], -1)), gradient=True),
        row("quantile-of-bytes", lambda x: q.quantile(x, 0.4, 0), BYTES, want=narrow(np.quantile(BYTES, 0.4, 0))),
        row("quantile-integer", lambda x: q.quantile(x, 1, 0), X, want=X.max(0)),
        row("quantile-equal-infinities", lambda x: q.quantile(x, 0.3), np.full(4, np.inf, "float32"),
            want=np.asarray(np.inf, "float32")),
        row("percentile", lambda x: q.percentile(x, 30, 1), X, want=narrow(np.percentile(X, 30, 1)),
            gradient=True),
        row("percentile-several", lambda x, f: q.percentile(x, f, (0, 2), "higher", True), CUBE,
            np.array([10, 90], "int32"), data=1,
            want=np.percentile(CUBE, [10, 90], (0, 2), method="higher", keepdims=True)),
        row("nanmedian-none-there", lambda x: q.nanmedian(x, 0), np.full((2, 3), np.nan, "float32"),
            want=np.full(3, np.nan, "float32")),
        row("nanmedian-of-int", lambda x: q.nanmedian(x, 0), ICUBE, want=narrow(np.median(ICUBE, 0))),
        row("nanquantile-gradient", lambda x: q.nanquantile(x, 0.4, (0, 1)), HOLES,
            want=narrow(np.nanquantile(HOLES, 0.4, (0, 1))), gradient=True),
    ]  # fmt: skip


def correlation_rows() -> list[Row]:
    rows = []
    known = "which input is the longer one decides"
    for mode, (a, b) in itertools.product(("valid", "same", "full"), [(9, 4), (9, 5), (4, 9), (3, 8), (5, 5), (1, 1)]):
        x1, x2 = floats(a), floats(b)
        rows.append(row(f"correlate-{mode}-{a}-{b}", lambda x, y, mode=mode: s.correlate(x, y, mode), x1, x2,
                        want=np.correlate(x1, x2, mode), fixed=known, gradient=(a, b) == (9, 4)))  # fmt: skip
    whole = ints(-4, 5, 6)
    return [
        *rows,
        row("correlate-of-int", s.correlate, whole, whole[:2],
            want=np.correlate(whole, whole[:2]).astype("float32"), fixed=known),
        row("correlate-mixed", lambda x, y: s.correlate(x, y, "same"), whole, WINDOW.astype("float16"),
            want=np.correlate(whole, WINDOW.astype("float16"), "same").astype("float16"), fixed=known, tolerance=2e-3),
        row("cov", s.cov, X, want=narrow(np.cov(X)), gradient=True),
        row("cov-one", s.cov, SIGNAL, want=narrow(np.cov(SIGNAL))),
        row("cov-columns", lambda x: s.cov(x, rowvar=False), X, want=narrow(np.cov(X, rowvar=False))),
        row("cov-bias", lambda x: s.cov(x, bias=True), X, want=narrow(np.cov(X, bias=True))),
        row("cov-ddof", lambda x: s.cov(x, bias=True, ddof=2), X, want=narrow(np.cov(X, ddof=2))),
        row("cov-two", s.cov, X, WEIGHTS, want=narrow(np.cov(X, WEIGHTS))),
        row("cov-int-with-row", s.cov, BYTES, SIGNAL[:4], want=narrow(np.cov(BYTES, SIGNAL[:4])), tolerance=1e-3),
        row("corrcoef", s.corrcoef, X, want=narrow(np.corrcoef(X)), gradient=True),
        row("corrcoef-of-bytes", s.corrcoef, BYTES, want=narrow(np.corrcoef(BYTES))),
        row("corrcoef-one", s.corrcoef, SIGNAL, want=narrow(np.corrcoef(SIGNAL))),
    ]  # fmt: skip


def histogram_rows() -> list[Row]:
    edges = np.array([0, 2, 4, 8, 10], "float32")
    cases = {
        "default": (floats(50), {}), "bins": (floats(50), {"bins": 3}), "range": (floats(50), {"range": (-1, 1)}),
        "on-edges": (edges, {"bins": 5}), "equal": (np.full(4, 3, "float32"), {"bins": 4}),
        "large": (1e10 * edges, {"bins": 5}), "int": (ints(0, 9, 20), {"bins": 4}),
        "one-place": (edges, {"bins": 2, "range": (4, 4)}), "bytes": (BYTES.reshape(-1), {"bins": 7}),
        "one": (edges[1:2], {"bins": 1}),
    }  # fmt: skip
    rows = []
    for name, (x, more) in cases.items():
        counts, borders = np.histogram(x, **more)
        want = [counts.astype("float32"), borders.astype("float32")]
        rows.append(row(f"histogram-{name}", lambda x, more=more: s.histogram(x, **more), x, want=want))
    counts, borders = np.histogram(edges[:0])
    want = [counts.astype("float32"), borders.astype("float32")]
    return [*rows, row("histogram-nothing", s.histogram, edges[:0], want=want, fixed="without elements, from 0 to 1")]


def difference_rows() -> list[Row]:
    steps = np.cumsum(WEIGHTS, 1)
    long, column = floats(2, 3, 4), np.cumsum(WEIGHTS[:, 0])
    return [
        row("diff", s.diff, X, want=np.diff(X), gradient=True),
        row("diff-axis", lambda x: s.diff(x, 1, 0), CUBE, want=np.diff(CUBE, 1, 0)),
        row("diff-twice", lambda x: s.diff(x, n=2, axis=-2), ICUBE, want=np.diff(ICUBE, 2, -2)),
        row("diff-never", lambda x: s.diff(x, 0), X, want=X),
        row("diff-too-often", lambda x: s.diff(x, 6), X, want=np.diff(X, 6)),
        row("diff-of-bools", s.diff, TRUTH, want=np.diff(TRUTH)),
        row("diff-of-bytes", s.diff, BYTES, want=np.diff(BYTES)),
        row("diff-nothing", lambda x: s.diff(x, axis=0), NOTHING, want=np.diff(NOTHING, axis=0)),
        row("trapezoid", s.trapezoid, X, want=np.trapezoid(X), gradient=True),
        row("trapezoid-of-int", lambda y: s.trapezoid(y, dx=2, axis=0), ICUBE,
            want=narrow(np.trapezoid(ICUBE, dx=2, axis=0))),
        row("trapezoid-of-bools", s.trapezoid, TRUTH, want=narrow(np.trapezoid(TRUTH.astype("int32")))),
        row("trapezoid-x", s.trapezoid, X, steps, want=np.trapezoid(X, steps), gradient=True),
        row("trapezoid-x-in-a-row", lambda y, x: s.trapezoid(y, x, axis=1), long, column,
            want=np.trapezoid(long, column, axis=1), data=1),
        row("trapezoid-dx", lambda y: s.trapezoid(y, dx=0.25, axis=-2), long,
            want=np.trapezoid(long, dx=0.25, axis=-2)),
    ]  # fmt: skip


with warnings.catch_warnings(), np.errstate(all="ignore"):
    warnings.simplefilter("ignore")
    ROWS = [*average_rows(), *quantile_rows(), *correlation_rows(), *histogram_rows(), *difference_rows()]

BAD: list[Bad] = [
    bad("weighted_average-shape", lambda x, w: s.average(x, None, w), X, SIGNAL, error=ShapeError),
    bad("weighted_average-axis", lambda x, w: s.average(x, 0, w), X, SIGNAL[:4], error=ShapeError),
    bad("quantile-method", lambda x: q.quantile(x, 0.5, method="best"), X, error=ArgumentError),
    bad("quantile-number", lambda x: q.quantile(x, 1.5), X, error=ArgumentError),
    bad("percentile-number", lambda x: q.percentile(x, -1), X, error=ArgumentError),
    bad("quantile-axis", lambda x: q.quantile(x, 0.5, 2), X, error=ShapeError),
    bad("median-nothing", lambda x: q.median(x, 0), NOTHING, error=ShapeError),
    bad("nanmedian-nothing", lambda x: q.nanmedian(x), NOTHING, error=ShapeError),
    bad("cov-rank", s.cov, CUBE, error=ShapeError),
    bad("corrcoef-rank", s.corrcoef, CUBE, error=ShapeError),
    bad("correlate-rank", s.correlate, X, SIGNAL, error=ShapeError),
    bad("correlate-mode", lambda x, y: s.correlate(x, y, "some"), SIGNAL, WINDOW, error=ArgumentError),
    bad("histogram-rank", s.histogram, X, error=ShapeError),
    bad("histogram-bins", lambda x: s.histogram(x, 0), SIGNAL, error=ArgumentError),
    bad("histogram-range", lambda x: s.histogram(x, range=(2, 1)), SIGNAL, error=ArgumentError),
    bad("bincount-of-floats", s.bincount, SIGNAL, error=DTypeError),
    bad("bincount-weights", s.bincount, BYTES, SIGNAL, error=ShapeError),
    bad("diff-negative", lambda x: s.diff(x, -1), X, error=ArgumentError),
    bad("diff-axis", lambda x: s.diff(x, 1, 2), X, error=ShapeError),
    bad("trapezoid-axis", lambda x: s.trapezoid(x, axis=2), X, error=ShapeError),
]
