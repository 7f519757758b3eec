"""What looks on while a model learns, and may step in: Keras's callbacks."""

from wordrow.nn.callbacks.callback import Callback, Callbacks, History, LambdaCallback
from wordrow.nn.callbacks.monitor import (
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from wordrow.nn.callbacks.report import CSVLogger, ProgbarLogger, RemoteMonitor, TensorBoard

__all__ = [
    "CSVLogger", "Callback", "Callbacks", "EarlyStopping", "History", "LambdaCallback",
    "LearningRateScheduler", "ModelCheckpoint", "ProgbarLogger", "ReduceLROnPlateau",
    "RemoteMonitor", "TensorBoard", "TerminateOnNaN",
]  # fmt: skip
