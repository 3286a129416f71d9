"""Public names of learning rate schedules."""

from kbridge.core.optimizers.schedules import CosineDecay as CosineDecay
from kbridge.core.optimizers.schedules import CosineDecayRestarts as CosineDecayRestarts
from kbridge.core.optimizers.schedules import ExponentialDecay as ExponentialDecay
from kbridge.core.optimizers.schedules import InverseTimeDecay as InverseTimeDecay
from kbridge.core.optimizers.schedules import LearningRateSchedule as LearningRateSchedule
from kbridge.core.optimizers.schedules import PiecewiseConstantDecay as PiecewiseConstantDecay
from kbridge.core.optimizers.schedules import PolynomialDecay as PolynomialDecay
from kbridge.core.optimizers.schedules import deserialize as deserialize
from kbridge.core.optimizers.schedules import serialize as serialize
