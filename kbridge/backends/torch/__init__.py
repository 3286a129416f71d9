"""The PyTorch backend. Importing this imports torch."""

from __future__ import annotations

from typing import Any

import torch

from kbridge.backends.contract import collect
from kbridge.backends.torch import (
    arrays,
    attention,
    bitwise,
    control,
    conv,
    create,
    ctc,
    device,
    elementwise,
    express,
    fft,
    image,
    index,
    linalg,
    nn,
    optimizers,
    philox,
    random,
    reduce,
    sort,
    sparse,
    statistics,
    step,
    variables,
)


class TorchBackend:
    """See `kbridge.backends.contract`."""

    name = "torch"
    trains = True
    ready = frozenset({torch.Tensor, torch.nn.Parameter, type(None)})
    ready_or_number = ready | {bool, int, float, complex}
    float_dtypes = frozenset({torch.float32, torch.float64, torch.float16, torch.bfloat16})
    float32 = torch.float32
    express, express_dtypes, express_layout = express.EXPRESS, express.DTYPES, express.LAYOUT
    express_errors: tuple[type[Exception], ...] = ()

    def __reduce__(self) -> Any:
        return "backend"  # one object per process: copies and pickles refer to it

    def __deepcopy__(self, memo: Any) -> TorchBackend:
        return self


backend = TorchBackend()
collect(
    backend, arrays, elementwise, reduce, linalg, nn, random, variables, step, device, optimizers,
    bitwise, statistics, create, index, sort, fft, image, control, conv, attention, ctc, sparse, philox,
)  # fmt: skip
