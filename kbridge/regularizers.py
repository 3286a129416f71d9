"""Public names of regularizers."""

from kbridge.core.regularizers import L1 as L1
from kbridge.core.regularizers import L1 as l1  # noqa: F401
from kbridge.core.regularizers import L1L2 as L1L2
from kbridge.core.regularizers import L1L2 as l1_l2  # noqa: F401
from kbridge.core.regularizers import L2 as L2
from kbridge.core.regularizers import L2 as l2  # noqa: F401
from kbridge.core.regularizers import OrthogonalRegularizer as OrthogonalRegularizer
from kbridge.core.regularizers import OrthogonalRegularizer as orthogonal_regularizer  # noqa: F401
from kbridge.core.regularizers import Regularizer as Regularizer
from kbridge.core.regularizers import deserialize as deserialize
from kbridge.core.regularizers import get as get
from kbridge.core.regularizers import serialize as serialize
