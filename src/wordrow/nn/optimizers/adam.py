"""Adam and AdamW."""

from __future__ import annotations

import math
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

__all__ = ["Adam", "AdamW", "TwoBetas"]


class TwoBetas(Optimizer):
    """What Adam and its variants share: the decay of two running means, and epsilon."""

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1, self.beta_2 = share("beta_1", beta_1), share("beta_2", beta_2)
        self.epsilon = float(epsilon)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this optimizer."""
        names = ("beta_1", "beta_2", "epsilon")
        return super().get_config() | {name: vars(self)[name] for name in names}


class Adam(TwoBetas):
    """w -= alpha * m / (sqrt(v) + epsilon), with running means m and v of gradient and square.

    alpha = learning_rate * sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t). amsgrad: v
    never falls. Kingma & Ba 2015, the form before section 2.1; Reddi et al. 2018.

    >>> Adam().learning_rate
    0.001
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Unpack[OptimizerOptions],
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self.amsgrad = bool(amsgrad)
        self.state_names = ("m", "v", "largest") if self.amsgrad else ("m", "v")

    def hyperparameters(self, step: int) -> dict[str, float]:
        """Return the rate, the factor that weight decay leaves, and alpha."""
        hyperparameters, t = super().hyperparameters(step), step + 1
        scale = math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        return hyperparameters | {"alpha": hyperparameters["learning_rate"] * scale}

    def change(
        self, gradient: Array, state: Arrays, hyperparameters: Hyperparameters
    ) -> tuple[Array, Arrays]:
        """Return (the change of a weight, its new state) for a gradient."""
        xp = namespace(gradient)
        m = state["m"] + (1 - self.beta_1) * (gradient - state["m"])
        v = state["v"] + (1 - self.beta_2) * (gradient * gradient - state["v"])
        new, spread = {"m": m, "v": v}, v
        if self.amsgrad:
            spread = new["largest"] = xp.maximum(state["largest"], v)
        return -hyperparameters["alpha"] * m / (xp.sqrt(spread) + self.epsilon), new

    @property
    def zero_gradient(self) -> ZeroGradient | None:
        """Without a gradient, rows move by m over v (with amsgrad, v's maximum); both decay."""
        return ZeroGradient(
            {"m": self.beta_1, "v": self.beta_2},
            numerator="m" if self.beta_1 else None,
            denominator="largest" if self.amsgrad else "v",
            epsilon=self.epsilon,
            rate="alpha",
            scale=-1.0,
        )

    @property
    def core_rule(self) -> CoreRule | None:
        """The core's Adam, which has no amsgrad."""
        if not self.updates_as(Adam) or self.amsgrad:
            return None
        if self.beta_1 > 0.9999 or not self.beta_2 or self.epsilon < 1e-37:
            return None
        return CoreRule(
            "adam", m="m", v="v", beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this optimizer."""
        return super().get_config() | {"amsgrad": self.amsgrad}


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    >>> AdamW().weight_decay
    0.004
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **options
        )
