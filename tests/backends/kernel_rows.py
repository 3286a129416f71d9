"""The table of ops, long because it is one: calls on host arrays, and what NumPy and SciPy say of them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import scipy.special

from kbridge.core.ops import elementwise, linalg, reduce, shape
from kbridge.ops import nn
from tests.backends.rows import Row, floats, ints, narrow, row
from tests.backends.window_rows import conv_rows, pool_rows

# --- elementwise ----------------------------------------------------------------------------------

X, Y, COLUMN = floats(3, 4), floats(3, 4), floats(3, 1)
POSITIVE = np.abs(floats(3, 4)) + 0.1
K, J = ints(-5, 6, 3, 4), ints(1, 6, 3, 4)
BYTES = ints(0, 200, 3, 4, dtype="uint8")
SMALL = J.astype("uint8")
TRUTH = ints(0, 2, 3, 4).astype(bool)
ODD = np.array([[np.nan, np.inf, -np.inf, 0.0, 1.5]], "float32")
HALVES = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.2], "float32")

FLOATING = {
    "exp": (np.exp, X), "expm1": (np.expm1, X), "log": (np.log, POSITIVE), "log1p": (np.log1p, POSITIVE),
    "sqrt": (np.sqrt, POSITIVE), "rsqrt": (lambda x: 1 / np.sqrt(x), POSITIVE),
    "reciprocal": (lambda x: 1 / x, POSITIVE),
    "sin": (np.sin, X), "cos": (np.cos, X), "tanh": (np.tanh, X), "erf": (scipy.special.erf, X),
    "floor": (np.floor, 3 * X), "ceil": (np.ceil, 3 * X),
}  # fmt: skip
SAME = {
    "negative": np.negative, "absolute": np.abs, "abs": np.abs, "square": np.square, "sign": np.sign,
    "stop_gradient": np.array,
}  # fmt: skip
BINARY = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "maximum": np.maximum, "minimum": np.minimum,
    "mod": np.mod, "floor_divide": np.floor_divide,
}  # fmt: skip
COMPARED = {
    "equal": np.equal, "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal,
    "greater": np.greater, "greater_equal": np.greater_equal,
}  # fmt: skip


def elementwise_rows() -> list[Row]:
    rows = []
    for name, (oracle, x) in FLOATING.items():
        op = getattr(elementwise, name)
        rows.append(row(name, op, x, want=narrow(oracle(x.astype("float64")))))
        rows.append(row(f"{name}-of-int", op, J, want=narrow(oracle(J.astype("float64")))))
    for name, oracle in SAME.items():
        op = getattr(elementwise, name)
        rows += [row(name, op, X, want=oracle(X)), row(f"{name}-of-int", op, K, want=oracle(K))]
    for name, oracle in BINARY.items():
        op = getattr(elementwise, name)
        rows += [
            row(name, op, X, Y, want=oracle(X, Y)),
            row(f"{name}-broadcast", op, X, COLUMN, want=oracle(X, COLUMN)),
            row(f"{name}-of-int", op, K, J, want=oracle(K, J)),
            row(f"{name}-int-with-float", op, K, Y, want=narrow(oracle(K, Y))),
            row(f"{name}-number", lambda x, op=op: op(x, 2), X, want=oracle(X, np.float32(2))),
            row(f"{name}-number-first", lambda x, op=op: op(2.5, x), X, want=oracle(np.float32(2.5), X)),
            row(f"{name}-int-with-number", lambda x, op=op: op(x, 2), K, want=oracle(K, np.int32(2))),
            row(f"{name}-int-with-fraction", lambda x, op=op: op(x, 2.5), K, want=narrow(oracle(K, 2.5))),
            row(f"{name}-number-first-int", lambda x, op=op: op(7, x), J, want=oracle(np.int32(7), J)),
        ]
    for name, oracle in COMPARED.items():
        op = getattr(elementwise, name)
        rows += [
            row(name, op, K, J, want=oracle(K, J)),
            row(f"{name}-number", lambda x, op=op: op(x, 0.5), X, want=oracle(X, 0.5)),
            row(f"{name}-number-first", lambda x, op=op: op(2, x), J, want=oracle(2, J)),
        ]
    return rows + other_elementwise_rows() + limit_rows()


def other_elementwise_rows() -> list[Row]:
    e = elementwise
    return [
        row("divide", e.divide, X, POSITIVE, want=X / POSITIVE),
        row("divide-of-int", e.divide, K, J, want=narrow(K / J)),
        row("divide-number-first", lambda x: e.divide(1, x), J, want=narrow(1 / J)),
        row("true_divide", e.true_divide, BYTES, J, want=narrow(BYTES / J)),
        row("power", e.power, POSITIVE, Y, want=POSITIVE**Y),
        row("power-number", lambda x: e.power(x, 3), X, want=X**3),
        row("power-number-first", lambda x: e.power(2.0, x), X, want=np.float32(2) ** X),
        row("power-of-int", lambda x: e.power(x, 2), K, want=K**2),
        row("logical_and", e.logical_and, TRUTH, K, want=np.logical_and(TRUTH, K)),
        row("logical_or", e.logical_or, TRUTH, X > 0, want=np.logical_or(TRUTH, X > 0)),
        row("logical_not", e.logical_not, K, want=np.logical_not(K)),
        row("where", e.where, TRUTH, X, Y, want=np.where(TRUTH, X, Y)),
        row("where-numbers", lambda c: e.where(c, 1.0, 0.0), TRUTH, want=TRUTH.astype("float32")),
        row("where-mixed", lambda c, x: e.where(c, x, 0), TRUTH, X, want=np.where(TRUTH, X, np.float32(0))),
        row("where-broadcast", e.where, TRUTH, COLUMN, K, want=narrow(np.where(TRUTH, COLUMN, K))),
        row("cast", lambda x: e.cast(x, "int32"), 3 * X, want=(3 * X).astype("int32")),
        row("cast-to-bool", lambda x: e.cast(x, "bool"), X * TRUTH, want=(X * TRUTH).astype(bool)),
        row("cast-to-half", lambda x: e.cast(x, "float16"), X, want=X.astype("float16")),
        row("clip", lambda x: e.clip(x, -0.5, 0.5), X, want=np.clip(X, -0.5, 0.5)),
        row("clip-of-int", lambda x: e.clip(x, -2, 2), K, want=np.clip(K, -2, 2)),
        row("round", e.round, HALVES, want=np.round(HALVES)),
        row("round-of-int", e.round, K, want=K),
        row("isnan", e.isnan, ODD, want=np.isnan(ODD)),
        row("isinf", e.isinf, ODD, want=np.isinf(ODD)),
        row("isfinite", e.isfinite, ODD, want=np.isfinite(ODD)),
        row("isfinite-of-int", e.isfinite, K, want=np.isfinite(K)),
    ]


def limit_rows() -> list[Row]:
    """Where numbers end: infinities and NaN, in silence."""
    x = np.array([0.0, -1.0, 1e38], "float32")
    with np.errstate(all="ignore"):
        return [
            row("log-limits", elementwise.log, x, want=np.log(x)),
            row("sqrt-limits", elementwise.sqrt, x, want=np.sqrt(x)),
            row("exp-limits", elementwise.exp, x, want=np.exp(x)),
            row("rsqrt-limits", elementwise.rsqrt, x, want=1 / np.sqrt(x)),
            row("multiply-limits", elementwise.multiply, x, x, want=x * x),
            row("divide-limits", elementwise.divide, x, 0 * x, want=x / (0 * x)),
            row("divide-int-limits", elementwise.divide, K, 0 * K, want=narrow(K / (0 * K))),
            row("cast-limits", lambda x: elementwise.cast(x, "float16"), x, want=x.astype("float16")),
        ]


# --- reductions -----------------------------------------------------------------------------------

CUBE, ICUBE = floats(2, 3, 4), ints(-3, 4, 2, 3, 4)
REDUCED = {
    "sum": np.sum, "prod": np.prod, "mean": np.mean, "var": np.var, "std": np.std, "max": np.max, "min": np.min,
    "amax": np.max, "amin": np.min, "all": np.all, "any": np.any, "logsumexp": scipy.special.logsumexp,
}  # fmt: skip
AXES = [(None, False), (None, True), (1, False), (-1, True), ((0, 2), False), ((2, 0), True), ((), False)]


def reduction_rows() -> list[Row]:
    rows = []
    for (name, oracle), (axis, keep), x in itertools.product(REDUCED.items(), AXES, (CUBE, ICUBE)):
        if axis == () and name == "logsumexp":
            continue  # SciPy reads () as all axes
        op = getattr(reduce, name)
        rows.append(
            row(
                f"{name}-{axis}-{keep}-{x.dtype}",
                lambda x, op=op, axis=axis, keep=keep: op(x, axis=axis, keepdims=keep),
                x,
                want=narrow(oracle(x.astype("float64") if name == "logsumexp" else x, axis=axis, keepdims=keep)),
            )
        )
    for name, oracle in {"argmax": np.argmax, "argmin": np.argmin}.items():
        for axis, keep, x in itertools.product((None, 0, -1), (False, True), (CUBE, ICUBE)):
            op = getattr(reduce, name)
            rows.append(
                row(
                    f"{name}-{axis}-{keep}-{x.dtype}",
                    lambda x, op=op, axis=axis, keep=keep: op(x, axis, keep),
                    x,
                    want=oracle(x, axis, keepdims=keep).astype("int32"),
                )
            )
    return [
        *rows,
        row("sum-of-bytes", reduce.sum, BYTES, want=np.asarray(BYTES.sum(), "uint32")),
        row("sum-of-bools", reduce.sum, TRUTH, want=np.asarray(TRUTH.sum(), "int32")),
        row("mean-of-bools", lambda x: reduce.mean(x, 0), TRUTH, want=narrow(TRUTH.mean(0))),
        row("sum-of-halves", reduce.sum, X.astype("float16"), want=np.asarray(X.sum(), "float16"), tolerance=1e-2),
        row("max-initial", lambda x: reduce.max(x, 0, initial=1.0), X, want=np.max(X, 0, initial=1.0)),
        row("min-initial", lambda x: reduce.min(x, 0, initial=0), K, want=np.min(K, 0, initial=0)),
        row("count_nonzero", lambda x: reduce.count_nonzero(x, 1), K, want=np.count_nonzero(K, 1).astype("int32")),
        row("cumsum", lambda x: reduce.cumsum(x, 1), CUBE, want=np.cumsum(CUBE, 1)),
        row("cumsum-flat", reduce.cumsum, K, want=np.cumsum(K).astype("int32")),
        row("prod-of-bytes", lambda x: reduce.prod(x, 1), BYTES // 40, want=np.prod(BYTES // 40, 1).astype("uint32")),
        row(
            "logsumexp-large",
            lambda x: reduce.logsumexp(x, 1),
            1000 * X,
            want=narrow(scipy.special.logsumexp(1000 * X, 1)),
        ),
    ]


# --- shape ----------------------------------------------------------------------------------------


def shape_rows() -> list[Row]:
    s, x = shape, CUBE
    picks = ints(0, 3, 2, 5)
    along = ints(-4, 4, 2, 3, 2)
    return [
        row("reshape", lambda x: s.reshape(x, (4, -1)), x, want=x.reshape(4, -1)),
        row("reshape-flat", lambda x: s.reshape(x, -1), x, want=x.reshape(-1)),
        row("ravel", s.ravel, x, want=x.ravel()),
        row("transpose", s.transpose, x, want=x.T),
        row("transpose-axes", lambda x: s.transpose(x, (0, -1, 1)), x, want=x.transpose(0, 2, 1)),
        row("swapaxes", lambda x: s.swapaxes(x, 0, -1), x, want=x.swapaxes(0, -1)),
        row("expand_dims", lambda x: s.expand_dims(x, (0, -1)), x, want=np.expand_dims(x, (0, -1))),
        row("squeeze", s.squeeze, x[:1, :, :1], want=x[0, :, 0], fixed="which axes have size 1 isn't known"),
        row("squeeze-axis", lambda x: s.squeeze(x, 0), x[:1, :, :1], want=x[0, :, :1]),
        row("broadcast_to", lambda x: s.broadcast_to(x, (2, 3, 4)), COLUMN, want=np.broadcast_to(COLUMN, (2, 3, 4))),
        row("flip", s.flip, x, want=np.flip(x)),
        row("flip-axis", lambda x: s.flip(x, 1), x, want=np.flip(x, 1)),
        row("tile", lambda x: s.tile(x, (2, 1, 3)), x, want=np.tile(x, (2, 1, 3))),
        row("tile-more-axes", lambda x: s.tile(x, (2, 2)), X[0], want=np.tile(X[0], (2, 2))),
        row("tile-fewer", lambda x: s.tile(x, 2), x, want=np.tile(x, 2)),
        row("repeat", lambda x: s.repeat(x, 3, 1), x, want=np.repeat(x, 3, 1)),
        row("repeat-flat", lambda x: s.repeat(x, 2), x, want=np.repeat(x, 2)),
        row("pad", lambda x: s.pad(x, ((0, 0), (1, 2), (3, 0))), x, want=np.pad(x, ((0, 0), (1, 2), (3, 0)))),
        row("pad-value", lambda x: s.pad(x, 1, constant_values=7.0), X, want=np.pad(X, 1, constant_values=7.0)),
        row(
            "pad-reflect",
            lambda x: s.pad(x, ((1, 2), (2, 3)), "reflect"),
            X,
            want=np.pad(X, ((1, 2), (2, 3)), "reflect"),
        ),
        row(
            "pad-symmetric",
            lambda x: s.pad(x, ((3, 2), (0, 1)), "symmetric"),
            X,
            want=np.pad(X, ((3, 2), (0, 1)), "symmetric"),
        ),
        row("concatenate", lambda a, b: s.concatenate([a, b], 0), X, Y, want=np.concatenate([X, Y])),
        row("concatenate-mixed", lambda a, b: s.concatenate([a, b], -1), X, K, want=narrow(np.concatenate([X, K], -1))),
        row("stack", lambda a, b: s.stack([a, b], -1), X, Y, want=np.stack([X, Y], -1)),
        row("split", lambda x: s.split(x, 2, -1), x, want=np.split(x, 2, -1)),
        row("split-at", lambda x: s.split(x, (1, 3), 2), x, want=np.split(x, (1, 3), 2)),
        row("take", lambda x, i: s.take(x, i, 1), x, picks, want=np.take(x, picks, 1)),
        row("take-rows", lambda x, i: s.take(x, i, 0), X, picks, want=np.take(X, picks, 0)),
        row("take-flat", s.take, x, picks, want=np.take(x, picks)),
        row("take-from-the-end", lambda x, i: s.take(x, i, 0), X, picks - 3, want=np.take(X, picks - 3, 0)),
        row("take-from-the-end-1", lambda x, i: s.take(x, i, 1), x, picks - 3, want=np.take(x, picks - 3, 1)),
        row("take-bytes", lambda x, i: s.take(x, i, 0), X, picks.astype("uint8"), want=np.take(X, picks, 0)),
        row("lookup", s.lookup, X, picks, want=X[picks]),
        row("lookup-bytes", s.lookup, X, np.array([1, 0], "uint8"), want=X[[1, 0]]),
        row("take_along_axis", lambda x, i: s.take_along_axis(x, i, 2), x, along, want=np.take_along_axis(x, along, 2)),
        row(
            "take_along_axis-0",
            lambda x, i: s.take_along_axis(x, i, 0),
            X,
            J[:2] % 3,
            want=np.take_along_axis(X, J[:2] % 3, 0),
        ),
        row("get_item", lambda x: s.get_item(x, (slice(None), -1, slice(1, None, 2))), x, want=x[:, -1, 1::2]),
        row(
            "get_item-new-axes",
            lambda x: s.get_item(x, (None, 0, ..., None, slice(None, 2))),
            x,
            want=x[None, 0, ..., None, :2],
        ),
        row("get_item-number", lambda x: s.get_item(x, 1), x, want=x[1]),
        row("get_item-none", lambda x: s.get_item(x, (slice(None), None)), x, want=x[:, None]),
        row(
            "one_hot",
            lambda i: s.one_hot(i, 3),
            np.array([[0, 2], [-1, 5]]),
            want=np.array([[[1, 0, 0], [0, 0, 1]], [[0, 0, 0]] * 2], "float32"),
        ),
        row(
            "one_hot-axis",
            lambda i: s.one_hot(i, 4, axis=0, dtype="int32"),
            np.array([0, 3], "uint8"),
            want=np.eye(4, dtype="int32")[:, [0, 3]],
        ),
        row("zeros_like", s.zeros_like, K, want=np.zeros_like(K)),
        row("ones_like", lambda x: s.ones_like(x, "float16"), K, want=np.ones_like(K, "float16")),
        row("full_like", lambda x: s.full_like(x, 2.5), X, want=np.full_like(X, 2.5)),
    ]


# --- products -------------------------------------------------------------------------------------


def product_rows() -> list[Row]:
    a, b, v, w = floats(2, 3, 4), floats(2, 4, 5), floats(4), floats(4, 6)
    deep, bias, scalar = floats(2, 3, 4, 5), floats(6), np.float32(3)
    return [
        row("matmul", linalg.matmul, X, w, want=X @ w),
        row("matmul-batch", linalg.matmul, a, b, want=a @ b),
        row("matmul-broadcast", linalg.matmul, a, w, want=a @ w),
        row("matmul-vector", linalg.matmul, a, v, want=a @ v),
        row("matmul-vector-first", linalg.matmul, v, b, want=v @ b),
        row("matmul-vectors", linalg.matmul, v, v, want=v @ v),
        row("matmul-of-int", linalg.matmul, K, J.T, want=K @ J.T),
        row("affine", linalg.affine, X, w, bias, want=X @ w + bias),
        row("affine-no-bias", linalg.affine, X, w, want=X @ w),
        row("affine-rank-1", linalg.affine, v, w, bias, want=v @ w + bias),
        row("affine-rank-3", linalg.affine, a, w, bias, want=a @ w + bias),
        row("affine-int-with-float", linalg.affine, K, w, bias, want=narrow(K @ w + bias)),
        row("affine-int-with-float-no-bias", linalg.affine, K, w, want=narrow(K @ w)),
        row("affine-of-int", linalg.affine, K, J.T, J[:, 0], want=K @ J.T + J[:, 0]),
        row("affine-of-bytes", linalg.affine, SMALL, SMALL.T, SMALL[:, 0], want=SMALL @ SMALL.T + SMALL[:, 0]),
        row("einsum", lambda a, b: linalg.einsum("bij,bjk->bik", a, b), a, b, want=a @ b),
        row(
            "einsum-dots",
            lambda a, b: linalg.einsum("...ij,...jk->...ki", a, b),
            a,
            b,
            want=np.einsum("...ij,...jk->...ki", a, b),
        ),
        row("einsum-one", lambda a: linalg.einsum("bij->jb", a), a, want=a.sum(1).T),
        row(
            "einsum-heads",
            lambda q, k: linalg.einsum("bthd,bshd->bhts", q, k),
            deep,
            deep,
            want=np.einsum("bthd,bshd->bhts", deep, deep),
        ),
        row(
            "einsum-projection",
            lambda x, w: linalg.einsum("btd,dhk->bthk", x, w),
            a,
            b.reshape(4, 2, 5),
            want=np.einsum("btd,dhk->bthk", a, b.reshape(4, 2, 5)),
        ),
        row("dot", linalg.dot, a, w, want=np.dot(a, w)),
        row("dot-deep", linalg.dot, X, b, want=np.dot(X, b)),
        row("dot-scalar", linalg.dot, X, scalar, want=X * scalar),
    ]


# --- activations ----------------------------------------------------------------------------------


def activation_rows() -> list[Row]:
    x = 3 * floats(4, 5)
    d = x.astype("float64")
    sigmoid = scipy.special.expit(d)
    elu = np.where(d > 0, d, np.expm1(d))
    tanh_gelu = d / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (d + 0.044715 * d**3)))
    far = np.array([[-1000.0, 0.0, 1000.0]], "float32")
    oracles = {
        "relu": np.maximum(d, 0),
        "sigmoid": sigmoid,
        "relu6": np.clip(d, 0, 6),
        "leaky_relu": np.where(d > 0, d, d * 0.2),
        "elu": elu,
        "silu": d * sigmoid,
        "softplus": np.logaddexp(d, 0),
        "softsign": d / (1 + np.abs(d)),
        "selu": np.where(d > 0, d, 1.6732632423543772 * elu) * 1.0507009873554805,
        "hard_sigmoid": np.clip(d / 6 + 0.5, 0, 1),
        "gelu": tanh_gelu,
        "softmax": scipy.special.softmax(d, -1),
        "log_softmax": scipy.special.log_softmax(d, -1),
    }
    return [
        *(row(name, getattr(nn, name), x, want=narrow(want)) for name, want in oracles.items()),
        row("relu-of-int", nn.relu, K, want=np.maximum(K, 0)),
        row("gelu-exact", lambda x: nn.gelu(x, False), x, want=narrow(d * scipy.special.ndtr(d))),
        row("softmax-axis", lambda x: nn.softmax(x, 1), CUBE, want=scipy.special.softmax(CUBE, 1)),
        row("softmax-axes", lambda x: nn.softmax(x, (0, 2)), CUBE, want=scipy.special.softmax(CUBE, (0, 2))),
        row("softmax-all", lambda x: nn.softmax(x, None), CUBE, want=scipy.special.softmax(CUBE)),
        row("softmax-far", nn.softmax, far, want=scipy.special.softmax(far, -1)),
        row("softmax-of-int", nn.softmax, K, want=narrow(scipy.special.softmax(K.astype("float64"), -1))),
        row("log_softmax-axis", lambda x: nn.log_softmax(x, 0), CUBE, want=scipy.special.log_softmax(CUBE, 0)),
        row("sigmoid-far", nn.sigmoid, far, want=narrow(scipy.special.expit(far.astype("float64")))),
        row("softplus-far", nn.softplus, far, want=np.logaddexp(far, np.float32(0))),
        row("elu-far", nn.elu, far, want=np.array([[-1.0, 0.0, 1000.0]], "float32")),
    ]


# --- normalisation and losses ---------------------------------------------------------------------


def normalisation_rows() -> list[Row]:
    rows = []
    x = floats(4, 3, 5, 6)
    for axis in (-1, 1, 0, 2):
        size = x.shape[axis]
        mean, scale, offset = floats(size), floats(size), floats(size)
        variance = np.abs(floats(size)) + 0.2
        lie = [size if i == axis % 4 else 1 for i in range(4)]
        plain = (x - mean.reshape(lie)) / np.sqrt(variance.reshape(lie) + 1e-3)
        batch = lambda x, m, v, *more, axis=axis: nn.batch_normalization(x, m, v, axis, *more)  # noqa: E731
        full = plain * scale.reshape(lie) + offset.reshape(lie)
        rows.append(row(f"batch_normalization-{axis}", batch, x, mean, variance, offset, scale, want=full))
        rows.append(row(f"batch_normalization-bare-{axis}", batch, x, mean, variance, want=plain))
    for axis in (-1, 1, (1, 2), (-2, -1), (0, 3)):
        axes = tuple(sorted(a % 4 for a in ((axis,) if isinstance(axis, int) else axis)))
        sizes = [x.shape[a] for a in axes]
        lie = [n if i in axes else 1 for i, n in enumerate(x.shape)]
        scale, offset = floats(*sizes), floats(*sizes)
        plain = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-3)
        layer = lambda x, *more, axis=axis: nn.layer_normalization(x, *more, axis=axis, epsilon=1e-3)  # noqa: E731
        rows.append(
            row(
                f"layer_normalization-{axis}",
                layer,
                x,
                scale,
                offset,
                want=plain * scale.reshape(lie) + offset.reshape(lie),
            )
        )
        rows.append(row(f"layer_normalization-bare-{axis}", layer, x, want=plain))
    return [*rows, *half_rows()]


def half_rows() -> list[Row]:
    """Half floats whose squares leave the range of float16."""
    x = (400 * floats(4, 6)).astype("float16")
    d = x.astype("float64")
    normal = ((d - d.mean(-1, keepdims=True)) / np.sqrt(d.var(-1, keepdims=True) + 1e-3)).astype("float16")
    moments = [d.mean(0).astype("float16"), np.minimum(d.var(0), 65504).astype("float16")]
    scale = np.ones(6, "float16")
    wide = np.ones(6, "float32")
    return [
        row("layer_normalization-half", nn.layer_normalization, x, want=normal, tolerance=3e-3),
        row("layer_normalization-half-scale", nn.layer_normalization, x, scale, 0 * scale, want=normal, tolerance=3e-3),
        row(
            "layer_normalization-of-int",
            lambda x: nn.layer_normalization(x, epsilon=1e-3),
            np.array([[1, 3]], "int32"),
            want=np.array([[-1, 1]], "float32") / np.sqrt(np.float32(1.001)),
        ),
        row(
            "batch_normalization-no-scale",
            lambda x, m, v, o: nn.batch_normalization(x, m, v, -1, o),
            X,
            wide[:4],
            wide[:4],
            2 * wide[:4],
            want=(X - 1) / np.sqrt(np.float32(1.001)) + 2,
        ),
        row(
            "batch_normalization-no-offset",
            lambda x, m: nn.batch_normalization(x, m, m, -1, scale=m),
            X,
            2 * wide[:4],
            want=(X - 2) / np.sqrt(np.float32(2.001)) * 2,
        ),
        row(
            "batch_normalization-half",
            lambda x, m, v: nn.batch_normalization(x, m, v, -1),
            x,
            0 * wide,
            wide,
            want=(d / np.sqrt(1.001)).astype("float16"),
            tolerance=3e-3,
        ),
        row(
            "batch_normalization-of-int",
            lambda x, m, v: nn.batch_normalization(x, m, v, -1),
            K,
            np.zeros(4, "float32"),
            np.ones(4, "float32"),
            want=narrow(K / np.sqrt(1.001)),
        ),
        row("moments", lambda x: list(nn.moments(x, (0, 2))), CUBE, want=[CUBE.mean((0, 2)), CUBE.var((0, 2))]),
        row("moments-half", lambda x: list(nn.moments(x, 0)), x, want=moments, tolerance=3e-3),
    ]


def loss_rows() -> list[Row]:
    logits = 2 * floats(5, 4)
    probabilities = scipy.special.softmax(logits.astype("float64"), -1)
    classes = ints(0, 4, 5)
    hot = np.eye(4, dtype="float32")[classes]
    cross = narrow(-np.log(probabilities)[np.arange(5), classes])
    p, z = probabilities.astype("float32"), logits.astype("float64")
    binary = narrow(-(hot * np.log(scipy.special.expit(z)) + (1 - hot) * np.log(scipy.special.expit(-z))))
    n = nn
    return [
        row("categorical_crossentropy", n.categorical_crossentropy, hot, p, want=cross),
        row(
            "categorical_crossentropy-logits",
            lambda t, o: n.categorical_crossentropy(t, o, True),
            hot,
            logits,
            want=cross,
        ),
        row(
            "categorical_crossentropy-axis",
            lambda t, o: n.categorical_crossentropy(t, o, True, axis=0),
            hot.T,
            logits.T,
            want=cross,
        ),
        row("sparse_categorical_crossentropy", n.sparse_categorical_crossentropy, classes, p, want=cross),
        row(
            "sparse_categorical_crossentropy-logits",
            lambda t, o: n.sparse_categorical_crossentropy(t, o, True),
            classes[:, None],
            logits,
            want=cross,
        ),
        row(
            "sparse_categorical_crossentropy-axis",
            lambda t, o: n.sparse_categorical_crossentropy(t, o, True, axis=0),
            classes,
            logits.T,
            want=cross,
        ),
        row("binary_crossentropy", n.binary_crossentropy, hot, narrow(scipy.special.expit(z)), want=binary),
        row("binary_crossentropy-logits", lambda t, o: n.binary_crossentropy(t, o, True), hot, logits, want=binary),
        row(
            "binary_crossentropy-int-targets",
            lambda t, o: n.binary_crossentropy(t, o, True),
            hot.astype("int32"),
            logits,
            want=binary,
        ),
    ]


ROWS = [
    *elementwise_rows(), *reduction_rows(), *shape_rows(), *product_rows(), *activation_rows(), *conv_rows(),
    *pool_rows(), *normalisation_rows(), *loss_rows(),
]  # fmt: skip
