"""The `op` decorator: one declaration gives the eager function, the symbolic rule and the graph node.

An op's body talks to `kernel`, which is the running backend. Before the body runs, the arguments
named as arrays are native tensors of that backend (or None), so a body holds the op's meaning and
nothing else. Cost of an eager op inside a running call: a thread-local read and a look at the types. Most calls
don't even get here: see `express`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from kbridge.core.context import SYMBOLIC, decide, local, running, when_loaded
from kbridge.core.errors import KBridgeError
from kbridge.core.graph.node import leaves, record_call
from kbridge.core.ops import storage
from kbridge.core.ops.express import seat_of, with_express
from kbridge.core.tensor.dtypes import check_fits, float_result, result_type
from kbridge.core.tensor.symbolic import KerasTensor
from kbridge.core.tensor.variable import Variable, spec_of

NUMBERS = (bool, int, float, complex)
REAL = (bool, int, float)
OPS: dict[str, Op] = {}


class _Kernel:
    """The kernels of the backend that runs now: `kernel.matmul(x, y)`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(local.running, name)


kernel = _Kernel()


class Op:
    """A declared op: its name, body, shape-and-dtype rule, and which arguments are arrays."""

    __slots__ = ("array_names", "arrays", "body", "call", "listed", "name", "public", "spec", "ways", "weak")

    def __init__(
        self, body: Callable[..., Any], spec: Callable[..., Any], arrays: int, weak: bool, listed: bool
    ) -> None:
        names = tuple(inspect.signature(body).parameters)[:arrays]
        self.name = body.__name__
        self.body = body
        self.spec = spec
        self.arrays = arrays
        self.array_names = frozenset(names)
        self.weak = weak
        self.listed = listed
        self.call: Any = None
        self.ways: dict[type, Any] = {}  # by class of tensor: the backend, and what it says of express calls

    def learn(self, backend: Any) -> None:
        """Note the express way of a backend that has been loaded, if there is one."""
        if self.name in backend.express:
            way = backend, backend.express_dtypes, backend.express_layout, backend.express[self.name]
            self.ways.update((kind, way) for kind in backend.ready if kind is not type(None))

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> Any:
        return _op_by_name, (self.name,)

    def array_arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The arguments that are arrays, lists of arrays opened."""
        found = [*args[: self.arrays], *(v for k, v in kwargs.items() if k in self.array_names)]
        if self.listed:
            found = [e for v in found for e in (v if isinstance(v, (list, tuple)) else (v,))]
        return found

    def map_arrays(self, fn: Callable[[Any], Any], args: Any, kwargs: Any) -> tuple[tuple[Any, ...], Any]:
        """The arguments with `fn` applied to each array."""

        def each(value: Any) -> Any:
            if self.listed and isinstance(value, (list, tuple)):
                return [fn(element) for element in value]
            return fn(value)

        args = (*(each(value) for value in args[: self.arrays]), *args[self.arrays :])
        kwargs = {k: each(v) if k in self.array_names else v for k, v in kwargs.items()}
        return args, kwargs


def _op_by_name(name: str) -> Op:
    return OPS[name]


def op(
    spec: Callable[..., Any], arrays: int = 1, weak: bool = False, listed: bool = False, direct: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an op.

    Args:
        spec: the rule: same arguments, KerasTensors for arrays; returns KerasTensors.
        arrays: how many of the leading parameters are arrays.
        weak: Python numbers may stay numbers (they take the type of the tensor they meet).
        listed: an array parameter may be a list of arrays.
        direct: the body hands its arguments to the kernel of the same name, which may be called without it; with
            several arrays, if the first two are float32.
    """

    def declare(body: Callable[..., Any]) -> Callable[..., Any]:
        this = Op(body, spec, arrays, weak, listed)
        if this.name in OPS:
            raise ValueError(f"op `{this.name}` is declared twice; the second time in {body.__module__}.")
        OPS[this.name] = this
        when_loaded(this.learn)
        call = functools.wraps(body)(with_express(this, _call(this, direct)))
        call.autograph_info__ = {}  # type: ignore[attr-defined]  # TF's AutoGraph leaves us alone
        call.op = this  # type: ignore[attr-defined]
        this.call = call
        return call

    return declare


def _call(this: Op, direct: bool) -> Callable[..., Any]:
    """The op as it is called: on any number of arrays, of any kind."""
    name, body, arrays, array_names, weak = this.name, this.body, this.arrays, this.array_names, this.weak

    def call(*args: Any, **kwargs: Any) -> Any:
        backend = local.running
        if backend is None:
            backend = _plainly(args[:arrays], weak)
            if backend is None or (kwargs and not array_names.isdisjoint(kwargs)):
                return _enter(this, args, kwargs)
            return _run_on(backend, this, args, kwargs)
        if backend is SYMBOLIC:
            return _enter(this, args, kwargs)
        ready = backend.ready_or_number if weak else backend.ready
        for value in args if direct else args[:arrays]:
            if type(value) not in ready:
                read = [v.value if type(v) is Variable else v for v in args]
                for each in read[:arrays]:
                    if type(each) not in ready:
                        return _prepared(this, backend, args, kwargs)
                args = tuple(read)
                break
        if direct and not kwargs and (arrays == 1 or args[0].dtype is args[1].dtype is backend.float32):
            return getattr(backend, name)(*args)
        if kwargs and not array_names.isdisjoint(kwargs):
            return _prepared(this, backend, args, kwargs)
        return body(*args, **kwargs)

    return call


def _plainly(arrays: Any, weak: bool) -> Any:
    """The backend of an outermost call whose arrays are all dense tensors of one framework, else None."""
    seat = None
    for value in arrays:
        if (seat := seat_of(type(value))) is not None:
            break
    if seat is None or (local.scope is not None and local.scope is not seat[0]):
        return None
    backend, layout = seat
    ready = backend.ready_or_number if weak else backend.ready
    for value in arrays:
        if type(value) not in ready or (layout is not None and getattr(value, "layout", layout) is not layout):
            return None
    return backend


def _run_on(backend: Any, this: Op, args: Any, kwargs: Any) -> Any:
    """The body, as the outermost call."""
    masks, local.running = local.masks, backend
    try:
        result = this.body(*args, **kwargs)
        return result if backend.conceal is None else backend.conceal(result)
    except Exception as error:
        return _recovered(this, args, kwargs, error)
    finally:
        local.running, local.masks = None, masks


def native(backend: Any, value: Any) -> Any:
    """`value` as a tensor of `backend`, sparse if it was; None stays None."""
    if isinstance(value, Variable):
        value = value.value
    if type(value) in backend.ready:
        return value
    stored = storage.arrived(backend, value)
    return backend.convert(value) if stored is None else stored


def _prepared(this: Op, backend: Any, args: Any, kwargs: Any) -> Any:
    found = this.array_arguments(args, kwargs)
    if any(isinstance(value, KerasTensor) for value in found):
        return _symbolic(this, args, kwargs)
    ready = backend.ready_or_number if this.weak else backend.ready

    stored = False

    def convert(value: Any) -> Any:
        nonlocal stored
        if type(value) in ready:
            return value
        value = native(backend, value)
        stored = stored or (type(value) not in ready and (backend.is_sparse(value) or backend.is_ragged(value)))
        return value

    args, kwargs = this.map_arrays(convert, args, kwargs)
    return storage.call(this, args, kwargs) if stored else this.body(*args, **kwargs)


def _enter(this: Op, args: Any, kwargs: Any) -> Any:
    """An op at the outermost level, or inside a symbolic run."""
    found = this.array_arguments(args, kwargs)
    if local.running is SYMBOLIC or any(isinstance(value, KerasTensor) for value in found):
        return _symbolic(this, args, kwargs)
    with running(decide(homes(found))):
        try:
            backend = local.running
            if backend.reveal is None:
                return _prepared(this, backend, args, kwargs)
            if (reveal := backend.reveal(found)) is not None:
                args, kwargs = this.map_arrays(reveal, args, kwargs)
            return backend.conceal(_prepared(this, backend, args, kwargs))
        except Exception as error:
            return _recovered(this, args, kwargs, error)


def _recovered(this: Op, args: Any, kwargs: Any, error: Exception) -> Any:
    """What an outermost call gives after `error`, which mostly is what has to be said about it."""
    if any(isinstance(value, KerasTensor) for value in leaves((args, kwargs))):
        return _symbolic(this, args, kwargs)  # a size or such is symbolic, the arrays aren't
    told = _told(this, args, kwargs, error)
    if told is error:
        raise error
    raise told from error


def homes(values: Iterable[Any]) -> list[Any]:
    """The values that decide where a call runs: tensors, else what the variables hold."""
    tensors = [value for value in values if not isinstance(value, Variable)]
    if all(isinstance(value, NUMBERS) or value is None for value in tensors):
        tensors += [value.seen_value for value in values if isinstance(value, Variable)]
    return tensors


def _told(this: Op, args: Any, kwargs: Any, error: Exception) -> Exception:
    """The error to raise for a call that failed: what the op's rule says of it, the same on every backend.

    The rule is asked only now, so that calls that work pay nothing for it.
    """
    if not isinstance(error, KBridgeError):
        try:
            _promised(this, args, kwargs)
        except (KBridgeError, TypeError, ValueError) as found:
            error = found
    if isinstance(error, KBridgeError) and not str(error).startswith("ops."):
        return type(error)(f"ops.{this.name}: {error}")
    if not isinstance(error, KBridgeError):
        error.add_note(f"In ops.{this.name}({', '.join(map(_shown, args))}).")
    return error


def _shown(value: Any) -> str:
    """`float32[2, 3]` for a tensor, anything else as it is."""
    spec = spec_of(value) if hasattr(value, "shape") and hasattr(value, "dtype") else None
    return repr(value)[:60] if spec is None else f"{spec.dtype}{list(spec.shape)}"


def _promised(this: Op, args: Any, kwargs: Any) -> Any:
    """What the op's rule says of these arguments."""

    def as_spec(value: Any) -> Any:
        if value is None or (this.weak and isinstance(value, NUMBERS)):
            return value
        return spec_of(value)

    if this.arrays:
        args, kwargs = this.map_arrays(as_spec, args, kwargs)
    return this.spec(*args, **kwargs)


def _symbolic(this: Op, args: Any, kwargs: Any) -> Any:
    try:
        outputs = _promised(this, args, kwargs)
    except KBridgeError as error:
        if str(error).startswith("ops."):
            raise
        raise type(error)(f"ops.{this.name}: {error}") from error
    storage.mark(this, this.array_arguments(args, kwargs), outputs)
    if local.running is SYMBOLIC:
        return outputs
    return record_call(this, args, kwargs, outputs)


# --- conversions that op bodies share -------------------------------------------------------------


def promote(*values: Any) -> tuple[Any, ...]:
    """The arrays in their common type. Numbers stay numbers beside a tensor that can hold them."""
    if len(values) == 2:
        first, second = values
        if type(first) not in NUMBERS:
            if type(second) in REAL:
                if first.dtype in local.running.float_dtypes:
                    return first, kernel.weak_number(second, kernel.dtype_of(first))
            elif type(second) not in NUMBERS and first.dtype == second.dtype:
                return values
    return _promote(values)


def _promote(values: tuple[Any, ...]) -> tuple[Any, ...]:
    dtype = result_type(*(type(v) if isinstance(v, NUMBERS) else kernel.dtype_of(v) for v in values))
    for v in values:
        check_fits(v, dtype)
    if all(isinstance(v, NUMBERS) for v in values):
        return tuple(kernel.convert(v, dtype) for v in values)
    return tuple(
        kernel.weak_number(v, dtype)
        if isinstance(v, NUMBERS)
        else (v if kernel.dtype_of(v) == dtype else kernel.cast(v, dtype))
        for v in values
    )


def as_float(x: Any) -> Any:
    """`x` if it holds fractions already, else `x` in the default float type."""
    if x.dtype in local.running.float_dtypes:
        return x
    dtype = kernel.dtype_of(x)
    return x if dtype == float_result(dtype) else kernel.cast(x, float_result(dtype))
