"""The layer contract, and the thin shell that holds a layer's weights.

A layer is a description and two pure functions:

    build(spec, rng) -> weights, state, spec of the outputs
    apply(weights, state, inputs, mask, training=, rng=) -> outputs, mask, state

Both run on whatever arrays they are given, NumPy's or JAX's. The mask is an
argument and a result: bool [B, T], True for a real token, None where every step
is real. What a layer does with it stands in `mask_rule`:

    carries   each step goes its own way; the mask comes out as it went in
    consumes  the mask is used, and none comes out
    refuses   the layer has no meaning under a mask, and says so

`mask="drop"` makes a layer forget the mask instead, as Keras does with some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypedDict

import numpy as np
import numpy.typing as npt

from wordrow.errors import show
from wordrow.nn import random

__all__ = ["Arrays", "Layer", "LayerOptions", "MaskRule", "Shape", "Spec", "UnknownDimensionError"]

Arrays = dict[str, Any]
Shape = tuple[int | None, ...]
MaskRule = Literal["carries", "consumes", "refuses"]


@dataclass(frozen=True)
class Spec:
    """The shape of an array, None for an axis that may have any length; axis 0 is the batch."""

    shape: Shape
    dtype: str = "float32"


class UnknownDimensionError(ValueError):
    """A layer cannot be built before the length of an axis is known."""


class LayerOptions(TypedDict, total=False):
    """What every layer takes by keyword: see `Layer`."""

    name: str | None
    trainable: bool
    input_shape: Sequence[int | None] | None
    mask: Literal["drop"] | None


class Layer:
    """What all layers share: a name, and the weights once they are built.

    name: unique in a model; numbered by kind where it is not given. trainable:
    whether training changes the weights. input_shape: of a first layer, without
    the batch axis. mask: "drop" forgets the mask, as Keras does in some layers.
    """

    mask_rule: ClassVar[MaskRule] = "carries"
    keeps_ids: ClassVar[bool] = False  # ids that go in come out, perhaps in another shape

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        input_shape: Sequence[int | None] | None = None,
        mask: Literal["drop"] | None = None,
    ) -> None:
        if mask not in (None, "drop"):
            raise ValueError(f"`mask` must be None or 'drop'; received {show(mask)}.")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"`name` must be a string; received {show(name)}.")
        self.given_name = name
        self.name = name or _snake_case(type(self).__name__)
        self.trainable = trainable
        self.mask = mask
        self.first_shape: Shape | None = None if input_shape is None else (None, *input_shape)
        self._weights: Arrays | None = None
        self._state: Arrays = {}
        self.input_spec: Spec | None = None
        self.output_spec: Spec | None = None

    # ---- the contract ---------------------------------------------------

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Return (weights, state, spec of the outputs) for inputs of a spec."""
        return {}, {}, spec

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return (outputs, mask, state)."""
        raise TypeError(f"{type(self).__name__} does not say what it does: define `apply`.")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        return config | ({"mask": self.mask} if self.mask else {})

    def run(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Apply the layer under its mask rule."""
        if self.mask == "drop":
            mask = None
        if mask is not None and self.mask_rule == "refuses":
            raise ValueError(
                f"{type(self).__name__} ({self.name!r}) cannot honour a mask: every step counts in "
                "it, padding too. Pool over the real steps first (GlobalAveragePooling1D, "
                "GlobalMaxPooling1D), build the Embedding with mask_zero=False, or give this layer "
                "mask='drop' to let padding count as Keras does."
            )
        return self.apply(weights, state, inputs, mask, training=training, rng=rng)

    # ---- the shell ------------------------------------------------------

    @property
    def built(self) -> bool:
        """Whether the layer has its weights."""
        return self._weights is not None

    def build_in_place(self, spec: Spec, rng: np.random.Generator) -> Spec:
        """Build the layer and keep its weights; a built layer only checks its inputs' shape."""
        if self._weights is not None and spec == self.input_spec and self.output_spec is not None:
            return self.output_spec
        weights, state, output = self.build(spec, rng)
        if self._weights is None:
            self._weights, self._state = weights, state
        else:
            _check_shapes(self, weights)
        self.input_spec, self.output_spec = spec, output
        return output

    def __call__(self, inputs: Any, mask: Any = None, *, training: bool = False) -> Any:
        """Return the layer's outputs for an array, building the layer where needed."""
        if not hasattr(inputs, "shape"):
            inputs = np.asarray(inputs)
        spec = Spec((None, *inputs.shape[1:]), str(inputs.dtype))
        if not self.built:
            self.build_in_place(spec, random.generator())
        self.check(inputs)
        assert self._weights is not None
        rng = random.generator()
        return self.run(self._weights, self._state, inputs, mask, training=training, rng=rng)[0]

    def check(self, inputs: Any) -> None:
        """Raise ValueError for values that the layer cannot take."""

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Return copies of the weights, in Keras's order."""
        return [np.array(weight) for weight in (self._weights or {}).values()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Take arrays of the shapes that `get_weights` gives."""
        own = self._weights or {}
        if len(weights) != len(own):
            hint = "" if self.built else " It is not built yet: give the model an input shape."
            raise ValueError(
                f"layer {self.name!r} has {len(own)} weights ({', '.join(own) or 'none'}); "
                f"received {len(weights)}.{hint}"
            )
        taken = {}
        for (name, weight), value in zip(own.items(), weights, strict=True):
            array = np.array(value, dtype=weight.dtype)
            if array.shape != weight.shape:
                raise ValueError(
                    f"weight {name!r} of layer {self.name!r} has the shape {weight.shape}; "
                    f"received {array.shape}."
                )
            taken[name] = array
        self._weights = taken if self.built else None

    def count_params(self) -> int:
        """Return the number of single weights."""
        return sum(int(weight.size) for weight in (self._weights or {}).values())

    @property
    def output_shape(self) -> Shape | None:
        """The shape of the outputs, None for axes of any length; None before it is built."""
        return None if self.output_spec is None else self.output_spec.shape

    @property
    def input_shape(self) -> Shape | None:
        """The shape of the inputs, None for axes of any length; None before it is built."""
        return None if self.input_spec is None else self.input_spec.shape

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, output shape {self.output_shape}>"


def _check_shapes(layer: Layer, weights: Arrays) -> None:
    for name, weight in (layer._weights or {}).items():
        if weights[name].shape != weight.shape:
            raise ValueError(
                f"layer {layer.name!r} was built with {name} of shape {weight.shape}; these inputs "
                f"would need {weights[name].shape}. Use a new layer."
            )


def _snake_case(name: str) -> str:
    """Return a class name as a layer name: GlobalMaxPooling1D -> global_max_pooling1d."""
    out = ""
    for i, char in enumerate(name):
        if char.isupper() and i and not name[i - 1].isupper() and not name[i - 1].isdigit():
            out += "_"
        out += char.lower()
    return out
