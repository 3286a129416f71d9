"""The table that `summary()` prints."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kbridge.core.tensor.dtypes import standardize_dtype


def readable_bytes(count: float) -> str:
    """A number of bytes with the unit that keeps it short.

    >>> readable_bytes(2048)
    '2.00 KB'
    """
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024 or unit == "GB":
            return f"{count:.2f} {unit}"
        count /= 1024
    raise AssertionError


def _counts(variables: Any) -> tuple[int, int]:
    numbers = sum(int(np.prod(v.shape)) for v in variables)
    size = sum(int(np.prod(v.shape)) * _width(v._dtype) for v in variables)
    return numbers, size


def _width(dtype: str) -> int:
    import ml_dtypes

    name = standardize_dtype(dtype)
    return np.dtype(getattr(ml_dtypes, name, name)).itemsize


def _output_shape(layer: Any) -> str:
    shapes = [tuple(t.shape) for node in layer._inbound[:1] for t in node.outputs]
    return ", ".join(map(str, shapes)) or "?"


def summary_table(model: Any, expand_nested: bool = False, show_trainable: bool = False) -> Table:
    """The layers of a model as a rich table."""
    heads = ("Layer (type)", "Output Shape", "Param #", "Connected to")
    table = Table(*heads, title=f'Model: "{model.name}"', title_justify="left")
    if show_trainable:
        table.add_column("Trainable")

    def add(layer: Any, depth: int) -> None:
        from_layers = [
            t.history[0].operation.name for node in layer._inbound[:1] for t in node.inputs if t.history is not None
        ]
        count = f"{_counts(layer.weights)[0]:,}" if layer.built else "0 (unbuilt)"
        cells = ["  " * depth + f"{layer.name} ({type(layer).__name__})", _output_shape(layer), count]
        cells.append(", ".join(from_layers) or "-")
        if show_trainable:
            cells.append("Y" if layer.trainable else "N")
        table.add_row(*(escape(cell) for cell in cells))
        if expand_nested and hasattr(layer, "layers"):
            for inner in layer.layers:
                add(inner, depth + 1)

    for layer in model.layers:
        add(layer, 0)
    return table


def print_summary(
    model: Any,
    line_length: int | None = None,
    print_fn: Any = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
) -> None:
    """Print the layers of a model and how many weights they have."""
    console = Console(width=line_length, record=print_fn is not None, quiet=False)
    lines = ["Total", "Trainable", "Non-trainable"]
    groups = [model.weights, model.trainable_weights, model.non_trainable_weights]
    table = summary_table(model, expand_nested, show_trainable)
    if print_fn is None:
        console.print(table)
        for line, group in zip(lines, groups, strict=True):
            numbers, size = _counts(group)
            console.print(f" {line} params: {numbers:,} ({readable_bytes(size)})", highlight=False)
        return
    with console.capture() as captured:
        console.print(table)
    print_fn(captured.get())
    for line, group in zip(lines, groups, strict=True):
        numbers, size = _counts(group)
        print_fn(f" {line} params: {numbers:,} ({readable_bytes(size)})")
