"""Adamax."""

from __future__ import annotations

from wordrow.nn.ops import namespace
from wordrow.nn.optimizers.adam import TwoBetas
from wordrow.nn.optimizers.optimizer import Hyperparameters
from wordrow.nn.spec import Array, Arrays

__all__ = ["Adamax"]


class Adamax(TwoBetas):
    """w -= learning_rate / (1 - beta_1 ** t) * m / (u + epsilon), u the decaying maximum of |g|.

    Kingma & Ba 2015, section 7. Every step updates all rows of a table.

    >>> Adamax().learning_rate
    0.001
    """

    state_names = ("m", "u")

    def hyperparameters(self, step: int) -> dict[str, float]:
        """Return the rate, the factor that weight decay leaves, and alpha."""
        hyperparameters = super().hyperparameters(step)
        return hyperparameters | {
            "alpha": hyperparameters["learning_rate"] / (1 - self.beta_1 ** (step + 1))
        }

    def change(
        self, gradient: Array, state: Arrays, hyperparameters: Hyperparameters
    ) -> tuple[Array, Arrays]:
        """Return (the change of a weight, its new state) for a gradient."""
        m = state["m"] + (1 - self.beta_1) * (gradient - state["m"])
        u = namespace(gradient).maximum(self.beta_2 * state["u"], abs(gradient))
        return -hyperparameters["alpha"] * m / (u + self.epsilon), {"m": m, "u": u}

    @property
    def zero_gradient(self) -> None:
        """There is no short series for updates without a gradient."""
        return None
