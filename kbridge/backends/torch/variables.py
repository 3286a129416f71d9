"""The container of a variable: an `nn.Parameter`, written in place so that its owners see the change.

torch's functions take kbridge's own Variables too: `F.linear(x, layer.kernel)` works once this backend is loaded.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._pytree import tree_map

from kbridge.backends.torch.arrays import convert
from kbridge.core.context import load_backend, running
from kbridge.core.errors import BackendError
from kbridge.core.tensor.berth import Box
from kbridge.core.tensor.variable import Variable

__all__ = ["add_in_place", "keep_for_traces", "make_variable", "mark_trainable", "refuse_write", "write_variable"]


def make_variable(value: Any, dtype: str, trainable: bool, path: str) -> Any:
    tensor = convert(value, dtype).clone()
    if tensor.dim() >= 4:
        # A convolution's kernel, (*window, channels, filters), lies in memory as torch's channels_last
        # filters do: seen as torch wants it, it needs no copy at each call.
        filters_first = tensor.movedim(-1, 0).contiguous()
        tensor = filters_first.movedim(0, -1)
    return torch.nn.Parameter(tensor, requires_grad=trainable and tensor.is_floating_point())


def write_variable(box: Box, key: Any, value: Any) -> None:
    with torch.no_grad():
        box[key].copy_(convert(value))


def add_in_place(box: Box, key: Any, value: Any) -> bool:
    held = box[key]
    if isinstance(value, torch.Tensor):
        fits = value.dtype is held.dtype and value.shape == held.shape
    else:
        fits = type(value) is int or (type(value) is float and held.is_floating_point())
    if fits and torch.is_grad_enabled():
        with torch.no_grad():
            held.add_(value)
    elif fits:  # in `fit`, which turns gradients off once and not for each counter
        held.add_(value)
    return fits


def mark_trainable(value: Any, trainable: bool) -> None:
    value.requires_grad_(trainable and value.is_floating_point())


def keep_for_traces(value: Any) -> None:
    """Compiled functions hold the parameter itself."""


def refuse_write(path: str) -> None:
    raise BackendError(
        f"{path} can't be written inside a torch trace while another framework holds it. "
        "Convert the model with kbridge.adapters.to_torch before compiling."
    )


def _torch_function(cls: type, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    with running(load_backend("torch")):
        args, kwargs = tree_map(lambda v: v.value if isinstance(v, Variable) else v, (args, kwargs or {}))
    return function(*args, **kwargs)


Variable.__torch_function__ = classmethod(_torch_function)  # type: ignore[attr-defined]
