"""The input of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wordrow.nn import random
from wordrow.nn.graph.symbol import Arithmetic, Call, Symbol
from wordrow.nn.layers.layer import Layer
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Shape, Spec

__all__ = ["Input"]


class Input(Arithmetic, Layer):
    """One input of a model. shape: without the batch axis; None is an axis of any length.

    Layers can be called on it, and `Model(inputs, outputs)` starts from it.

    >>> Input((6,)).first_shape
    (None, 6)
    """

    is_input = True
    keeps_ids = True

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        *,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, trainable=trainable)
        if (shape is None) == (batch_shape is None):
            raise ValueError("Input needs `shape`, for example Input((500,)), or `batch_shape`.")
        if shape is not None and (isinstance(shape, int) or not isinstance(shape, Sequence)):
            raise ValueError(f"`shape` must be a tuple; received {shape!r}. Use Input(({shape},)).")
        self.dtype = dtype or "float32"
        full: Shape = (batch_size, *shape) if shape is not None else tuple(batch_shape or ())
        for size in full:
            whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
            if size is not None and not (whole and size >= 0):
                raise ValueError(
                    "a shape holds whole numbers, and None for an axis of any length; received "
                    f"{full}."
                )
        self.first_shape = full
        self.build_in_place(Spec(full, self.dtype), random.generator())
        self.symbol = Symbol(self.output_spec, Call(self, (), False))

    @property
    def shape(self) -> Shape:
        """The shape, the batch's axis included."""
        return self.symbol.shape

    def apply(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return the inputs."""
        return inputs, mask, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "batch_shape": list(self.first_shape or ()),
            "dtype": self.dtype,
        }
