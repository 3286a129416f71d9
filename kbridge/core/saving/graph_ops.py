"""Ops inside stored graphs. Keras writes an op as an object of a class; its names are derived here."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

from kbridge.core import ops
from kbridge.core.errors import LoadError
from kbridge.core.naming import snake_case
from kbridge.core.ops.declare import OPS, Op

for _file in pkgutil.iter_modules(ops.__path__):  # an op is known once its module is loaded
    importlib.import_module(f"{ops.__name__}.{_file.name}")

# Keras's class -> our op, where it isn't the op's name in camel case.
CLASS_NAMES = {
    "AllClose": "allclose", "Average": "weighted_average", "CDist": "cdist", "CTCDecode": "ctc_decode",
    "CTCLoss": "ctc_loss", "Einsum": "einsum_of", "FFT": "fft", "FFT2": "fft2", "HSVToRGB": "hsv_to_rgb",
    "IFFT2": "ifft2", "IRFFT": "irfft", "ISTFT": "istft", "IsIn": "isin", "Meshgrid": "meshgrid_of", "PSNR": "psnr",
    "RFFT": "rfft", "RGBToGrayscale": "rgb_to_grayscale", "RGBToHSV": "rgb_to_hsv", "RMSNorm": "rms_normalization",
    "SSIM": "ssim", "STFT": "stft", "SVD": "svd", "SearchSorted": "searchsorted",
}  # fmt: skip
# Where Keras keeps an op's class, if not with the module that ours is in or in `numpy`.
MODULES = {
    **dict.fromkeys(
        (
            "cast", "saturate_cast", "scatter", "scatter_update", "slice", "slice_update", "stop_gradient", "unstack",
            "vectorized_map",
        ),
        "core",
    ),
    **dict.fromkeys(
        (
            "cdist", "erf", "erfc", "erfinv", "extract_sequences", "fft", "fft2", "ifft2", "in_top_k", "irfft", "istft",
            "logdet", "logsumexp", "rfft", "rsqrt", "segment_max", "segment_min", "segment_prod", "segment_sum", "stft",
            "top_k", "view_as_complex", "view_as_real",
        ),
        "math",
    ),
    **dict.fromkeys(("multi_hot", "one_hot", "polar", "psnr"), "nn"),
    **dict.fromkeys(
        (
            "cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "lstsq", "lu_factor", "matrix_rank", "norm",
            "pinv", "qr", "solve", "solve_triangular", "svd",
        ),
        "linalg",
    ),
}  # fmt: skip
NN = {f"{ops.__name__}.{file}" for file in ("activate", "attention", "conv", "ctc", "nn", "patches", "pool")}
IMAGE = {f"{ops.__name__}.{file}" for file in ("image", "image_parts", "resize", "warp")}
# Arguments that aren't arrays and yet are given at the call, not to the class.
AT_CALL = {"get_item": ("key",), "full_like": ("fill_value",), "pad": ("constant_values",)}
# Keras's arguments that ours don't have, with the value that means "nothing special".
WITHOUT: dict[str, dict[str, Any]] = {}
# Ops that Keras's files have no class for: layers use them inside.
INTERNAL = frozenset({
    "_converted", "_count", "_deepened", "_filled", "affine", "biased_conv", "block_of", "broadcast_arrays_of",
    "dropout", "lookup", "normalize_batch", "positions", "resample", "with_gradient",
})  # fmt: skip
# Ops that get functions, which no file can hold; and the one whose function Keras's files name if it is registered.
OF_FUNCTIONS = frozenset({
    "associative_scan", "cond", "fori_loop", "jvp", "map", "rematerialized", "scan", "switch", "while_loop",
})  # fmt: skip
NAMING_A_FUNCTION = {"vectorized_map": "function"}
# Ops that Keras doesn't have, or not as a class: a file with them could be read by nobody else.
BEYOND_KERAS = frozenset({
    "argwhere", "array_equal", "array_equiv", "bitwise_count", "categorical", "column_stack", "copysign", "cov",
    "cumulative_prod", "cumulative_sum", "diag_indices_from", "ediff1d", "eigvals", "eigvalsh", "fftshift",
    "flatnonzero", "float_power", "ifft", "ifftshift", "interp", "iscomplex", "logcumsumexp", "matrix_norm",
    "matrix_power", "matvec", "modf", "multi_dot", "partition", "positive", "put_along_axis", "rearrange", "rint",
    "shuffle", "spacing", "svdvals", "tril_indices_from", "triu_indices_from", "unique_all", "unique_counts",
    "unique_inverse", "unique_values", "unwrap", "vecdot", "vecmat", "vector_norm",
})  # fmt: skip
LISTED = {"einsum_of": "subscripts", "meshgrid_of": "indexing"}  # ops of a list of arrays, and their one argument


def is_op_entry(entry: dict[str, Any]) -> bool:
    """Whether an entry names an op, and not a layer or another object."""
    parts = (entry.get("module") or "").split(".")
    return parts[0] in ("keras", "kbridge") and "ops" in parts[1:3]


def op_named(class_name: str) -> Op | None:
    """The op that Keras's class name means."""
    return OPS.get(CLASS_NAMES.get(class_name) or snake_case(class_name))


def op_entry(node: Any, name: str) -> dict[str, Any]:
    """The stored form of an op's node, without its call."""
    op: Op = node.operation
    if op.name in INTERNAL | OF_FUNCTIONS | BEYOND_KERAS:
        raise TypeError(
            f"The op {op.name!r} in this graph has no form in Keras's files. "
            "Put it into a Layer of your own and call that."
        )
    module, class_name = place_of(op)
    static = _given(node)
    if op.name in LISTED:
        static = {LISTED[op.name]: static[LISTED[op.name]]}
    config = {key: value for key, value in static.items() if key not in (*op.array_names, *_at_call(op))}
    if op.name in NAMING_A_FUNCTION:
        key = NAMING_A_FUNCTION[op.name]
        config[key] = getattr(config[key], "function", config[key])  # of the part of a graph that it may be
    return {
        "module": f"keras.src.ops.{module}",
        "class_name": class_name,
        "config": {"name": name, **config},
        "registered_name": class_name,
    }


def op_call(node: Any) -> tuple[list[Any], dict[str, Any]]:
    """What a stored call of an op's node is given: the arrays and what goes with them."""
    op: Op = node.operation
    given = _given(node)
    if op.name in LISTED:
        return list(given[next(iter(inspect.signature(op.body).parameters))]), {}
    return [given[key] for key in (*_arrays(op), *_at_call(op)) if key in given], {}


def op_of_entry(entry: dict[str, Any], read: Callable[[Any], Any]) -> Any:
    """A function that calls the op of a stored form on symbolic tensors; `read` finds what an entry in it names."""
    op = op_named(entry["class_name"])
    if op is None:
        raise LoadError(f"The graph uses the op {entry['class_name']}, which kbridge doesn't have.")
    static = _static(op, entry["config"] or {})
    if op.name in NAMING_A_FUNCTION:
        static = {key: read(value) for key, value in static.items()}
    names = (*_arrays(op), *_at_call(op))

    def call(*args: Any, **kwargs: Any) -> Any:
        if op.name in LISTED:
            return op.call(list(args), **static)
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        if op.name == "get_item" and isinstance(given.get("key"), list):
            given["key"] = tuple(given["key"])  # JSON has no tuples
        if op.name in NAMING_A_FUNCTION:  # it comes before the arrays
            return op.call(**given, **static)
        arrays = [given.pop(key) for key in _arrays(op) if key in given]
        return op.call(*arrays, **given, **static)

    return call


def _static(op: Op, config: dict[str, Any]) -> dict[str, Any]:
    known = inspect.signature(op.body).parameters
    static = {key: value for key, value in config.items() if key in known}
    for key, value in config.items():
        if key not in known and key != "name" and value not in (None, WITHOUT.get(op.name, {}).get(key)):
            raise LoadError(f"The op {op.name} has no argument {key!r}, which the file gives as {value!r}.")
    return static


def _given(node: Any) -> dict[str, Any]:
    """The arguments of an op's call by name, defaults included."""
    bound = inspect.signature(node.operation.body).bind(*node.args, **node.kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)


def _arrays(op: Op) -> tuple[str, ...]:
    return tuple(name for name in inspect.signature(op.body).parameters if name in op.array_names)


def _at_call(op: Op) -> tuple[str, ...]:
    return AT_CALL.get(op.name, ())


def place_of(op: Op) -> tuple[str, str]:
    """The module of `keras.src.ops` and the name of the class that Keras has for an op."""
    theirs = {ours: keras for keras, ours in CLASS_NAMES.items()}
    class_name = theirs.get(op.name) or "".join(part.capitalize() for part in op.name.split("_"))
    declared = op.body.__module__
    return MODULES.get(op.name) or ("nn" if declared in NN else "image" if declared in IMAGE else "numpy"), class_name
