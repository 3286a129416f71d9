"""The table of ops that move, join, cut and pick, long because it is one; NumPy is the oracle."""

from __future__ import annotations

import numpy as np

from kbridge.core.errors import ArgumentError, DTypeError, ShapeError
from kbridge.core.ops import convert, cut, join, pad, pick, rearrange, shape, turn
from tests.backends.rows import Bad, Row, bad, floats, ints, row

X, Y, V, CUBE = floats(3, 4), floats(3, 4), floats(4), floats(2, 3, 4)
K, BYTES = ints(-5, 6, 3, 4), ints(0, 200, 3, 4, dtype="uint8")
TRUTH = ints(0, 2, 3, 4).astype(bool)
HALF = floats(3, 4, dtype="float16")
NONE = np.zeros((0, 4), "float32")
NUMBER = np.float32(2.5)
DEEP = floats(2, 4, 6, 3)
COUNTED = "how many elements there are depends on the values"
NUMBERED = "the number of results depends on the size"


def moving_rows() -> list[Row]:
    s = shape
    return [
        row("reshape-none", lambda x: s.reshape(x, (None, 2)), X, want=X.reshape(-1, 2)),
        row(
            "reshape-empty", lambda x: s.reshape(x, (0, 2, 2)), NONE, want=NONE.reshape(0, 2, 2), fixed="0 beside free"
        ),
        row("reshape-bytes", lambda x: s.reshape(x, [2, 6]), BYTES, want=BYTES.reshape(2, 6)),
        row("reshape-number", lambda x: s.reshape(x, (1, 1)), NUMBER, want=np.reshape(NUMBER, (1, 1))),
        row("ravel-number", s.ravel, NUMBER, want=np.ravel(NUMBER)),
        row("ravel-bools", s.ravel, TRUTH, want=TRUTH.ravel()),
        row("transpose-number", s.transpose, NUMBER, want=NUMBER),
        row(
            "transpose-gradient", lambda x: s.transpose(x, (1, 2, 0)), CUBE, want=CUBE.transpose(1, 2, 0), gradient=True
        ),
        row("permute_dims", lambda x: s.permute_dims(x, (2, 0, 1)), CUBE, want=CUBE.transpose(2, 0, 1)),
        row("matrix_transpose", s.matrix_transpose, CUBE, want=CUBE.swapaxes(-1, -2)),
        row("swapaxes-negative", lambda x: s.swapaxes(x, -3, -1), CUBE, want=CUBE.swapaxes(-3, -1)),
        row("moveaxis", lambda x: s.moveaxis(x, 0, -1), CUBE, want=np.moveaxis(CUBE, 0, -1), gradient=True),
        row(
            "moveaxis-several",
            lambda x: s.moveaxis(x, (0, 1), (-1, -3)),
            DEEP,
            want=np.moveaxis(DEEP, (0, 1), (-1, -3)),
        ),
        row("moveaxis-ints", lambda x: s.moveaxis(x, -1, 0), K, want=np.moveaxis(K, -1, 0)),
        row("expand_dims-one", lambda x: s.expand_dims(x, -2), BYTES, want=np.expand_dims(BYTES, -2)),
        row("expand_dims-list", lambda x: s.expand_dims(x, [1, 3]), X, want=np.expand_dims(X, (1, 3))),
        row("squeeze-two", lambda x: s.squeeze(x, (0, -1)), CUBE[:1, :, :1], want=CUBE[0, :, 0]),
        row("squeeze-none-there", s.squeeze, X, want=X, fixed="which axes have size 1 isn't known"),
        row(
            "broadcast_to-rank",
            lambda x: s.broadcast_to(x, (2, 3, 4)),
            V,
            want=np.broadcast_to(V, (2, 3, 4)),
            gradient=True,
        ),
        row(
            "broadcast_to-bools", lambda x: s.broadcast_to(x, (2, 3, 4)), TRUTH, want=np.broadcast_to(TRUTH, (2, 3, 4))
        ),
        row("tile-one-number", lambda x: s.tile(x, 3), NUMBER, want=np.tile(NUMBER, 3)),
        row("tile-array", lambda x: s.tile(x, np.array([2, 1])), K, want=np.tile(K, (2, 1))),
        row("tile-gradient", lambda x: s.tile(x, (2, 2)), X, want=np.tile(X, (2, 2)), gradient=True),
        row("repeat-each", lambda x: s.repeat(x, [1, 0, 2], 0), X, want=np.repeat(X, [1, 0, 2], 0), gradient=True),
        row("repeat-each-flat", lambda x: s.repeat(x, (2, 0, 1, 3)), V, want=np.repeat(V, [2, 0, 1, 3])),
        row("repeat-list-of-one", lambda x: s.repeat(x, [2], -1), K, want=np.repeat(K, 2, -1)),
        row("repeat-none", lambda x: s.repeat(x, 0, 1), K, want=np.repeat(K, 0, 1)),
        row("flip-axes", lambda x: turn.flip(x, (0, -1)), CUBE, want=np.flip(CUBE, (0, -1)), gradient=True),
        row("flip-bools", lambda x: turn.flip(x, 0), TRUTH, want=np.flip(TRUTH, 0)),
        row("flip-bytes", turn.flip, BYTES, want=np.flip(BYTES)),
        row("flipud", turn.flipud, K, want=np.flipud(K)),
        row("flipud-vector", turn.flipud, V, want=np.flipud(V)),
        row("fliplr", turn.fliplr, X, want=np.fliplr(X)),
        row("roll", lambda x: turn.roll(x, 2), X, want=np.roll(X, 2)),
        row("roll-axis", lambda x: turn.roll(x, -1, 1), CUBE, want=np.roll(CUBE, -1, 1), gradient=True),
        row("roll-axes", lambda x: turn.roll(x, (1, -2), (0, -1)), CUBE, want=np.roll(CUBE, (1, -2), (0, -1))),
        row("roll-one-shift", lambda x: turn.roll(x, 1, (0, 1)), K, want=np.roll(K, 1, (0, 1))),
        row("roll-far", lambda x: turn.roll(x, 9, 0), BYTES, want=np.roll(BYTES, 9, 0)),
        row("roll-bools", lambda x: turn.roll(x, 1, -1), TRUTH, want=np.roll(TRUTH, 1, -1)),
        *(
            row(f"rot90-{k}", lambda x, k=k: turn.rot90(x, k), X, want=np.rot90(X, k), gradient=k == 1)
            for k in range(-1, 5)
        ),
        row("rot90-axes", lambda x: turn.rot90(x, 1, (2, 0)), CUBE, want=np.rot90(CUBE, 1, (2, 0))),
        row("rot90-axes-3", lambda x: turn.rot90(x, 3, (-1, 1)), CUBE, want=np.rot90(CUBE, 3, (-1, 1))),
    ]


def pad_rows() -> list[Row]:
    pairs = ((3, 2), (0, 5))
    modes = {"edge": "edge", "wrap": "wrap", "circular": "wrap", "reflect": "reflect", "symmetric": "symmetric"}
    return [
        *(
            row(
                f"pad-{mode}-wide",
                lambda x, mode=mode: pad.pad(x, pairs, mode),
                X,
                want=np.pad(X, pairs, theirs),
                gradient=True,
            )
            for mode, theirs in modes.items()
        ),
        row(
            "pad-far",
            lambda x: pad.pad(x, ((7, 9), (0, 0)), "reflect"),
            K,
            want=np.pad(K, ((7, 9), (0, 0)), "reflect"),
        ),
        row(
            "pad-one-row",
            lambda x: pad.pad(x, (2, 1), "reflect"),
            X[:1, :1],
            want=np.pad(X[:1, :1], (2, 1), "reflect"),
        ),
        row("pad-one-pair", lambda x: pad.pad(x, (1, 2)), K, want=np.pad(K, (1, 2))),
        row("pad-one-pair-inside", lambda x: pad.pad(x, ((1, 2),)), X, want=np.pad(X, ((1, 2),)), gradient=True),
        row("pad-array", lambda x: pad.pad(x, [[1, 2], [0, 1]]), BYTES, want=np.pad(BYTES, [[1, 2], [0, 1]])),
        row(
            "pad-bools",
            lambda x: pad.pad(x, 1, constant_values=True),
            TRUTH,
            want=np.pad(TRUTH, 1, constant_values=True),
        ),
        row("pad-bools-edge", lambda x: pad.pad(x, 1, "edge"), TRUTH, want=np.pad(TRUTH, 1, "edge")),
        row("pad-nothing", lambda x: pad.pad(x, 0, "reflect"), X, want=X),
        row("pad-empty-axis", lambda x: pad.pad(x, ((1, 1), (0, 0))), NONE, want=np.pad(NONE, ((1, 1), (0, 0)))),
        row("pad-half", lambda x: pad.pad(x, 1, constant_values=2), HALF, want=np.pad(HALF, 1, constant_values=2)),
    ]


def joining_rows() -> list[Row]:
    j = join
    both = lambda f: lambda a, b: f([a, b])  # noqa: E731
    parts = lambda f, *args: lambda x: f(x, *args)  # noqa: E731
    return [
        row("concatenate-default", both(j.concatenate), X, Y, want=np.concatenate([X, Y]), gradient=True),
        row("concatenate-bools", both(j.concatenate), TRUTH, BYTES, want=np.concatenate([TRUTH, BYTES])),
        row("concatenate-empty", both(j.concatenate), NONE, X, want=X),
        row("concatenate-one", lambda a: j.concatenate([a], 1), K, want=K),
        row("concat", lambda a, b: j.concat([a, b], -1), X, Y, want=np.concatenate([X, Y], -1)),
        row("stack-default", both(j.stack), X, Y, want=np.stack([X, Y]), gradient=True),
        row("stack-mixed", lambda a, b: j.stack([a, b], 1), X, K, want=np.stack([X, K.astype("float32")], 1)),
        row("stack-numbers", both(j.stack), NUMBER, NUMBER, want=np.stack([NUMBER, NUMBER])),
        row("vstack", both(j.vstack), X, Y, want=np.vstack([X, Y]), gradient=True),
        row("vstack-vectors", both(j.vstack), V, V, want=np.vstack([V, V])),
        row("vstack-vector-below", both(j.vstack), K, K[0], want=np.vstack([K, K[0]])),
        row("vstack-mixed", both(j.vstack), K, X, want=np.vstack([K.astype("float32"), X])),
        row("hstack", both(j.hstack), X, Y, want=np.hstack([X, Y]), gradient=True),
        row("hstack-vectors", both(j.hstack), V, K[0], want=np.hstack([V, K[0].astype("float32")])),
        row("hstack-numbers", both(j.hstack), NUMBER, NUMBER, want=np.hstack([NUMBER, NUMBER])),
        row("hstack-cubes", both(j.hstack), CUBE, CUBE, want=np.hstack([CUBE, CUBE])),
        row("dstack", both(j.dstack), X, Y, want=np.dstack([X, Y]), gradient=True),
        row("dstack-vectors", both(j.dstack), V, V, want=np.dstack([V, V])),
        row("dstack-cubes", both(j.dstack), CUBE, CUBE, want=np.dstack([CUBE, CUBE])),
        row("dstack-numbers", both(j.dstack), NUMBER, NUMBER, want=np.dstack([NUMBER, NUMBER])),
        row(
            "column_stack",
            both(j.column_stack),
            V,
            K[0],
            want=np.column_stack([V, K[0].astype("float32")]),
            gradient=True,
        ),
        row("column_stack-matrix", both(j.column_stack), X, X[:, 0], want=np.column_stack([X, X[:, 0]])),
        row("append", j.append, X, CUBE, want=np.append(X, CUBE), gradient=True),
        row("append-axis", lambda a, b: j.append(a, b, -1), X, K, want=np.append(X, K.astype("float32"), -1)),
        row("append-number", j.append, V, NUMBER, want=np.append(V, NUMBER)),
        row("atleast_1d", lambda a, b: list(j.atleast_1d(a, b)), NUMBER, X, want=[np.atleast_1d(NUMBER), X]),
        row("atleast_2d", lambda a, b: list(j.atleast_2d(a, b)), NUMBER, V, want=list(np.atleast_2d(NUMBER, V))),
        row(
            "atleast_3d",
            lambda a, b, c: list(j.atleast_3d(a, b, c)),
            NUMBER,
            V,
            X,
            want=list(np.atleast_3d(NUMBER, V, X)),
        ),
        row(
            "split-far",
            parts(cut.split, (2, 9)),
            X,
            want=np.split(X, (2, 9)),
            fixed="NumPy cuts at the end of the axis",
        ),
        row("split-negative", parts(cut.split, [-1], 1), X, want=np.split(X, [-1], 1)),
        row(
            "split-array",
            parts(cut.split, np.array([1, 2])),
            K,
            want=np.split(K, [1, 2]),
            eager="Dynamo knows no values",
        ),
        row("split-nowhere", parts(cut.split, []), K, want=[K]),
        row("split-gradient", parts(cut.split, 2, 1), X, want=np.split(X, 2, 1), gradient=True),
        row("array_split", parts(cut.array_split, 3, 1), X, want=np.array_split(X, 3, 1), gradient=True),
        row("array_split-rows", parts(cut.array_split, 2), X, want=np.array_split(X, 2)),
        row("array_split-many", parts(cut.array_split, 5), K, want=np.array_split(K, 5)),
        row("array_split-at", parts(cut.array_split, [1], -1), K, want=np.array_split(K, [1], -1)),
        row("vsplit", parts(cut.vsplit, 3), X, want=np.vsplit(X, 3)),
        row("vsplit-at", parts(cut.vsplit, [1]), K, want=np.vsplit(K, [1])),
        row("hsplit", parts(cut.hsplit, 2), X, want=np.hsplit(X, 2)),
        row("hsplit-vector", parts(cut.hsplit, [1, 3]), V, want=np.hsplit(V, [1, 3])),
        row("dsplit", parts(cut.dsplit, 2), CUBE, want=np.dsplit(CUBE, 2)),
        row("dsplit-at", parts(cut.dsplit, (1,)), CUBE, want=np.dsplit(CUBE, (1,))),
        row("unstack", cut.unstack, X, want=list(X), gradient=True, fixed=NUMBERED),
        row(
            "unstack-axis", lambda x: cut.unstack(x, axis=-2), CUBE, want=list(np.moveaxis(CUBE, -2, 0)), fixed=NUMBERED
        ),
        row("unstack-num", lambda x: cut.unstack(x, 3), K, want=list(K)),
        row("unstack-bytes", lambda x: cut.unstack(x, 4, 1), BYTES, want=list(BYTES.T)),
        row("meshgrid", lambda a, b: j.meshgrid(a, b), V, X[0, :3], want=list(np.meshgrid(V, X[0, :3])), gradient=True),
        row(
            "meshgrid-ij",
            lambda a, b: j.meshgrid(a, b, indexing="ij"),
            V,
            K[0, :3],
            want=list(np.meshgrid(V, K[0, :3], indexing="ij")),
        ),
        row(
            "meshgrid-3", lambda a, b, c: j.meshgrid(a, b, c), V[:2], V[:3], V, want=list(np.meshgrid(V[:2], V[:3], V))
        ),
        row("meshgrid-deep", lambda a, b: j.meshgrid(a, b), X, NUMBER, want=list(np.meshgrid(X, NUMBER))),
        row("meshgrid-one", lambda a: j.meshgrid(a), V, want=[V]),
        row(
            "broadcast_arrays",
            lambda a, b: list(j.broadcast_arrays(a, b)),
            X[:, :1],
            K[0],
            want=list(np.broadcast_arrays(X[:, :1], K[0])),
            gradient=True,
        ),
        row(
            "broadcast_arrays-number",
            lambda a, b: list(j.broadcast_arrays(a, b)),
            NUMBER,
            CUBE,
            want=list(np.broadcast_arrays(NUMBER, CUBE)),
        ),
    ]


def picking_rows() -> list[Row]:
    keys = {
        "backwards": np.s_[::-1],
        "backwards-step": np.s_[:, ::-2],
        "backwards-part": np.s_[1:, 3:0:-1],
        "backwards-dots": np.s_[..., ::-1],
        "backwards-number": np.s_[-1, ::-1],
        "backwards-new": np.s_[None, ::-1, None, 1::-1],
        "backwards-nothing": np.s_[0:2:-1],
        "far": np.s_[1:99, -99:2],
        "dots": np.s_[...],
        "numbers": np.s_[2, -1],
        "nothing": np.s_[:0],
        "numpy-number": (np.int64(1), slice(None)),
        "list": np.s_[[2, 0, -1]],
        "list-columns": np.s_[:, [3, 0]],
        "arrays": (np.array([0, 2]), np.array([1, -1])),
        "arrays-broadcast": (np.array([[0], [2]]), np.array([1, 3, 0])),
        "array-number": (np.array([0, 2]), 1),
        "array-backwards": np.s_[::-1, [0, 3]],
        "array-new": (None, np.array([1, 1]), slice(1, 3)),
        "array-bytes": (np.array([2, 0], "uint8"),),
    }
    deep = {
        "split-arrays": ([0, 1], slice(None), [2, -1]),
        "number-slice-array": (1, slice(None, None, -1), [0, 2]),
        "inner-arrays": np.s_[:, [0, 2], [1, 1]],
        "dots-array": np.s_[..., [1, 0]],
        "new-between": ([0, 1], None, [2, 0]),
        "dots-between": (..., [0, 1], [[1], [2]]),
    }
    mask = np.array([True, False, True])
    fixed = "a negative step or index needs the size"
    rows = [
        row(
            f"get_item-{name}-{x.dtype}", lambda x, k=k: pick.get_item(x, k), x, want=x[k], gradient=x is X, fixed=fixed
        )
        for table, arrays in ((keys, (X, K)), (deep, (CUBE,)))
        for name, k in table.items()
        for x in arrays
    ]
    take = np.array([[2, 0], [1, -1]])
    return [
        *rows,
        row("get_item-mask", lambda x: pick.get_item(x, mask), X, want=X[mask], eager=COUNTED, fixed=COUNTED),
        row(
            "get_item-mask-list",
            lambda x: pick.get_item(x, mask.tolist()),
            K,
            want=K[mask],
            eager=COUNTED,
            fixed=COUNTED,
        ),
        row("get_item-mask-all", lambda x: pick.get_item(x, TRUTH), X, want=X[TRUTH], eager=COUNTED, fixed=COUNTED),
        row(
            "get_item-mask-column",
            lambda x: pick.get_item(x, (mask, slice(None, None, -1))),
            X,
            want=X[mask, ::-1],
            eager=COUNTED,
            fixed=COUNTED,
        ),
        row(
            "get_item-mask-inner",
            lambda x: pick.get_item(x, (slice(None), mask, 1)),
            CUBE,
            want=CUBE[:, mask, 1],
            eager=COUNTED,
            fixed=COUNTED,
        ),
        row(
            "get_item-mask-two-axes",
            lambda x: pick.get_item(x, (..., TRUTH)),
            CUBE,
            want=CUBE[..., TRUTH],
            eager=COUNTED,
            fixed=COUNTED,
        ),
        row("get_item-tensor", lambda x, i: pick.get_item(x, i), X, take, want=X[take]),
        row(
            "get_item-tensors",
            lambda x, i: pick.get_item(x, (i, slice(None), i)),
            CUBE,
            take % 2,
            want=CUBE[take % 2, :, take % 2],
        ),
        row("take-bools", lambda x, i: pick.take(x, i, -1), TRUTH, take, want=np.take(TRUTH, take, -1)),
        row("take-number", lambda x: pick.take(x, 1, 0), X, want=X[1], gradient=True),
        row(
            "take_along_axis-flat",
            pick.take_along_axis,
            K,
            take.reshape(-1),
            want=np.take_along_axis(K, take.reshape(-1), None),
        ),
        row(
            "take_along_axis-broadcast",
            lambda x, i: pick.take_along_axis(x, i, 0),
            X,
            take[:1, :1],
            want=np.take_along_axis(X, take[:1, :1], 0),
            gradient=True,
        ),
        row(
            "take_along_axis-broadcast-x",
            lambda x, i: pick.take_along_axis(x, i, 1),
            X[:1],
            take[:, :1] % 3,
            want=np.take_along_axis(X[:1], take[:, :1] % 3, 1),
            fixed="size 1 has to be known",
        ),
        row(
            "one_hot-bytes",
            lambda i: pick.one_hot(i, 3, axis=1),
            BYTES,
            want=(BYTES[:, None] == np.arange(3)[:, None]).astype("float32"),
        ),
        row("one_hot-bool", lambda i: pick.one_hot(i, 4, -2, "bool"), K, want=K[:, None] == np.arange(4)[:, None]),
    ]


def viewing_rows() -> list[Row]:
    c, v = convert, convert.view
    plane = floats(3, 2)
    numbers = (floats(3) + 1j * floats(3)).astype("complex64")
    return [
        row("copy", c.copy, X, want=X, gradient=True),
        row("copy-bools", c.copy, TRUTH, want=TRUTH),
        row("array", c.array, K, want=K),
        row("array-dtype", lambda x: c.array(x, "float16"), K, want=K.astype("float16")),
        row("convert_to_tensor", lambda x: c.convert_to_tensor(x, "int32"), TRUTH, want=TRUTH.astype("int32")),
        row("view", lambda x: v(x, "int32"), X, want=X.view("int32")),
        row("view-same", v, X, want=X),
        row("view-narrow", lambda x: v(x, "uint8"), K, want=K.view("uint8")),
        row("view-narrow-halves", lambda x: v(x, "float16"), K, want=K.view("float16")),
        row("view-wide", lambda x: v(x, "int32"), BYTES, want=BYTES.view("int32")),
        row("view-bools", lambda x: v(x, "uint8"), TRUTH, want=TRUTH.view("uint8")),
        row("view-number", lambda x: v(x, "int32"), NUMBER, want=NUMBER.view("int32")),
        row("view_as_complex", c.view_as_complex, plane, want=plane.view("complex64")[:, 0]),
        row("view_as_complex-double", c.view_as_complex, plane.astype("float64"), want=plane.view("complex64")[:, 0]),
        row(
            "view_as_complex-half",
            c.view_as_complex,
            HALF[:, :2],
            want=HALF[:, :2].astype("float32") @ np.array([1, 1j], "complex64"),
        ),
        row("view_as_complex-int", c.view_as_complex, K[:, :2], want=(K[:, 0] + 1j * K[:, 1]).astype("complex64")),
        row("view_as_real", c.view_as_real, numbers, want=np.stack([numbers.real, numbers.imag], -1)),
        row("view_as_real-of-real", c.view_as_real, X, want=np.stack([X, 0 * X], -1)),
    ]


def rearrange_rows() -> list[Row]:
    def r(pattern: str, want: np.ndarray, x: np.ndarray = DEEP, **lengths: int) -> Row:
        name = f"rearrange-{pattern}"
        return row(name, lambda x: rearrange.rearrange(x, pattern, **lengths), x, want=want, gradient=x is DEEP)

    b, h, w, c = DEEP.shape
    return [
        r("b h w c -> b c h w", DEEP.transpose(0, 3, 1, 2)),
        r("b h w c -> b (h w) c", DEEP.reshape(b, h * w, c)),
        r("b h w c -> (b h) (w c)", DEEP.reshape(b * h, w * c)),
        r("b h w c -> h (b w) c", DEEP.transpose(1, 0, 2, 3).reshape(h, b * w, c)),
        r(
            "b (h p) (w q) c -> b h w (c p q)",
            DEEP.reshape(b, 2, 2, 3, 2, c).transpose(0, 1, 3, 5, 2, 4).reshape(b, 2, 3, -1),
            p=2,
            q=2,
        ),
        r("b ... c -> b c ...", DEEP.transpose(0, 3, 1, 2)),
        r("... c -> c ...", DEEP.transpose(3, 0, 1, 2)),
        r("a b -> b 1 a", K.T[:, None], x=K),
        r("1 a b->(a b)", K.reshape(-1), x=K[None]),
        r("(a b) c -> a b c", K.reshape(1, 3, 4), x=K, a=1, b=3),
    ]


ROWS: list[Row] = [
    *moving_rows(), *pad_rows(), *joining_rows(), *picking_rows(), *viewing_rows(), *rearrange_rows(),
]  # fmt: skip

BAD: list[Bad] = [
    bad("reshape", lambda x: shape.reshape(x, (5, 2)), X, error=ShapeError),
    bad("reshape-negative", lambda x: shape.reshape(x, (-2, 6)), X, error=ShapeError),
    bad("reshape-two-free", lambda x: shape.reshape(x, (-1, -1, 4)), X, error=ShapeError),
    bad("concatenate-no-axis", lambda a, b: join.concatenate([a, b], None), X, Y, error=ArgumentError),
    bad("transpose", lambda x: shape.transpose(x, (0, 0)), X, error=ShapeError),
    bad("moveaxis-twice", lambda x: shape.moveaxis(x, (0, 0), (1, 0)), X, error=ArgumentError),
    bad("moveaxis-range", lambda x: shape.moveaxis(x, 2, 0), X, error=ShapeError),
    bad("squeeze", lambda x: shape.squeeze(x, 0), X, error=ShapeError),
    bad("expand_dims", lambda x: shape.expand_dims(x, 4), X, error=ShapeError),
    bad("broadcast_to", lambda x: shape.broadcast_to(x, (3, 5)), X, error=ShapeError),
    bad("repeat", lambda x: shape.repeat(x, [1, 2], 0), X, error=ShapeError),
    bad("repeat-negative", lambda x: shape.repeat(x, [1, 2, -1], 0), X, error=ArgumentError),
    bad("flip", lambda x: turn.flip(x, 2), X, error=ShapeError),
    bad("fliplr", lambda x: turn.fliplr(x), V, error=ShapeError),
    bad("flipud", lambda x: turn.flipud(x), NUMBER, error=ShapeError),
    bad("roll", lambda x: turn.roll(x, (1, 2, 3), (0, 1)), X, error=ArgumentError),
    bad("rot90", lambda x: turn.rot90(x, 1, (1, -1)), X, error=ArgumentError),
    bad("pad", lambda x: pad.pad(x, ((1, 1),) * 3), X, error=ShapeError),
    bad("pad-mode", lambda x: pad.pad(x, 1, "mirror"), X, error=ArgumentError),
    bad("pad-value", lambda x: pad.pad(x, 1, "edge", 1.0), X, error=ArgumentError),
    bad("pad-negative", lambda x: pad.pad(x, -1), X, error=ArgumentError),
    bad("pad-nothing-there", lambda x: pad.pad(x, 1, "edge"), NONE, error=ShapeError),
    bad("concatenate", lambda a, b: join.concatenate([a, b], 1), X, CUBE, error=ShapeError),
    bad("stack", lambda a, b: join.stack([a, b]), X, V, error=ShapeError),
    bad("vstack", lambda a, b: join.vstack([a, b]), X, V[:2], error=ShapeError),
    bad("append", lambda a, b: join.append(a, b, 0), X, CUBE, error=ShapeError),
    bad("split", lambda x: cut.split(x, 2), X, error=ShapeError),
    bad("split-falling", lambda x: cut.split(x, (2, 1)), X, error=ArgumentError),
    bad("array_split", lambda x: cut.array_split(x, 0), X, error=ArgumentError),
    bad("vsplit", lambda x: cut.vsplit(x, 2), V, error=ShapeError),
    bad("dsplit", lambda x: cut.dsplit(x, 2), X, error=ShapeError),
    bad("unstack", lambda x: cut.unstack(x, 4), X, error=ArgumentError),
    bad("meshgrid", lambda a, b: join.meshgrid(a, b, indexing="yx"), V, V, error=ArgumentError),
    bad("get_item", lambda x: pick.get_item(x, (0, 0, 0)), X, error=ShapeError),
    bad("get_item-range", lambda x: pick.get_item(x, 3), X, error=ShapeError),
    bad("get_item-word", lambda x: pick.get_item(x, "a"), X, error=ArgumentError),
    bad("get_item-floats", lambda x: pick.get_item(x, [0.5]), X, error=DTypeError),
    bad("take_along_axis", lambda x, i: pick.take_along_axis(x, i, 0), X, np.array([0]), error=ShapeError),
    bad("view", lambda x: convert.view(x, "float64"), X[:, :3], error=ShapeError),
    bad("view-number", lambda x: convert.view(x, "uint8"), NUMBER, error=ShapeError),
    bad("view_as_complex", lambda x: convert.view_as_complex(x), X, error=ShapeError),
    bad("rearrange", lambda x: rearrange.rearrange(x, "a b c -> c b a"), X, error=ShapeError),
    bad("rearrange-size", lambda x: rearrange.rearrange(x, "(a b) c -> a b c", a=2), X, error=ShapeError),
    bad("rearrange-name", lambda x: rearrange.rearrange(x, "a b -> a c"), X, error=ArgumentError),
    bad("rearrange-arrow", lambda x: rearrange.rearrange(x, "a b"), X, error=ArgumentError),
    bad("rearrange-lengths", lambda x: rearrange.rearrange(x, "(a b) c -> a b c"), X, error=ArgumentError),
]
