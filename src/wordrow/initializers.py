"""Initializers: how weights are drawn."""

from wordrow.nn.functions.initializers import *
from wordrow.nn.functions.initializers import __all__ as __all__
