"""Products of matrices and tensors, decompositions, equations.

What LAPACK computes comes in float32, float64 or their complex kin; the ops see to that.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from kbridge.backends.tensorflow.arrays import reshape, shape_of
from kbridge.core.errors import ArgumentError

__all__ = [
    "affine", "cholesky", "det", "eig", "eigh", "eigvals", "eigvalsh", "einsum", "inv", "lu_factor", "matmul",
    "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd", "svdvals", "vector_norm",
]  # fmt: skip

raw = tf.raw_ops
# types without products of matrices on CPU, and the ones that have them; bytes are summed up in 32 bits
WIDER = {
    tf.bool: tf.int32, tf.int8: tf.int32, tf.uint8: tf.int32, tf.int16: tf.int32, tf.uint16: tf.int32,
    tf.uint32: tf.int64, tf.uint64: tf.int64,
}  # fmt: skip


def _widened(product: Any, *xs: Any) -> Any:
    dtype = xs[0].dtype
    y = product(*(raw.Cast(x=x, DstT=WIDER[dtype]) for x in xs))
    return y if dtype == tf.int8 else raw.Cast(x=y, DstT=dtype)


def matmul(x1: Any, x2: Any) -> Any:
    if x1.dtype in WIDER:
        return _widened(matmul, x1, x2)
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank1 == 2 and rank2 == 2:
        return raw.MatMul(a=x1, b=x2)
    if rank1 == 1:
        return tf.squeeze(matmul(tf.expand_dims(x1, 0), x2), -1 if rank2 == 1 else -2)
    if rank2 == 1:
        return tf.squeeze(matmul(x1, tf.expand_dims(x2, 1)), -1)
    return raw.BatchMatMulV2(x=x1, y=x2)


with tf.init_scope():  # this module may be loaded inside a trace
    EAGER = type(tf.constant(0))
_rank_of_eager = getattr(EAGER, "_rank", None)


def _rank(x: Any) -> int:
    """How many axes `x` has. The first look at an eager tensor's `shape` makes an object, which costs a µs."""
    return _rank_of_eager(x) if _rank_of_eager and type(x) is EAGER else len(x.shape)


def affine(x: Any, weights: Any, bias: Any) -> Any:
    rank = _rank(x)
    if rank == 2:
        y = raw.MatMul(a=x, b=weights)
    elif rank > 2 and list(x.shape).count(None) <= 1:
        # one big product; a batched one would make a gradient of the weights for each batch element
        sizes = (*shape_of(x)[:-1], weights.shape[-1])
        y = reshape(raw.MatMul(a=reshape(x, (-1, weights.shape[0])), b=weights), sizes)
    else:
        y = matmul(x, weights)
    return y if bias is None else raw.BiasAdd(value=y, bias=bias) if rank > 1 else y + bias


def einsum(equation: str, *operands: Any) -> Any:
    if operands[0].dtype in WIDER:
        return _widened(lambda *xs: einsum(equation, *xs), *operands)
    return tf.einsum(*_without_ones(equation, operands))


def _axes(term: str) -> list[tuple[str, int]]:
    head, _, tail = term.partition("...")
    return [*zip(head, range(len(head)), strict=True), *zip(tail, range(-len(tail), 0), strict=True)]


def _without_ones(equation: str, operands: Any) -> Any:
    """The equation and operands without axes of size 1 that meet longer ones, for tf.einsum broadcasts none."""
    left, right = equation.split("->")
    terms, operands = left.split(","), list(operands)
    long = {c for term, x in zip(terms, operands, strict=True) for c, i in _axes(term) if x.shape[i] != 1}
    for k, (term, x) in enumerate(zip(terms, operands, strict=True)):
        if ones := {c: i for c, i in _axes(term) if c in long and x.shape[i] == 1}:
            operands[k] = tf.squeeze(x, list(ones.values()))
            terms[k] = "".join(c for c in term if c not in ones)
    return f"{','.join(terms)}->{right}", *operands


def cholesky(x: Any) -> Any:
    factor = raw.Cholesky(input=x)
    if tf.executing_eagerly() and bool(tf.reduce_any(factor != factor)):  # NaN, also where nobody can look
        raise ArgumentError("the matrix isn't positive definite, so it has no Cholesky factor.")
    return factor


det, inv, eig, eigvals = tf.linalg.det, tf.linalg.inv, tf.linalg.eig, tf.linalg.eigvals


def eigh(x: Any) -> Any:
    values, vectors = tf.linalg.eigh(x)
    return tf.math.real(values), vectors  # of complex matrices TensorFlow gives them as complex numbers


def eigvalsh(x: Any) -> Any:
    return tf.math.real(tf.linalg.eigvalsh(x))


def lu_factor(x: Any) -> Any:
    """By elimination: tf.linalg.lu knows neither oblong nor singular matrices, and gives no pivots."""
    *lead, rows, columns = shape_of(x)
    lu = reshape(x, (math.prod(lead), rows, columns))
    row, column = tf.range(rows), tf.range(columns)
    steps = tf.minimum(rows, columns)
    batch = shape_of(lu)[0]

    def step(i: Any, lu: Any, pivots: Any) -> Any:
        at, below = tf.cast(tf.equal(column, i), x.dtype), row > i
        size = tf.where(row < i, tf.constant(-1, x.dtype.real_dtype), tf.abs(tf.linalg.matvec(lu, at)))
        p = tf.argmax(size, -1, tf.int32)[:, None]
        lu = tf.gather(lu, tf.where(tf.equal(row, i), p, tf.where(tf.equal(row, p), i, row)), batch_dims=1)
        pivot = lu[:, i]
        factor = tf.where(below, tf.math.divide_no_nan(tf.linalg.matvec(lu, at), pivot[:, i, None]), 0)
        lu -= factor[..., None] * tf.where(column > i, pivot, 0)[:, None]
        lu = tf.where(below[:, None] & tf.equal(column, i), factor[..., None], lu)
        return i + 1, lu, tf.where(tf.equal(tf.range(steps), i), p, pivots)

    start = (0, lu, tf.zeros(tf.stack([batch, steps]), tf.int32))
    shapes = (tf.TensorShape([]), lu.shape, tf.TensorShape([None, None]))
    _, lu, pivots = tf.while_loop(lambda i, *_: i < steps, step, start, shapes)
    return reshape(lu, (*lead, rows, columns)), tf.reshape(pivots, tf.stack([*lead, steps]))


def pinv(x: Any, rcond: Any) -> Any:
    if not x.dtype.is_complex:
        return tf.linalg.pinv(x, rcond)
    s, u, v = tf.linalg.svd(x)
    counts = s > rcond * tf.reduce_max(s, -1, keepdims=True)
    inverse = tf.cast(tf.where(counts, 1 / tf.where(counts, s, 1), 0), x.dtype)
    return tf.matmul(v * inverse[..., None, :], u, adjoint_b=True)


def qr(x: Any, mode: str) -> Any:
    return tuple(tf.linalg.qr(x, mode == "complete"))


def slogdet(x: Any) -> Any:
    sign, size = tf.linalg.slogdet(x)
    return sign, tf.math.real(size)  # of complex matrices TensorFlow gives it as a complex number


def _same_batch(a: Any, b: Any) -> Any:
    """Stacks of matrices of one size, which MatrixSolve asks for."""
    if a.shape[:-2] == b.shape[:-2] and a.shape[:-2].is_fully_defined():
        return a, b
    lead1, lead2 = tf.shape(a)[:-2], tf.shape(b)[:-2]
    lead = tf.broadcast_dynamic_shape(lead1, lead2)
    return tuple(tf.broadcast_to(x, tf.concat([lead, tf.shape(x)[-2:]], 0)) for x in (a, b))


def solve(a: Any, b: Any) -> Any:
    a, b = _same_batch(a, b)
    return raw.MatrixSolve(matrix=a, rhs=b)


def solve_triangular(a: Any, b: Any, lower: bool) -> Any:
    return raw.MatrixTriangularSolve(matrix=a, rhs=b, lower=lower)


def svd(x: Any, full: bool) -> Any:
    s, u, v = tf.linalg.svd(x, full)
    return u, s, tf.linalg.adjoint(v)


def svdvals(x: Any) -> Any:
    return tf.linalg.svd(x, compute_uv=False)


def vector_norm(x: Any, order: float, axes: Any, keepdims: bool) -> Any:
    size = tf.abs(x)
    if order == 2:
        return tf.sqrt(tf.reduce_sum(size * size, axes, keepdims))
    if abs(order) == math.inf:
        return (tf.reduce_max if order > 0 else tf.reduce_min)(size, axes, keepdims)
    if order == 0:
        return tf.reduce_sum(tf.cast(size != 0, size.dtype), axes, keepdims)
    return tf.reduce_sum(size**order, axes, keepdims) ** (1 / order)
