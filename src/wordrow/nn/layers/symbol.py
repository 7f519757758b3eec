"""What a layer will put out, before there are numbers: the edges that models are drawn with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wordrow.nn.layers.layer import Layer, Shape, Spec

__all__ = ["Call", "Symbol", "symbols_in"]


@dataclass(frozen=True, eq=False)
class Call:
    """One use of a layer: on one symbol, or on a list of them."""

    layer: Layer
    inputs: tuple[Symbol, ...]
    is_list: bool


@dataclass(frozen=True, eq=False)
class Symbol:
    """One output of a Call, by number; `shape` has None for axes of any length."""

    spec: Spec
    call: Call
    index: int = 0

    @property
    def shape(self) -> Shape:
        """The shape, the batch's axis included."""
        return self.spec.shape

    @property
    def dtype(self) -> str:
        """The type of the numbers to come."""
        return self.spec.dtype

    @property
    def symbol(self) -> Symbol:
        """The symbol itself; an Input's is the symbol of what comes in."""
        return self


def symbols_in(inputs: Any) -> list[Symbol] | None:
    """Return the symbols that a layer is called on, or None where it is called on arrays."""
    items = inputs if isinstance(inputs, list | tuple) else [inputs]
    found = [getattr(item, "symbol", None) for item in items]
    symbols = [symbol for symbol in found if isinstance(symbol, Symbol)]
    if symbols and len(symbols) != len(items):
        raise TypeError("a layer is called on symbols or on arrays, not on both at once.")
    return symbols or None
