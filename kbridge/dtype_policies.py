"""Public names of dtype policies: which type a layer computes in, and which it keeps its weights in."""

from kbridge.core.tensor.policy import DTypePolicy as DTypePolicy
<<<<<<< HEAD
=======
from kbridge.core.tensor.policy import FloatDTypePolicy as FloatDTypePolicy
>>>>>>> 4105e1c4b91368bcd76010c20d3b2f99b7fb93ea
from kbridge.core.tensor.policy import deserialize as deserialize
from kbridge.core.tensor.policy import policy_of as get  # noqa: F401
from kbridge.core.tensor.policy import serialize as serialize

FloatDTypePolicy = DTypePolicy  # the name that Keras's older files have
