"""The table of calls whose point is the kind of number they meet: complex, unsigned, true or false, NaN, too large."""

from __future__ import annotations

import numpy as np

from kbridge import ops
from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from tests.backends.rows import Bad, Row, bad, floats, ints, row

X, NAN = floats(3, 4), float("nan")
Z = (X + 1j * floats(3, 4)).astype("complex64")
SQUARE = (floats(3, 3) + 1j * floats(3, 3) + 3 * np.eye(3)).astype("complex64")
WORDS, TRUTH = ints(0, 60000, 3, 4, dtype="uint16"), ints(0, 2, 3, 4).astype(bool)
BYTES, K = ints(0, 200, 3, dtype="uint8"), ints(-9, 10, 3, 4)
HOLES = np.array([[1.0, NAN, 3.0, NAN], [NAN, NAN, 0.0, 1.0], [2.0, 2.0, -1.0, 5.0]], "float32")
GAPS = np.array([1 + 2j, complex(NAN, 1), 3 - 1j], "complex64")
WHOLE = GAPS[[0, 2]]
SHAPES = "Keras lets floats pass as symbolic tensors: the default type of its Input is one"


def complex_rows() -> list[Row]:
    sign, size = np.linalg.slogdet(SQUARE)
    oblong, right = SQUARE[:, :2], SQUARE[:, 2]
    return [
        row("slogdet-of-complex", ops.slogdet, SQUARE, want=[np.asarray(sign), np.asarray(size)]),
        row("logdet-of-complex", ops.logdet, SQUARE, want=np.asarray(size)),
        row("pinv-of-complex", ops.linalg.pinv, oblong, want=np.linalg.pinv(oblong)),
        row("lstsq-of-complex", ops.linalg.lstsq, oblong, right, want=np.linalg.lstsq(oblong, right)[0]),
        row("nansum-of-complex", ops.nansum, GAPS, want=np.nansum(GAPS)),
        row("nanprod-of-complex", ops.nanprod, GAPS, want=np.nanprod(GAPS)),
        row("nanmean-of-complex", ops.nanmean, GAPS, want=np.mean(WHOLE)),
        row("nanvar-of-complex", ops.nanvar, GAPS, want=np.var(WHOLE)),
        row("nanstd-of-complex", ops.nanstd, GAPS, want=np.std(WHOLE)),
        row("add-complex-number", lambda x: ops.add(x, 2j), X, want=(X + 2j).astype("complex64")),
        row("multiply-complex-number", lambda x: ops.multiply(1 - 2j, x), K, want=(K * (1 - 2j)).astype("complex64")),
    ]


def whole_rows() -> list[Row]:
    shifts = np.array([0, 1, 31, 32, 40, -1], "int32")
    places, ones = ints(-4, 4, 3, 2), np.array([5, -7, -1, 3, 9, -9], "int32")
    return [
        row("flip-of-words", ops.flip, WORDS, want=np.flip(WORDS)),
        row("tril-of-words", ops.tril, WORDS, want=np.tril(WORDS)),
        row("triu-of-words", ops.triu, WORDS, want=np.triu(WORDS)),
        row("relu-of-words", ops.relu, WORDS, want=WORDS),
        row("sign-of-words", ops.sign, WORDS, want=np.sign(WORDS)),
        row("tile-of-words", lambda x: ops.tile(x, (2, 1)), WORDS, want=np.tile(WORDS, (2, 1))),
        row("repeat-of-words", lambda x: ops.repeat(x, 2, 1), WORDS, want=np.repeat(WORDS, 2, 1)),
        row("take_along_axis-of-words", lambda x, i: ops.take_along_axis(x, i, 1), WORDS, places,
            want=np.take_along_axis(WORDS, places, 1)),
        row("get_item-of-words-backwards", lambda x: ops.get_item(x, slice(None, None, -2)), WORDS, want=WORDS[::-2]),
        row("left_shift-too-far", ops.left_shift, ones, shifts, want=np.left_shift(ones, shifts)),
        row("right_shift-too-far", ops.right_shift, ones, shifts, want=np.right_shift(ones, shifts)),
        row("pad-bool-with-true", lambda x: ops.pad(x, 1, constant_values=True), TRUTH,
            want=np.pad(TRUTH, 1, constant_values=True)),
        row("pad-int-with-fraction", lambda x: ops.pad(x, 1, constant_values=2.5), K,
            want=np.pad(K, 1, constant_values=2)),
        row("add-int-and-true", lambda x: ops.add(x, True), K.astype("int16"), want=K.astype("int16") + 1),
        row("subtract-true", lambda x: ops.subtract(x, True), X, want=X - 1),
    ]  # fmt: skip


def nan_rows() -> list[Row]:
    return [
        row("argmax-limits-nan", lambda x: ops.argmax(x, 1), HOLES, want=np.argmax(HOLES, 1).astype("int32")),
        row("argmin-limits-nan", lambda x: ops.argmin(x, 1), HOLES, want=np.argmin(HOLES, 1).astype("int32")),
        row("argmax-limits-nan-kept", lambda x: ops.argmax(x, 0, keepdims=True), HOLES,
            want=np.argmax(HOLES, 0, keepdims=True).astype("int32")),
        row("argmin-limits-nan-flat", ops.argmin, HOLES, want=np.int32(1)),
        row("roll-no-axes", lambda x: ops.roll(x, (), ()), X, want=X),
    ]  # fmt: skip


def no_order() -> list[Bad]:
    """Complex numbers have no order."""
    calls = {
        "less": lambda z: ops.less(z, z), "greater_equal": lambda z: ops.greater_equal(z, 1.0), "relu": ops.relu,
        "relu6": ops.relu6, "elu": ops.elu, "gelu": ops.gelu, "softmax": ops.softmax, "softplus": ops.softplus,
        "log_softmax": ops.log_softmax, "hard_sigmoid": ops.hard_sigmoid, "max": ops.max, "argmin": ops.argmin,
        "nanmax": ops.nanmax, "ptp": ops.ptp, "logsumexp": ops.logsumexp, "sort": ops.sort, "argsort": ops.argsort,
        "unique": ops.unique, "median": ops.median, "quantile": lambda z: ops.quantile(z, 0.5),
        "top_k": lambda z: ops.top_k(z, 1), "isin": lambda z: ops.isin(z, z), "cdist": lambda z: ops.cdist(z, z),
        "normalize": ops.normalize, "cov": ops.cov, "bitwise_count": ops.bitwise_count,
        "searchsorted": lambda z: ops.searchsorted(z[0] if isinstance(z, np.ndarray) else ops.get_item(z, 0), z),
        "binary_crossentropy": lambda z: ops.binary_crossentropy(z, z),
    }  # fmt: skip
    return [bad(f"{name}-complex", call, Z, error=DTypeError) for name, call in calls.items()]


ROWS = complex_rows() + whole_rows() + nan_rows()
BAD = [
    *no_order(),
    bad("relu-bool", ops.relu, TRUTH, error=DTypeError),
    bad("sign-bool", ops.sign, TRUTH, error=DTypeError),
    bad("cross-bool", lambda x: ops.cross(x, x), TRUTH[:, :3], error=DTypeError),
    bad("take-fractions", lambda x: ops.take(x, x, 0), X, error=DTypeError, numbers=SHAPES),
    bad("take_along_axis-fractions", lambda x: ops.take_along_axis(x, x, 0), X, error=DTypeError, numbers=SHAPES),
    bad("add-number-too-large", lambda x: ops.add(x, 300), BYTES, error=ArgumentError),
    bad("less-number-too-small", lambda x: ops.less(-1, x), BYTES, error=ArgumentError),
    bad("clip-number-too-large", lambda x: ops.clip(x, 0, 256), BYTES, error=ArgumentError),
    bad("where-number-too-large", lambda x: ops.where(True, x, 2**31), K, error=ArgumentError),
    bad("full_like-number-too-large", lambda x: ops.full_like(x, 300), BYTES, error=ArgumentError),
    bad("pad-number-too-small", lambda x: ops.pad(x, 1, constant_values=-1), BYTES, error=ArgumentError),
    bad("add-no-common-type", lambda x: ops.add(ops.cast(x, "float8_e5m2"), x), X, error=DTypeError),
    bad("cast-unknown", lambda x: ops.cast(x, "float7"), X, error=DTypeError),
    bad("reshape-open", lambda x: ops.reshape(x, (0, -1)), np.zeros((0, 3), "float32"), error=ShapeError),
]
