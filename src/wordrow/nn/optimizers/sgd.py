"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any, Unpack

from wordrow.arguments import share
from wordrow.nn.optimizers.missed_updates import ZeroGradient
from wordrow.nn.optimizers.optimizer import (
    CoreRule,
    Hyperparameters,
    Optimizer,
    OptimizerOptions,
    Rate,
)
from wordrow.nn.spec import Array, Arrays

__all__ = ["SGD"]


class SGD(Optimizer):
    """w -= learning_rate * gradient; with momentum, w += m, m = momentum * m - rate * gradient.

    nesterov: use Nesterov momentum (Sutskever et al. 2013).

    >>> SGD(0.1, momentum=0.9).learning_rate
    0.1
    """

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.momentum, self.nesterov = share("momentum", momentum), bool(nesterov)
        self.state_names = ("momentum",) if self.momentum else ()

    def change(
        self, gradient: Array, state: Arrays, hyperparameters: Hyperparameters
    ) -> tuple[Array, Arrays]:
        """Return (the change of a weight, its new state) for a gradient."""
        step = -hyperparameters["learning_rate"] * gradient
        if not self.momentum:
            return step, state
        m = self.momentum * state["momentum"] + step
        return (self.momentum * m + step if self.nesterov else m), {"momentum": m}

    @property
    def zero_gradient(self) -> ZeroGradient | None:
        """Without a gradient, rows move by momentum, which decays."""
        if not self.momentum:
            return ZeroGradient()
        scale = self.momentum if self.nesterov else 1.0
        return ZeroGradient({"momentum": self.momentum}, numerator="momentum", scale=scale)

    @property
    def core_rule(self) -> CoreRule | None:
        """The core's SGD."""
        if not self.updates_as(SGD) or self.momentum > 0.9999:
            return None
        m = "momentum" if self.momentum else None
        return CoreRule("sgd", m=m, beta_1=self.momentum, nesterov=self.nesterov)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this optimizer."""
        return super().get_config() | {"momentum": self.momentum, "nesterov": self.nesterov}
