"""Public names of Keras's `backend` namespace. (The code of the backends is in `kbridge/backends/`.)"""

from kbridge.core.context import backend as backend
from kbridge.core.context import is_symbolic as is_keras_tensor  # noqa: F401
from kbridge.core.graph.function import Function as Function
from kbridge.core.graph.operation import Operation as Operation
from kbridge.core.layers.remat import RematScope as RematScope
from kbridge.core.layers.remat import remat as remat
from kbridge.core.naming import get_uid as get_uid
from kbridge.core.ops import operators as _operators  # noqa: F401  gives variables Python's operators
from kbridge.core.scopes import SymbolicScope as SymbolicScope
from kbridge.core.scopes import clear_session as clear_session
from kbridge.core.scopes import device as device
from kbridge.core.scopes import name_scope as name_scope
from kbridge.core.settings import epsilon as epsilon
from kbridge.core.settings import floatx as floatx
from kbridge.core.settings import image_data_format as image_data_format
from kbridge.core.settings import set_epsilon as set_epsilon
from kbridge.core.settings import set_floatx as set_floatx
from kbridge.core.settings import set_image_data_format as set_image_data_format
from kbridge.core.tensor.dtypes import is_float_dtype as is_float_dtype
from kbridge.core.tensor.dtypes import is_int_dtype as is_int_dtype
from kbridge.core.tensor.dtypes import result_type as result_type
from kbridge.core.tensor.dtypes import standardize_dtype as standardize_dtype
from kbridge.core.tensor.stateless import StatelessScope as StatelessScope
from kbridge.core.tensor.symbolic import KerasTensor as KerasTensor
from kbridge.core.tensor.variable import Variable as Variable
