"""Public names of metrics."""

from kbridge.core.losses.hinge import categorical_hinge as categorical_hinge
from kbridge.core.losses.hinge import hinge as hinge
from kbridge.core.losses.hinge import squared_hinge as squared_hinge
from kbridge.core.losses.probabilistic import binary_crossentropy as binary_crossentropy
from kbridge.core.losses.probabilistic import categorical_crossentropy as categorical_crossentropy
from kbridge.core.losses.probabilistic import kl_divergence as kl_divergence
from kbridge.core.losses.probabilistic import poisson as poisson
from kbridge.core.losses.probabilistic import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
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
from kbridge.core.metrics.accuracy import Accuracy as Accuracy
from kbridge.core.metrics.accuracy import BinaryAccuracy as BinaryAccuracy
from kbridge.core.metrics.accuracy import CategoricalAccuracy as CategoricalAccuracy
from kbridge.core.metrics.accuracy import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from kbridge.core.metrics.accuracy import (
    SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy,
)
from kbridge.core.metrics.accuracy import TopKCategoricalAccuracy as TopKCategoricalAccuracy
from kbridge.core.metrics.accuracy import binary_accuracy as binary_accuracy
from kbridge.core.metrics.accuracy import categorical_accuracy as categorical_accuracy
from kbridge.core.metrics.accuracy import sparse_categorical_accuracy as sparse_categorical_accuracy
from kbridge.core.metrics.accuracy import (
    sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy,
)
from kbridge.core.metrics.accuracy import top_k_categorical_accuracy as top_k_categorical_accuracy
from kbridge.core.metrics.find import deserialize as deserialize
from kbridge.core.metrics.find import get as get
from kbridge.core.metrics.find import serialize as serialize
from kbridge.core.metrics.from_losses import BinaryCrossentropy as BinaryCrossentropy
from kbridge.core.metrics.from_losses import CategoricalCrossentropy as CategoricalCrossentropy
from kbridge.core.metrics.from_losses import CategoricalHinge as CategoricalHinge
from kbridge.core.metrics.from_losses import CosineSimilarity as CosineSimilarity
from kbridge.core.metrics.from_losses import Hinge as Hinge
from kbridge.core.metrics.from_losses import KLDivergence as KLDivergence
from kbridge.core.metrics.from_losses import LogCoshError as LogCoshError
from kbridge.core.metrics.from_losses import MeanAbsoluteError as MeanAbsoluteError
from kbridge.core.metrics.from_losses import (
    MeanAbsolutePercentageError as MeanAbsolutePercentageError,
)
from kbridge.core.metrics.from_losses import MeanSquaredError as MeanSquaredError
from kbridge.core.metrics.from_losses import (
    MeanSquaredLogarithmicError as MeanSquaredLogarithmicError,
)
from kbridge.core.metrics.from_losses import Poisson as Poisson
from kbridge.core.metrics.from_losses import RootMeanSquaredError as RootMeanSquaredError
from kbridge.core.metrics.from_losses import (
    SparseCategoricalCrossentropy as SparseCategoricalCrossentropy,
)
from kbridge.core.metrics.from_losses import SquaredHinge as SquaredHinge
from kbridge.core.metrics.metric import Metric as Metric
from kbridge.core.metrics.reduction import Mean as Mean
from kbridge.core.metrics.reduction import MeanMetricWrapper as MeanMetricWrapper
from kbridge.core.metrics.reduction import Sum as Sum
