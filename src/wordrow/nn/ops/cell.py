"""What a recurrent layer computes at each step, as far as the core's kernel needs to know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wordrow import _core

__all__ = ["ACTIVATIONS_IN_CORE", "Cell", "activation_index"]

ACTIVATIONS_IN_CORE = ("linear", "relu", "tanh", "sigmoid", "hard_sigmoid")  # isa.h's order

_KINDS = ("simple", "lstm", "gru")  # recurrent.h's order


@dataclass(frozen=True)
class Cell:
    """The cell of a recurrent layer.

    activation, gate: names of activations; None for a user-defined one, which the core does not
    have. reset_after: where a GRU applies its reset gate, see `GRU`.
    """

    kind: Literal["simple", "lstm", "gru"]
    activation: str | None
    gate: str | None = "linear"
    reset_after: bool = False

    @property
    def has_c(self) -> bool:
        """Whether there is a second state, as in an LSTM."""
        return self.kind == "lstm"

    @property
    def kind_index(self) -> int:
        """The kind's value in the core's enum."""
        return _KINDS.index(self.kind)

    @property
    def activation_index(self) -> int:
        """The activation's value in the core's enum."""
        return activation_index(self.activation)

    @property
    def gate_index(self) -> int:
        """The value of the gates' activation in the core's enum."""
        return activation_index(self.gate)

    def residual_width(self, n_units: int) -> int:
        """Return how many floats the backward pass needs for each step."""
        return _core.residual_width(self.kind_index, n_units, reset_after=self.reset_after)


def activation_index(name: str | None) -> int:
    """Return the value of an activation in the core's enum; the core must have it."""
    assert name is not None
    return ACTIVATIONS_IN_CORE.index(name)
