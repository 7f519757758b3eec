"""Gated recurrent units."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from wordrow.nn import ops
from wordrow.nn.functions.activations import ACTIVATIONS, get_activation
from wordrow.nn.functions.activations import Activation as Function
from wordrow.nn.layers.recurrent import Recurrent, RecurrentOptions
from wordrow.nn.spec import Array, Arrays

__all__ = ["GRU"]


class GRU(Recurrent):
    """Gated recurrent units: gates control how much of the state is kept.

    z, r = sigmoid of the first two parts of x @ kernel + h @ recurrent_kernel + biases
    g = tanh(x @ kernel_g + bias_g + r * (h @ recurrent_kernel_g + recurrent_bias_g))
    h = z * h + (1 - z) * g

    [B, T, D] -> [B, units], or [B, T, units] with return_sequences; with
    return_state a list [outputs, h]. For the other arguments see Recurrent. Cho
    et al. 2014. reset_after=False: r is applied to h before the recurrent kernel, as in the
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

    def draw_bias(self, rng: np.random.Generator) -> Array:
        """Return the initial bias: [2, 3 * units], for inputs and state, or [3 * units]."""
        shape = (3 * self.units,)
        return self.draw("bias", (2, *shape) if self.reset_after else shape, rng)

    def step(
        self, weights: Arrays, z: Array, states: tuple[Array, ...], kept: Array
    ) -> tuple[Array, ...]:
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

    @property
    def cell(self) -> ops.Cell:
        """The cell, for the core's kernel."""
        return ops.Cell(
            "gru",
            ACTIVATIONS.name(self.activation),
            gate=ACTIVATIONS.name(self.recurrent_activation),
            reset_after=self.reset_after,
        )

    def recurrent_bias(self, weights: Arrays) -> Array | None:
        """Return the bias of the state, if it is separate."""
        return weights["bias"][1] if self.use_bias and self.reset_after else None

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "recurrent_activation": ACTIVATIONS.config(self.recurrent_activation),
            "reset_after": self.reset_after,
        }
