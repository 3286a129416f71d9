"""Public names of dtype policies: which type a layer computes in, and which it keeps its weights in."""

from kbridge.core.tensor.policy import DTypePolicy as DTypePolicy
from kbridge.core.tensor.policy import FloatDTypePolicy as FloatDTypePolicy
from kbridge.core.tensor.policy import deserialize as deserialize
from kbridge.core.tensor.policy import policy_of as get  # noqa: F401
from kbridge.core.tensor.policy import serialize as serialize
