"""The same numbers in another shape."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Literal, Unpack

import numpy as np

from wordrow.errors import show
from wordrow.nn import ops
from wordrow.nn.layers.layer import Arrays, Layer, LayerOptions, Shape, Spec, UnknownDimensionError
from wordrow.nn.layers.window import check_data_format

__all__ = ["Flatten", "Reshape"]


class Flatten(Layer):
    """One long vector a text: [B, T, D] -> [B, T * D]. Refuses a mask.

    >>> Flatten()(np.zeros((2, 3, 4))).shape
    (2, 12)
    """

    mask_rule = "refuses"
    keeps_ids = True
    takes_lookups = True

    def __init__(
        self,
        data_format: Literal["channels_last"] | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        check_data_format(data_format)

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Multiply the axes behind the batch."""
        return {}, {}, Spec((spec.shape[0], _size(spec.shape[1:])), spec.dtype)

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return [B, everything else]."""
        inputs = ops.laid_out(inputs)
        return inputs.reshape(inputs.shape[0], math.prod(inputs.shape[1:])), mask, state

    def look_up(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the same, with rows not laid out yet."""
        if not isinstance(inputs, ops.Lookup):
            return self.apply(weights, state, inputs, mask, training=training, rng=rng)
        return dataclasses.replace(inputs, is_flat=True), mask, state


class Reshape(Layer):
    """Another shape for each text: [B, ...] -> [B, *target_shape]. Refuses a mask.

    One axis of target_shape may be -1: it takes what is left.

    >>> Reshape((2, -1))(np.zeros((5, 6))).shape
    (5, 2, 3)
    """

    mask_rule = "refuses"
    keeps_ids = True

    def __init__(self, target_shape: Sequence[int], **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.target_shape = tuple(int(n) for n in target_shape)
        if self.target_shape.count(-1) > 1 or any(n < -1 or n == 0 for n in self.target_shape):
            raise ValueError(
                "`target_shape` must have whole numbers above 0, and at most one -1; "
                f"received {show(target_shape)}."
            )

    def build(self, spec: Spec, rng: np.random.Generator) -> tuple[Arrays, Arrays, Spec]:
        """Check that the numbers fit."""
        size = _size(spec.shape[1:])
        if size is None and -1 not in self.target_shape:
            raise UnknownDimensionError(
                f"layer {self.name!r} reshapes to {self.target_shape}; received {spec.shape}, of "
                "which an axis may have any length. Give it: Input((T,))."
            )
        known = math.prod(n for n in self.target_shape if n != -1)
        fits = size is None or (size % known == 0 if -1 in self.target_shape else size == known)
        if not fits:
            raise ValueError(
                f"layer {self.name!r} reshapes to {self.target_shape}; received {spec.shape}, "
                f"which holds {size} numbers a text. Use a shape of as many."
            )
        left = None if size is None else size // known
        shape = tuple(left if n == -1 else n for n in self.target_shape)
        return {}, {}, Spec((spec.shape[0], *shape), spec.dtype)

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return [B, *target_shape]."""
        left = math.prod(inputs.shape[1:]) // math.prod(n for n in self.target_shape if n != -1)
        shape = tuple(left if n == -1 else n for n in self.target_shape)
        return inputs.reshape(inputs.shape[0], *shape), mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return super().get_config() | {"target_shape": list(self.target_shape)}


def _size(shape: Shape) -> int | None:
    size = 1
    for axis in shape:
        if axis is None:
            return None
        size *= axis
    return size
