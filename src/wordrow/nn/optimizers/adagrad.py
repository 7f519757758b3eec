"""Adagrad."""

from __future__ import annotations

from typing import Any, Unpack

from wordrow.nn.ops import namespace
from wordrow.nn.optimizers.optimizer import (
    CoreRule,
    Hyperparameters,
    Optimizer,
    OptimizerOptions,
    Rate,
)
from wordrow.nn.spec import Array, Arrays

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """w -= learning_rate * gradient / sqrt(the sum of gradients squared + epsilon).

    Duchi et al. 2011.

    >>> Adagrad().learning_rate
    0.001
    """

    state_names = ("accumulator",)

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.initial_accumulator_value = float(initial_accumulator_value)
        self.epsilon = float(epsilon)

    def init(self, weight: Array) -> Arrays:
        """Return the optimizer state of a weight, before the first step."""
        return {"accumulator": namespace(weight).full_like(weight, self.initial_accumulator_value)}

    def change(
        self, gradient: Array, state: Arrays, hyperparameters: Hyperparameters
    ) -> tuple[Array, Arrays]:
        """Return (the change of a weight, its new state) for a gradient."""
        total = state["accumulator"] + gradient * gradient
        root = namespace(gradient).sqrt(total + self.epsilon)
        return -hyperparameters["learning_rate"] * gradient / root, {"accumulator": total}

    @property
    def core_rule(self) -> CoreRule | None:
        """The core's Adagrad."""
        if not self.updates_as(Adagrad):
            return None
        return CoreRule("adagrad", v="accumulator", epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this optimizer."""
        names = ("initial_accumulator_value", "epsilon")
        return super().get_config() | {name: vars(self)[name] for name in names}
