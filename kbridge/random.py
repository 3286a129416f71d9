"""Public names of random ops."""

from kbridge.core.ops.random import SeedGenerator as SeedGenerator
from kbridge.core.ops.random import beta as beta
from kbridge.core.ops.random import binomial as binomial
from kbridge.core.ops.random import categorical as categorical
from kbridge.core.ops.random import dropout as dropout
from kbridge.core.ops.random import gamma as gamma
from kbridge.core.ops.random import normal as normal
from kbridge.core.ops.random import randint as randint
from kbridge.core.ops.random import shuffle as shuffle
from kbridge.core.ops.random import truncated_normal as truncated_normal
from kbridge.core.ops.random import uniform as uniform
