"""Products of matrices and tensors."""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import ShapeError
from kbridge.core.ops.declare import kernel, op, promote
from kbridge.core.tensor.dtypes import result_type
from kbridge.core.tensor.shapes import broadcast_shape
from kbridge.core.tensor.symbolic import KerasTensor


def _matmul_rule(x1: KerasTensor, x2: KerasTensor) -> KerasTensor:
    dtype = result_type(x1.dtype, x2.dtype)
    if not x1.ndim or not x2.ndim:
        raise ShapeError(f"matmul needs at least one axis, got shapes {x1.shape} and {x2.shape}.")
    a = (1, *x1.shape) if x1.ndim == 1 else x1.shape
    b = (*x2.shape, 1) if x2.ndim == 1 else x2.shape
    if a[-1] != b[-2] and None not in (a[-1], b[-2]):
        raise ShapeError(f"matmul of {x1.shape} and {x2.shape}: {a[-1]} columns meet {b[-2]} rows.")
    rows = () if x1.ndim == 1 else (a[-2],)
    columns = () if x2.ndim == 1 else (b[-1],)
    return KerasTensor((*broadcast_shape(a[:-2], b[:-2]), *rows, *columns), dtype)


@op(_matmul_rule, arrays=2)
def matmul(x1: Any, x2: Any) -> Any:
    """Matrix product over the last two axes, leading axes broadcast."""
    return kernel.matmul(*promote(x1, x2))


def _affine_rule(x: KerasTensor, weights: KerasTensor, bias: KerasTensor | None = None) -> KerasTensor:
    if x.shape[-1] != weights.shape[0] and x.shape[-1] is not None:
        raise ShapeError(f"{x.shape[-1]} features meet weights made for {weights.shape[0]}.")
    return KerasTensor((*x.shape[:-1], weights.shape[-1]), result_type(x.dtype, weights.dtype))


@op(_affine_rule, arrays=3, direct=True)
def affine(x: Any, weights: Any, bias: Any = None) -> Any:
    """`x @ weights + bias` over the last axis: what a dense layer computes, fused where a backend can."""
    return kernel.affine(x, weights, bias)


def _dims(equation: str, shapes: list[Any]) -> tuple[list[str], str]:
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow or len(terms) != len(shapes):
        raise ShapeError(f"einsum {equation!r} needs '->' and {len(shapes)} terms before it.")
    return terms, right


def _einsum_rule(operands: list[KerasTensor], subscripts: str) -> KerasTensor:
    shapes = [x.shape for x in operands]
    terms, right = _dims(subscripts, shapes)
    sizes: dict[str, int | None] = {}
    dots: tuple[int | None, ...] = ()
    for term, sizes_of in zip(terms, shapes, strict=True):
        head, ellipsis, tail = term.partition("...")
        if not ellipsis and len(head) != len(sizes_of):
            raise ShapeError(f"einsum {subscripts!r}: term {term!r} meets a tensor of shape {sizes_of}.")
        middle = len(sizes_of) - len(tail)
        if ellipsis:
            dots = broadcast_shape(dots, sizes_of[len(head) : middle])
        named = [*zip(head, sizes_of[: len(head)], strict=True), *zip(tail, sizes_of[middle:], strict=False)]
        for letter, size in named:
            if sizes.get(letter) is None:
                sizes[letter] = size
            elif size is not None and size != sizes[letter] and 1 not in (size, sizes[letter]):
                raise ShapeError(f"einsum {subscripts!r}: {letter} is {sizes[letter]} and {size}.")
    head, ellipsis, tail = right.partition("...")
    shape = (*(sizes[c] for c in head), *(dots if ellipsis else ()), *(sizes[c] for c in tail))
    return KerasTensor(shape, result_type(*(x.dtype for x in operands)))


@op(_einsum_rule, listed=True)
def einsum_of(operands: Any, subscripts: str) -> Any:
    """`einsum` with the arrays first, as ops have them."""
    return kernel.einsum(subscripts, *promote(*operands))


def einsum(subscripts: str, *operands: Any) -> Any:
    """Einstein summation: `einsum("ij,jk->ik", a, b)`."""
    return einsum_of(list(operands), subscripts)


def _dot_rule(x1: KerasTensor, x2: KerasTensor) -> KerasTensor:
    if x1.ndim == 0 or x2.ndim == 0:
        return KerasTensor(x1.shape or x2.shape, result_type(x1.dtype, x2.dtype))
    inner = x2.shape[-2] if x2.ndim > 1 else x2.shape[0]
    if x1.shape[-1] != inner and None not in (x1.shape[-1], inner):
        raise ShapeError(f"dot of {x1.shape} and {x2.shape}: {x1.shape[-1]} meets {inner}.")
    rest = (*x2.shape[:-2], x2.shape[-1]) if x2.ndim > 1 else ()
    return KerasTensor((*x1.shape[:-1], *rest), result_type(x1.dtype, x2.dtype))


@op(_dot_rule, arrays=2)
def dot(x1: Any, x2: Any) -> Any:
    """Sum product over the last axis of `x1` and the second to last of `x2` (NumPy's `dot`)."""
    x1, x2 = promote(x1, x2)
    if len(x1.shape) == 0 or len(x2.shape) == 0:
        return kernel.multiply(x1, x2)
    if len(x2.shape) <= 2:
        return kernel.matmul(x1, x2)
    a, b = "abcdefgh"[: len(x1.shape) - 1], "ijklmnop"[: len(x2.shape) - 2]
    return kernel.einsum(f"{a}z,{b}zy->{a}{b}y", x1, x2)
