"""Public names that Keras keeps in `mixed_precision`; they are those of `dtype_policies` and `config`."""

from kbridge.core.tensor.policy import DTypePolicy as DTypePolicy
from kbridge.core.tensor.policy import DTypePolicy as Policy  # noqa: F401
from kbridge.core.tensor.policy import dtype_policy as dtype_policy
from kbridge.core.tensor.policy import dtype_policy as global_policy  # noqa: F401
from kbridge.core.tensor.policy import set_dtype_policy as set_dtype_policy
from kbridge.core.tensor.policy import set_dtype_policy as set_global_policy  # noqa: F401
