"""Constraints: what weights are brought back to after each step."""

from wordrow.nn.functions.constraints import *
from wordrow.nn.functions.constraints import __all__ as __all__
