"""Public names of Keras's `tree` namespace."""

from kbridge.core.tree import MAP_TO_NONE as MAP_TO_NONE
from kbridge.core.tree import assert_same_paths as assert_same_paths
from kbridge.core.tree import assert_same_structure as assert_same_structure
from kbridge.core.tree import flatten as flatten
from kbridge.core.tree import flatten_with_path as flatten_with_path
from kbridge.core.tree import is_nested as is_nested
from kbridge.core.tree import lists_to_tuples as lists_to_tuples
from kbridge.core.tree import map_shape_structure as map_shape_structure
from kbridge.core.tree import map_structure as map_structure
from kbridge.core.tree import map_structure_up_to as map_structure_up_to
from kbridge.core.tree import pack_sequence_as as pack_sequence_as
from kbridge.core.tree import traverse as traverse
