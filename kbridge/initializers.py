"""Public names of initializers."""

from kbridge.core.initializers import deserialize as deserialize
from kbridge.core.initializers import get as get
from kbridge.core.initializers import serialize as serialize
from kbridge.core.initializers.base import Initializer as Initializer
from kbridge.core.initializers.constant import Constant as Constant
from kbridge.core.initializers.constant import Constant as constant  # noqa: F401
from kbridge.core.initializers.constant import Identity as Identity
from kbridge.core.initializers.constant import Identity as IdentityInitializer  # noqa: F401
from kbridge.core.initializers.constant import Identity as identity  # noqa: F401
from kbridge.core.initializers.constant import Ones as Ones
from kbridge.core.initializers.constant import Ones as one  # noqa: F401
from kbridge.core.initializers.constant import Ones as ones  # noqa: F401
from kbridge.core.initializers.constant import Zeros as Zeros
from kbridge.core.initializers.constant import Zeros as zero  # noqa: F401
from kbridge.core.initializers.constant import Zeros as zeros  # noqa: F401
from kbridge.core.initializers.random import GlorotNormal as GlorotNormal
from kbridge.core.initializers.random import GlorotNormal as glorot_normal  # noqa: F401
from kbridge.core.initializers.random import GlorotUniform as GlorotUniform
from kbridge.core.initializers.random import GlorotUniform as glorot_uniform  # noqa: F401
from kbridge.core.initializers.random import HeNormal as HeNormal
from kbridge.core.initializers.random import HeNormal as he_normal  # noqa: F401
from kbridge.core.initializers.random import HeUniform as HeUniform
from kbridge.core.initializers.random import HeUniform as he_uniform  # noqa: F401
from kbridge.core.initializers.random import LecunNormal as LecunNormal
from kbridge.core.initializers.random import LecunNormal as lecun_normal  # noqa: F401
from kbridge.core.initializers.random import LecunUniform as LecunUniform
from kbridge.core.initializers.random import LecunUniform as lecun_uniform  # noqa: F401
from kbridge.core.initializers.random import Orthogonal as Orthogonal
from kbridge.core.initializers.random import Orthogonal as OrthogonalInitializer  # noqa: F401
from kbridge.core.initializers.random import Orthogonal as orthogonal  # noqa: F401
from kbridge.core.initializers.random import RandomNormal as RandomNormal
from kbridge.core.initializers.random import RandomNormal as normal  # noqa: F401
from kbridge.core.initializers.random import RandomNormal as random_normal  # noqa: F401
from kbridge.core.initializers.random import RandomUniform as RandomUniform
from kbridge.core.initializers.random import RandomUniform as random_uniform  # noqa: F401
from kbridge.core.initializers.random import RandomUniform as uniform  # noqa: F401
from kbridge.core.initializers.random import TruncatedNormal as TruncatedNormal
from kbridge.core.initializers.random import TruncatedNormal as truncated_normal  # noqa: F401
from kbridge.core.initializers.random import VarianceScaling as VarianceScaling
from kbridge.core.initializers.random import VarianceScaling as variance_scaling  # noqa: F401
