"""Public names of constraints."""

from kbridge.core.constraints import Constraint as Constraint
from kbridge.core.constraints import MaxNorm as MaxNorm
from kbridge.core.constraints import MaxNorm as max_norm  # noqa: F401
from kbridge.core.constraints import MinMaxNorm as MinMaxNorm
from kbridge.core.constraints import MinMaxNorm as min_max_norm  # noqa: F401
from kbridge.core.constraints import NonNeg as NonNeg
from kbridge.core.constraints import NonNeg as non_neg  # noqa: F401
from kbridge.core.constraints import UnitNorm as UnitNorm
from kbridge.core.constraints import UnitNorm as unit_norm  # noqa: F401
from kbridge.core.constraints import deserialize as deserialize
from kbridge.core.constraints import get as get
from kbridge.core.constraints import serialize as serialize
