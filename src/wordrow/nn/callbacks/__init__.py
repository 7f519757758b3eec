"""Keras's callbacks, which observe training and may change it."""

from wordrow.nn.callbacks.callback import Callback, Callbacks, History, LambdaCallback
from wordrow.nn.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from wordrow.nn.callbacks.monitor import (
    EarlyStopping,
    ModelCheckpoint,
    TerminateOnNaN,
)
from wordrow.nn.callbacks.report import CSVLogger, ProgbarLogger, RemoteMonitor, TensorBoard

__all__ = [
    "CSVLogger",
    "Callback",
    "Callbacks",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "TensorBoard",
    "TerminateOnNaN",
]
