"""Rows for connectionist temporal classification: all alignments, one by one."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import scipy.special

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.ops import nn
from tests.backends.rows import Bad, Row, bad, floats, narrow, row

LOGITS = floats(3, 5, 4)
LENGTHS = np.array([5, 3, 4], "int32")
TARGETS = np.array([[1, 2, 2], [3, 1, 1], [2, 0, 0]], "int32")
SIZES = np.array([3, 2, 1], "int32")


def spelled(path: Any, blank: int) -> tuple[int, ...]:
    """What is left of a path without repetitions and blanks."""
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


def likelihoods(logits: np.ndarray, blank: int) -> Counter[tuple[int, ...]]:
    """The probability of each spelling, from all paths."""
    shares, found = scipy.special.softmax(logits.astype("float64"), -1), Counter()
    for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        found[spelled(path, blank)] += shares[np.arange(len(path)), path].prod()
    return found


def losses(targets: Any, logits: Any, sizes: Any, lengths: Any, blank: int = 0) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return narrow(
            [
                -np.log(likelihoods(x[:n], blank)[tuple(t[:s])])
                for t, x, s, n in zip(targets, logits, sizes, lengths, strict=True)
            ]
        )


def decoded(logits: Any, lengths: Any, count: int, blank: int) -> list[np.ndarray]:
    """The likeliest spellings and the logarithms of their probabilities."""
    labels, scores = np.full((count, *logits.shape[:2]), -1, "int32"), np.zeros((len(logits), count))
    for i, (x, n) in enumerate(zip(logits, lengths, strict=True)):
        for k, (spelling, share) in enumerate(likelihoods(x[:n], blank).most_common(count)):
            labels[k, i, : len(spelling)], scores[i, k] = spelling, np.log(share)
    return [labels, narrow(scores)]


def greedy(logits: Any, lengths: Any, blank: int, merge: bool = True) -> list[np.ndarray]:
    labels, scores = np.full((1, *logits.shape[:2]), -1, "int32"), np.zeros((len(logits), 1))
    for i, (x, n) in enumerate(zip(logits, lengths, strict=True)):
        path = x[:n].argmax(-1)
        found = spelled(path, blank) if merge else tuple(path[path != blank])
        labels[0, i, : len(found)], scores[i] = found, -x[:n].astype("float64").max(-1).sum()
    return [labels, narrow(scores)]


def rows() -> list[Row]:
    whole, padded = (
        (TARGETS, LOGITS, SIZES, LENGTHS),
        np.where(np.arange(3) < SIZES[:, None], TARGETS, -1).astype("int32"),
    )
    none, last = np.array([0, 2, 1], "int32"), TARGETS % 3
    search = lambda x, n, **more: list(nn.ctc_decode(x, n, "beam_search", 200, **more))  # noqa: E731
    steady = np.repeat(floats(2, 4, 3), 2, 1)
    return [
        row("ctc_loss", nn.ctc_loss, *whole, want=losses(*whole), gradient=True),
        row("ctc_loss-padded", nn.ctc_loss, padded, LOGITS, SIZES, LENGTHS, want=losses(*whole)),
        row(
            "ctc_loss-empty-target",
            nn.ctc_loss,
            TARGETS,
            LOGITS,
            none,
            LENGTHS,
            want=losses(TARGETS, LOGITS, none, LENGTHS),
            gradient=True,
        ),
        row(
            "ctc_loss-last-is-blank",
            lambda t, x, s, n: nn.ctc_loss(t, x, s, n, mask_index=3),
            last,
            LOGITS,
            SIZES,
            LENGTHS,
            want=losses(last, LOGITS, SIZES, LENGTHS, 3),
            gradient=True,
        ),
        row(
            "ctc_loss-too-few-steps",
            nn.ctc_loss,
            TARGETS,
            LOGITS,
            SIZES,
            np.array([3, 3, 4], "int32"),
            want=losses(TARGETS, LOGITS, SIZES, [3, 3, 4]),
        ),
        row("ctc_decode", lambda x, n: list(nn.ctc_decode(x, n)), LOGITS, LENGTHS, want=greedy(LOGITS, LENGTHS, 0)),
        row(
            "ctc_decode-last-is-blank",
            lambda x, n: list(nn.ctc_decode(x, n, mask_index=None)),
            LOGITS,
            LENGTHS,
            want=greedy(LOGITS, LENGTHS, 3),
        ),
        row(
            "ctc_decode-merged",
            lambda x, n: list(nn.ctc_decode(x, n, mask_index=1)),
            steady,
            LENGTHS[:2] + 2,
            want=greedy(steady, LENGTHS[:2] + 2, 1),
        ),
        row(
            "ctc_decode-not-merged",
            lambda x, n: list(nn.ctc_decode(x, n, merge_repeated=False, mask_index=1)),
            steady,
            LENGTHS[:2] + 2,
            want=greedy(steady, LENGTHS[:2] + 2, 1, merge=False),
        ),
        row(
            "ctc_decode-beams",
            lambda x, n: search(x, n),
            LOGITS,
            LENGTHS,
            want=decoded(LOGITS, LENGTHS, 1, 0),
            tolerance=1e-4,
        ),
        row(
            "ctc_decode-beams-paths",
            lambda x, n: search(x, n, top_paths=5),
            LOGITS,
            LENGTHS,
            want=decoded(LOGITS, LENGTHS, 5, 0),
            tolerance=1e-4,
        ),
        row(
            "ctc_decode-beams-blank",
            lambda x, n: search(x, n, top_paths=3, mask_index=2),
            LOGITS,
            LENGTHS,
            want=decoded(LOGITS, LENGTHS, 3, 2),
            tolerance=1e-4,
        ),
        row(
            "ctc_decode-beams-steady",
            lambda x, n: search(x, n, top_paths=2, mask_index=None),
            steady,
            LENGTHS[:2] + 2,
            want=decoded(steady, LENGTHS[:2] + 2, 2, 2),
            tolerance=1e-4,
        ),
    ]


ROWS: list[Row] = rows()
BAD: list[Bad] = [
    bad("ctc_loss-rank", nn.ctc_loss, TARGETS, LOGITS[0], SIZES, LENGTHS, error=ShapeError),
    bad("ctc_loss-batch", nn.ctc_loss, TARGETS[:2], LOGITS, SIZES, LENGTHS, error=ShapeError),
    bad("ctc_decode-strategy", lambda x, n: nn.ctc_decode(x, n, "best"), LOGITS, LENGTHS, error=ArgumentError),
    bad(
        "ctc_decode-paths", lambda x, n: nn.ctc_decode(x, n, "beam_search", 2, 3), LOGITS, LENGTHS, error=ArgumentError
    ),
    bad("ctc_decode-rank", nn.ctc_decode, LOGITS[0], LENGTHS, error=ShapeError),
]
