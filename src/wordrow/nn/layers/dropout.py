"""Parts of the inputs set to zero while training (Srivastava et al. 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from wordrow.errors import show
from wordrow.nn import ops
from wordrow.nn.layers.layer import Arrays, Layer, LayerOptions

__all__ = ["Dropout", "SpatialDropout1D"]


class Dropout(Layer):
    """While training, sets a share `rate` of the inputs to zero and scales up the rest.

    noise_shape: axes of length 1 in it are dropped together. Carries the mask.

    >>> import numpy as np
    >>> Dropout(0.5)(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        if not 0 <= rate <= 1:
            raise ValueError(f"`rate` must be from 0 to 1; received {show(rate)}.")
        self.rate = float(rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed

    def apply(
        self, weights: Arrays, state: Arrays, inputs: Any, mask: Any, *, training: bool, rng: Any
    ) -> tuple[Any, Any, Arrays]:
        """Return the inputs, while training with some of them zero."""
        if not training or self.rate == 0:
            return inputs, mask, state
        xp = ops.namespace(inputs)
        if self.rate == 1:
            return xp.zeros_like(inputs), mask, state
        keep = ops.keep_mask(rng, 1 - self.rate, self._noise_shape(inputs.shape))
        return xp.where(keep, inputs / (1 - self.rate), 0).astype(inputs.dtype), mask, state

    def _noise_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if self.noise_shape is None:
            return shape
        pairs = zip(self.noise_shape, shape, strict=True)
        return tuple(n if given is None else given for given, n in pairs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        noise_shape = None if self.noise_shape is None else list(self.noise_shape)
        return super().get_config() | {
            "rate": self.rate,
            "noise_shape": noise_shape,
            "seed": self.seed,
        }


class SpatialDropout1D(Dropout):
    """Dropout of whole features: the same ones at every step of a text. [B, T, D] -> [B, T, D].

    >>> import numpy as np
    >>> SpatialDropout1D(0.5)(np.ones((1, 2, 3))).shape
    (1, 2, 3)
    """

    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(rate, noise_shape=(None, 1, None), seed=seed, **options)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        config = super().get_config()
        del config["noise_shape"]
        return config
