"""Optimizers that skip the rows that a batch does not use.

Keras does not: there, rows without a gradient still move by momentum, and their moments decay.
"""

from __future__ import annotations

import dataclasses

from wordrow.nn.optimizers.adam import Adam
from wordrow.nn.optimizers.missed_updates import ZeroGradient
from wordrow.nn.optimizers.optimizer import CoreRule, Optimizer
from wordrow.nn.optimizers.rmsprop import RMSprop
from wordrow.nn.optimizers.sgd import SGD

__all__ = ["LazyAdam", "LazyRMSprop", "LazySGD"]


class _Lazy(Optimizer):
    """What the lazy optimizers share. Weights that are not tables are updated as usual."""

    @property
    def zero_gradient(self) -> ZeroGradient | None:
        """Unused rows and their state do not change; with weight decay they would have to."""
        return None if self.weight_decay else ZeroGradient()

    @property
    def core_rule(self) -> CoreRule | None:
        """The core's rule, applied to the rows in use only."""
        rule = super().core_rule
        return None if rule is None else dataclasses.replace(rule, lazy=True)


class LazyAdam(_Lazy, Adam):
    """Adam that skips the rows that a batch does not use.

    >>> LazyAdam(0.01).learning_rate
    0.01
    """


class LazySGD(_Lazy, SGD):
    """SGD that skips the rows that a batch does not use, even with momentum.

    >>> LazySGD(0.1, momentum=0.9).momentum
    0.9
    """


class LazyRMSprop(_Lazy, RMSprop):
    """RMSprop that skips the rows that a batch does not use, and their means.

    >>> LazyRMSprop().rho
    0.9
    """
