"""Public names of activation functions."""

from kbridge.core.activations import deserialize as deserialize
from kbridge.core.activations import gelu as gelu
from kbridge.core.activations import get as get
from kbridge.core.activations import linear as linear
from kbridge.core.activations import mish as mish
from kbridge.core.activations import serialize as serialize
from kbridge.core.ops.activate import celu as celu
from kbridge.core.ops.activate import elu as elu
from kbridge.core.ops.activate import glu as glu
from kbridge.core.ops.activate import hard_shrink as hard_shrink
from kbridge.core.ops.activate import hard_sigmoid as hard_sigmoid
from kbridge.core.ops.activate import hard_silu as hard_silu
from kbridge.core.ops.activate import hard_swish as hard_swish
from kbridge.core.ops.activate import hard_tanh as hard_tanh
from kbridge.core.ops.activate import leaky_relu as leaky_relu
from kbridge.core.ops.activate import log_sigmoid as log_sigmoid
from kbridge.core.ops.activate import log_softmax as log_softmax
from kbridge.core.ops.activate import relu as relu
from kbridge.core.ops.activate import relu6 as relu6
from kbridge.core.ops.activate import selu as selu
from kbridge.core.ops.activate import sigmoid as sigmoid
from kbridge.core.ops.activate import silu as silu
from kbridge.core.ops.activate import silu as swish  # noqa: F401
from kbridge.core.ops.activate import soft_shrink as soft_shrink
from kbridge.core.ops.activate import softmax as softmax
from kbridge.core.ops.activate import softplus as softplus
from kbridge.core.ops.activate import softsign as softsign
from kbridge.core.ops.activate import sparse_plus as sparse_plus
from kbridge.core.ops.activate import sparse_sigmoid as sparse_sigmoid
from kbridge.core.ops.activate import sparsemax as sparsemax
from kbridge.core.ops.activate import squareplus as squareplus
from kbridge.core.ops.activate import tanh_shrink as tanh_shrink
from kbridge.core.ops.activate import threshold as threshold
from kbridge.core.ops.elementwise import exp as exponential  # noqa: F401
from kbridge.core.ops.elementwise import tanh as tanh
