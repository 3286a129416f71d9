"""A kbridge model as a native citizen of each framework. Nothing here imports one until it is used."""

from kbridge.adapters.jax_fn import to_jax as to_jax
from kbridge.adapters.jax_fn import write_back as write_back
from kbridge.adapters.savedmodel import to_savedmodel as to_savedmodel
from kbridge.adapters.torch_module import to_torch as to_torch
