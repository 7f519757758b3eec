"""Losses, as functions and as classes."""

from wordrow.nn.functions.losses import *
from wordrow.nn.functions.losses import __all__ as __all__
