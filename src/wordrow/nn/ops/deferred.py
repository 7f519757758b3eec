"""Deferred forms of an array: rows that are not gathered yet, windows that are not summed yet.

A layer that accepts such a form does its work once per row, however often the row occurs in the
texts. Each layer declares which forms it accepts and emits (`Layer.accepts`, `Layer.emits`); the
graph matches the two. Anywhere else, `materialize` computes the array.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from wordrow.nn.spec import Array

__all__ = ["Form", "GatheredRows", "WindowSums"]


class Form(Enum):
    """The deferred forms that a layer may emit in place of an array."""

    GATHERED = auto()  # GatheredRows: a row for each step
    FLATTENED = auto()  # GatheredRows, each text's rows concatenated to one vector
    WINDOWS = auto()  # WindowSums: a convolution's windows before they are summed
    POOLED = auto()  # GatheredRows of pooled windows, which share one row for padding


@dataclass(frozen=True)
class GatheredRows:
    """Rows of a table, by their ids: step [b, t] is table[ids[b, t]]."""

    table: Array  # [V, D]
    ids: Array  # [B, T]
    is_flat: bool = False  # whether it stands for [B, T * D]: each text's rows, concatenated

    @property
    def backing(self) -> Array:
        """An array that says whether this belongs to NumPy or JAX."""
        return self.table

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the materialized array."""
        shape = (*self.ids.shape, self.table.shape[-1])
        return (shape[0], shape[1] * shape[2]) if self.is_flat else shape

    @property
    def is_dense(self) -> bool:
        """Whether there are at least as many steps as rows, so that work per row pays off."""
        return bool(self.table.shape[0] <= self.ids.size)


@dataclass(frozen=True)
class WindowSums:
    """A convolution's windows before they are summed.

    Window [b, n] is activation(bias + the sum over k of rows[row_indices[b, n, k], k]).
    """

    rows: Array  # [R, K, F]: what a row contributes as a window's first, second, ... step
    row_indices: Array  # [B, N, K], -1 where there is no step
    bias: Array | None  # [F]
    activation: str  # a monotonic one
    shares_rows: bool = False  # whether equal ids share a row, with padding in row 0

    @property
    def backing(self) -> Array:
        """An array that says whether this belongs to NumPy or JAX."""
        return self.rows

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the materialized array."""
        return (*self.row_indices.shape[:2], self.rows.shape[-1])
