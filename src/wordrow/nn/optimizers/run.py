"""The progress of an optimizer on one model."""

from __future__ import annotations

from collections.abc import Mapping

from wordrow.nn.optimizers.missed_updates import MissedUpdates, ZeroGradient
from wordrow.nn.optimizers.optimizer import Optimizer

__all__ = ["OptimizerRun"]


class OptimizerRun:
    """The steps that an optimizer has taken on one model, and those that stale rows have missed.

    Weights keep one optimizer state per run, so two models may share a weight.
    """

    def __init__(self, optimizer: Optimizer, step: int = 0) -> None:
        self.optimizer = optimizer
        self.jump(step)

    @property
    def step(self) -> int:
        """The number of steps taken."""
        return self.missed.step

    def advance(self, hyperparameters: Mapping[str, float]) -> None:
        """Record a step."""
        self.missed.add(hyperparameters)
        self.optimizer.iterations = self.missed.step

    def jump(self, step: int) -> None:
        """Set the step, with all rows up to date."""
        self.missed = MissedUpdates(
            self.optimizer.zero_gradient or ZeroGradient(),
            weight_decay=bool(self.optimizer.weight_decay),
            step=step,
        )
        self.optimizer.iterations = step
