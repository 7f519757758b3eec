"""Optimizers; learning-rate schedules are in `wordrow.schedules`."""

from wordrow.nn.optimizers import *
from wordrow.nn.optimizers import __all__ as __all__
