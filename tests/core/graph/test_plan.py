"""A graph that runs lets go of what no later step reads."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import torch

from kbridge import Input, Model, layers


class Watch(layers.Layer):
    """Its inputs as new ones; counts how many of those it and its kin have met are still there."""

    met: list[Any]
    alive: list[int]

    def call(self, x: Any) -> Any:
        if isinstance(x, torch.Tensor):
            gc.collect()
            self.alive.append(sum(ref() is not None for ref in self.met))
            self.met.append(weakref.ref(x))
        return x + 1


def watched(shape: Any) -> Any:
    """A model of four watches, and their records."""
    met: list[Any] = []
    alive: list[int] = []
    inputs = x = Input((3,))
    for number in range(4):
        watch = Watch(name=f"watch_{number}")
        watch.met, watch.alive = met, alive
        before, x = x, watch(x)
        x = shape(before, x)
    return Model(inputs, x), met, alive


CHAIN = lambda before, x: x  # noqa: E731
SUM = lambda before, x: layers.Add()([before, x])  # noqa: E731


@pytest.mark.parametrize("shape", [CHAIN, SUM], ids=["chain", "sum"])
def test_tensors_go_when_their_last_reader_has_run(shape: Any) -> None:
    model, met, alive = watched(shape)
    with torch.no_grad():
        for _ in range(2):  # the first call goes through each layer's door, the next by the plan
            met.clear()
            alive.clear()
            model(torch.ones(2, 3))
    assert len(alive) == 4
    assert max(alive) <= 1  # what the caller holds


def test_outputs_stay() -> None:
    inputs = Input((3,))
    hidden = layers.Dense(4)(inputs)
    model = Model(inputs, [hidden, layers.Dense(2)(hidden), inputs])
    results = model(torch.ones(2, 3))
    assert [tuple(r.shape) for r in results] == [(2, 4), (2, 2), (2, 3)]
