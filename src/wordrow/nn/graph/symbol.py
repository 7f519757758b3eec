"""Symbols: placeholders for the outputs of layers. Calling layers on them draws a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from wordrow.nn.ops import Form
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Shape, Spec, Specs

__all__ = ["OPERATIONS", "Arithmetic", "Call", "GraphLayer", "ModelCall", "Symbol", "symbols_in"]

# The layers behind operators on symbols, by class name; nn/layers fills this.
OPERATIONS: dict[str, Callable[..., Any]] = {}


class GraphLayer(Protocol):
    """What a graph needs of a layer; layers/contract.py documents it."""

    name: str
    mask: str | None
    mask_rule: str
    activity_regularizer: Any
    operations: Callable[[str], Any] | None
    output_spec: Specs
    is_input: ClassVar[bool]
    keeps_ids: ClassVar[bool]
    takes_list: ClassVar[bool]
    reads_text: ClassVar[bool]
    accepts: ClassVar[frozenset[Form]]

    @property
    def mixes_texts(self) -> bool:
        """Whether a text's outputs may depend on the other texts in its batch."""

    @property
    def makes_mask(self) -> bool:
        """Whether the outputs have a mask even if the inputs have none."""

    @property
    def n_rows(self) -> int | None:
        """The exclusive upper bound of input ids, for a layer that gathers rows; else None."""

    def emits(self, form: Form | None) -> Form | None:
        """Return the deferred form of the outputs, given that of the input; None: an array."""

    def run(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
        deferred: bool = False,
    ) -> tuple[Array, Mask, Arrays]:
        """Return (outputs, mask, state)."""


@dataclass(eq=False)
class ModelCall:
    """One call of a model: its inputs, and its outputs (None for an unused one)."""

    model: Any
    inputs: tuple[Symbol, ...]
    outputs: list[Symbol | None]


@dataclass(frozen=True, eq=False)
class Call:
    """One use of a layer: on one symbol, or on a list of them.

    within: the model call that this is part of, if any.
    """

    layer: Any  # a GraphLayer
    inputs: tuple[Symbol, ...]
    is_list: bool
    within: ModelCall | None = None


class Arithmetic:
    """Operators on symbols and Inputs.

    Two symbols are merged by the layer for the operator. With a number, an array or an index, the
    result comes from a Lambda layer, which cannot be saved.
    """

    __iter__ = None  # otherwise Python would iterate by index forever
    __array_ufunc__ = None  # an array on the left leaves the operation to the symbol

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

    def __getitem__(self, index: Any) -> Any:
        return self._with(index, "", lambda x, at: x[at])

    def _with(self, other: Any, layer: str, function: Any) -> Any:
        own, others = symbols_in([self]) or [], symbols_in([other])
        makers = [one.call.layer.operations for one in (*own, *(others or ()))]
        of_keras = next((one for one in makers if one), None)
        make = of_keras or OPERATIONS.__getitem__
        options = {"mask": "drop"} if of_keras else {}  # as Keras's operators do
        if others is None:
            return make("Lambda")(lambda x: function(x, other), **options)(own[0])
        if layer:
            return make(layer)(**options)(own + others)
        return make("Lambda")(lambda pair: function(*pair), **options)(own + others)


@dataclass(frozen=True, eq=False)
class Symbol(Arithmetic):
    """One output of a Call, by index; `shape` has None for axes of any length."""

    spec: Spec
    call: Call
    index: int = 0

    @property
    def shape(self) -> Shape:
        """The shape, the batch's axis included."""
        return self.spec.shape

    @property
    def dtype(self) -> str:
        """The dtype of the output."""
        return self.spec.dtype

    @property
    def _keras_shape(self) -> Shape:
        """The shape, as code written for Keras 1 and 2 reads it."""
        return self.spec.shape

    @property
    def symbol(self) -> Symbol:
        """The symbol itself; on an Input, the symbol of its input."""
        return self


def symbols_in(inputs: Any) -> list[Symbol] | None:
    """Return the symbols that a layer is called on; None if it is called on arrays."""
    items = inputs if isinstance(inputs, list | tuple) else [inputs]
    found = [getattr(item, "symbol", None) for item in items]
    symbols = [symbol for symbol in found if isinstance(symbol, Symbol)]
    if symbols and len(symbols) != len(items):
        raise TypeError("a layer is called on symbols or on arrays, not on both at once.")
    return symbols or None
