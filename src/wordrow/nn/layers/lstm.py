"""Long short-term memory."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

import numpy as np

from wordrow.nn import ops
from wordrow.nn.functions.activations import ACTIVATIONS, get_activation
from wordrow.nn.functions.activations import Activation as Function
from wordrow.nn.layers.recurrent import Recurrent, RecurrentOptions
from wordrow.nn.spec import Array, Arrays

__all__ = ["LSTM"]


class LSTM(Recurrent):
    """Long short-term memory: gates control what the cell state c keeps, takes in and outputs.

    i, f, g, o = the four parts of x @ kernel + h @ recurrent_kernel + bias
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(c)

    [B, T, D] -> [B, units], or [B, T, units] with return_sequences; with
    return_state a list [outputs, h, c]. For the other arguments see Recurrent.
    Hochreiter & Schmidhuber 1997; the forget gate's bias starts at 1
    (unit_forget_bias), as Jozefowicz et al. 2015 recommend.

    >>> LSTM(2, return_sequences=True)(np.zeros((4, 5, 3), np.float32)).shape
    (4, 5, 2)
    """

    n_gates = 4
    states: ClassVar = ("h", "c")

    def __init__(
        self,
        units: int,
        activation: str | Function | None = "tanh",
        recurrent_activation: str | Function | None = "sigmoid",
        use_bias: bool = True,
        unit_forget_bias: bool = True,
        **options: Unpack[RecurrentOptions],
    ) -> None:
        super().__init__(units, activation, use_bias, **options)
        self.recurrent_activation = get_activation(recurrent_activation)
        self.unit_forget_bias = bool(unit_forget_bias)

    def draw_bias(self, rng: np.random.Generator) -> Array:
        """Return the initial bias [4 * units], with ones for the forget gate."""
        bias = np.array(super().draw_bias(rng))
        if self.unit_forget_bias:
            bias[self.units : 2 * self.units] = 1
        return bias

    def step(
        self, weights: Arrays, z: Array, states: tuple[Array, ...], kept: Array
    ) -> tuple[Array, ...]:
        """Return (h, c)."""
        h, c = states
        gate = self.recurrent_activation
        n = self.units
        z = z + (h * kept) @ weights["recurrent_kernel"]
        i, f, g, o = (z[:, k * n : (k + 1) * n] for k in range(4))
        c = gate(f) * c + gate(i) * self.activation(g)
        return gate(o) * self.activation(c), c

    @property
    def cell(self) -> ops.Cell:
        """The cell, for the core's kernel."""
        return ops.Cell(
            "lstm",
            ACTIVATIONS.name(self.activation),
            gate=ACTIVATIONS.name(self.recurrent_activation),
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "recurrent_activation": ACTIVATIONS.config(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
        }
