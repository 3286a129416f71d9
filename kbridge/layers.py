"""Public names of layers."""

from kbridge.core.layers.base import Layer as Layer
from kbridge.core.layers.dense import Dense as Dense
from kbridge.core.layers.input import Input as Input
from kbridge.core.layers.input import InputLayer as InputLayer
