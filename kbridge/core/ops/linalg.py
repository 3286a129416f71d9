"""Products of matrices and tensors."""

from __future__ import annotations

import itertools
import string
from typing import Any

from kbridge.core.context import local
from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.arithmetic import add
from kbridge.core.ops.conversions import both_tensors
from kbridge.core.ops.declare import kernel, op, promote
from kbridge.core.tensor.dtypes import COMPLEX, result_type
from kbridge.core.tensor.shapes import Shape, broadcast_shape, one_axis, reshaped
from kbridge.core.tensor.symbolic import KerasTensor

LETTERS = string.ascii_letters


def summed_type(*dtypes: str) -> str:
    """The type of a matrix product: the common one, but 32 bits where all are bytes with a sign."""
    return "int32" if all(dtype == "int8" for dtype in dtypes) else result_type(*dtypes)


def agree(*sizes: int | None) -> bool:
    """Whether sizes can be the same."""
    return len({size for size in sizes if size is not None}) < 2


def _matmul_rule(x1: KerasTensor, x2: KerasTensor) -> KerasTensor:
    if not x1.ndim or not x2.ndim:
        raise ShapeError(f"expected tensors with axes, got shapes {x1.shape} and {x2.shape}. For scalars use multiply.")
    a = (1, *x1.shape) if x1.ndim == 1 else x1.shape
    b = (*x2.shape, 1) if x2.ndim == 1 else x2.shape
    if not agree(a[-1], b[-2]):
        raise ShapeError(f"in the product of {x1.shape} and {x2.shape}, {a[-1]} columns meet {b[-2]} rows.")
    rows = () if x1.ndim == 1 else (a[-2],)
    columns = () if x2.ndim == 1 else (b[-1],)
    return KerasTensor((*broadcast_shape(a[:-2], b[:-2]), *rows, *columns), summed_type(x1.dtype, x2.dtype))


@op(_matmul_rule, arrays=2)
def matmul(x1: Any, x2: Any) -> Any:
    """Matrix product over the last two axes; leading axes broadcast.

    Args:
        x1: `(..., n, k)`, or `(k,)` for one row.
        x2: `(..., k, m)`, or `(k,)` for one column.

    Returns:
        `(..., n, m)`, without the axis that a vector lacks, in the common type; int32 for two of int8.

    Raises:
        ShapeError: an input has no axes, or columns and rows differ in number.

    >>> matmul([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0])
    array([21., 43.], dtype=float32)
    """
    if x1.dtype == x2.dtype:
        return kernel.matmul(x1, x2)
    return _in_summed_type(kernel.matmul(*promote(x1, x2)), x1, x2)


def _in_summed_type(y: Any, *xs: Any) -> Any:
    """The product `y` of `xs`; bytes beside bools come out of the kernels in 32 bits."""
    dtype = summed_type(*(kernel.dtype_of(x) for x in xs))
    return y if kernel.dtype_of(y) == dtype else kernel.cast(y, dtype)


def _affine_rule(x: KerasTensor, weights: KerasTensor, bias: KerasTensor | None = None) -> KerasTensor:
    if x.shape[-1] != weights.shape[0] and x.shape[-1] is not None:
        raise ShapeError(f"{x.shape[-1]} features meet weights made for {weights.shape[0]}.")
    dtype = summed_type(x.dtype, weights.dtype)
    dtype = dtype if bias is None else result_type(dtype, bias.dtype)
    return KerasTensor((*x.shape[:-1], weights.shape[-1]), dtype)


@op(_affine_rule, arrays=3, direct=True)
def affine(x: Any, weights: Any, bias: Any = None) -> Any:
    """`x @ weights + bias` over the last axis: what a dense layer computes, fused where a backend can.

    Args:
        x: `(..., n)`.
        weights: `(n, m)`.
        bias: `(m,)` or None.

    Returns:
        `(..., m)`, in the common type.

    Raises:
        ShapeError: the last axis of `x` isn't as long as `weights` has rows.

    >>> affine([[1.0, 2.0]], [[1.0], [10.0]], [0.5])
    array([[21.5]], dtype=float32)
    """
    dtype = x.dtype
    if weights.dtype == dtype and (bias is None or bias.dtype == dtype) and dtype in local.running.float_dtypes:
        return kernel.affine(x, weights, bias)
    product = matmul(x, weights)
    return product if bias is None else add(product, bias)


def moved(x: Any, source: int, target: int) -> Any:
    """One axis moved, the others in their order."""
    rank = len(x.shape)
    order = [i for i in range(rank) if i != one_axis(source, rank)]
    order.insert(one_axis(target, rank), one_axis(source, rank))
    return kernel.transpose(x, tuple(order))


# --- sums over named axes -------------------------------------------------------------------------


def _explicit(subscripts: str) -> str:
    """The equation with its right side: if left out, the letters that occur once, in the order of the alphabet."""
    equation = subscripts.replace(" ", "")
    if "->" in equation:
        return equation
    letters = equation.replace(".", "").replace(",", "")
    once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
    return f"{equation}->{'...' if '...' in equation else ''}{''.join(once)}"


def _labels(term: str, shape: Shape, subscripts: str) -> tuple[list[tuple[str, int | None]], Shape]:
    """The letters of a term with their sizes, and the sizes under its dots."""
    head, dots, tail = term.partition("...")
    if len(head + tail) > len(shape) or (not dots and len(head) < len(shape)):
        raise ShapeError(f"ops.einsum: the term {term!r} of {subscripts!r} meets a tensor of shape {shape}.")
    end = len(shape) - len(tail)
    return [*zip(head + tail, shape[: len(head)] + shape[end:], strict=True)], shape[len(head) : end]


def _einsum_rule(operands: list[KerasTensor], subscripts: str) -> KerasTensor:
    left, _, right = _explicit(subscripts).partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ShapeError(f"ops.einsum: {subscripts!r} has {len(terms)} terms for {len(operands)} tensors.")
    sizes: dict[str, int | None] = {}
    under_dots: Shape = ()
    for term, x in zip(terms, operands, strict=True):
        labels, dots = _labels(term, x.shape, subscripts)
        under_dots = broadcast_shape(under_dots, dots)
        for letter, size in labels:
            known = sizes.get(letter, 1)
            if not agree(known, size) and 1 not in (known, size):
                raise ShapeError(f"ops.einsum: {letter} is {known} and {size} in {subscripts!r}.")
            sizes[letter] = size if known in (1, None) and size != 1 else known
    head, ellipsis, tail = right.partition("...")
    if unknown := set(head + tail) - set(sizes):
        raise ArgumentError(f"ops.einsum: {subscripts!r} asks for {sorted(unknown)}, which no term has.")
    shape = (*(sizes[c] for c in head), *(under_dots if ellipsis else ()), *(sizes[c] for c in tail))
    return KerasTensor(shape, summed_type(*(x.dtype for x in operands)))


@op(_einsum_rule, listed=True)
def einsum_of(operands: Any, subscripts: str) -> Any:
    """`einsum` with the arrays first, as ops have them."""
    y = kernel.einsum(_explicit(subscripts), *promote(*operands))
    return y if len({x.dtype for x in operands}) == 1 else _in_summed_type(y, *operands)


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Einstein summation: products of the operands, summed over the letters that the right side leaves out.

    Args:
        subscripts: a term of letters for each operand, and after `->` one for the result. Without `->`
            the result has the letters that occur once, sorted. `...` stands for leading axes, which
            broadcast; a letter twice in a term takes the diagonal.
        operands: the tensors.
        kwargs: NumPy's `optimize` is let through; each framework picks its own order of products.

    Returns:
        A tensor in the common type; int32 where all are int8.

    Raises:
        ShapeError: a term has other axes than its tensor, or a letter stands for two sizes.
        ArgumentError: the result has a letter that no term has.

    >>> einsum("ij,kj", [[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]])
    array([[11., 17.]], dtype=float32)
    """
    if kwargs.keys() - {"optimize"}:
        raise ArgumentError(f"ops.einsum: unknown arguments {sorted(kwargs)}; besides the tensors it takes `optimize`.")
    return einsum_of(list(operands), subscripts)


def conjugated(x: Any) -> Any:
    """The complex conjugate, for real numbers the number."""
    return kernel.conjugate(x) if kernel.dtype_of(x) in COMPLEX else x


def in_type_of(x: Any, y: Any) -> Any:
    """`y` in the type of `x`: the products below give bytes for bytes."""
    return y if y.dtype == x.dtype else kernel.cast(y, kernel.dtype_of(x))


def _contracted(x1: Any, x2: Any, axes1: tuple[int, ...], axes2: tuple[int, ...]) -> Any:
    """Sum of products over pairs of axes; the others of `x1`, then those of `x2`, stay."""
    first, second = list(LETTERS[: len(x1.shape)]), list(LETTERS[26 : 26 + len(x2.shape)])
    for i, j in zip(axes1, axes2, strict=True):
        second[j] = first[i]
    free = [c for i, c in enumerate(first) if i not in axes1] + [c for j, c in enumerate(second) if j not in axes2]
    return in_type_of(x1, kernel.einsum(f"{''.join(first)},{''.join(second)}->{''.join(free)}", x1, x2))


def _contracted_rule(x1: Any, x2: Any, axes1: tuple[int, ...], axes2: tuple[int, ...]) -> KerasTensor:
    a, b = rules.shape_of(x1), rules.shape_of(x2)
    if len(axes1) != len(axes2) or not all(agree(a[i], b[j]) for i, j in zip(axes1, axes2, strict=True)):
        raise ShapeError(f"axes {axes1} of shape {a} don't match axes {axes2} of shape {b}.")
    free = [s for i, s in enumerate(a) if i not in axes1] + [s for j, s in enumerate(b) if j not in axes2]
    return KerasTensor(free, result_type(rules.kind_of(x1), rules.kind_of(x2)))


def _paired(axes: Any, rank1: int, rank2: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """`tensordot`'s argument as the axes of both."""
    if isinstance(axes, int):
        if not 0 <= axes <= min(rank1, rank2):
            raise ShapeError(f"axes={axes} of tensors of rank {rank1} and {rank2}.")
        return tuple(range(rank1 - axes, rank1)), tuple(range(axes))
    first, second = ((a,) if isinstance(a, int) else tuple(a) for a in axes)
    return tuple(one_axis(a, rank1) for a in first), tuple(one_axis(a, rank2) for a in second)


def _tensordot_rule(x1: Any, x2: Any, axes: Any = 2) -> KerasTensor:
    return _contracted_rule(x1, x2, *_paired(axes, len(rules.shape_of(x1)), len(rules.shape_of(x2))))


@op(_tensordot_rule, arrays=2, weak=True)
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Sum of products over `axes`: the last n of `x1` with the first n of `x2`, or a pair of lists of axes.

    Raises:
        ShapeError: the axes aren't as many, or differ in size.

    >>> tensordot([[1.0, 2.0]], [[3.0, 4.0]], axes=[[1], [1]])
    array([[11.]], dtype=float32)
    """
    x1, x2 = both_tensors(x1, x2)
    return _contracted(x1, x2, *_paired(axes, len(x1.shape), len(x2.shape)))


def _dot_axes(rank1: int, rank2: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return ((rank1 - 1,), (max(rank2 - 2, 0),)) if rank1 and rank2 else ((), ())


def dot_rule(x1: Any, x2: Any) -> KerasTensor:
    """`x1` without its last axis, then `x2` without its second to last."""
    return _contracted_rule(x1, x2, *_dot_axes(len(rules.shape_of(x1)), len(rules.shape_of(x2))))


@op(dot_rule, arrays=2, weak=True)
def dot(x1: Any, x2: Any) -> Any:
    """Sum of products over the last axis of `x1` and the second to last of `x2`; with a scalar, their product.

    Raises:
        ShapeError: the two axes differ in size.

    >>> dot([[1.0, 2.0]], [3.0, 4.0])
    array([11.], dtype=float32)
    """
    x1, x2 = both_tensors(x1, x2)
    if 0 < len(x2.shape) <= 2 and len(x1.shape):
        return in_type_of(x1, kernel.matmul(x1, x2))
    return _contracted(x1, x2, *_dot_axes(len(x1.shape), len(x2.shape)))


def _inner_axes(rank1: int, rank2: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return ((rank1 - 1,), (rank2 - 1,)) if rank1 and rank2 else ((), ())


def _inner_rule(x1: Any, x2: Any) -> KerasTensor:
    a, b = rules.shape_of(x1), rules.shape_of(x2)
    if a and b and not agree(a[-1], b[-1]):
        raise ShapeError(f"the last dimensions of {a} and {b} differ: {a[-1]} and {b[-1]}.")
    return _contracted_rule(x1, x2, *_inner_axes(len(a), len(b)))


@op(_inner_rule, arrays=2, weak=True)
def inner(x1: Any, x2: Any) -> Any:
    """Sum of products over the last axis of both; with a scalar, their product.

    Raises:
        ShapeError: the last axes differ in size.

    >>> inner([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]])
    array([[11., 17.]], dtype=float32)
    """
    x1, x2 = both_tensors(x1, x2)
    return _contracted(x1, x2, *_inner_axes(len(x1.shape), len(x2.shape)))


def _flattened_rule(x1: Any, x2: Any, axes: tuple[int, ...]) -> KerasTensor:
    flat1, flat2 = (KerasTensor(reshaped(rules.shape_of(x), (-1,))) for x in (x1, x2))
    dtype = result_type(rules.kind_of(x1), rules.kind_of(x2))
    return KerasTensor(_contracted_rule(flat1, flat2, axes, axes).shape, dtype)


@op(lambda x1, x2: _flattened_rule(x1, x2, ()), arrays=2, weak=True)
def outer(x1: Any, x2: Any) -> Any:
    """Each element of `x1` times each of `x2`, both flattened: `(n, m)`.

    It is `tensordot` over no axes.

    >>> outer([1, 2], [3, 4])
    array([[3, 4],
           [6, 8]], dtype=int32)
    """
    x1, x2 = both_tensors(x1, x2)
    return _contracted(kernel.reshape(x1, (-1,)), kernel.reshape(x2, (-1,)), (), ())


@op(lambda x1, x2: _flattened_rule(x1, x2, (0,)), arrays=2, weak=True)
def vdot(x1: Any, x2: Any) -> Any:
    """Sum of products of the flattened inputs, the first one conjugated: a scalar.

    Raises:
        ShapeError: the inputs differ in their number of elements.

    >>> vdot([[1.0, 2.0]], [[3.0], [4.0]])
    array(11., dtype=float32)
    """
    x1, x2 = both_tensors(x1, x2)
    return _contracted(kernel.reshape(conjugated(x1), (-1,)), kernel.reshape(x2, (-1,)), (0,), (0,))


def _kron_rule(x1: Any, x2: Any) -> KerasTensor:
    a, b = rules.shape_of(x1), rules.shape_of(x2)
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True)
    sizes = [None if s is None or t is None else s * t for s, t in pairs]
    return KerasTensor(sizes, result_type(rules.kind_of(x1), rules.kind_of(x2)))


@op(_kron_rule, arrays=2, weak=True)
def kron(x1: Any, x2: Any) -> Any:
    """Kronecker product: a copy of `x2`, scaled, for each element of `x1`; axes lacking in front have size 1.

    >>> kron([[1, 2]], [[1, 1]])
    array([[1, 1, 2, 2]], dtype=int32)
    """
    x1, x2 = both_tensors(x1, x2)
    rank = max(len(x1.shape), len(x2.shape))
    x1, x2 = (kernel.expand_dims(x, tuple(range(rank - len(x.shape)))) for x in (x1, x2))
    first, second = LETTERS[:rank], LETTERS[26 : 26 + rank]
    both = "".join(itertools.chain(*zip(first, second, strict=True)))
    sizes = [s * t for s, t in zip(kernel.shape_of(x1), kernel.shape_of(x2), strict=True)]
    return in_type_of(x1, kernel.reshape(kernel.einsum(f"{first},{second}->{both}", x1, x2), tuple(sizes)))
