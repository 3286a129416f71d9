"""Element types: names, families and the one promotion table that every backend follows.

The lattice is JAX's, which Keras adopted: https://docs.jax.dev/en/latest/type_promotion.html.
Python numbers are weak: they take the type of the tensor they meet.

What a float op (exp, sqrt, mean, …) makes of ints and bools is one rule too: `float_result`.
"""

from __future__ import annotations

from typing import Any

from kbridge.core import settings
from kbridge.core.errors import ArgumentError, DTypeError

BOOL = ("bool",)
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
SIGNED = ("int8", "int16", "int32", "int64")
FLOAT = ("float8_e4m3fn", "float8_e5m2", "bfloat16", "float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
OTHER = ("string",)
ALL = frozenset(BOOL + UNSIGNED + SIGNED + FLOAT + COMPLEX + OTHER)

# Where each type goes when it meets a stronger one: edges of the promotion lattice.
_LATTICE: dict[str, tuple[str, ...]] = {
    "bool": ("int",),
    "int": ("uint8", "int8"),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "float": ("float8_e4m3fn", "float8_e5m2", "bfloat16", "float16"),
    "float8_e4m3fn": (),
    "float8_e5m2": (),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex64": ("complex128",),
    "complex128": (),
}
_PYTHON = {bool: "bool", int: "int", float: "float", complex: "complex64"}


def standardize_dtype(dtype: Any) -> str:
    """The name of an element type given as a string, a class, or any framework's dtype object.

    >>> standardize_dtype("float32"), standardize_dtype(bool), standardize_dtype(None)
    ('float32', 'bool', 'float32')
    """
    if dtype is None:
        return settings.floatx()
    word = dtype if isinstance(dtype, str) else None  # NumPy's dtype objects equal words: float64 == "float"
    if word in ALL:
        return str(word)
    if dtype is bool or word == "bool_":
        return "bool"
    if dtype is int or word == "int":
        return "int32"
    if dtype is float or word == "float":
        return settings.floatx()
    if getattr(dtype, "kind", None) in ("U", "S"):  # NumPy's text, "str64" and the like
        return "string"
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    name = name.rpartition(".")[2]
    name = {"bool_": "bool", "str": "string", "object": "string"}.get(name, name)
    if name not in ALL:
        raise DTypeError(f"Unknown dtype {dtype!r}. Choose one of {', '.join(sorted(ALL))}.")
    return name


def is_float(dtype: str) -> bool:
    """Whether the named type holds fractions."""
    return "float" in dtype


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype, in any form, holds fractions.

    >>> is_float_dtype("bfloat16"), is_float_dtype("int32")
    (True, False)
    """
    return standardize_dtype(dtype) in FLOAT


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype, in any form, holds whole numbers only."""
    return standardize_dtype(dtype) in UNSIGNED + SIGNED


def _above(dtype: str) -> frozenset[str]:
    """Everything that `dtype` can be promoted to, itself included."""
    return frozenset({dtype}).union(*(_above(up) for up in _LATTICE[dtype]))


def _joins() -> dict[tuple[str, str], str]:
    """The least type above each pair; pairs without one are left out."""
    above = {name: _above(name) for name in _LATTICE}
    joins = {}
    for first in _LATTICE:
        for second in _LATTICE:
            common = above[first] & above[second]
            least = [name for name in common if common <= above[name]]
            if least:
                joins[first, second] = least[0]
    # Nothing narrower holds all of uint32 and int32. Keras and JAX stay at 32 bits: 64 come out where 64 went in.
    for signed in ("int8", "int16", "int32"):
        joins["uint32", signed] = joins[signed, "uint32"] = "int32"
    return joins


# Made once: TorchDynamo distrusts functions behind functools.cache, and looks this up without a word.
PROMOTIONS = _joins()


def result_type(*dtypes: Any) -> str:
    """The type in which values of these types meet; Python's `int` and `float` are weak.

    >>> result_type("int32", "float16"), result_type("uint8", "int8"), result_type("int8", float)
    ('float16', 'int16', 'float32')
    """
    joined = "float" if not dtypes else None
    for dtype in dtypes:
        name = _PYTHON.get(dtype) or standardize_dtype(dtype)
        if joined is not None and (joined, name) not in PROMOTIONS:
            raise DTypeError(f"No common dtype for {joined} and {name}. Cast one of them explicitly.")
        joined = name if joined is None else PROMOTIONS[joined, name]
    if joined == "float":
        return settings.floatx()
    return "int32" if joined == "int" else str(joined)


def complex_default() -> str:
    """The complex type whose parts have the default float type: complex64, or complex128 for float64."""
    return "complex128" if settings.floatx() == "float64" else "complex64"


def float_result(dtype: str) -> str:
    """What a float op gives for an input of this type: floats stay, everything else becomes floatx."""
    return dtype if is_float(dtype) or dtype in COMPLEX else settings.floatx()


def counted_result(dtype: str) -> str:
    """What powers, remainders and shifts give: truth values count as whole numbers."""
    return "int32" if dtype == "bool" else dtype


def parts_result(dtype: str) -> str:
    """The type of a complex number's parts; any other type stays.

    >>> parts_result("complex64"), parts_result("int8")
    ('float32', 'int8')
    """
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


# The largest finite number of each type: https://en.wikipedia.org/wiki/Bfloat16_floating-point_format and IEEE 754.
LARGEST = {
    "bfloat16": 3.3895313892515355e38,
    "float16": 65504.0,
    "float32": 3.4028234663852886e38,
    "float64": 1.7976931348623157e308,
}


def limits(dtype: str) -> tuple[Any, Any]:
    """The least and the largest finite number of a type.

    >>> limits("int8"), limits("uint8"), limits("float16")
    ((-128, 127), (0, 255), (-65504.0, 65504.0))
    """
    if dtype in LARGEST:
        return -LARGEST[dtype], LARGEST[dtype]
    if dtype == "bool":
        return 0, 1
    bits = int(dtype.lstrip("uint"))
    return (0, 2**bits - 1) if dtype in UNSIGNED else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


RANGES = {name: limits(name) for name in UNSIGNED + SIGNED}


def check_fits(number: Any, dtype: str) -> None:
    """An error for a whole number of Python's that the type can't hold: some frameworks would cut its bits off."""
    if type(number) is int and dtype in RANGES:
        low, high = RANGES[dtype]
        if not low <= number <= high:
            raise ArgumentError(
                f"{number} doesn't fit into {dtype} ({low} to {high}). Cast the tensor to a wider type."
            )


def sum_result(dtype: str) -> str:
    """What a sum or product gives: small whole numbers widen to 32 bits so that they don't overflow."""
    if dtype in ("bool", "int8", "int16"):
        return "int32"
    return "uint32" if dtype in ("uint8", "uint16") else dtype
