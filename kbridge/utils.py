"""Public names that Keras keeps in `utils`; each lives where it belongs."""

from kbridge.core.categories import to_categorical as to_categorical
from kbridge.core.context import is_symbolic as is_keras_tensor  # noqa: F401
from kbridge.core.graph.trace import get_source_inputs as get_source_inputs
from kbridge.core.registry import CustomObjectScope as CustomObjectScope
from kbridge.core.registry import custom_object_scope as custom_object_scope
from kbridge.core.registry import get_custom_objects as get_custom_objects
from kbridge.core.registry import get_registered_name as get_registered_name
from kbridge.core.registry import get_registered_object as get_registered_object
from kbridge.core.registry import register_keras_serializable as register_keras_serializable
from kbridge.core.saving.config import deserialize_keras_object as deserialize_keras_object
from kbridge.core.saving.config import serialize_keras_object as serialize_keras_object
from kbridge.core.scopes import clear_session as clear_session
from kbridge.core.seeding import set_random_seed as set_random_seed
from kbridge.core.tensor.dtypes import standardize_dtype as standardize_dtype
from kbridge.core.training.trainer import pack_x_y_sample_weight as pack_x_y_sample_weight
from kbridge.core.training.trainer import unpack_x_y_sample_weight as unpack_x_y_sample_weight
