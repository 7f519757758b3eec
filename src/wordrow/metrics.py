"""Metrics, as functions and as classes."""

from wordrow.nn.metrics import *
from wordrow.nn.metrics import __all__ as __all__
