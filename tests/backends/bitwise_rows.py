"""The table of ops on bits; NumPy knows the answers."""

from __future__ import annotations

import numpy as np

from kbridge.core.errors import DTypeError
from kbridge.core.ops import bitwise
from tests.backends.rows import Bad, Row, bad, floats, ints, row

K, J, COLUMN = ints(-99, 100, 3, 4), ints(-99, 100, 3, 4), ints(-9, 10, 3, 1)
PLACES = ints(0, 5, 3, 4)
BYTES, WORDS = ints(0, 256, 3, 4, dtype="uint8"), ints(0, 65536, 3, 4, dtype="uint16")
TRUTH, LIES = ints(0, 2, 3, 4).astype(bool), ints(0, 2, 3, 4).astype(bool)
PAIRED = {"bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor}
SHIFTED = {
    "bitwise_left_shift": np.left_shift, "left_shift": np.left_shift,
    "bitwise_right_shift": np.right_shift, "right_shift": np.right_shift,
}  # fmt: skip
TURNED = {"bitwise_not": np.invert, "bitwise_invert": np.invert, "bitwise_count": np.bitwise_count}


def bit_rows() -> list[Row]:
    rows = []
    for name, oracle in PAIRED.items():
        op = getattr(bitwise, name)
        rows += [
            row(name, op, K, J, want=oracle(K, J)),
            row(f"{name}-column", op, K, COLUMN, want=oracle(K, COLUMN)),
            row(f"{name}-bools", op, TRUTH, LIES, want=oracle(TRUTH, LIES)),
            row(f"{name}-words", op, WORDS, WORDS[::-1], want=oracle(WORDS, WORDS[::-1])),
            row(f"{name}-mixed", op, BYTES, PLACES.astype("int8"), want=oracle(BYTES, PLACES.astype("int8"))),
            row(f"{name}-number", lambda x, op=op: op(x, 6), K, want=oracle(K, np.int32(6))),
            row(f"{name}-number-first", lambda x, op=op: op(6, x), BYTES, want=oracle(np.uint8(6), BYTES)),
        ]
    for name, oracle in SHIFTED.items():
        op = getattr(bitwise, name)
        rows += [
            row(name, op, K, PLACES, want=oracle(K, PLACES)),
            row(f"{name}-number", lambda x, op=op: op(x, 2), K, want=oracle(K, np.int32(2))),
            row(f"{name}-number-first", lambda x, op=op: op(-64, x), PLACES, want=oracle(np.int32(-64), PLACES)),
            row(f"{name}-words", op, WORDS, WORDS % 9, want=oracle(WORDS, WORDS % 9)),
            row(f"{name}-bools", op, TRUTH, LIES, want=oracle(TRUTH.astype("int32"), LIES.astype("int32"))),
        ]
    for name, oracle in TURNED.items():
        op = getattr(bitwise, name)
        ends = np.array([-(2**31), -1, 0, 1, 2**31 - 1], "int32")
        for kind, x in (("int", K), ("bytes", BYTES), ("words", WORDS), ("bools", TRUTH), ("ends", ends)):
            rows.append(row(f"{name}-{kind}", op, x, want=oracle(x)))
    return rows


ROWS: list[Row] = bit_rows()
FLOATS = floats(3, 4)
SHAPES = "Keras lets floats pass as symbolic tensors: the default type of its Input is one"
BAD: list[Bad] = [
    bad("bitwise_and-floats", bitwise.bitwise_and, FLOATS, K, error=DTypeError, numbers=SHAPES),
    bad("bitwise_not-floats", bitwise.bitwise_not, FLOATS, error=DTypeError, numbers=SHAPES),
    bad("left_shift-floats", bitwise.left_shift, FLOATS, K, error=DTypeError, numbers=SHAPES),
    bad("bitwise_count-floats", bitwise.bitwise_count, FLOATS, error=DTypeError, numbers=SHAPES),
]
