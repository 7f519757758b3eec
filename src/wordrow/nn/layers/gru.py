"""Gated recurrent units."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from wordrow.nn.activations import ACTIVATIONS, get_activation
from wordrow.nn.activations import Activation as Function
from wordrow.nn.layers.layer import Arrays
from wordrow.nn.layers.recurrent import Recurrent, RecurrentOptions

__all__ = ["GRU"]


class GRU(Recurrent):
    """Reads a text step by step; gates say how much of the state stays.

    z, r = sigmoid of the first two parts of x @ kernel + h @ recurrent_kernel + biases
    g = tanh(x @ kernel_g + bias_g + r * (h @ recurrent_kernel_g + recurrent_bias_g))
    h = z * h + (1 - z) * g

    [B, T, D] -> [B, units], or [B, T, units] with return_sequences; with
    return_state a list [outputs, h]. For the other arguments see Recurrent. Cho
    et al. 2014. reset_after=False: r is applied to h before its kernel, as in the
    paper, and there is one bias.

    >>> GRU(2)(np.zeros((4, 5, 3), np.float32)).shape
    (4, 2)
    """

    n_gates = 3

    def __init__(
        self,
        units: int,
        activation: str | Function | None = "tanh",
        recurrent_activation: str | Function | None = "sigmoid",
        use_bias: bool = True,
        *,
        reset_after: bool = True,
        **options: Unpack[RecurrentOptions],
    ) -> None:
        super().__init__(units, activation, use_bias, **options)
        self.recurrent_activation = get_activation(recurrent_activation)
        self.reset_after = bool(reset_after)

    def draw_bias(self, rng: np.random.Generator) -> Any:
        """Return the first bias: [2, 3 * units], of inputs and state, or [3 * units]."""
        shape = (3 * self.units,)
        return self.draw("bias", (2, *shape) if self.reset_after else shape, rng)

    def step(self, weights: Arrays, z: Any, states: tuple[Any, ...], kept: Any) -> tuple[Any, ...]:
        """Return (h,)."""
        (h,) = states
        n, kernel, gate = self.units, weights["recurrent_kernel"], self.recurrent_activation
        dropped = h * kept
        if self.reset_after:
            inner = dropped @ kernel
            if self.use_bias:
                inner = inner + weights["bias"][1]
        else:
            inner = dropped @ kernel[:, : 2 * n]
        keep, reset = gate(z[:, :n] + inner[:, :n]), gate(z[:, n : 2 * n] + inner[:, n : 2 * n])
        part = (
            reset * inner[:, 2 * n :] if self.reset_after else reset * dropped @ kernel[:, 2 * n :]
        )
        return (keep * h + (1 - keep) * self.activation(z[:, 2 * n :] + part),)

    def kernel_options(self, weights: Arrays) -> dict[str, Any]:
        """Return what the kernel needs to know."""
        bias = weights["bias"][1] if self.use_bias and self.reset_after else None
        return {"kind": "gru", "activation": ACTIVATIONS.name(self.activation),
                "gate": ACTIVATIONS.name(self.recurrent_activation),
                "recurrent_bias": bias, "reset_after": self.reset_after}  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return super().get_config() | {
            "recurrent_activation": ACTIVATIONS.config(self.recurrent_activation),
            "reset_after": self.reset_after,
        }
