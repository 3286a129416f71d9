"""Any layer or model as a `torch.nn.Module` whose Parameters are the model's weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kbridge.adapters.require import require
from kbridge.core.context import load_backend
from kbridge.core.errors import NotBuiltError
from kbridge.core.layers.base import Layer
from kbridge.core.layers.input import InputLayer
from kbridge.core.tensor.variable import Variable

if TYPE_CHECKING:
    import torch


def to_torch(layer: Layer) -> torch.nn.Module:
    """A layer or model as a torch module.

    The module's Parameters and buffers are the model's weights, not copies: training the module trains
    the model. `.train()` and `.eval()` decide about dropout and batch statistics, for the whole module
    or for one submodule. Randomness comes from torch's generator (`torch.manual_seed`).

    Args:
        layer: any built layer or model, whatever backend built or trained it.

    Returns:
        A `torch.nn.Module` with one submodule for each layer, named after it.

    Raises:
        NotBuiltError: the weights don't exist yet.

    >>> from kbridge import layers, models
    >>> net = to_torch(models.Sequential([layers.Input((3,)), layers.Dense(2, name="out")]))
    >>> list(net.state_dict())
    ['out.kernel', 'out.bias']
    """
    require("torch", "torch")
    if not isinstance(layer, Layer):
        raise TypeError(f"to_torch takes a kbridge layer or model, got {type(layer).__name__}.")
    if not layer.built:
        raise NotBuiltError(
            f"{layer.name!r} isn't built, so a torch module would have no parameters. Call it on a batch first, "
            "or give it an Input."
        )
    from kbridge.adapters.torch_citizen import LayerModule

    return LayerModule(layer)


def place(variable: Variable, module: torch.nn.Module, name: str) -> None:
    """Register a variable's value in `module` and make that its home."""
    import torch

    backend = load_backend("torch")
    value = variable.settle(backend)
    if variable._adopted:  # it is a Parameter of another module already: both share it
        value = variable._box[variable._key]
    if variable.created_trainable and value.is_floating_point():
        parameter = value if isinstance(value, torch.nn.Parameter) else torch.nn.Parameter(value)
        parameter.requires_grad_(variable.trainable)
        module.register_parameter(name, parameter)
        box: dict[str, Any] = module._parameters
    else:
        module.register_buffer(name, value.detach())
        box = module._buffers
    if not variable._adopted:
        variable.adopt(backend, box, name)


def free_name(module: torch.nn.Module, name: str) -> str:
    """`name`, or with underscores behind it where torch has an attribute of that name."""
    while hasattr(module, name):
        name += "_"
    return name


def is_shown(layer: Layer) -> bool:
    """Whether a layer becomes a submodule."""
    return not isinstance(layer, InputLayer)


def module_training(layer: Any) -> bool:
    """`training` as the layer's own module has it."""
    return bool(layer._citizen.training)
