"""What happens between the steps of training: the names of `keras.callbacks`."""

from deepneuron.callbacks.callback import Callback
from deepneuron.callbacks.callback_list import CallbackList
from deepneuron.callbacks.csv_logger import CSVLogger
from deepneuron.callbacks.early_stopping import EarlyStopping
from deepneuron.callbacks.history import History
from deepneuron.callbacks.lambda_callback import LambdaCallback
from deepneuron.callbacks.learning_rate_scheduler import LearningRateScheduler
from deepneuron.callbacks.model_checkpoint import ModelCheckpoint
from deepneuron.callbacks.progbar_logger import ProgbarLogger
from deepneuron.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from deepneuron.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
