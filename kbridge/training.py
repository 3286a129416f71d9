"""Public names for training loops of one's own."""

from kbridge.core.training.gradient import grad as grad
from kbridge.core.training.gradient import value_and_grad as value_and_grad
from kbridge.core.training.trainer import pack_x_y_sample_weight as pack_x_y_sample_weight
from kbridge.core.training.trainer import unpack_x_y_sample_weight as unpack_x_y_sample_weight
