"""Nadam."""

from __future__ import annotations

from typing import Unpack

from wordrow.nn.ops import namespace
from wordrow.nn.optimizers.adam import TwoBetas
from wordrow.nn.optimizers.optimizer import Hyperparameters, OptimizerOptions, Rate
from wordrow.nn.spec import Array, Arrays

__all__ = ["Nadam"]


class Nadam(TwoBetas):
    """Adam with Nesterov momentum (Dozat 2016), with Keras's momentum schedule.

    beta_1 * (1 - 0.96 ** t / 2) is the momentum of step t. Every step updates all rows of a table.

    >>> Nadam().learning_rate
    0.001
    """

    state_names = ("m", "v")

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self._products = [1.0]  # of the first steps' momenta

    def _momentum(self, t: int) -> float:
        return float(self.beta_1 * (1 - 0.5 * 0.96**t))

    def product(self, n: int) -> float:
        """Return the product of the momenta of the first n steps."""
        while len(self._products) <= n:
            self._products.append(self._products[-1] * self._momentum(len(self._products)))
        return self._products[n]

    def hyperparameters(self, step: int) -> dict[str, float]:
        """Return the rate, weight decay's factor, and the factors of m, gradient and v."""
        hyperparameters, t = super().hyperparameters(step), step + 1
        now, ahead, product = self._momentum(t), self._momentum(t + 1), self.product(t)
        return hyperparameters | {
            "of_m": hyperparameters["learning_rate"] * ahead / (1 - product * ahead),
            "of_g": hyperparameters["learning_rate"] * (1 - now) / (1 - product),
            "of_v": 1 / (1 - self.beta_2**t),
        }

    def change(
        self, gradient: Array, state: Arrays, hyperparameters: Hyperparameters
    ) -> tuple[Array, Arrays]:
        """Return (the change of a weight, its new state) for a gradient."""
        m = state["m"] + (1 - self.beta_1) * (gradient - state["m"])
        v = state["v"] + (1 - self.beta_2) * (gradient * gradient - state["v"])
        ahead = hyperparameters["of_m"] * m + hyperparameters["of_g"] * gradient
        root = namespace(gradient).sqrt(v * hyperparameters["of_v"]) + self.epsilon
        return -ahead / root, {"m": m, "v": v}

    @property
    def zero_gradient(self) -> None:
        """The momentum changes from step to step, so there is no closed form."""
        return None
