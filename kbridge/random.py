"""Public names of random ops."""

from kbridge.core.ops.random import SeedGenerator as SeedGenerator
from kbridge.core.ops.random import dropout as dropout
from kbridge.core.ops.random import normal as normal
from kbridge.core.ops.random import uniform as uniform
