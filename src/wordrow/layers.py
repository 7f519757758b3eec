"""Layers, and the class to write one from: `from wordrow.layers import LSTM`."""

from wordrow.nn.layers import *
from wordrow.nn.layers import __all__ as __all__
