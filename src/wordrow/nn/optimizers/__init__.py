"""The optimizers. To add one: its class, and its name in the imports and in `__all__` below."""

from wordrow.nn.optimizers.adadelta import Adadelta
from wordrow.nn.optimizers.adagrad import Adagrad
from wordrow.nn.optimizers.adam import Adam, AdamW
from wordrow.nn.optimizers.adamax import Adamax
from wordrow.nn.optimizers.lazy import LazyAdam, LazyRMSprop, LazySGD
from wordrow.nn.optimizers.nadam import Nadam
from wordrow.nn.optimizers.optimizer import Optimizer
from wordrow.nn.optimizers.rmsprop import RMSprop
from wordrow.nn.optimizers.sgd import SGD
from wordrow.nn.registry import Registry, subclasses

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "LazyAdam",
    "LazyRMSprop",
    "LazySGD",
    "Nadam",
    "Optimizer",
    "RMSprop",
]

_CLASSES = subclasses(globals(), Optimizer)
OPTIMIZERS = Registry(
    "`optimizer`",
    kind="an optimizer",
    classes=_CLASSES | {name.lower(): cls for name, cls in _CLASSES.items()},
    names={},
)
