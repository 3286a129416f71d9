"""Public names of saving and loading."""

from kbridge.core.registry import CustomObjectScope as CustomObjectScope
from kbridge.core.registry import custom_object_scope as custom_object_scope
from kbridge.core.registry import get_custom_objects as get_custom_objects
from kbridge.core.registry import get_registered_name as get_registered_name
from kbridge.core.registry import get_registered_object as get_registered_object
from kbridge.core.registry import register_keras_serializable as register_keras_serializable
from kbridge.core.saving.config import deserialize_keras_object as deserialize_keras_object
from kbridge.core.saving.config import serialize_keras_object as serialize_keras_object
from kbridge.core.saving.saving_api import load_model as load_model
from kbridge.core.saving.saving_api import load_weights as load_weights
from kbridge.core.saving.saving_api import save_model as save_model
from kbridge.core.saving.saving_api import save_weights as save_weights
