"""Public names of callbacks."""

from kbridge.core.callbacks.callback import Callback as Callback
from kbridge.core.callbacks.callback_list import CallbackList as CallbackList
from kbridge.core.callbacks.csv_logger import CSVLogger as CSVLogger
from kbridge.core.callbacks.early_stopping import EarlyStopping as EarlyStopping
from kbridge.core.callbacks.history import History as History
from kbridge.core.callbacks.lambda_callback import LambdaCallback as LambdaCallback
from kbridge.core.callbacks.learning_rate import LearningRateScheduler as LearningRateScheduler
from kbridge.core.callbacks.learning_rate import ReduceLROnPlateau as ReduceLROnPlateau
from kbridge.core.callbacks.model_checkpoint import ModelCheckpoint as ModelCheckpoint
from kbridge.core.callbacks.progress import ProgbarLogger as ProgbarLogger
from kbridge.core.callbacks.terminate_on_nan import TerminateOnNaN as TerminateOnNaN
