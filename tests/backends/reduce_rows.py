"""Rows of reductions, running ops and their forms that pass over NaN; more of the plain ones are in `kernel_rows`."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import ml_dtypes
import numpy as np
import scipy.special

from kbridge.core.errors import DTypeError, ShapeError
from kbridge.core.ops import nan, reduce
from tests.backends.rows import Bad, Row, bad, floats, ints, narrow, row

X, CUBE, ICUBE = floats(3, 4), floats(2, 3, 4), ints(-3, 4, 2, 3, 4)
BYTES, SMALL, TRUTH = (
    ints(0, 200, 3, 4, dtype="uint8"),
    ints(-100, 100, 3, 4, dtype="int8"),
    ints(0, 2, 3, 4).astype(bool),
)
ODD = np.array([[np.nan, np.inf, -np.inf, 0.0, 1.5], [-np.inf, -np.inf, 2.0, np.nan, 0.5]], "float32")
HOLES = np.where(np.abs(CUBE) > 1, np.float32(np.nan), CUBE)
SOME = HOLES.copy()
SOME[:, 0], SOME[..., 0] = CUBE[:, 0], CUBE[..., 0]  # a number in each row
NOTHING = np.zeros((0, 3), "float32")
WAVES = (floats(3, 4) + 1j * floats(3, 4)).astype("complex64")
AXES: list[tuple[Any, bool]] = [(None, True), (-1, False), ((0, -1), True), ((), False)]


def plain_rows() -> list[Row]:
    r = reduce
    ones = np.ones((5000, 2), "float16")
    brain = np.ones((600, 2), ml_dtypes.bfloat16)
    full = np.full((1, 3), 2, "float32")
    far = np.array([[0], [2000]], "float16")
    lows = np.array([[-np.inf, -np.inf], [np.inf, 0.0], [-np.inf, 1.0], [np.nan, 1.0]], "float32")
    return [
        row("sum-half-is-added-wide", lambda x: r.sum(x, 0), ones, want=np.full(2, 5000, "float16")),
        row("sum-nothing", lambda x: r.sum(x, 0), NOTHING, want=NOTHING.sum(0)),
        row("sum-complex", lambda x: r.sum(x, 0), WAVES, want=WAVES.sum(0)),
        row("sum-of-short", lambda x: r.sum(x, 1), SMALL, want=SMALL.sum(1).astype("int32")),
        row("sum-gradient", lambda x: r.sum(x, (0, 2)), CUBE, want=CUBE.sum((0, 2)), gradient=True),
        row("prod-nothing", lambda x: r.prod(x, 0), NOTHING, want=NOTHING.prod(0)),
        row("prod-dtype", lambda x: r.prod(x, 1, dtype="float32"), ICUBE, want=ICUBE.prod(1).astype("float32")),
        row("prod-of-bools", r.prod, TRUTH, want=np.asarray(0, "int32")),
        row("prod-gradient", lambda x: r.prod(x, 1, True), X, want=X.prod(1, keepdims=True), gradient=True),
        row("mean-complex", lambda x: r.mean(x, 1), WAVES, want=WAVES.mean(1)),
        row("mean-nothing", lambda x: r.mean(x, 0), NOTHING, want=np.full(3, np.nan, "float32")),
        row("mean-large-halves", r.mean, 60000 * ones[:5], want=np.asarray(60000, "float16")),
        row("mean-brain", lambda x: r.mean(x, 0), brain, want=brain[0]),
        row("mean-0d", r.mean, np.float32(3) * np.ones((), "float32"), want=np.asarray(3, "float32"), fixed="0-d"),
        row("var-complex", lambda x: r.var(x, 1), WAVES, want=WAVES.var(1)),
        row("std-complex", lambda x: r.std(x, 1), WAVES, want=WAVES.std(1)),
        row("var-gradient", lambda x: r.var(x, 1), X, want=X.var(1), gradient=True),
        row("std-gradient", lambda x: r.std(x, -1, True), X, want=X.std(-1, keepdims=True), gradient=True),
        row("std-large-halves", lambda x: r.std(x, 0), far, want=np.full(1, 1000, "float16")),
        row("var-of-bools", r.var, TRUTH, want=narrow(TRUTH.var())),
        row("logsumexp-infinite", lambda x: r.logsumexp(x, 1), lows, want=scipy.special.logsumexp(lows, 1)),
        row("logsumexp-nothing", lambda x: r.logsumexp(x, 0), NOTHING, want=np.full(3, -np.inf, "float32")),
        row("logsumexp-none", lambda x: r.logsumexp(x, ()), X, want=X),
        row("logsumexp-gradient", lambda x: r.logsumexp(x, 0), X, want=scipy.special.logsumexp(X, 0), gradient=True),
        row("max-of-bools", lambda x: r.max(x, 1), TRUTH, want=TRUTH.max(1)),
        row("min-of-bools", lambda x: r.min(x, (), True), TRUTH, want=TRUTH),
        row("min-of-bytes", lambda x: r.min(x, (0, 1)), BYTES, want=BYTES.min()),
        row("max-nan", lambda x: r.max(x, 1), ODD, want=ODD.max(1)),
        row("max-nothing-initial", lambda x: r.max(x, 0, initial=2.0), NOTHING, want=full[0], fixed="0"),
        row("min-nothing-initial", lambda x: r.min(x, 0, True, 2), NOTHING, want=full, fixed="0"),
        row("amax-nothing-else", lambda x: r.amax(x, 1), NOTHING, want=NOTHING.max(1)),
        row("max-gradient", lambda x: r.max(x, 1), CUBE, want=CUBE.max(1), gradient=True),
        row("ptp", r.ptp, X, want=np.ptp(X)),
        row("ptp-axis", lambda x: r.ptp(x, (0, -1), True), ICUBE, want=np.ptp(ICUBE, (0, -1), keepdims=True)),
        row("ptp-of-bytes", lambda x: r.ptp(x, 0), BYTES, want=np.ptp(BYTES, 0)),
        row("ptp-gradient", lambda x: r.ptp(x, 1), X, want=np.ptp(X, 1), gradient=True),
        row("argmax-of-bools", lambda x: r.argmax(x, 1), TRUTH, want=TRUTH.argmax(1).astype("int32")),
        row("argmin-of-bytes", lambda x: r.argmin(x, 0), BYTES, want=BYTES.argmin(0).astype("int32")),
        row("argmax-ties", lambda x: r.argmax(x, 1), np.ones((2, 40), "float32"), want=np.zeros(2, "int32")),
        row("all-nothing", lambda x: r.all(x, 0), NOTHING, want=NOTHING.all(0)),
        row("any-nothing", lambda x: r.any(x, 0), NOTHING, want=NOTHING.any(0)),
        row("any-nan", lambda x: r.any(x, 1), ODD, want=ODD.any(1)),
        row("count_nonzero-axes", lambda x: r.count_nonzero(x, (0, 2)), ICUBE,
            want=narrow(np.count_nonzero(ICUBE, (0, 2)))),
        row("count_nonzero-all", r.count_nonzero, TRUTH, want=np.asarray(np.count_nonzero(TRUTH), "int32")),
    ]  # fmt: skip


def running_rows() -> list[Row]:
    r, rows = reduce, []
    for name, oracle in {"cumsum": np.cumsum, "cumprod": np.cumprod}.items():
        op = getattr(r, name)
        rows += [
            row(f"{name}-negative-axis", lambda x, op=op: op(x, -2), CUBE, want=oracle(CUBE, -2), gradient=True),
            row(f"{name}-all", op, X, want=oracle(X)),
            row(f"{name}-axes", lambda x, op=op: op(x, (0, -1)), CUBE, want=oracle(oracle(CUBE, 0), -1)),
            row(f"{name}-no-axes", lambda x, op=op: op(x, ()), TRUTH, want=TRUTH.astype("int32")),
            row(f"{name}-of-short", lambda x, op=op: op(x, 0), SMALL, want=oracle(SMALL, 0, "int8")),
            row(f"{name}-of-bytes", lambda x, op=op: op(x, 1), BYTES, want=oracle(BYTES, 1, "uint8")),
            row(f"{name}-of-bools", lambda x, op=op: op(x, 1), TRUTH, want=oracle(TRUTH, 1, "int32")),
            row(f"{name}-dtype", lambda x, op=op: op(x, 1, "float32"), BYTES, want=oracle(BYTES, 1, "float32")),
            row(f"{name}-nothing", lambda x, op=op: op(x, 0), NOTHING, want=oracle(NOTHING, 0)),
            row(f"nan{name}-flat", getattr(nan, f"nan{name}"), HOLES, want=getattr(np, f"nan{name}")(HOLES)),
            row(f"nan{name}", lambda x, name=name: getattr(nan, f"nan{name}")(x, 1), HOLES,
                want=getattr(np, f"nan{name}")(HOLES, 1)),
            row(f"nan{name}-one-axis", lambda x, name=name: getattr(nan, f"nan{name}")(x, (1,)), HOLES,
                want=getattr(np, f"nan{name}")(HOLES, 1)),
            row(f"nan{name}-of-int", lambda x, name=name: getattr(nan, f"nan{name}")(x, 1), ICUBE,
                want=narrow(oracle(ICUBE, 1))),
        ]  # fmt: skip
    for name, oracle in {"cumulative_sum": np.cumulative_sum, "cumulative_prod": np.cumulative_prod}.items():
        op = getattr(r, name)
        rows += [
            row(name, op, X[0], want=oracle(X[0]), gradient=True),
            row(f"{name}-axis", lambda x, op=op: op(x, axis=-1, include_initial=True), CUBE,
                want=oracle(CUBE, axis=-1, include_initial=True), gradient=True),
            row(f"{name}-first", lambda x, op=op: op(x, axis=0, include_initial=True), ICUBE,
                want=narrow(oracle(ICUBE, axis=0, include_initial=True))),
            row(f"{name}-of-bytes", lambda x, op=op: op(x, axis=0), BYTES // 40,
                want=oracle(BYTES // 40, axis=0, dtype="uint32")),
            row(f"{name}-dtype", lambda x, op=op: op(x, axis=0, dtype="float32"), BYTES,
                want=oracle(BYTES, axis=0, dtype="float32")),
            row(f"{name}-nothing", lambda x, op=op: op(x, axis=0, include_initial=True), NOTHING,
                want=oracle(NOTHING, axis=0, include_initial=True)),
        ]  # fmt: skip
    tall = np.ones((3000, 2), "float16")
    logs = np.logaddexp.accumulate
    return [
        *rows,
        row("cumsum-half-is-added-wide", lambda x: r.cumsum(x, 0), tall,
            want=np.cumsum(tall, 0, "float32").astype("float16")),
        row("cumsum-integer-wanted", lambda x: r.cumsum(x, 0, "int32"), 3 * X,
            want=np.cumsum((3 * X).astype("int32"), 0, "int32")),
        row("logcumsumexp", lambda x: r.logcumsumexp(x, -1), CUBE, want=logs(CUBE, -1), gradient=True),
        row("logcumsumexp-large", lambda x: r.logcumsumexp(x, 0), 1000 * X, want=logs(1000 * X, 0)),
        row("logcumsumexp-flat-int", r.logcumsumexp, ICUBE, want=narrow(logs(ICUBE.reshape(-1)))),
    ]  # fmt: skip


def nan_rows() -> list[Row]:
    rows = []
    names = ("nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd")
    for name, (axis, keep) in itertools.product(names, AXES):
        want = getattr(np, name)(HOLES, axis=axis, keepdims=keep)
        smooth = np.isfinite(want).all() and (name, axis) != ("nanstd", -1)  # which has rows of one number
        op = getattr(nan, name)
        call = lambda x, op=op, axis=axis, keep=keep: op(x, axis, keep)  # noqa: E731
        rows.append(row(f"{name}-{axis}-{keep}", call, HOLES, want=want, gradient=bool(smooth)))
    for name in names:
        op = getattr(nan, name)
        want = getattr(np, name)(ICUBE, axis=1)
        rows.append(row(f"{name}-of-int", lambda x, op=op: op(x, 1), ICUBE, want=narrow(want)))
        if name in ("nansum", "nanprod", "nanmax", "nanmin"):
            odd = np.concatenate([ODD, np.full((1, 5), np.nan, "float32")])
            rows.append(row(f"{name}-limits", lambda x, op=op: op(x, 1), odd, want=getattr(np, name)(odd, axis=1)))
    holes = np.array([[np.nan, np.nan, np.nan], [3, np.nan, 1], [2, 2, np.nan]], "float32")
    rows += [
        row("nanmean-none-there", lambda x: nan.nanmean(x, 1), holes, want=np.nanmean(holes, 1)),
        row("nanvar-none-there", lambda x: nan.nanvar(x, 1, True), holes, want=np.nanvar(holes, 1, keepdims=True)),
        row("nanstd-large-halves", lambda x: nan.nanstd(x, 0), np.array([[0], [2000], [np.nan]], "float16"),
            want=np.full(1, 1000, "float16")),
        row("nansum-of-bytes", lambda x: nan.nansum(x, 1), BYTES, want=BYTES.sum(1).astype("uint32")),
    ]  # fmt: skip
    for name in ("nanargmax", "nanargmin"):
        op, oracle = getattr(nan, name), getattr(np, name)
        rows += [
            row(name, lambda x, op=op: op(x, 1), SOME, want=narrow(oracle(SOME, 1))),
            row(f"{name}-all", op, SOME, want=narrow(oracle(SOME))),
            row(f"{name}-kept", lambda x, op=op: op(x, None, True), SOME, want=narrow(oracle(SOME, keepdims=True))),
            row(f"{name}-kept-axis", lambda x, op=op: op(x, -1, True), SOME,
                want=narrow(oracle(SOME, -1, keepdims=True))),
            row(f"{name}-of-int", lambda x, op=op: op(x, 0), ICUBE, want=narrow(getattr(np, name[3:])(ICUBE, 0))),
            row(f"{name}-none-there", lambda x, op=op: op(x, 1), holes[:2],
                want=np.array([-1, 0 if "max" in name else 2], "int32")),
        ]  # fmt: skip
    infinite = np.array([np.nan, -np.inf], "float32")  # NumPy finds its own filling at 0
    rows.append(row("nanargmax-infinite", nan.nanargmax, infinite, want=np.asarray(1, "int32")))
    return rows


with warnings.catch_warnings(), np.errstate(all="ignore"):
    warnings.simplefilter("ignore")
    ROWS = [*plain_rows(), *running_rows(), *nan_rows()]


def bad_rows() -> list[Bad]:
    rows = [
        bad("sum-axis", lambda x: reduce.sum(x, 2), X, error=ShapeError),
        bad("mean-axis-twice", lambda x: reduce.mean(x, (0, -2)), X, error=ShapeError),
        bad("ptp-of-bools", reduce.ptp, TRUTH, error=DTypeError),
        bad("cumsum-axis", lambda x: reduce.cumsum(x, -3), X, error=ShapeError),
        bad("cumulative_sum-no-axis", reduce.cumulative_sum, X, error=ShapeError),
        bad("cumulative_prod-no-axis", reduce.cumulative_prod, X, error=ShapeError),
    ]
    for op in (reduce.max, reduce.min, reduce.amax, reduce.amin, reduce.ptp, reduce.argmax, reduce.argmin,
               nan.nanmax, nan.nanmin, nan.nanargmax, nan.nanargmin):  # fmt: skip
        rows.append(bad(f"{op.__name__}-nothing", lambda x, op=op: op(x, 0), NOTHING, error=ShapeError))
    return rows


BAD = bad_rows()
