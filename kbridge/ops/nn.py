"""Public names of ops for neural networks."""

from kbridge.core.ops.nn import average_pool as average_pool
from kbridge.core.ops.nn import batch_normalization as batch_normalization
from kbridge.core.ops.nn import binary_crossentropy as binary_crossentropy
from kbridge.core.ops.nn import conv as conv
from kbridge.core.ops.nn import elu as elu
from kbridge.core.ops.nn import gelu as gelu
from kbridge.core.ops.nn import hard_sigmoid as hard_sigmoid
from kbridge.core.ops.nn import layer_normalization as layer_normalization
from kbridge.core.ops.nn import leaky_relu as leaky_relu
from kbridge.core.ops.nn import log_softmax as log_softmax
from kbridge.core.ops.nn import max_pool as max_pool
from kbridge.core.ops.nn import moments as moments
from kbridge.core.ops.nn import relu as relu
from kbridge.core.ops.nn import relu6 as relu6
from kbridge.core.ops.nn import selu as selu
from kbridge.core.ops.nn import sigmoid as sigmoid
from kbridge.core.ops.nn import silu as silu
from kbridge.core.ops.nn import softmax as softmax
from kbridge.core.ops.nn import softplus as softplus
from kbridge.core.ops.nn import softsign as softsign
from kbridge.core.ops.shape import one_hot as one_hot
