"""Public names of regularizers."""

from kbridge.core.regularizers import L1 as L1
from kbridge.core.regularizers import L1L2 as L1L2
from kbridge.core.regularizers import L2 as L2
from kbridge.core.regularizers import Regularizer as Regularizer
from kbridge.core.regularizers import get as get
