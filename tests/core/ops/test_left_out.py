"""Every function of NumPy and of the array API standard is an op, or `docs/left-out.md` says why not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kbridge import ops

PAGE = Path(__file__).parents[3] / "docs" / "left-out.md"
# https://data-apis.org/array-api/2024.12: creation, elementwise, indexing, linear algebra, manipulation, searching,
# sets, sorting, statistics, utilities, data types; then the extensions linalg and fft.
NAMES = """
arange asarray empty empty_like eye from_dlpack full full_like linspace meshgrid ones ones_like tril triu zeros
zeros_like abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_invert bitwise_left_shift bitwise_or
bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide equal exp expm1 floor floor_divide greater
greater_equal hypot imag isfinite isinf isnan less less_equal log log10 log1p log2 logaddexp logical_and logical_not
logical_or logical_xor maximum minimum multiply negative nextafter not_equal positive pow real reciprocal remainder
round sign signbit sin sinh sqrt square subtract tan tanh trunc take take_along_axis matmul matrix_transpose tensordot
vecdot broadcast_arrays broadcast_to concat expand_dims flip moveaxis permute_dims repeat reshape roll squeeze stack
tile unstack argmax argmin count_nonzero nonzero searchsorted where isin unique_all unique_counts unique_inverse
unique_values argsort sort cumulative_prod cumulative_sum max mean min prod std sum var all any diff astype
broadcast_shapes can_cast finfo iinfo isdtype result_type
cholesky cross det diagonal eigh eigvalsh eig eigvals inv matrix_norm matrix_power matrix_rank outer pinv qr slogdet
solve svd svdvals trace vector_norm
fft fftn hfft ifft ifftn ihfft irfft irfftn rfft rfftn fftfreq rfftfreq fftshift ifftshift
"""
STANDARD = set(NAMES.split())


def functions_of(module: Any) -> set[str]:
    """The public functions of a module of NumPy; its classes are types of elements and the like."""
    names = getattr(module, "__all__", None) or dir(module)
    values = {name: getattr(module, name) for name in names if not name.startswith("_")}
    return {name for name, value in values.items() if callable(value) and not isinstance(value, type)}


NUMPY = functions_of(np) | functions_of(np.linalg) | functions_of(np.fft)
OPS = {name for space in (ops, ops.linalg) for name, value in vars(space).items() if callable(value)}


def on_page() -> list[str]:
    """The names that the list of functions ends its lines with, after the colon of each reason."""
    text = PAGE.read_text(encoding="utf-8").partition("## Functions")[2].partition("\n## ")[0]
    items = [" ".join(item.split()) for item in text.split("\n- ")[1:]]
    found = []
    for item in items:
        assert re.fullmatch(r".+: (`\w+`(, )?)+\.", item), item
        found += re.findall(r"`(\w+)`", item.rpartition(": ")[2])
    return found


@pytest.mark.parametrize("source", [NUMPY, STANDARD], ids=["numpy", "standard"])
def test_each_is_an_op_or_on_the_page(source: set[str]) -> None:
    assert sorted(source - OPS - set(on_page())) == []


def test_none_is_both() -> None:
    assert sorted(OPS & set(on_page())) == []


def test_the_page_names_nothing_else_and_nothing_twice() -> None:
    named = on_page()
    assert len(named) == len(set(named)) > 100
    # NumPy drops old names from one version to the next
    gone = {"row_stack", "fix"}
    assert set(named) - gone <= NUMPY | STANDARD
