"""Public names of optimizers."""

from kbridge.core.optimizers.adam import Adam as Adam
from kbridge.core.optimizers.adam import AdamW as AdamW
from kbridge.core.optimizers.find import deserialize as deserialize
from kbridge.core.optimizers.find import get as get
from kbridge.core.optimizers.find import serialize as serialize
from kbridge.core.optimizers.optimizer import Optimizer as Optimizer
from kbridge.core.optimizers.rmsprop import RMSprop as RMSprop
from kbridge.core.optimizers.sgd import SGD as SGD
from kbridge.optimizers import schedules as schedules
