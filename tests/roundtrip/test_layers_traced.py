"""Layers inside compilers and exporters: whole graphs, free batch sizes, other float types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import optree
import pytest
import tensorflow as tf
import torch

from kbridge import config
from kbridge.adapters import to_torch
from tests.conftest import TOLERANCE
from tests.rows.layers import ROWS, Row
from tests.rows.running import built, host, leaves, run

WITHIN = TOLERANCE["float32"]
GAPS = {"lstm stateful": "the kept state is no buffer of the module, and Dynamo makes no Parameters"}


def one_of_each() -> list[Row]:
    """The first row of each word that rows begin with (so of each layer), and all with masks."""
    seen: set[str] = set()
    chosen = []
    for row in ROWS:
        kind = row.name.split()[0]
        if kind not in seen or "mask" in row.name or "two axes" in row.name or row.name in GAPS:
            chosen.append(row)
        seen.add(kind)
    return chosen


def for_rows(rows: list[Row]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


def positional(row: Row) -> tuple[list[np.ndarray], Callable[[Any], Any]]:
    """A row's arrays in one list, and a function that puts such a list back into the call's arguments."""
    flat, structure = optree.tree_flatten(row.arrays())
    where = [i for i, leaf in enumerate(flat) if isinstance(leaf, np.ndarray)]

    def put(values: Any) -> Any:
        whole = list(flat)
        for i, value in zip(where, values, strict=True):
            whole[i] = value
        return optree.tree_unflatten(structure, whole)

    return [flat[i] for i in where], put


class Module(torch.nn.Module):
    """A row's layer as a torch module of one list of tensors."""

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.layer = to_torch(built(row)).eval()
        _, self.put = positional(row)

    def forward(self, tensors: list[torch.Tensor]) -> Any:
        args, kwargs = self.put(tensors)
        return self.layer(*args, **kwargs)


def resized(arrays: list[np.ndarray], batch: int) -> list[np.ndarray]:
    return [np.concatenate([array] * batch)[:batch] for array in arrays]


def outputs_on_numpy(row: Row, arrays: list[np.ndarray]) -> list[np.ndarray]:
    args, kwargs = positional(row)[1](arrays)
    with config.backend_scope("numpy"):
        return host(built(row)(*args, **kwargs))


def assert_near(got: Any, expected: list[np.ndarray]) -> None:
    assert len(leaves(got)) == len(expected)
    for a, b in zip(leaves(got), expected, strict=True):
        np.testing.assert_allclose(np.asarray(a), b, WITHIN, WITHIN)


@for_rows(one_of_each())
def test_dynamo_takes_the_whole_call(row: Row, request: Any) -> None:
    if row.name in GAPS:
        request.applymarker(pytest.mark.xfail(reason=GAPS[row.name], strict=True))
    torch._dynamo.reset()
    arrays, put = positional(row)
    compiled = torch.compile(to_torch(built(row)).eval(), fullgraph=True, backend="eager")
    args, kwargs = put([torch.tensor(a) for a in arrays])
    with torch.no_grad():
        assert_near(compiled(*args, **kwargs), outputs_on_numpy(row, arrays))


@for_rows([row for row in one_of_each() if row.batch])
def test_a_torch_export_has_a_free_batch(row: Row) -> None:
    arrays, _ = positional(row)
    batch = torch.export.Dim("batch", min=1, max=2**20)
    tensors = [torch.tensor(a) for a in arrays]
    with torch.no_grad():
        program = torch.export.export(
            Module(row), (tensors,), dynamic_shapes=([{0: batch}] * len(tensors),), strict=False
        ).module()
        for size in (1, 5):
            values = resized(arrays, size)
            assert_near(program([torch.tensor(v) for v in values]), outputs_on_numpy(row, values))


@for_rows([row for row in ROWS if row.batch])
def test_a_tensorflow_graph_has_a_free_batch(row: Row) -> None:
    layer = built(row)
    arrays, put = positional(row)
    run(row, layer, "tensorflow")

    def call(*tensors: Any) -> Any:
        args, kwargs = put(tensors)
        return leaves(layer(*args, **kwargs))

    free = [tf.TensorSpec((None, *a.shape[1:]), a.dtype) for a in arrays]
    graph = tf.function(call, input_signature=free).get_concrete_function()
    for size in (1, 5):
        values = resized(arrays, size)
        assert_near(graph(*map(tf.constant, values)), outputs_on_numpy(row, values))


@for_rows(ROWS)
def test_a_module_in_double_precision_computes_in_it(row: Row) -> None:
    module = Module(row).double()
    arrays, _ = positional(row)
    doubles = [torch.tensor(a).double() if a.dtype == np.float32 else torch.tensor(a) for a in arrays]
    with torch.no_grad():
        results = leaves(module(doubles))
    if any(a.dtype == np.float32 for a in arrays) or any(p.is_floating_point() for p in module.parameters()):
        assert {result.dtype for result in results} == {torch.float64}
    assert_near(results, outputs_on_numpy(row, arrays))
