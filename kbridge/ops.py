"""Public names of ops."""
from kbridge.core.ops import operators as _operators
from kbridge.core.ops.elementwise import *  # noqa: F403
from kbridge.core.ops.linalg import dot, einsum, matmul
