"""Public names of losses."""

from kbridge.core.losses.find import deserialize as deserialize
from kbridge.core.losses.find import get as get
from kbridge.core.losses.find import serialize as serialize
from kbridge.core.losses.hinge import CategoricalHinge as CategoricalHinge
from kbridge.core.losses.hinge import Hinge as Hinge
from kbridge.core.losses.hinge import SquaredHinge as SquaredHinge
from kbridge.core.losses.hinge import categorical_hinge as categorical_hinge
from kbridge.core.losses.hinge import hinge as hinge
from kbridge.core.losses.hinge import squared_hinge as squared_hinge
from kbridge.core.losses.loss import Loss as Loss
from kbridge.core.losses.probabilistic import BinaryCrossentropy as BinaryCrossentropy
from kbridge.core.losses.probabilistic import CategoricalCrossentropy as CategoricalCrossentropy
from kbridge.core.losses.probabilistic import KLDivergence as KLDivergence
from kbridge.core.losses.probabilistic import Poisson as Poisson
from kbridge.core.losses.probabilistic import (
    SparseCategoricalCrossentropy as SparseCategoricalCrossentropy,
)
from kbridge.core.losses.probabilistic import binary_crossentropy as binary_crossentropy
from kbridge.core.losses.probabilistic import categorical_crossentropy as categorical_crossentropy
from kbridge.core.losses.probabilistic import kl_divergence as kl_divergence
from kbridge.core.losses.probabilistic import poisson as poisson
from kbridge.core.losses.probabilistic import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from kbridge.core.losses.regression import CosineSimilarity as CosineSimilarity
from kbridge.core.losses.regression import Huber as Huber
from kbridge.core.losses.regression import LogCosh as LogCosh
from kbridge.core.losses.regression import MeanAbsoluteError as MeanAbsoluteError
from kbridge.core.losses.regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from kbridge.core.losses.regression import MeanSquaredError as MeanSquaredError
from kbridge.core.losses.regression import (
    MeanSquaredLogarithmicError as MeanSquaredLogarithmicError,
)
from kbridge.core.losses.regression import cosine_similarity as cosine_similarity
from kbridge.core.losses.regression import huber as huber
from kbridge.core.losses.regression import log_cosh as log_cosh
from kbridge.core.losses.regression import mean_absolute_error as mean_absolute_error
from kbridge.core.losses.regression import (
    mean_absolute_percentage_error as mean_absolute_percentage_error,
)
from kbridge.core.losses.regression import mean_squared_error as mean_squared_error
from kbridge.core.losses.regression import (
    mean_squared_logarithmic_error as mean_squared_logarithmic_error,
)
