"""RMSprop."""

from __future__ import annotations

from typing import Any, Unpack

from wordrow.arguments import share
from wordrow.nn.ops import namespace
from wordrow.nn.optimizers.missed_updates import ZeroGradient
from wordrow.nn.optimizers.optimizer import (
    CoreRule,
    Hyperparameters,
    Optimizer,
    OptimizerOptions,
    Rate,
)
from wordrow.nn.spec import Array, Arrays

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """w -= learning_rate * gradient / sqrt(v + epsilon), v the running mean of squared gradients.

    rho: the decay of that mean. centered: subtract the square of the mean gradient from it.
    momentum: of the updates. Tieleman & Hinton 2012; Graves 2013.

    >>> RMSprop().learning_rate
    0.001
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.rho, self.momentum = share("rho", rho), share("momentum", momentum)
        self.epsilon, self.centered = float(epsilon), bool(centered)
        self.state_names = (
            ("velocity",) + ("momentum",) * bool(momentum) + ("mean",) * self.centered
        )

    def change(
        self, gradient: Array, state: Arrays, hyperparameters: Hyperparameters
    ) -> tuple[Array, Arrays]:
        """Return (the change of a weight, its new state) for a gradient."""
        velocity = self.rho * state["velocity"] + (1 - self.rho) * gradient * gradient
        new, spread = {"velocity": velocity}, velocity
        if self.centered:
            new["mean"] = self.rho * state["mean"] + (1 - self.rho) * gradient
            spread = velocity - new["mean"] * new["mean"]
        step = (
            hyperparameters["learning_rate"]
            * gradient
            / namespace(gradient).sqrt(spread + self.epsilon)
        )
        if self.momentum:
            step = new["momentum"] = self.momentum * state["momentum"] + step
        return -step, new

    @property
    def zero_gradient(self) -> ZeroGradient | None:
        """Without a gradient, the means decay; rows move by momentum, which decays."""
        factors = {"velocity": self.rho, "mean": self.rho, "momentum": self.momentum}
        decay = {name: factors[name] for name in self.state_names}
        return ZeroGradient(decay, numerator="momentum" if self.momentum else None, scale=-1.0)

    @property
    def core_rule(self) -> CoreRule | None:
        """The core's RMSprop, which supports neither momentum nor centering."""
        if not self.updates_as(RMSprop) or self.centered or self.momentum or not self.rho:
            return None
        return CoreRule("rmsprop", v="velocity", beta_2=self.rho, epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this optimizer."""
        names = ("rho", "momentum", "epsilon", "centered")
        return super().get_config() | {name: vars(self)[name] for name in names}
