"""Rows for activations, normalisation and cross-entropies beyond `kernel_rows`."""

from __future__ import annotations

from functools import partial

import ml_dtypes
import numpy as np
import scipy.special

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.nn import layer_norm
from kbridge.ops import nn
from tests.backends.rows import Bad, Row, bad, floats, ints, narrow, row

X = np.array([[-7.3, -2.6, -1.7, -0.8, -0.3], [0.2, 0.7, 1.4, 2.8, 6.4]], "float32")  # away from every bend
D = X.astype("float64")
WHOLE = ints(-9, 10, 3, 4)
BYTES = ints(0, 9, 2, 3, dtype="uint8")
TRUTH = np.array([[True, False]])
ODD = np.array([np.nan, np.inf, -np.inf], "float32")
CUBE = floats(2, 6, 4)
ELU = np.where(D > 0, D, np.expm1(D))
ORACLES = {
    "celu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "log_sigmoid": lambda x: -np.logaddexp(0, -x),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda x: np.where(x <= -1, 0, np.where(x >= 1, 1, (x + 1) / 2)),
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "swish": lambda x: x * scipy.special.expit(x),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "silu": lambda x: x * scipy.special.expit(x),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, x * 0.2),
}


def simplex(x: np.ndarray) -> np.ndarray:
    """The nearest point of the simplex to each row, by bisection for the threshold."""
    low, high = x.min(-1, keepdims=True) - 1, x.max(-1, keepdims=True)
    for _ in range(60):
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(-1, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - low, 0)


def activation_rows() -> list[Row]:
    rows = []
    for name, oracle in ORACLES.items():
        op = getattr(nn, name)
        fresh = name not in ("hard_sigmoid", "silu", "relu6", "leaky_relu")
        if fresh:
            rows.append(row(name, op, X, want=narrow(oracle(D)), gradient=True))
        rows += [
            row(f"{name}-of-ints", op, WHOLE, want=narrow(oracle(WHOLE.astype("float64")))),
            row(f"{name}-of-bytes", op, BYTES, want=narrow(oracle(BYTES.astype("float64")))),
            row(f"{name}-of-bools", op, TRUTH, want=narrow(oracle(TRUTH.astype("float64")))),
            row(f"{name}-scalar", op, X[0, 2], want=narrow(oracle(D[0, 2]))),
            row(f"{name}-empty", op, X[:0], want=X[:0]),
        ]
    limits = ODD.astype("float64")
    with np.errstate(all="ignore"):
        rows += [
            row(f"{name}-limits", getattr(nn, name), ODD, want=narrow(ORACLES[name](limits)))
            for name in ("celu", "log_sigmoid", "hard_tanh", "sparse_plus")
        ]
    exact = D / 2 * (1 + scipy.special.erf(D / np.sqrt(2)))
    glued, gate = CUBE[:, :3], CUBE[:, 3:]
    far = np.array([[-800.0, 0.0, 800.0]], "float32")
    return [
        *rows,
        row(
            "celu-alpha",
            lambda x: nn.celu(x, 0.7),
            X,
            want=narrow(np.where(D > 0, D, 0.7 * np.expm1(D / 0.7))),
            gradient=True,
        ),
        row("elu-alpha", lambda x: nn.elu(x, 0.7), X, want=narrow(np.where(D > 0, D, 0.7 * ELU)), gradient=True),
        row("hard_shrink-threshold", lambda x: nn.hard_shrink(x, 1.5), X, want=np.where(np.abs(X) > 1.5, X, 0)),
        row(
            "soft_shrink-threshold",
            lambda x: nn.soft_shrink(x, 1.5),
            X,
            want=narrow(np.sign(D) * np.maximum(np.abs(D) - 1.5, 0)),
            gradient=True,
        ),
        row(
            "squareplus-b", lambda x: nn.squareplus(x, b=2), X, want=narrow((D + np.sqrt(D * D + 2)) / 2), gradient=True
        ),
        row("leaky_relu-slope", lambda x: nn.leaky_relu(x, 0.5), X, want=np.where(X > 0, X, X / 2), gradient=True),
        row(
            "threshold", lambda x: nn.threshold(x, 0.5, -3), X, want=np.where(X > 0.5, X, np.float32(-3)), gradient=True
        ),
        row("threshold-of-ints", lambda x: nn.threshold(x, 2, 7), WHOLE, want=narrow(np.where(WHOLE > 2, WHOLE, 7.0))),
        row("log_sigmoid-far", nn.log_sigmoid, far, want=np.array([[-800, -np.log(2), 0]], "float32")),
        row("glu", nn.glu, CUBE, want=narrow(CUBE[..., :2] * scipy.special.expit(CUBE[..., 2:])), gradient=True),
        row("glu-axis", lambda x: nn.glu(x, axis=1), CUBE, want=narrow(glued * scipy.special.expit(gate))),
        row("glu-negative-axis", lambda x: nn.glu(x, axis=-2), CUBE, want=narrow(glued * scipy.special.expit(gate))),
        row(
            "gelu-gradient",
            nn.gelu,
            X,
            gradient=True,
            want=narrow(D / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (D + 0.044715 * D**3)))),
        ),
        row("gelu-exact-gradient", lambda x: nn.gelu(x, approximate=False), X, want=narrow(exact), gradient=True),
        row(
            "gelu-of-ints",
            nn.gelu,
            BYTES[:1],
            want=narrow(
                BYTES[:1]
                / 2
                * (1 + np.tanh(np.sqrt(2 / np.pi) * (BYTES[:1] + 0.044715 * BYTES[:1].astype("float64") ** 3)))
            ),
        ),
        row(
            "softmax-tuple",
            lambda x: nn.softmax(x, (1, -1)),
            CUBE,
            want=scipy.special.softmax(CUBE, (1, 2)),
            gradient=True,
        ),
        row(
            "log_softmax-tuple",
            lambda x: nn.log_softmax(x, (0, -1)),
            CUBE,
            want=scipy.special.log_softmax(CUBE, (0, 2)),
            gradient=True,
        ),
        row(
            "log_softmax-all",
            lambda x: nn.log_softmax(x, axis=None),
            100 * CUBE,
            want=scipy.special.log_softmax(100 * CUBE),
        ),
        row("sparsemax", nn.sparsemax, CUBE, want=narrow(simplex(CUBE.astype("float64"))), gradient=True),
        row(
            "sparsemax-axis",
            lambda x: nn.sparsemax(x, axis=1),
            CUBE,
            want=narrow(np.moveaxis(simplex(np.moveaxis(CUBE, 1, -1).astype("float64")), -1, 1)),
            gradient=True,
        ),
        row("sparsemax-of-ints", nn.sparsemax, WHOLE, want=narrow(simplex(WHOLE.astype("float64")))),
        row(
            "sparsemax-large",
            nn.sparsemax,
            1e4 + np.array([[1, 1.5, 0]], "float32"),
            want=np.array([[0.25, 0.75, 0]], "float32"),
        ),
        row("sparsemax-ties", nn.sparsemax, np.zeros((2, 4), "float32"), want=np.full((2, 4), 0.25, "float32")),
    ]


def normalisation_rows() -> list[Row]:
    x = floats(3, 4, 5)
    d = x.astype("float64")
    scale, plane = floats(5), floats(4, 5)
    over = lambda axes, eps=1e-7: d / np.sqrt((d * d).mean(axes, keepdims=True) + eps)  # noqa: E731
    spread = lambda axes: np.sqrt(d.var(axes, keepdims=True) + 1e-3)  # noqa: E731
    half = (400 * floats(4, 6)).astype("float16")
    wide = half.astype("float64")
    rms = wide / np.sqrt((wide * wide).mean(-1, keepdims=True))
    layered = (d - d.mean(-1, keepdims=True)) / spread(-1)
    norm = partial(np.linalg.norm, keepdims=True)
    return [
        row("rms_normalization", nn.rms_normalization, x, scale, want=narrow(over(-1) * scale), gradient=True, data=1),
        row("rms_normalization-bare", nn.rms_normalization, x, want=narrow(over(-1))),
        row(
            "rms_normalization-axis",
            lambda x, s: nn.rms_normalization(x, s, axis=1, epsilon=0.1),
            x,
            plane[:, 0],
            want=narrow(over(1, 0.1) * plane[:, :1]),
            gradient=True,
            data=1,
        ),
        row(
            "rms_normalization-axes",
            lambda x, s: nn.rms_normalization(x, s, axis=(1, 2)),
            x,
            plane,
            want=narrow(over((1, 2)) * plane),
            data=1,
        ),
        row("rms_normalization-half", nn.rms_normalization, half, want=rms.astype("float16"), tolerance=3e-3),
        row(
            "rms_normalization-half-scale",
            nn.rms_normalization,
            half,
            np.ones(6, "float32"),
            want=rms.astype("float16"),
            tolerance=3e-3,
            data=1,
        ),
        row(
            "rms_normalization-of-ints",
            nn.rms_normalization,
            WHOLE + 20,
            want=narrow((WHOLE + 20) / np.sqrt(((WHOLE + 20.0) ** 2).mean(-1, keepdims=True))),
        ),
        row(
            "layer_normalization-gamma-of-another-type",
            lambda x, g: nn.layer_normalization(x, g, axis=-1),
            half,
            np.ones(6, "float32"),
            want=((wide - wide.mean(-1, keepdims=True)) / wide.std(-1, keepdims=True)).astype("float16"),
            tolerance=3e-3,
        ),
        row(
            "layer_normalization-beta",
            lambda x, b: nn.layer_normalization(x, beta=b, epsilon=1e-3),
            x,
            scale,
            want=narrow(layered + scale),
            gradient=True,
        ),
        row(
            "layer_norm-rms_scaling",
            lambda x, g: layer_norm(x, g, epsilon=1e-3, rms_scaling=True),
            x,
            scale,
            want=narrow(d / spread(-1) * scale),
            data=1,
        ),
        row(
            "layer_norm-rms_scaling-axis",
            lambda x, g: layer_norm(x, g, axis=1, epsilon=1e-3, rms_scaling=True),
            x,
            plane[:, 0],
            want=narrow(d / spread(1) * plane[:, :1]),
            data=1,
        ),
        row(
            "moments-keepdims",
            lambda x: list(nn.moments(x, (0, -1), keepdims=True)),
            x,
            want=[narrow(d.mean((0, 2), keepdims=True)), narrow(d.var((0, 2), keepdims=True))],
            gradient=True,
        ),
        row(
            "moments-of-ints",
            lambda x: list(nn.moments(x, [0])),
            WHOLE,
            want=[narrow(WHOLE.mean(0)), narrow(WHOLE.var(0))],
        ),
        row(
            "moments-synchronized",
            lambda x: list(nn.moments(x, 1, synchronized=True)),
            x,
            want=[narrow(d.mean(1)), narrow(d.var(1))],
        ),
        row("normalize", nn.normalize, x, want=narrow(d / norm(d, axis=-1)), gradient=True),
        row("normalize-order-1", lambda x: nn.normalize(x, 1, 1), x, want=narrow(d / np.abs(d).sum(1, keepdims=True))),
        row(
            "normalize-order-3",
            lambda x: nn.normalize(x, axis=0, order=3),
            x,
            want=narrow(d / (np.abs(d) ** 3).sum(0, keepdims=True) ** (1 / 3)),
            gradient=True,
        ),
        row(
            "normalize-axes",
            lambda x: nn.normalize(x, axis=(0, 2)),
            x,
            want=narrow(d / np.sqrt((d * d).sum((0, 2), keepdims=True))),
        ),
        row("normalize-all", lambda x: nn.normalize(x, axis=None), x, want=narrow(d / np.sqrt((d * d).sum()))),
        row("normalize-zeros", nn.normalize, np.zeros((2, 3), "float32"), want=np.zeros((2, 3), "float32")),
        row("normalize-epsilon", lambda x: nn.normalize(x, epsilon=100.0), x, want=narrow(d / 100)),
        row("normalize-of-ints", nn.normalize, WHOLE + 20, want=narrow((WHOLE + 20) / norm(WHOLE + 20.0, axis=-1))),
        row("normalize-half", nn.normalize, half, want=(wide / norm(wide, axis=-1)).astype("float16"), tolerance=3e-3),
        row(
            "normalize-bfloat16",
            nn.normalize,
            half.astype(ml_dtypes.bfloat16),
            tolerance=2e-2,
            want=(wide / norm(wide, axis=-1)).astype(ml_dtypes.bfloat16),
        ),
    ]


def loss_rows() -> list[Row]:
    logits = floats(3, 4, 5)
    shares = scipy.special.softmax(logits.astype("float64"), -1)
    soft = narrow(scipy.special.softmax(floats(3, 4, 5).astype("float64"), -1))
    classes = ints(0, 4, 3, 5)
    picked = np.take_along_axis(scipy.special.log_softmax(logits.astype("float64"), 1), classes[:, None], 1)[:, 0]
    yes = ints(0, 2, 3, 4, 5)
    entropy = np.logaddexp(0, logits) - logits * yes
    return [
        row(
            "categorical_crossentropy-soft",
            nn.categorical_crossentropy,
            soft,
            narrow(3 * shares),
            want=narrow(-(soft * np.log(shares)).sum(-1)),
            gradient=True,
        ),
        row(
            "categorical_crossentropy-soft-logits",
            lambda t, o: nn.categorical_crossentropy(t, o, from_logits=True),
            soft,
            logits,
            want=narrow(-(soft * np.log(shares)).sum(-1)),
            gradient=True,
        ),
        row(
            "categorical_crossentropy-of-ints",
            lambda t, o: nn.categorical_crossentropy(t, o, True),
            yes,
            yes,
            want=narrow(-(yes * scipy.special.log_softmax(yes.astype("float64"), -1)).sum(-1)),
        ),
        row(
            "sparse_categorical_crossentropy-deep-axis",
            lambda t, o: nn.sparse_categorical_crossentropy(t, o, True, 1),
            classes,
            logits,
            want=narrow(-picked),
            gradient=True,
        ),
        row(
            "sparse_categorical_crossentropy-probabilities-axis",
            lambda t, o: nn.sparse_categorical_crossentropy(t, o, axis=1),
            classes,
            narrow(scipy.special.softmax(logits.astype("float64"), 1)),
            want=narrow(-picked),
            gradient=True,
        ),
        row(
            "binary_crossentropy-deep",
            lambda t, o: nn.binary_crossentropy(t, o, from_logits=True),
            yes,
            logits,
            want=narrow(entropy),
            gradient=True,
        ),
        row(
            "binary_crossentropy-of-ints",
            lambda t, o: nn.binary_crossentropy(t, o, True),
            yes,
            yes,
            want=narrow(np.logaddexp(0, yes) - yes * yes),
        ),
    ]


ROWS: list[Row] = [*activation_rows(), *normalisation_rows(), *loss_rows()]
BAD: list[Bad] = [
    bad("glu-odd", nn.glu, floats(2, 3), error=ShapeError),
    bad("glu-axis", lambda x: nn.glu(x, 5), floats(2, 4), error=ShapeError),
    bad("softmax-axis", lambda x: nn.softmax(x, 2), floats(2, 4), error=ShapeError),
    bad("sparsemax-axis", lambda x: nn.sparsemax(x, 2), floats(2, 4), error=ShapeError),
    bad("normalize-order", lambda x: nn.normalize(x, order=0), floats(2, 4), error=ArgumentError),
    bad("normalize-fraction", lambda x: nn.normalize(x, order=1.5), floats(2, 4), error=ArgumentError),
    bad(
        "batch_norm-vector", lambda x, m: nn.batch_normalization(x, m, m, 1), floats(2, 4), floats(3), error=ShapeError
    ),
    bad("categorical_crossentropy-shape", nn.categorical_crossentropy, floats(2, 4), floats(2, 3), error=ShapeError),
    bad(
        "sparse_categorical_crossentropy-shape",
        nn.sparse_categorical_crossentropy,
        ints(0, 2, 3),
        floats(2, 3),
        error=ShapeError,
    ),
    bad("binary_crossentropy-shape", nn.binary_crossentropy, floats(2, 1), floats(2, 3), error=ShapeError),
]
