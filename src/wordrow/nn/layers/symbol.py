"""What a layer will put out, before there are numbers: the edges that models are drawn with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wordrow.nn.layers.layer import Layer, Shape, Spec

__all__ = ["Arithmetic", "Call", "Inside", "Symbol", "symbols_in"]


@dataclass(eq=False)
class Inside:
    """One call of a model: what it was called on, and what came out (None: nobody took it)."""

    model: Any
    inputs: tuple[Symbol, ...]
    outputs: list[Symbol | None]


@dataclass(frozen=True, eq=False)
class Call:
    """One use of a layer: on one symbol, or on a list of them.

    within: the call of a model that this is part of, where a model was called.
    """

    layer: Layer
    inputs: tuple[Symbol, ...]
    is_list: bool
    within: Inside | None = None


class Arithmetic:
    """What symbols and Inputs do under operators.

    Two of them are merged by the layer for it; with a number, an array or places
    they become a Lambda, which a file cannot hold.
    """

    __iter__ = None  # or Python would take one step after the other, without end
    __array_ufunc__ = None  # an array on the left leaves it to the symbol

    def __add__(self, other: Any) -> Any:
        return self._with(other, "Add", lambda x, y: x + y)

    def __sub__(self, other: Any) -> Any:
        return self._with(other, "Subtract", lambda x, y: x - y)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, "Multiply", lambda x, y: x * y)

    def __truediv__(self, other: Any) -> Any:
        return self._with(other, "", lambda x, y: x / y)

    def __radd__(self, other: Any) -> Any:
        return self + other

    def __rmul__(self, other: Any) -> Any:
        return self * other

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, "", lambda x, y: y - x)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with(other, "", lambda x, y: y / x)

    def __neg__(self) -> Any:
        return self * -1.0

    def __pow__(self, power: Any) -> Any:
        return self._with(power, "", lambda x, y: x**y)

    def __getitem__(self, places: Any) -> Any:
        return self._with(places, "", lambda x, at: x[at])

    def _with(self, other: Any, layer: str, function: Any) -> Any:
        from wordrow.nn.layers import LAYERS, Lambda

        own, others = symbols_in([self]) or [], symbols_in([other])
        if others is None:
            return Lambda(lambda x: function(x, other))(own[0])
        if layer:
            return LAYERS[layer]()(own + others)
        return Lambda(lambda pair: function(*pair))(own + others)


@dataclass(frozen=True, eq=False)
class Symbol(Arithmetic):
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
