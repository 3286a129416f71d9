"""What a backend must offer: the seat that a fifth framework would fill. (`kbridge.backend`, without
the s, is Keras's public namespace.)

A backend is one object. Its attributes are the verbs below and a kernel for every op that isn't a
formula of other ops. Kernels get native tensors (or Python numbers where the op says so), static
arguments already settled (`axes` sorted and non-negative, `dtype` a name, inputs in their common
type), and return native tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any, Protocol

from kbridge.core.tensor.berth import Box

Array = Any


class Backend(Protocol):
    """The verbs; the kernels are listed in `KERNELS`."""

    name: str
    ready: frozenset[type]  # classes that kernels take as they are; grows as subclasses turn up
    ready_or_number: frozenset[type]
    float_dtypes: frozenset[Any]  # native dtype objects that hold fractions
    float32: Any  # the one of these that most tensors have: `x.dtype is float32` costs least
    express: Mapping[str, Callable[..., Any]]  # see `Express`
    express_dtypes: frozenset[Any]  # native dtype objects of the tensors that may go that way
    express_layout: Any  # what their `layout` has to be; None where the class of a tensor says all
    express_errors: tuple[type[Exception], ...]  # by which they refuse, apart from Python's own classes
    trains: bool  # whether gradients can be had
    fused_updates: Mapping[str, Callable[..., bool]]  # optimizers in one kernel: see `FusedAdam`, `FusedSGD`
    fused_lstm: Callable[..., Any] | None  # all steps of an LSTM in one kernel: see `FusedLSTM`

    def is_tensor_type(self, kind: type) -> bool: ...
    def convert(self, value: Any, dtype: str | None = None) -> Array: ...
    def lend(self, value: Array) -> Any: ...
    def to_numpy(self, value: Array) -> Any: ...
    def dtype_of(self, value: Array) -> str: ...
    def cast(self, value: Array, dtype: str) -> Array: ...
    def weak_number(self, value: complex, dtype: str) -> Any: ...
    def shape_of(self, value: Array) -> tuple[Any, ...]: ...
    def is_tracing(self) -> bool: ...
    def make_variable(self, value: Any, dtype: str, trainable: bool, path: str) -> Any: ...
    def write_variable(self, box: Box, key: Any, value: Any) -> None: ...
    def add_in_place(self, box: Box, key: Any, value: Any) -> bool: ...  # False: not done
    def mark_trainable(self, value: Any, trainable: bool) -> None: ...
    def keep_for_traces(self, value: Any) -> None: ...  # before it leaves: functions traced with it read it later
    def copy_box(self, box: Box, key: Any, memo: dict[int, Any]) -> Box: ...
    def refuse_write(self, path: str) -> None: ...
    # the portable generator: words are int32 with the bits of unsigned numbers; `counter` has four, `key` two
    def philox(self, blocks: Any, counter: Array, key: Array) -> Array: ...  # the words of this counter and the next
    def fractions(self, words: Array, digits: int, dtype: str) -> Array: ...  # of the upper bits; may reuse the memory
    def upper_product(self, words: Array, span: Array) -> Array: ...  # the upper word of each product
    def cos_and_sin(self, turns: Array) -> tuple[Array, Array]: ...  # of fractions of a turn from [0, 1)
    def device_scope(self, device: Any) -> AbstractContextManager[Any]: ...
    def remat(self, function: Callable[..., Any], inputs: Sequence[Array]) -> Sequence[Array]: ...  # may run it again

    # sparse tensors; one without them answers False to the first two and refuses in `make_sparse`
    reveal: Callable[[Sequence[Any]], Callable[[Any], Any] | None] | None  # marks what its class doesn't tell
    conceal: Callable[[Any], Any] | None  # takes these marks off the results of an outermost call

    def is_sparse(self, value: Any) -> bool: ...
    def is_ragged(self, value: Any) -> bool: ...
    def sparse_form(self, value: Any) -> Array: ...
    def sparse_parts(self, value: Array) -> tuple[Array, Array, tuple[Any, ...]]: ...  # indices (n, k), values, shape
    def make_sparse(self, indices: Array, values: Array, shape: Sequence[Any]) -> Array: ...
    def sum_duplicates(
        self, indices: Array, values: Sequence[Array], shape: Sequence[Any]
    ) -> tuple[Array, tuple[Array, ...]]: ...
    def stored_where(self, mask: Array) -> Array: ...  # indices of what is true
    def sparse_matmul(self, x: Array, y: Array) -> Array | None: ...  # None: no kernel for these


class Express(Protocol):
    """`express[op]`: what the op gives for dense float tensors of one type and one class of `ready`.

    It takes the op's own arguments, all by position unless the op has settings, and nothing has been
    looked at but the tensors' class and dtype: an axis may be negative or out of range, shapes need not
    fit. Where it isn't the op it has to raise, or for ops with settings to return NotImplemented: the
    call then goes through the op's body. For ops on two tensors the second may be a Python number.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class FusedAdam(Protocol):
    """`fused_updates["adam"]`: Adam on lists of containers, in place.

    `maxima` is empty without amsgrad. `learning_rate` and `iterations`, the steps done so far, are
    native scalars. False: this kernel can't do these, and nothing has changed.
    """

    def __call__(
        self, variables: list[Array], gradients: list[Array], momentums: list[Array], velocities: list[Array],
        maxima: list[Array], *, learning_rate: Array, iterations: Array, beta_1: float, beta_2: float, epsilon: float,
    ) -> bool: ...  # fmt: skip


class FusedSGD(Protocol):
    """`fused_updates["sgd"]`: gradient descent on lists of containers, in place; `momentums` is empty at momentum 0."""

    def __call__(
        self, variables: list[Array], gradients: list[Array], momentums: list[Array], *,
        learning_rate: Array, momentum: float, nesterov: bool,
    ) -> bool: ...  # fmt: skip


class FusedLSTM(Protocol):
    """All steps of an LSTM with tanh and sigmoid, its gates in the order i, f, c, o.

    `xs` is `(time, batch, features)`, `h` and `c` are `(batch, units)`, the weights as the layer has
    them. Returns the outputs `(time, batch, units)` and the last `h` and `c`; None if it can't now.
    """

    def __call__(
        self, xs: Array, h: Array, c: Array, kernel: Array, recurrent: Array, bias: Array | None
    ) -> tuple[Array, Array, Array] | None: ...


def collect(target: Any, *modules: ModuleType) -> None:
    """Put the public functions of the kernel files on the backend object; a name given twice is an error."""
    for module in modules:
        for name in module.__all__:
            if name in target.__dict__:
                raise ValueError(f"{target.name}: kernel `{name}` is given twice, again in {module.__name__}.")
            setattr(target, name, getattr(module, name))


def missing(target: Any, names: Sequence[str]) -> list[str]:
    """The kernels of `names` that a backend lacks."""
    return [name for name in names if not hasattr(target, name)]
