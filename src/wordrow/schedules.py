"""Learning-rate schedules."""

from wordrow.nn.optimizers.schedules import *
from wordrow.nn.optimizers.schedules import __all__ as __all__
