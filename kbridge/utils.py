"""Public names that Keras keeps in `utils`; each lives where it belongs."""

from kbridge.core.categories import to_categorical as to_categorical
from kbridge.core.registry import CustomObjectScope as CustomObjectScope
from kbridge.core.registry import custom_object_scope as custom_object_scope
from kbridge.core.registry import register_keras_serializable as register_keras_serializable
from kbridge.core.seeding import set_random_seed as set_random_seed
