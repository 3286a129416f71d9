"""`to_torch(model)`, eager and through `torch.compile`, against a hand-written module.

A Keras model on the torch backend is an `nn.Module` too and is measured as it is.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks import eager_call
from benchmarks.api import inference_only, keras_like
from benchmarks.table import Figure, Row
from benchmarks.turns import Options, side_by_side
from benchmarks.worker import Prepared, Spec, per_call

# "As fast" leaves room for the noise of a ratio, no more.
CASES = {"eager": 1.3, "compiled": 1.05}


def native_module() -> Any:
    """The model of `eager_call` as PyTorch's tutorials write one."""
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            pairs = pairwise(eager_call.WIDTHS)
            self.first, self.second, self.last = (nn.Linear(*pair) for pair in pairs)
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.last(self.relu(self.second(self.relu(self.first(x)))))

    return Network().eval()


def module(side: str) -> Any:
    """The side's `nn.Module`, in inference mode."""
    if side == "native":
        return native_module()
    keras, scope = keras_like(side, "torch")
    with scope():
        built = eager_call.model(keras, "3 Dense")
    if side == "keras":
        return built.eval()
    from kbridge.adapters import to_torch

    return to_torch(built).eval()


def prepare(spec: Spec) -> Prepared:
    """Worker: one forward pass of the module, compiled with its defaults where the case says so."""
    import torch

    inference_only("torch")
    net = module(spec.side)
    if spec.case == "compiled":
        # Only Keras may break the graph: what it can't trace it runs in Python.
        net = torch.compile(net, fullgraph=spec.side != "keras")
    x = np.random.default_rng(1).normal(size=(eager_call.BATCH, eager_call.WIDTHS[0]))
    tensor = torch.from_numpy(x.astype("float32"))
    return Prepared(per_call(lambda: net(tensor), spec.duration))


def figure(options: Options) -> Figure:
    """Time per call and the ratio to the hand-written module."""
    result = Figure(
        "torch_module",
        "`to_torch(model)`: forward of 3 Dense layers, batch 32",
        ["native module", "Keras model", "kbridge"],
        "kbridge / native",
    )
    for case, bar in CASES.items():
        outcome = side_by_side("torch_module", "torch", case, options)
        cells = [outcome["native"], outcome["keras"], outcome["kbridge"]]
        result.rows.append(Row(case, cells, outcome.ratio("kbridge", "native"), bar))
        result.notes += outcome.errors
    return result
