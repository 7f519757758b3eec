"""Callbacks: what watches training, and may stop or change it."""

from wordrow.nn.callbacks import *
from wordrow.nn.callbacks import __all__ as __all__
