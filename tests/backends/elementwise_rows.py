"""The table of elementwise maths, which NumPy and SciPy know the answers to. Older rows are in `kernel_rows`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import scipy.special

from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from kbridge.core.ops import elementwise as e
from tests.backends.rows import Bad, Row, bad, floats, ints, narrow, row

X, Y, COLUMN = floats(3, 4), floats(3, 4), floats(3, 1)
POSITIVE, UNIT = np.abs(floats(3, 4)) + 0.1, np.clip(floats(3, 4) / 3, -0.9, 0.9)
K, J = ints(-9, 10, 3, 4), ints(1, 6, 3, 4)
BYTES, WORDS = ints(0, 200, 3, 4, dtype="uint8"), ints(0, 60000, 3, 4, dtype="uint16")
TRUTH, LIES = ints(0, 2, 3, 4).astype(bool), ints(0, 2, 3, 4).astype(bool)
Z, W = (X + 1j * Y).astype("complex64"), (Y - 0.5j * X).astype("complex64")
INF, NAN = math.inf, math.nan
ODD = np.array([NAN, INF, -INF, 0.0, -0.0, 1.5, -2.5, 1e-40, 3e38], "float32")
SCALAR, EMPTY = np.float32(0.75), np.zeros((0, 3), "float32")


def wide(oracle: Callable[..., Any], *xs: np.ndarray) -> np.ndarray:
    """The oracle's answer, computed in twice the width and narrowed to the type a float op answers in."""
    up = {"complex64": "complex128"}
    with np.errstate(all="ignore"):
        return narrow_all(oracle(*(x.astype(up.get(x.dtype.name, "float64")) for x in xs)))


def narrow_all(array: Any) -> np.ndarray:
    array = narrow(array)
    return array.astype({"complex128": "complex64"}.get(array.dtype.name, array.dtype))


# --- functions of one number ----------------------------------------------------------------------

# name: what it is, where it is smooth, and whole numbers that it is defined for
ONE: dict[str, tuple[Callable[..., Any], np.ndarray, np.ndarray | None]] = {
    "exp2": (np.exp2, X, K), "log2": (np.log2, POSITIVE, J), "log10": (np.log10, POSITIVE, J),
    "cbrt": (np.cbrt, POSITIVE * np.sign(X), J), "tan": (np.tan, X / 2, K), "sinh": (np.sinh, X, K),
    "cosh": (np.cosh, X, K), "arcsin": (np.arcsin, UNIT, TRUTH), "arccos": (np.arccos, UNIT, TRUTH),
    "arctan": (np.arctan, X, K), "arcsinh": (np.arcsinh, X, K), "arccosh": (np.arccosh, 1 + POSITIVE, J),
    "arctanh": (np.arctanh, UNIT, None), "sinc": (np.sinc, POSITIVE, None), "erfc": (scipy.special.erfc, X, BYTES),
    "erfinv": (scipy.special.erfinv, UNIT, None), "i0": (scipy.special.i0, X, J), "fabs": (np.fabs, X, K),
    "deg2rad": (np.deg2rad, 50 * X, K), "rad2deg": (np.rad2deg, X, K),
}  # fmt: skip
OF_COMPLEX = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10,
    "log1p": np.log1p, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh,
    "tanh": np.tanh, "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan, "arcsinh": np.arcsinh,
    "arccosh": np.arccosh, "arctanh": np.arctanh, "sinc": np.sinc, "reciprocal": np.reciprocal, "square": np.square,
    "negative": np.negative, "sign": np.sign, "absolute": np.abs, "abs": np.abs, "angle": np.angle, "real": np.real,
    "imag": np.imag, "conj": np.conj, "conjugate": np.conjugate, "positive": np.positive,
    "rsqrt": lambda z: 1 / np.sqrt(z),
}  # fmt: skip
OF_COMPLEX["exp2"] = lambda z: 2**z
AT_LIMITS = {
    "exp2": np.exp2, "log2": np.log2, "log10": np.log10, "cbrt": np.cbrt, "arctan": np.arctan, "arcsin": np.arcsin,
    "arccosh": np.arccosh, "arcsinh": np.arcsinh, "arctanh": np.arctanh, "erfc": scipy.special.erfc,
    "erfinv": scipy.special.erfinv, "sinh": np.sinh, "fabs": np.fabs, "floor": np.floor, "ceil": np.ceil,
    "sign": np.sign, "absolute": np.abs, "angle": np.angle, "trunc": np.trunc, "round": np.round,
}  # fmt: skip


def one_rows() -> list[Row]:
    rows = []
    for name, (oracle, x, whole) in ONE.items():
        op = getattr(e, name)
        rows.append(row(name, op, x, want=wide(oracle, x), gradient=True))
        if whole is not None:
            rows.append(row(f"{name}-of-whole", op, whole, want=wide(oracle, whole)))
    for name, oracle in OF_COMPLEX.items():
        rows.append(row(f"{name}-of-complex", getattr(e, name), Z, want=wide(oracle, Z)))
    small = ODD[np.abs(ODD) != np.float32(1e-40)]  # TensorFlow on CPU may take the smallest numbers for 0
    for name, oracle in AT_LIMITS.items():
        rows.append(row(f"{name}-limits", getattr(e, name), small, want=wide(oracle, small)))
    for name in ("exp2", "erfinv", "i0", "sinc", "cbrt", "fabs", "angle", "log2", "erfc"):
        oracle = ONE[name][0] if name in ONE else np.angle
        rows.append(row(f"{name}-scalar", getattr(e, name), SCALAR, want=wide(oracle, SCALAR)))
        rows.append(row(f"{name}-empty", getattr(e, name), EMPTY, want=EMPTY))
    tails = np.array([0.99999, -0.999, 1e-6, 0.4999, 0.5001], "float32")
    return [
        *rows,
        row("erfinv-limits-near", e.erfinv, tails, want=wide(scipy.special.erfinv, tails)),
        row("sinc-zero", e.sinc, np.array([0.0, 0.5, 3.0], "float32"), want=narrow(np.sinc([0.0, 0.5, 3.0]))),
        row("exp2-limits-powers", e.exp2, np.arange(-20, 20, dtype="float32"), want=narrow(2.0 ** np.arange(-20, 20))),
        row("angle", e.angle, X, want=wide(np.angle, X)),
        row("angle-of-int", e.angle, K, want=wide(np.angle, K)),
        row("real", e.real, X, want=X),
        row("real-of-bool", e.real, TRUTH, want=TRUTH),
        row("imag", e.imag, X, want=0 * X),
        row("imag-of-int", e.imag, K, want=0 * K),
        row("conj", e.conj, K, want=K),
        row("positive", e.positive, BYTES, want=BYTES),
    ]


# --- rounding, signs, replacing -------------------------------------------------------------------


def single_rows() -> list[Row]:
    halves = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.2], "float32")
    tens = np.array([-25, -15, -5, 5, 15, 25, 14, 16, 96, 127], "int32")
    rows = [
        row("trunc", e.trunc, 3 * X, want=np.trunc(3 * X)),
        row("trunc-of-int", e.trunc, K, want=K),
        row("round-decimals", lambda x: e.round(x, 2), 100 * X, want=np.round(100 * X, 2)),
        row("round-tens", lambda x: e.round(x, decimals=-1), 100 * X, want=np.round(100 * X, -1)),
        row("round-halves", lambda x: e.round(x, 0), halves, want=np.round(halves)),
        row("round-of-bool", lambda x: e.round(x, -1), TRUTH, want=TRUTH),
        row("round-tens-of-int", lambda x: e.round(x, -1), tens, want=np.round(tens, -1)),
        row("round-hundreds-of-int", lambda x: e.round(x, -2), 100 * K + 50, want=np.round(100 * K + 50, -2)),
        row("round-tens-of-bytes", lambda x: e.round(x, -1), BYTES, want=np.round(BYTES, -1)),
        row("floor-of-bool", e.floor, TRUTH, want=TRUTH.astype("float32")),
        row("absolute-of-bytes", e.absolute, BYTES, want=BYTES),
        row("absolute-of-words", e.absolute, WORDS, want=WORDS),
        row("absolute-of-bool", e.absolute, TRUTH, want=TRUTH),
        row("negative-of-bytes", e.negative, BYTES, want=-BYTES),
        row("sign-of-bytes", e.sign, BYTES, want=np.sign(BYTES)),
        row("square-of-bool", e.square, TRUTH, want=TRUTH.astype("int32")),
        row("square-of-words", e.square, WORDS, want=WORDS * WORDS),
        row("nan_to_num-limits", e.nan_to_num, ODD, want=np.nan_to_num(ODD)),
        row("nan_to_num-of-int", e.nan_to_num, K, want=K),
        row(
            "nan_to_num-limits-given",
            lambda x: e.nan_to_num(x, nan=-1.0, posinf=7.0, neginf=-7.0),
            ODD,
            want=np.nan_to_num(ODD, nan=-1.0, posinf=7.0, neginf=-7.0),
        ),
        row(
            "nan_to_num-limits-of-half",
            e.nan_to_num,
            ODD[:6].astype("float16"),
            want=np.nan_to_num(ODD[:6].astype("float16")),
        ),
        row(
            "nan_to_num-of-complex",
            lambda x: e.nan_to_num(x, posinf=3.0),
            np.array([complex(NAN, 1), complex(INF, NAN)], "complex64"),
            want=np.array([1j, 3], "complex64"),
        ),
        row("clip-of-bool", lambda x: e.clip(x, 0, 2), TRUTH, want=TRUTH.astype("int32")),
        row("clip-of-bytes", lambda x: e.clip(x, 10, 50), BYTES, want=np.clip(BYTES, 10, 50)),
        row("clip-int-by-fractions", lambda x: e.clip(x, -1.5, 1.5), K, want=narrow(np.clip(K, -1.5, 1.5))),
        row("clip-limits", lambda x: e.clip(x, -1.0, 1.0), ODD, want=np.clip(ODD, -1.0, 1.0)),
    ]
    for name, gradient in (("trunc", False), ("round", False)):
        rows.append(
            row(f"{name}-flat", getattr(e, name), 3 * X + 0.01, want=getattr(np, name)(3 * X + 0.01), gradient=gradient)
        )
    return rows


def saturated_rows() -> list[Row]:
    far = np.array([-1e20, -300.0, -1.5, 0.0, 99.7, 300.0, 1e20, NAN, INF, -INF], "float32")
    whole = np.array([-(2**31), -129, -1, 0, 7, 255, 256, 70000, 2**31 - 1], "int32")
    rows = []
    for dtype in ("uint8", "int8", "int16", "int32"):
        ends = np.iinfo(dtype)
        clean = np.nan_to_num(far.astype("float64"), nan=0.0, posinf=1e30, neginf=-1e30)
        want = np.clip(clean, ends.min, ends.max).astype(dtype)
        rows.append(row(f"saturate_cast-limits-{dtype}", lambda x, d=dtype: e.saturate_cast(x, d), far, want=want))
        want = np.clip(whole, ends.min, ends.max).astype(dtype)
        rows.append(row(f"saturate_cast-int-to-{dtype}", lambda x, d=dtype: e.saturate_cast(x, d), whole, want=want))
    most = np.finfo("float16").max
    return [
        *rows,
        row(
            "saturate_cast-limits-half",
            lambda x: e.saturate_cast(x, "float16"),
            far,
            want=np.clip(far, -most, most).astype("float16"),
        ),
        row("saturate_cast-to-float", lambda x: e.saturate_cast(x, "float32"), whole, want=whole.astype("float32")),
        row("saturate_cast-to-bool", lambda x: e.saturate_cast(x, "bool"), K, want=K.astype(bool)),
    ]


# --- two inputs -----------------------------------------------------------------------------------

TWO: dict[str, tuple[Callable[..., Any], np.ndarray, np.ndarray]] = {
    "arctan2": (np.arctan2, X, Y), "hypot": (np.hypot, X, Y), "logaddexp": (np.logaddexp, X, Y),
    "logaddexp2": (np.logaddexp2, X, Y), "float_power": (np.float_power, POSITIVE, Y),
    "divide_no_nan": (np.divide, X, POSITIVE),
}  # fmt: skip
CHOSEN = {"fmax": np.fmax, "fmin": np.fmin, "maximum": np.maximum, "minimum": np.minimum}
PAIRS = tuple(np.array(side, "float32") for side in zip(*((a, b) for a in ODD for b in ODD), strict=True))


def of_numbers(name: str, oracle: Callable[..., Any]) -> list[Row]:
    op = getattr(e, name)
    return [
        row(f"{name}-column", op, X, COLUMN, want=wide(oracle, X, COLUMN)),
        row(f"{name}-by-number", lambda x: op(x, 1.5), X, want=wide(oracle, X, np.float32(1.5))),
        row(f"{name}-of-number", lambda x: op(2, x), J, want=wide(oracle, np.float32(2), J)),
        row(f"{name}-of-ints", op, J, J + 1, want=wide(oracle, J, J + 1)),
    ]


def two_rows() -> list[Row]:
    rows = []
    for name, (oracle, x, y) in TWO.items():
        rows.append(row(name, getattr(e, name), x, y, want=wide(oracle, x, y), gradient=True))
        if name != "float_power":
            rows += of_numbers(name, oracle)
    for name, oracle in CHOSEN.items():
        op = getattr(e, name)
        rows += [
            row(f"{name}-pair", op, X, Y, want=oracle(X, Y), gradient=True),
            row(f"{name}-of-ints", op, K, J, want=oracle(K, J)),
            row(f"{name}-of-bools", op, TRUTH, LIES, want=oracle(TRUTH, LIES)),
            row(f"{name}-of-words", op, WORDS, WORDS[::-1], want=oracle(WORDS, WORDS[::-1])),
            row(f"{name}-column", op, X, COLUMN, want=oracle(X, COLUMN)),
            row(f"{name}-by-number", lambda x, op=op: op(x, 0.5), X, want=oracle(X, np.float32(0.5))),
        ]
    tiny = np.abs(PAIRS[0]) == np.float32(1e-40)
    pairs = [side[~tiny & (np.abs(PAIRS[1]) != np.float32(1e-40))] for side in PAIRS]
    numbers = {"arctan2": np.arctan2, "hypot": np.hypot, "logaddexp": np.logaddexp, "logaddexp2": np.logaddexp2}
    for name, oracle in {**numbers, **CHOSEN, "copysign": np.copysign, "heaviside": np.heaviside}.items():
        rows.append(row(f"{name}-limits", getattr(e, name), *pairs, want=wide(oracle, *pairs)))
    return rows + remainder_rows() + other_two_rows()


def remainder_rows() -> list[Row]:
    a, b = 5 * X, np.where(np.abs(Y) < 0.3, np.float32(1.1), Y)
    away = np.abs(a / b - np.round(a / b)) > 0.02  # from where a remainder jumps
    a, b = a[away], b[away]
    fours = np.array([8, 9, -8, -9], "float32")
    return [
        row("fmod", e.fmod, a, b, want=np.fmod(a, b), gradient=True, tolerance=1e-5),
        row("fmod-of-ints", e.fmod, K, J, want=np.fmod(K, J)),
        row("fmod-by-negative", lambda x: e.fmod(x, -4), K, want=np.fmod(K, np.int32(-4))),
        row("fmod-of-bytes", e.fmod, BYTES, BYTES // 2 + 1, want=np.fmod(BYTES, BYTES // 2 + 1)),
        row("fmod-of-bools", e.fmod, TRUTH, TRUTH | True, want=np.zeros((3, 4), "int32")),
        row("fmod-whole", lambda x: e.fmod(x, 4.0), fours, want=np.fmod(fours, np.float32(4))),
        row("fmod-of-number", lambda x: e.fmod(7, x), J, want=np.fmod(np.int32(7), J)),
        row("mod-of-bools", e.mod, TRUTH, TRUTH | True, want=np.zeros((3, 4), "int32")),
        row("mod-of-words", e.mod, WORDS, WORDS // 3 + 1, want=np.mod(WORDS, WORDS // 3 + 1)),
        row("floor_divide-of-bools", e.floor_divide, TRUTH, TRUTH | True, want=TRUTH.astype("int32")),
        row(
            "floor_divide-of-words", e.floor_divide, WORDS, WORDS // 3 + 1, want=np.floor_divide(WORDS, WORDS // 3 + 1)
        ),
        row("gcd", e.gcd, 6 * K, 4 * J, want=np.gcd(6 * K, 4 * J)),
        row("gcd-of-zeros", e.gcd, 0 * K, K, want=np.abs(K)),
        row("gcd-column", e.gcd, 6 * K, 4 * J[:, :1], want=np.gcd(6 * K, 4 * J[:, :1])),
        row("gcd-by-number", lambda x: e.gcd(x, 12), K, want=np.gcd(K, np.int32(12))),
        row("gcd-of-bytes", e.gcd, BYTES, BYTES[::-1], want=np.gcd(BYTES, BYTES[::-1])),
        row("gcd-of-words", e.gcd, WORDS, WORDS[::-1], want=np.gcd(WORDS, WORDS[::-1])),
        row("gcd-scalar", e.gcd, np.int32(12), np.int32(18), want=np.int32(6)),
        row("lcm", e.lcm, 6 * K, 4 * J, want=np.lcm(6 * K, 4 * J)),
        row("lcm-of-zeros", e.lcm, 0 * K, 0 * K, want=0 * K),
        row("lcm-column", e.lcm, K, J[:, :1], want=np.lcm(K, J[:, :1])),
        row("lcm-mixed", e.lcm, J.astype("int8"), J.astype("uint8"), want=J.astype("int16")),
    ]


def other_two_rows() -> list[Row]:
    exponents = ints(-5, 6, 3, 4)
    ends = np.array([3e38, 1.0, 2e-38, 0.0, -1.5], "float32")
    powers = np.array([-200, 127, 126, 5, -3], "int32")
    steps = np.array([1.0, 1.0, 0.0, -0.0, -2.0, 5.0, NAN, 65000.0, INF, 1.0], "float32")
    targets = np.array([2.0, 0.0, -1.0, 1.0, -9.0, 5.0, 1.0, INF, 0.0, NAN], "float32")
    aims = targets.astype("float16")
    half, thin = steps.astype("float16"), steps.astype(ml_dtypes.bfloat16)
    rows = [
        row("copysign", e.copysign, X, Y, want=np.copysign(X, Y)),
        row("copysign-smooth", lambda x: e.copysign(x, Y), X, want=np.copysign(X, Y), gradient=True),
        *of_numbers("copysign", np.copysign),
        row("heaviside", e.heaviside, np.where(TRUTH, X, 0), Y, want=np.heaviside(np.where(TRUTH, X, 0), Y)),
        row("heaviside-of-ints", e.heaviside, K, J, want=wide(np.heaviside, K, J)),
        row("heaviside-by-number", lambda x: e.heaviside(x, 0.5), K, want=wide(np.heaviside, K, np.float32(0.5))),
        row("divide_no_nan-zeros", e.divide_no_nan, X, X * TRUTH, want=TRUTH.astype("float32")),
        row("divide_no_nan-limits", e.divide_no_nan, ODD, 0 * X[0, :1], want=0 * np.ones_like(ODD)),
        row("divide-of-complex", e.divide, Z, W, want=wide(np.divide, Z, W)),
        row("multiply-of-complex", e.multiply, Z, X, want=wide(np.multiply, Z, X)),
        row("power-of-complex", lambda z: e.power(z, 2), Z, want=wide(lambda z: z**2, Z)),
        row("power-of-bools", e.power, TRUTH, LIES, want=np.power(TRUTH.astype("int32"), LIES)),
        row("power-of-bytes", lambda x: e.power(x, 2), BYTES, want=BYTES**2),
        row("pow", e.pow, POSITIVE, Y, want=wide(np.power, POSITIVE, Y)),
        row("remainder", e.remainder, K, J, want=np.remainder(K, J)),
        row("float_power-of-ints", lambda x: e.float_power(x, -2), J, want=wide(lambda x: x**-2, J)),
        row("add-of-bools", e.add, TRUTH, LIES, want=TRUTH | LIES),
        row("multiply-of-bools", e.multiply, TRUTH, LIES, want=TRUTH & LIES),
        row("less-of-bools", e.less, TRUTH, LIES, want=TRUTH < LIES),
        row("add-of-words", e.add, WORDS, WORDS, want=WORDS + WORDS),
        row("subtract-of-words", e.subtract, WORDS, WORDS[::-1], want=WORDS - WORDS[::-1]),
        row("less-of-words", lambda x: e.less(x, 30000), WORDS, want=WORDS < 30000),
        row("ldexp", e.ldexp, X, exponents, want=np.ldexp(X, exponents)),
        row("ldexp-smooth", lambda x: e.ldexp(x, 3), X, want=8 * X, gradient=True),
        row("ldexp-of-ints", e.ldexp, K, exponents, want=wide(lambda k, n: k * 2.0**n, K, exponents)),
        row("ldexp-by-bytes", e.ldexp, X, BYTES // 20, want=np.ldexp(X, (BYTES // 20).astype("int32"))),
        row("ldexp-limits", e.ldexp, ends, powers, want=np.ldexp(ends, powers), tolerance=1e-6),
        row("nextafter-limits", e.nextafter, steps, targets, want=np.nextafter(steps, targets), tolerance=0),
        row("nextafter-limits-of-half", e.nextafter, half, aims, want=np.nextafter(half, aims), tolerance=0),
        row(
            "nextafter-limits-of-bfloat16",
            e.nextafter,
            thin,
            targets.astype(thin.dtype),
            want=np.nextafter(thin, targets.astype(thin.dtype)),
            tolerance=0,
        ),
        row("where-numbers-of-two-types", lambda c: e.where(c, 1, 0.5), TRUTH, want=narrow(np.where(TRUTH, 1, 0.5))),
        row("where-of-bools", e.where, K, TRUTH, LIES, want=np.where(K, TRUTH, LIES)),
        row("where-of-complex", e.where, TRUTH, Z, X, want=np.where(TRUTH, Z, X)),
        row(
            "where-alone", e.where, TRUTH,
            want=[i.astype("int32") for i in np.where(TRUTH)], eager="the count of true elements is data",
        ),
    ]  # fmt: skip
    return rows


# --- questions ------------------------------------------------------------------------------------


def question_rows() -> list[Row]:
    close = np.array([1.0, 1.0, 100.0, INF, INF, NAN, NAN, 0.0, 1e-9, -INF], "float32")
    other = np.array([1.000001, 1.1, 100.0005, INF, -INF, NAN, 1.0, 1e-9, 0.0, 1.0], "float32")
    complexes = np.array([complex(1, NAN), complex(INF, 0), complex(1, -INF), 3 + 0j], "complex64")
    rows = [
        row(f"{name}-{kind}", getattr(e, name), x, want=getattr(np, name)(x))
        for name in ("isposinf", "isneginf", "isreal", "signbit")
        for kind, x in (("limits", ODD), ("int", K), ("bool", TRUTH), ("half", ODD[:6].astype("float16")))
    ]
    rows += [
        row(f"{name}-of-complex", getattr(e, name), complexes, want=getattr(np, name)(complexes))
        for name in ("isnan", "isinf", "isfinite", "isreal")
    ]
    for nan in (False, True):
        for name in ("isclose", "allclose"):
            rows.append(
                row(
                    f"{name}-{nan}",
                    lambda x, y, name=name, nan=nan: getattr(e, name)(x, y, equal_nan=nan),
                    close,
                    other,
                    want=np.asarray(getattr(np, name)(close, other, equal_nan=nan)),
                )
            )
    return [
        *rows,
        row("isclose-ints", e.isclose, K, J, want=np.isclose(K, J)),
        row("isclose-loose", lambda x, y: e.isclose(x, y, 0.5, 0.3), X, Y, want=np.isclose(X, Y, 0.5, 0.3)),
        row("isclose-column", lambda x, y: e.isclose(x, y, atol=1.0), X, COLUMN, want=np.isclose(X, COLUMN, atol=1.0)),
        row("isclose-number", lambda x: e.isclose(x, 1, rtol=0.2), X, want=np.isclose(X, 1, rtol=0.2)),
        row("isclose-complex", lambda x, y: e.isclose(x, y, atol=1.0), Z, W, want=np.isclose(Z, W, atol=1.0)),
        row("allclose-same", e.allclose, X, X, want=np.asarray(True)),
        row("logical_xor", e.logical_xor, TRUTH, K, want=np.logical_xor(TRUTH, K)),
        row("logical_xor-floats", e.logical_xor, X * TRUTH, COLUMN, want=np.logical_xor(X * TRUTH, COLUMN)),
        row("logical_and-of-complex", e.logical_and, Z * TRUTH, TRUTH, want=TRUTH),
    ]


ROWS: list[Row] = [*one_rows(), *single_rows(), *saturated_rows(), *two_rows(), *question_rows()]

SHAPES = "Keras lets floats pass as symbolic tensors: the default type of its Input is one"
BAD: list[Bad] = [
    bad("subtract-bools", e.subtract, TRUTH, LIES, error=DTypeError),
    bad("negative-bools", e.negative, TRUTH, error=DTypeError),
    bad("add-shapes", e.add, X, Y[:, :3], error=ShapeError),
    bad("gcd-floats", e.gcd, X, Y, error=DTypeError, numbers=SHAPES),
    bad("lcm-bools", e.lcm, TRUTH, LIES, error=DTypeError),
    bad("ldexp-floats", e.ldexp, X, Y, error=DTypeError, numbers=SHAPES),
    bad("maximum-complex", e.maximum, Z, W, error=DTypeError),
    bad("arctan2-complex", e.arctan2, Z, W, error=DTypeError),
    bad("floor-complex", e.floor, Z, error=DTypeError),
    bad("trunc-complex", e.trunc, Z, error=DTypeError),
    bad("erf-complex", e.erf, Z, error=DTypeError),
    bad("isposinf-complex", e.isposinf, Z, error=DTypeError),
    bad("where-half", lambda c, x: e.where(c, x), TRUTH, X, error=ArgumentError),
]
