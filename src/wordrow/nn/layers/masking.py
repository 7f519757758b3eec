"""A mask computed from the inputs."""

from __future__ import annotations

from typing import Any, Unpack

from wordrow.nn import ops
from wordrow.nn.layers.contract import LayerOptions
from wordrow.nn.layers.layer import Layer
from wordrow.nn.spec import Array, Arrays, Mask, Rng

__all__ = ["Masking"]


class Masking(Layer):
    """Masks the steps whose features all equal mask_value, and sets them to zero: [B, T, D].

    >>> import numpy as np
    >>> layer = Masking(9.0)
    >>> layer(np.array([[[9.0, 9.0], [9.0, 1.0]]])).tolist()
    [[[0.0, 0.0], [9.0, 1.0]]]
    """

    def __init__(self, mask_value: float = 0.0, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.mask_value = float(mask_value)

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
        """Return the inputs, and their mask."""
        real = (inputs != self.mask_value).any(axis=-1)
        if mask is not None:
            real = real & mask
        zero = inputs.dtype.type(0)
        return ops.namespace(inputs).where(real[..., None], inputs, zero), real, state

    def apply_as_keras(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return the inputs and their own mask, whatever was masked before."""
        return self.apply(weights, state, inputs, None, training=training, rng=rng)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {"mask_value": self.mask_value}
