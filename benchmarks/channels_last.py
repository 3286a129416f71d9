"""A small convnet on torch, channels last: its forward pass, and copies for the layout's sake."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.api import inference_only, keras_like
from benchmarks.table import Figure, Row
from benchmarks.turns import Options, side_by_side
from benchmarks.worker import Prepared, Spec, per_call

SHAPE = (8, 96, 96, 3)
FILTERS = (32, 64, 128)
CLASSES = 10
BAR = 1.1
COPIES = ("aten::copy_", "aten::clone", "aten::contiguous", "aten::_to_copy")


def model(keras: Any) -> Any:
    """Convolution, batch normalisation, ReLU and pooling, three times; a mean; a Dense layer."""
    layers = keras.layers
    stack = [keras.Input(SHAPE[1:])]
    for filters in FILTERS:
        stack += [
            layers.Conv2D(filters, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(2),
        ]
    return keras.Sequential([*stack, layers.GlobalAveragePooling2D(), layers.Dense(CLASSES)])


def native_call() -> Callable[[Any], Any]:
    """The same by hand: NHWC input becomes an NCHW view, channels_last by its strides, no copy."""
    import torch
    from torch import nn

    stack: list[nn.Module] = []
    for before, filters in zip((SHAPE[-1], *FILTERS), FILTERS, strict=False):
        convolution = nn.Conv2d(before, filters, 3, padding="same")
        stack += [convolution, nn.BatchNorm2d(filters, eps=1e-3), nn.ReLU(), nn.MaxPool2d(2)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(FILTERS[-1], CLASSES)]
    net = nn.Sequential(*stack, *head).eval().to(memory_format=torch.channels_last)
    return lambda x: net(x.permute(0, 3, 1, 2))


def copies(call: Callable[[Any], Any], x: Any) -> dict[str, int]:
    """How often one call copies images or a convolution's kernel (rank 4), by torch's profiler."""
    import torch

    cpu = torch.profiler.ProfilerActivity.CPU
    with torch.profiler.profile(activities=[cpu], record_shapes=True) as profile:
        call(x)
    rank_4 = [event for event in profile.events() if len([*event.input_shapes, ()][0]) == 4]
    seen = Counter(event.name for event in rank_4)
    return {name: seen[name] for name in COPIES}


def prepare(spec: Spec) -> Prepared:
    """Worker: one eager forward pass in inference mode."""
    import torch

    inference_only("torch")
    if spec.side == "native":
        call = native_call()
    else:
        keras, scope = keras_like(spec.side, "torch")
        with scope():
            call = model(keras)
    x = torch.from_numpy(np.random.default_rng(0).normal(size=SHAPE).astype("float32"))
    measure = per_call(lambda: call(x), spec.duration)
    return Prepared(measure, {"copies": copies(call, x)})


def figure(options: Options) -> Figure:
    """Time per call, the ratio to native, and the copies of each side."""
    result = Figure(
        "channels_last",
        "Small convnet on torch, channels last, 8 images of 96×96: eager forward",
        ["native torch", "Keras", "kbridge"],
        "kbridge / native",
    )
    outcome = side_by_side("channels_last", "torch", "", options, starts=5)
    cells = [outcome["native"], outcome["keras"], outcome["kbridge"]]
    result.rows.append(Row("forward", cells, outcome.ratio("kbridge", "native"), BAR))
    result.notes += outcome.errors
    for side, facts in outcome.facts.items():
        if facts:
            counts = [f"{number} {name}" for name, number in facts["copies"].items() if number]
            result.notes.append(f"Copies in one forward, {side}: {', '.join(counts) or 'none'}.")
    result.facts = outcome.facts
    return result
