"""Decompositions of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.declare import kernel, op, promote
from kbridge.core.ops.linalg import agree, conjugated, moved
from kbridge.core.ops.rules import floating
from kbridge.core.tensor.dtypes import float_result, parts_result
from kbridge.core.tensor.shapes import Shape
from kbridge.core.tensor.symbolic import KerasTensor

WIDE = {"float16": "float32", "bfloat16": "float32"}  # types that LAPACK doesn't know
TO_COMPLEX = {"float64": "complex128", "complex128": "complex128"}


def lapack(run: Callable[..., Any], *xs: Any) -> Any:
    """`run` on the arrays in one type that LAPACK knows; its results in the type the arrays came in."""
    xs = promote(*xs)
    dtype = float_result(kernel.dtype_of(xs[0]))
    wide = WIDE.get(dtype, dtype)
    results = run(*(x if kernel.dtype_of(x) == wide else kernel.cast(x, wide) for x in xs))
    if wide == dtype:
        return results
    back = [kernel.cast(y, dtype) if kernel.dtype_of(y) == wide else y for y in _several(results)]
    return tuple(back) if isinstance(results, tuple) else back[0]


def _several(results: Any) -> Any:
    return results if isinstance(results, tuple) else (results,)


def matrices(x: KerasTensor) -> tuple[Shape, int | None, int | None]:
    """The leading sizes, rows and columns."""
    if x.ndim < 2:
        raise ShapeError(f"Input should have rank >= 2, matrices (..., rows, columns); got shape {x.shape}.")
    return x.shape[:-2], x.shape[-2], x.shape[-1]


def square(x: KerasTensor) -> Shape:
    """The leading sizes of square matrices."""
    lead, rows, columns = matrices(x)
    if not agree(rows, columns):
        raise ShapeError(f"expected square matrices, got shape {x.shape}.")
    return lead


def least(*sizes: int | None) -> int | None:
    """The smallest size, if all are known."""
    known = [size for size in sizes if size is not None]
    return min(known) if len(known) == len(sizes) else None


def real_result(dtype: str) -> str:
    """A float type, for a complex one that of its parts."""
    return parts_result(float_result(dtype))


def same_square(x: KerasTensor, *_: Any, **__: Any) -> KerasTensor:
    """Square matrices, in a float type."""
    square(x)
    return floating(x)


def identity_of(x: Any) -> Any:
    """The identity matrix in the size, type and place of the matrices `x`."""
    places = kernel.arange(0, kernel.shape_of(x)[-1], 1, "int32", like=x)
    return kernel.cast(kernel.equal(kernel.expand_dims(places, (1,)), places), kernel.dtype_of(x))


def adjoint(x: Any) -> Any:
    """The matrices transposed and conjugated."""
    return moved(conjugated(x), -1, -2)


# --- square matrices ------------------------------------------------------------------------------


@op(same_square)
def cholesky(x: Any, upper: bool = False) -> Any:
    """The triangular `l` with `l @ adjoint(l) == x`, for symmetric positive definite matrices.

    Args:
        x: `(..., n, n)`; only one triangle may be read.
        upper: the adjoint of `l` instead.

    Raises:
        ArgumentError: `x` isn't positive definite. Where numbers can't be looked at (inside jit, tf.function) the
            result is NaN, or the compiled call fails.

    >>> cholesky([[4.0, 2.0], [2.0, 5.0]])
    array([[2., 0.],
           [1., 2.]], dtype=float32)
    """
    factor = lapack(kernel.cholesky, x)
    return adjoint(factor) if upper else factor


@op(same_square)
def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """The inverse of the matrices whose Cholesky factor is `x`, `(..., n, n)`; `upper` says which triangle it is.

    >>> cholesky_inverse([[2.0, 0.0], [0.0, 4.0]])
    array([[0.25  , 0.    ],
           [0.    , 0.0625]], dtype=float32)
    """

    def run(x: Any) -> Any:
        inverse = kernel.solve_triangular(x, kernel.broadcast_to(identity_of(x), kernel.shape_of(x)), not upper)
        return kernel.matmul(*((inverse, adjoint(inverse)) if upper else (adjoint(inverse), inverse)))

    return lapack(run, x)


@op(lambda x: KerasTensor(square(x), float_result(x.dtype)))
def det(x: Any) -> Any:
    """Determinant of each matrix: `(..., n, n)` to `(...)`.

    >>> det([[1.0, 2.0], [3.0, 5.0]]).round(4)
    np.float32(-1.0)
    """
    return lapack(kernel.det, x)


def _slogdet_rule(x: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    return KerasTensor(square(x), float_result(x.dtype)), KerasTensor(square(x), real_result(x.dtype))


@op(_slogdet_rule)
def slogdet(x: Any) -> Any:
    """Sign and logarithm of the size of each determinant, which neither overflows nor vanishes.

    >>> slogdet([[0.0, 1.0], [1.0, 0.0]])
    (np.float32(-1.0), np.float32(0.0))
    """
    return lapack(kernel.slogdet, x)


@op(lambda x: _slogdet_rule(x)[1])
def logdet(x: Any) -> Any:
    """Logarithm of the size of each determinant: of the determinant itself for positive definite matrices.

    >>> logdet([[1.0, 0.0], [0.0, 1.0]])
    np.float32(0.0)
    """
    return lapack(kernel.slogdet, x)[1]


@op(same_square)
def inv(x: Any) -> Any:
    """Inverse of each matrix, `(..., n, n)`.

    Frameworks differ on a singular matrix: NumPy, torch and TensorFlow raise their own errors, JAX gives infinities.

    >>> inv([[2.0, 0.0], [0.0, 4.0]])
    array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)
    """
    return lapack(kernel.inv, x)


def _eig_rule(x: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    square(x)
    dtype = TO_COMPLEX.get(float_result(x.dtype), "complex64")
    return KerasTensor(x.shape[:-1], dtype), KerasTensor(x.shape, dtype)


@op(_eig_rule)
def eig(x: Any) -> Any:
    """Eigenvalues `(..., n)` and, as columns of `(..., n, n)`, eigenvectors; complex, in no promised order.

    >>> eig([[2.0, 0.0], [0.0, 1.0]])[0]
    array([2.+0.j, 1.+0.j], dtype=complex64)
    """
    return lapack(kernel.eig, x)


@op(lambda x: _eig_rule(x)[0])
def eigvals(x: Any) -> Any:
    """Eigenvalues of each matrix, `(..., n)`; complex, in no promised order.

    >>> eigvals([[2.0, 0.0], [0.0, 1.0]])
    array([2.+0.j, 1.+0.j], dtype=complex64)
    """
    return lapack(kernel.eigvals, x)


def _eigh_rule(x: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    square(x)
    return KerasTensor(x.shape[:-1], real_result(x.dtype)), floating(x)


@op(_eigh_rule)
def eigh(x: Any) -> Any:
    """Eigenvalues `(..., n)`, rising, and eigenvectors, as columns, of symmetric (complex: Hermitian) matrices.

    >>> eigh([[2.0, 0.0], [0.0, 1.0]])[0]
    array([1., 2.], dtype=float32)
    """
    return lapack(kernel.eigh, x)


@op(lambda x: _eigh_rule(x)[0])
def eigvalsh(x: Any) -> Any:
    """Eigenvalues of symmetric (complex: Hermitian) matrices, `(..., n)`, rising.

    >>> eigvalsh([[2.0, 0.0], [0.0, 1.0]])
    array([1., 2.], dtype=float32)
    """
    return lapack(kernel.eigvalsh, x)


# --- matrices of any shape ------------------------------------------------------------------------


def _qr_rule(x: KerasTensor, mode: str = "reduced") -> tuple[KerasTensor, KerasTensor]:
    lead, rows, columns = matrices(x)
    _check_mode(mode)
    middle, dtype = least(rows, columns) if mode == "reduced" else rows, float_result(x.dtype)
    return KerasTensor((*lead, rows, middle), dtype), KerasTensor((*lead, middle, columns), dtype)


def _check_mode(mode: str) -> None:
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"Expected one of {{'reduced', 'complete'}} as `mode`, got {mode!r}.")


@op(_qr_rule)
def qr(x: Any, mode: str = "reduced") -> Any:
    """`q @ r == x` with orthonormal columns in `q` and an upper triangular `r`; unique but for signs.

    Args:
        x: `(..., m, n)`.
        mode: "reduced" for `(..., m, k)` and `(..., k, n)` where k is the smaller of m and n; "complete" for k = m.

    Raises:
        ArgumentError: `mode` is another.

    >>> q, r = qr([[3.0], [4.0]])
    >>> (q @ r).round(4)
    array([[3.],
           [4.]], dtype=float32)
    """
    _check_mode(mode)
    return lapack(lambda x: kernel.qr(x, mode), x)


def _svd_rule(x: KerasTensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    lead, rows, columns = matrices(x)
    count, dtype = least(rows, columns), float_result(x.dtype)
    values = KerasTensor((*lead, count), real_result(x.dtype))
    if not compute_uv:
        return values
    left, right = (rows, columns) if full_matrices else (count, count)
    return KerasTensor((*lead, rows, left), dtype), values, KerasTensor((*lead, right, columns), dtype)


@op(_svd_rule)
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular value decomposition: `u`, `s` and `vh` with `(u * s) @ vh == x`.

    Args:
        x: `(..., m, n)`; k is the smaller of m and n.
        full_matrices: `u` is `(..., m, m)` and `vh` `(..., n, n)`; else `(..., m, k)` and `(..., k, n)`.
        compute_uv: False gives `s` alone, `(..., k)`, falling.

    >>> svd([[0.0, 3.0], [2.0, 0.0]], compute_uv=False)
    array([3., 2.], dtype=float32)
    """
    if compute_uv:
        return lapack(lambda x: kernel.svd(x, full_matrices), x)
    return lapack(kernel.svdvals, x)


@op(lambda x: _svd_rule(x, compute_uv=False))
def svdvals(x: Any) -> Any:
    """Singular values of each matrix, falling: `(..., m, n)` to `(..., min(m, n))`.

    >>> svdvals([[0.0, 3.0], [2.0, 0.0]])
    array([3., 2.], dtype=float32)
    """
    return lapack(kernel.svdvals, x)


def _lu_rule(x: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    lead, rows, columns = matrices(x)
    return floating(x), KerasTensor((*lead, least(rows, columns)), "int32")


@op(_lu_rule)
def lu_factor(x: Any) -> Any:
    """LU decomposition with exchange of rows.

    Args:
        x: `(..., m, n)`; k is the smaller of m and n.

    Returns:
        `lu`, `(..., m, n)`: the upper triangle holds U, what is below it L, whose diagonal of ones is left out; and
        pivots, int32 `(..., k)`: at step i, row i changed places with row `pivots[i]` (LAPACK's, counted from 0).

    >>> lu_factor([[1.0, 2.0], [4.0, 4.0]])
    (array([[4.  , 4.  ],
           [0.25, 1.  ]], dtype=float32), array([1, 1], dtype=int32))
    """
    return lapack(kernel.lu_factor, x)
