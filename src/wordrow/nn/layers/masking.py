"""A mask from the steps themselves."""

from __future__ import annotations

from typing import Any, Unpack

from wordrow.nn import ops
from wordrow.nn.layers.layer import Arrays, Layer, LayerOptions

__all__ = ["Masking"]


class Masking(Layer):
    """Masks the steps whose every feature is mask_value, and makes them zeros: [B, T, D].

    >>> import numpy as np
    >>> layer = Masking(9.0)
    >>> layer(np.array([[[9.0, 9.0], [9.0, 1.0]]])).tolist()
    [[[0.0, 0.0], [9.0, 1.0]]]
    """

    def __init__(self, mask_value: float = 0.0, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.mask_value = float(mask_value)

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the inputs with a mask."""
        real = (inputs != self.mask_value).any(axis=-1)
        if mask is not None:
            real = real & mask
        zero = inputs.dtype.type(0)
        return ops.namespace(inputs).where(real[..., None], inputs, zero), real, state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return super().get_config() | {"mask_value": self.mask_value}
