"""Adadelta."""

from __future__ import annotations

from typing import Any, Unpack

from wordrow.arguments import share
from wordrow.nn.ops import namespace
from wordrow.nn.optimizers.missed_updates import ZeroGradient
from wordrow.nn.optimizers.optimizer import Hyperparameters, Optimizer, OptimizerOptions, Rate
from wordrow.nn.spec import Array, Arrays

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """w -= learning_rate * g * sqrt(d + epsilon) / sqrt(a + epsilon).

    a and d: running means of the squared gradient and of the squared change. Zeiler 2012.

    >>> Adadelta().rho
    0.95
    """

    state_names = ("accumulator", "change")

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.rho, self.epsilon = share("rho", rho), float(epsilon)

    def change(
        self, gradient: Array, state: Arrays, hyperparameters: Hyperparameters
    ) -> tuple[Array, Arrays]:
        """Return (the change of a weight, its new state) for a gradient."""
        xp, new = namespace(gradient), 1 - self.rho
        squares = self.rho * state["accumulator"] + new * gradient * gradient
        root = xp.sqrt(state["change"] + self.epsilon) / xp.sqrt(squares + self.epsilon)
        step = -gradient * root
        changes = self.rho * state["change"] + new * step * step
        return hyperparameters["learning_rate"] * step, {"accumulator": squares, "change": changes}

    @property
    def zero_gradient(self) -> ZeroGradient:
        """Without a gradient, both means decay."""
        return ZeroGradient({"accumulator": self.rho, "change": self.rho})

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this optimizer."""
        return super().get_config() | {"rho": self.rho, "epsilon": self.epsilon}
