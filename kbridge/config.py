"""Public settings."""

from kbridge.core.context import backend as backend
from kbridge.core.context import backend_scope as backend_scope
from kbridge.core.context import set_backend as set_backend
from kbridge.core.settings import disable_flash_attention as disable_flash_attention
from kbridge.core.settings import disable_traceback_filtering as disable_traceback_filtering
from kbridge.core.settings import enable_flash_attention as enable_flash_attention
from kbridge.core.settings import enable_traceback_filtering as enable_traceback_filtering
from kbridge.core.settings import epsilon as epsilon
from kbridge.core.settings import floatx as floatx
from kbridge.core.settings import image_data_format as image_data_format
from kbridge.core.settings import is_flash_attention_enabled as is_flash_attention_enabled
from kbridge.core.settings import is_traceback_filtering_enabled as is_traceback_filtering_enabled
from kbridge.core.settings import rng as rng
from kbridge.core.settings import set_epsilon as set_epsilon
from kbridge.core.settings import set_floatx as set_floatx
from kbridge.core.settings import set_image_data_format as set_image_data_format
from kbridge.core.settings import set_rng as set_rng
from kbridge.core.tensor.policy import DTypePolicy as DTypePolicy
from kbridge.core.tensor.policy import dtype_policy as dtype_policy
from kbridge.core.tensor.policy import set_dtype_policy as set_dtype_policy
