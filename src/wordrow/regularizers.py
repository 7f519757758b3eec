"""Regularizers: penalties on weights."""

from wordrow.nn.functions.regularizers import *
from wordrow.nn.functions.regularizers import __all__ as __all__
