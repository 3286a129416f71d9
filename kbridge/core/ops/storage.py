"""What ops do with tensors that don't hold each element: sparse ones, and TensorFlow's ragged ones.

A sparse tensor is TensorFlow's SparseTensor or IndexedSlices, JAX's BCOO, torch's COO. To the rules here it is its
parts: indices `(n, k)` of the first k axes, values `(n, ...)`, and the shape; a rule is written once, in the
backend's kernels. An op without a rule makes its sparse arguments dense, and says so in a warning.

An element that isn't stored is 0 and stays it: 0 times infinity is 0 here.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from kbridge.core.context import framework_of_type, load_backend, local
from kbridge.core.errors import ArgumentError, DensifiedWarning
from kbridge.core.ops import sparse_places as places
from kbridge.core.ops import sparse_values as values
from kbridge.core.tensor.symbolic import KerasTensor

Run = Callable[..., Any]


class Rule(NamedTuple):
    """How an op treats sparse arguments.

    Args:
        run: the op on native tensors, of which at least one is sparse; its first argument is the op.
        stays: whether the result is sparse, from whether each array argument is.
    """

    run: Run
    stays: Callable[[Sequence[bool]], bool]


def arrived(backend: Any, value: Any) -> Any:
    """A sparse or ragged tensor of any framework as one of `backend`; None if `value` is neither."""
    owner = framework_of_type(type(value))
    if owner is None:
        return None
    home = load_backend(owner)
    if home.is_ragged(value):
        return value if home is backend else None
    if not home.is_sparse(value):
        return None
    if home is backend:
        return home.sparse_form(value)
    indices, elements, shape = home.sparse_parts(value)
    return backend.make_sparse(backend.convert(indices), backend.convert(elements), shape)


def seen(value: Any) -> Any:
    """`value`, from outside any call, as its backend tells sparse tensors from dense ones."""
    reveal = local.running.reveal and local.running.reveal((value,))
    return value if reveal is None else reveal(value)


def is_stored(value: Any) -> bool:
    """Whether a native tensor is sparse or ragged."""
    backend = local.running
    return type(value) not in backend.ready and bool(backend.is_sparse(value) or backend.is_ragged(value))


def call(this: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """An op on native tensors, of which at least one is sparse or ragged."""
    found = this.array_arguments(args, kwargs)
    backend = local.running
    if any(map(backend.is_ragged, found)):
        return _ragged(this, args, kwargs)
    rule = RULES.get(this.name)
    if rule is not None:
        return rule.run(this, *args, **kwargs)
    stored = [value for value in found if backend.is_sparse(value)]
    warnings.warn(
        f"ops.{this.name} has no sparse form, so its sparse argument of shape {tuple(stored[0].shape)} was made "
        "dense. Use ops.convert_to_tensor(x, sparse=False) to do that without this warning.",
        DensifiedWarning,
        stacklevel=5,
    )
    return values.densely(this, *args, **kwargs)


def mark(this: Any, found: Iterable[Any], outputs: Any) -> None:
    """Note on the symbolic result of an op whether it will be sparse or ragged."""
    specs = [v if isinstance(v, KerasTensor) else None for v in found]
    if not isinstance(outputs, KerasTensor) or not any(s is not None and (s.sparse or s.ragged) for s in specs):
        return
    rule = RULES.get(this.name)
    outputs._sparse = rule is not None and rule.stays([s is not None and s.sparse for s in specs])
    outputs._ragged = this.name in EACH and any(s is not None and s.ragged for s in specs)


# --- the table --------------------------------------------------------------------------------------

KEEP_ZERO = [
    "abs", "absolute", "arcsin", "arcsinh", "arctan", "arctanh", "cast", "cbrt", "ceil", "celu", "conj",
    "conjugate", "copy", "deg2rad", "elu", "erf", "expm1", "fabs", "floor", "gelu", "hard_shrink", "hard_silu",
    "hard_swish", "hard_tanh", "imag", "leaky_relu", "log1p", "negative", "positive", "rad2deg", "real", "relu",
    "relu6", "round", "selu", "sign", "silu", "sin", "sinh", "soft_shrink", "softsign", "sqrt", "square",
    "stop_gradient", "swish", "tan", "tanh", "tanh_shrink", "trunc",
]  # fmt: skip
RULES: dict[str, Rule] = {
    **dict.fromkeys((*KEEP_ZERO, "_converted"), Rule(values.each, any)),
    **dict.fromkeys(("add", "subtract", "maximum", "minimum"), Rule(values.union, all)),
    "multiply": Rule(values.product, any),
    **dict.fromkeys(("divide", "true_divide"), Rule(values.quotient, lambda flags: flags[0] and not flags[1])),
    "bincount": Rule(places.bincount, lambda flags: flags[0]),
    "digitize": Rule(values.digitize, any),
    "sum": Rule(places.sum_along, any),
    "mean": Rule(places.mean_along, any),
    "reshape": Rule(places.reshape, any),
    "ravel": Rule(places.ravel, any),
    "transpose": Rule(places.transpose, any),
    "expand_dims": Rule(places.expand_dims, any),
    "squeeze": Rule(places.squeeze, any),
    "concatenate": Rule(places.concatenate, all),
    "matmul": Rule(values.matmul, all),
    "affine": Rule(values.affine, lambda flags: False),
    **dict.fromkeys(("take", "lookup", "_filled"), Rule(values.densely, lambda flags: False)),
}


# --- ragged -----------------------------------------------------------------------------------------

EACH = frozenset(KEEP_ZERO) | {
    "_converted",
    "add", "arccos", "arccosh", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "cos", "cosh", "divide",
    "divide_no_nan", "equal", "exp", "exp2", "floor_divide", "greater", "greater_equal", "isfinite", "isinf",
    "isnan", "less", "less_equal", "log", "log10", "log2", "log_sigmoid", "logaddexp", "logical_and", "logical_not",
    "logical_or", "logical_xor", "maximum", "minimum", "mod", "multiply", "nan_to_num", "not_equal",
    "power", "reciprocal", "rsqrt", "sigmoid", "softplus", "squareplus", "subtract", "true_divide",
}  # fmt: skip


def _ragged(this: Any, args: Any, kwargs: Any) -> Any:
    """An op of which an argument is ragged: on the elements, one by one, or the framework's own."""
    backend = local.running
    own = backend.ragged_ops.get(this.name)
    if own is not None:
        return own(*args, **kwargs)
    if this.name in EACH:
        rest = args[this.arrays :]
        found = backend.map_ragged(lambda *flat: this.call(*flat, *rest, **kwargs), args[: this.arrays])
        if found is not None:
            return found
    raise ArgumentError(
        f"ops.{this.name} has no ragged form, or its arguments don't have the same rows. "
        "Make the rows one length with x.to_tensor() first."
    )
